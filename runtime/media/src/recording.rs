//! What of a call is recorded: from when, until when, and which samples.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::saturation::soft;
use crate::tone::ramped_sine;
use crate::{FRAME_MS, VoiceActivity};

/// The beep before a recording: half a second.
const BEEP_FRAMES: u64 = 25;
const BEEP_HZ: f64 = 1_000.0;
const BEEP_AMPLITUDE: f64 = 0.2;

/// What is kept of the silence around speech that is trimmed: 200 ms, so that soft beginnings and ends stay.
const MARGIN_FRAMES: u64 = 10;

/// Whose voice is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RecordingTracks {
    /// The caller's and the callee's.
    Both,
    /// The caller's: what comes in on a leg that has no other one.
    Caller,
    /// The callee's.
    Callee,
}

/// How voices share a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RecordingChannels {
    /// All in one channel.
    Mono,
    /// The caller in the left one, the callee in the right one.
    Dual,
}

/// What a recording is to be like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordingOptions {
    /// Whose voice is recorded. The others count neither as sound nor as silence.
    pub tracks: RecordingTracks,
    /// How voices share the file.
    pub channels: RecordingChannels,
    /// The caller hears a beep first; it is not recorded.
    pub beep: bool,
    /// Silence of this length ends it. `None`: it does not.
    pub silence_timeout: Option<Duration>,
    /// Each of these keys ends it.
    pub finish_keys: String,
    /// Ends it, trimmed silence included and skipped pauses not. `None`: it goes on.
    pub max_length: Option<Duration>,
    /// Silence at its beginning and end is left out, but for 200 ms.
    pub trim_silence: bool,
}

impl RecordingOptions {
    /// As Twilio's `<Record>` has it where nothing else is said: the caller alone, up to an hour, until five seconds of
    /// silence or any key.
    #[must_use]
    pub fn of_verb() -> Self {
        Self {
            tracks: RecordingTracks::Caller,
            channels: RecordingChannels::Mono,
            beep: true,
            silence_timeout: Some(Duration::from_secs(5)),
            finish_keys: "1234567890*#".to_owned(),
            max_length: Some(Duration::from_secs(3_600)),
            trim_silence: true,
        }
    }

    /// Of a whole call or conference, which nothing ends but its end.
    #[must_use]
    pub fn of_call(channels: RecordingChannels) -> Self {
        Self {
            tracks: RecordingTracks::Both,
            channels,
            beep: false,
            silence_timeout: None,
            finish_keys: String::new(),
            max_length: None,
            trim_silence: false,
        }
    }
}

/// What a pause leaves in a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PauseBehavior {
    /// Nothing.
    Skip,
    /// Silence as long as the pause.
    Silence,
}

/// Why a recording ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RecordingEnd {
    /// Nobody spoke for the time that was set.
    Silence,
    /// This key was pressed.
    Key(char),
    /// It was as long as it may be.
    MaxLength,
    /// The call ended.
    HungUp,
    /// Somebody stopped it.
    Stopped,
}

/// A recording that has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recorded {
    /// Why.
    pub end: RecordingEnd,
    /// Samples of each channel to keep: [`crate::WavFile::finish`] cuts the trimmed end off.
    pub samples: u64,
    /// Their rate.
    pub rate_hz: u32,
    /// Somebody spoke at all. A `<Record>` in which nobody did asks for no document.
    pub heard_voice: bool,
}

impl Recorded {
    /// How long it is.
    #[must_use]
    pub fn duration(&self) -> Duration {
        Duration::from_nanos(self.samples * 1_000_000_000 / u64::from(self.rate_hz))
    }
}

/// What is to be appended to the file: so much silence, then these samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RecordedBlock<'a> {
    /// Samples of each channel.
    pub silence_samples: u64,
    /// Those of two channels alternate, the caller's first.
    pub samples: &'a [i16],
}

/// One recording: both sides' frames go in, what the file gets comes out. Both sides stay together in time however
/// little one of them sends.
///
/// Every round of 20 ms, in this order: [`Self::hear`], and what it returns to the file; [`Self::beep`], and its frame
/// to the caller in place of any other; [`Self::ended`]. Allocates nothing once made.
#[derive(Debug, Clone)]
pub struct Recorder {
    options: RecordingOptions,
    rate_hz: u32,
    phase: Phase,
    /// The last round.
    round: Option<u64>,
    caller: VoiceActivity,
    callee: VoiceActivity,
    pause: Option<PauseBehavior>,
    /// Frames that it went on for, skipped pauses not counted.
    elapsed_frames: u64,
    /// Frames given out.
    frames: u64,
    /// Frames given out up to the last speech.
    frames_to_voice: u64,
    heard_voice: bool,
    /// This round's frame, behind those held back before the first speech.
    block: Box<[i16]>,
    held_frames: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// So many frames of the beep are over.
    Beep(u64),
    Recording,
    Ended(RecordingEnd),
}

impl Recorder {
    /// A recording that begins with the next round. `rate_hz`: of both sides' frames.
    ///
    /// # Panics
    /// If a frame of 20 ms is no whole number of samples.
    #[must_use]
    pub fn new(options: RecordingOptions, rate_hz: u32) -> Self {
        assert!(rate_hz > 0 && rate_hz.is_multiple_of(50), "{rate_hz} Hz");
        let channels = match options.channels {
            RecordingChannels::Mono => 1,
            RecordingChannels::Dual => 2,
        };
        let width = frame_samples(rate_hz) * channels;
        let room = if options.trim_silence {
            MARGIN_FRAMES as usize + 1
        } else {
            1
        };
        Self {
            phase: if options.beep {
                Phase::Beep(0)
            } else {
                Phase::Recording
            },
            options,
            rate_hz,
            round: None,
            caller: VoiceActivity::default(),
            callee: VoiceActivity::default(),
            pause: None,
            elapsed_frames: 0,
            frames: 0,
            frames_to_voice: 0,
            heard_voice: false,
            block: vec![0; width * room].into(),
            held_frames: 0,
        }
    }

    /// Takes what both sides said in a round; `None`: nothing came. Rounds between this and the last one were silent.
    /// Nothing is recorded during the beep.
    ///
    /// # Panics
    /// If a frame has not the length of 20 ms.
    pub fn hear(
        &mut self,
        round: u64,
        caller: Option<&[i16]>,
        callee: Option<&[i16]>,
    ) -> RecordedBlock<'_> {
        let before = self.round.replace(round);
        let missed = before.map_or(0, |before| round.saturating_sub(before + 1));
        match self.phase {
            Phase::Ended(_) => RecordedBlock::default(),
            Phase::Beep(over) => {
                let over = over + missed + u64::from(before.is_some());
                self.phase = if over < BEEP_FRAMES {
                    Phase::Beep(over)
                } else {
                    Phase::Recording
                };
                RecordedBlock::default()
            }
            Phase::Recording => match self.pause {
                Some(PauseBehavior::Skip) => RecordedBlock::default(),
                Some(PauseBehavior::Silence) => self.pass(missed + 1),
                None => self.record(missed, caller, callee),
            },
        }
    }

    /// Writes this round's frame of the beep; `false` once it is over.
    pub fn beep(&self, frame: &mut [i16]) -> bool {
        let Phase::Beep(over) = self.phase else {
            return false;
        };
        let length = frame.len();
        ramped_sine(
            BEEP_HZ,
            BEEP_AMPLITUDE,
            self.rate_hz,
            over as usize * length,
            BEEP_FRAMES as usize * length,
            frame,
        );
        true
    }

    /// A key of the caller's. Ends the recording if it is one of those that do.
    pub fn press(&mut self, key: char) {
        if self.options.finish_keys.contains(key) {
            self.stop(RecordingEnd::Key(key));
        }
    }

    /// Records nothing from the next round on. A second pause changes what the first one leaves.
    pub fn pause(&mut self, behavior: PauseBehavior) {
        self.pause = Some(behavior);
    }

    /// Records again from the next round on.
    pub fn resume(&mut self) {
        self.pause = None;
    }

    /// Ends it, unless it has ended.
    pub fn stop(&mut self, end: RecordingEnd) {
        if !matches!(self.phase, Phase::Ended(_)) {
            self.phase = Phase::Ended(end);
        }
    }

    /// How it ended, once it has.
    #[must_use]
    pub fn ended(&self) -> Option<Recorded> {
        let Phase::Ended(end) = self.phase else {
            return None;
        };
        let frames = if self.options.trim_silence {
            self.frames.min(self.frames_to_voice + MARGIN_FRAMES)
        } else {
            self.frames
        };
        Some(Recorded {
            end,
            samples: frames * frame_samples(self.rate_hz) as u64,
            rate_hz: self.rate_hz,
            heard_voice: self.heard_voice,
        })
    }

    /// Records `missed` silent frames and this one.
    fn record(
        &mut self,
        missed: u64,
        caller: Option<&[i16]>,
        callee: Option<&[i16]>,
    ) -> RecordedBlock<'_> {
        let gap = self.elapse(missed);
        self.listen(gap, caller, callee);
        let silence_samples = self.give_silence(gap);
        let mut given = 0;
        if self.phase == Phase::Recording && self.elapse(1) == 1 {
            self.mix(caller, callee);
            given = self.give_frame();
            self.end_if_silent();
        }
        RecordedBlock {
            silence_samples,
            samples: &self.block[..given],
        }
    }

    /// Records so many frames of a pause as silence.
    fn pass(&mut self, frames: u64) -> RecordedBlock<'static> {
        let frames = self.elapse(frames);
        RecordedBlock {
            silence_samples: self.give_silence(frames),
            samples: &[],
        }
    }

    /// Counts frames up to the longest length, which ends the recording. Returns those that are within.
    fn elapse(&mut self, frames: u64) -> u64 {
        let limit = self.options.max_length.map_or(u64::MAX, frames_of);
        let frames = frames.min(limit - self.elapsed_frames);
        self.elapsed_frames += frames;
        if self.elapsed_frames == limit {
            self.stop(RecordingEnd::MaxLength);
        }
        frames
    }

    fn listen(&mut self, gap: u64, caller: Option<&[i16]>, callee: Option<&[i16]>) {
        let gap = u32::try_from(gap).unwrap_or(u32::MAX);
        for (activity, frame) in [(&mut self.caller, caller), (&mut self.callee, callee)] {
            activity.pass(gap);
            match frame {
                Some(frame) => {
                    activity.hear(frame);
                }
                None => activity.pass(1),
            }
        }
    }

    /// Frames since the last speech that is recorded.
    fn quiet_frames(&self) -> u32 {
        let (caller, callee) = (self.caller.quiet_frames(), self.callee.quiet_frames());
        match self.options.tracks {
            RecordingTracks::Both => caller.min(callee),
            RecordingTracks::Caller => caller,
            RecordingTracks::Callee => callee,
        }
    }

    /// Puts this round's frame behind those held back.
    fn mix(&mut self, caller: Option<&[i16]>, callee: Option<&[i16]>) {
        let length = frame_samples(self.rate_hz);
        let caller = caller.filter(|_| self.options.tracks != RecordingTracks::Callee);
        let callee = callee.filter(|_| self.options.tracks != RecordingTracks::Caller);
        for frame in [caller, callee].into_iter().flatten() {
            assert_eq!(frame.len(), length, "a frame lasts 20 ms");
        }
        let at = |frame: Option<&[i16]>, n: usize| frame.map_or(0, |frame| frame[n]);
        let width = self.width();
        let block = &mut self.block[self.held_frames as usize * width..][..width];
        match self.options.channels {
            RecordingChannels::Mono => {
                for (n, sample) in block.iter_mut().enumerate() {
                    *sample = match (caller, callee) {
                        (Some(caller), Some(callee)) => {
                            soft(i32::from(caller[n]) + i32::from(callee[n]))
                        }
                        (one, other) => at(one.or(other), n),
                    };
                }
            }
            RecordingChannels::Dual => {
                for (n, pair) in block.chunks_exact_mut(2).enumerate() {
                    pair.copy_from_slice(&[at(caller, n), at(callee, n)]);
                }
            }
        }
    }

    /// Counts this round's frame, and those held back if it is the first speech. Returns the samples to give out; none
    /// while it is held back itself.
    fn give_frame(&mut self) -> usize {
        let is_voice = self.quiet_frames() == 0;
        self.heard_voice |= is_voice;
        if !self.trims_start() {
            let frames = self.held_frames + 1;
            self.held_frames = 0;
            self.frames += frames;
            if is_voice {
                self.frames_to_voice = self.frames;
            }
            return frames as usize * self.width();
        }
        self.held_frames += 1;
        if self.held_frames > MARGIN_FRAMES {
            self.held_frames = MARGIN_FRAMES;
            self.block.copy_within(self.width().., 0);
        }
        0
    }

    /// Counts silent frames; before the first speech they are held back or left out. Returns the samples to give out.
    fn give_silence(&mut self, frames: u64) -> u64 {
        if frames > 0 && self.trims_start() {
            self.held_frames = 0;
            return 0;
        }
        self.frames += frames;
        frames * frame_samples(self.rate_hz) as u64
    }

    /// Nobody has spoken yet, and such silence is left out.
    fn trims_start(&self) -> bool {
        self.options.trim_silence && !self.heard_voice
    }

    fn end_if_silent(&mut self) {
        if let Some(timeout) = self.options.silence_timeout
            && u64::from(self.quiet_frames()) >= frames_of(timeout)
        {
            self.stop(RecordingEnd::Silence);
        }
    }

    /// Samples of a frame of all channels.
    fn width(&self) -> usize {
        let channels = match self.options.channels {
            RecordingChannels::Mono => 1,
            RecordingChannels::Dual => 2,
        };
        frame_samples(self.rate_hz) * channels
    }
}

fn frame_samples(rate_hz: u32) -> usize {
    (rate_hz / (1_000 / FRAME_MS)) as usize
}

/// A length in frames, at least one.
fn frames_of(length: Duration) -> u64 {
    (length.as_millis() as u64 / u64::from(FRAME_MS)).max(1)
}

#[cfg(test)]
mod tests;
