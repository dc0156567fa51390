//! Who answered: a human, an answering machine, or a fax machine.
//!
//! A human says a word or two and waits; a machine talks on, and may beep when it is done.

use std::ops::RangeInclusive;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::tone_run::{ToneFollower, ToneRun};
use crate::{FRAME_MS, VoiceActivity};

/// Speech is at least this long: 80 ms. Shorter ones are knocks.
const MIN_SPEECH_FRAMES: u32 = 4;
/// From here on it is a tone and no speech: 60 ms.
const MIN_TONE_FRAMES: u32 = 3;
/// A beep is at least this long: 100 ms.
const MIN_BEEP_FRAMES: u32 = 5;
/// A tone that is longer than 3 s is no beep.
const MAX_BEEP_FRAMES: u32 = 150;
/// A beep that nobody spoke before is at most 1 s long, and not as low as ringing, busy and other tones of the network
/// (ITU-T E.180: 400 to 450 Hz, 480 Hz with others).
const MAX_BARE_BEEP_FRAMES: u32 = 50;
const MIN_BARE_BEEP_HZ: f64 = 600.0;

/// What a calling fax machine sends, 0.5 s every 3.5 s (ITU-T T.30 section 4.3.3.2).
const CALLING_FAX_HZ: RangeInclusive<f64> = 1_062.0..=1_138.0;
/// What an answering one sends for some 3 s (T.30 section 4.3.3.1), turned over every 450 ms where it is to switch echo
/// cancellers off (V.25).
const ANSWERING_FAX_HZ: RangeInclusive<f64> = 2_085.0..=2_115.0;
/// Long enough to know either: 340 ms.
const FAX_FRAMES: u32 = 17;

/// When an answer is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum MachineDetection {
    /// As soon as it is known who answered: Twilio's `Enable`.
    Enable,
    /// Of a machine, when its message is over: `DetectMessageEnd`.
    DetectMessageEnd,
}

/// How long things take; the default is Twilio's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MachineDetectionOptions {
    /// When an answer is wanted.
    pub mode: MachineDetection,
    /// `MachineDetectionTimeout`: after this the answer is `unknown`. 3 to 60 s.
    pub timeout: Duration,
    /// `MachineDetectionSpeechThreshold`: who speaks for less is human, who speaks for longer a machine. 1,000 to 6,000 ms.
    pub speech_threshold: Duration,
    /// `MachineDetectionSpeechEndThreshold`: so much silence ends what is spoken, a message too. 500 to 5,000 ms.
    pub speech_end_threshold: Duration,
    /// `MachineDetectionSilenceTimeout`: so much silence at the beginning, and the answer is `unknown`. 2,000 to
    /// 10,000 ms.
    pub silence_timeout: Duration,
}

/// Who answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AnsweredBy {
    /// Somebody.
    Human,
    /// A machine, whose message goes on.
    MachineStart,
    /// A machine, whose message ended with a beep that is over.
    MachineEndBeep,
    /// A machine, whose message ended in silence.
    MachineEndSilence,
    /// A machine, after whose message came a tone that is no beep.
    MachineEndOther,
    /// A fax machine.
    Fax,
    /// Nobody knows: silence, or the time is over.
    Unknown,
}

/// An option outside its range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name} is {value_ms} ms; use {} to {}", .range_ms.start(), .range_ms.end())]
pub struct MachineDetectionRange {
    /// Twilio's name of the option.
    pub name: &'static str,
    /// What was given.
    pub value_ms: u128,
    /// What is possible.
    pub range_ms: RangeInclusive<u128>,
}

impl Default for MachineDetectionOptions {
    fn default() -> Self {
        Self {
            mode: MachineDetection::Enable,
            timeout: Duration::from_secs(30),
            speech_threshold: Duration::from_millis(2_400),
            speech_end_threshold: Duration::from_millis(1_200),
            silence_timeout: Duration::from_millis(5_000),
        }
    }
}

impl MachineDetectionOptions {
    /// Whether every option is within its range.
    ///
    /// # Errors
    /// The first that is not.
    pub fn check(&self) -> Result<(), MachineDetectionRange> {
        for (name, value, range_ms) in [
            ("MachineDetectionTimeout", self.timeout, 3_000..=60_000),
            (
                "MachineDetectionSpeechThreshold",
                self.speech_threshold,
                1_000..=6_000,
            ),
            (
                "MachineDetectionSpeechEndThreshold",
                self.speech_end_threshold,
                500..=5_000,
            ),
            (
                "MachineDetectionSilenceTimeout",
                self.silence_timeout,
                2_000..=10_000,
            ),
        ] {
            let value_ms = value.as_millis();
            if !range_ms.contains(&value_ms) {
                return Err(MachineDetectionRange {
                    name,
                    value_ms,
                    range_ms,
                });
            }
        }
        Ok(())
    }
}

impl AnsweredBy {
    /// As Twilio's `AnsweredBy` says it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::MachineStart => "machine_start",
            Self::MachineEndBeep => "machine_end_beep",
            Self::MachineEndSilence => "machine_end_silence",
            Self::MachineEndOther => "machine_end_other",
            Self::Fax => "fax",
            Self::Unknown => "unknown",
        }
    }
}

/// Listens to whoever answered, from the answer on, in frames of 20 ms. Allocates nothing.
#[derive(Debug, Clone)]
pub struct MachineDetector {
    options: MachineDetectionOptions,
    rate_hz: u32,
    state: State,
    frames: u32,
    activity: VoiceActivity,
    tones: ToneFollower,
    /// Frames of speech without silence or tone between them.
    speech_frames: u32,
    /// Frames since the last speech, or since the beginning.
    quiet_frames: u32,
    /// Frames since the last sound of any kind.
    silent_frames: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nobody has spoken.
    Waiting,
    /// Somebody has spoken since this frame.
    Speaking(u32),
    /// It is a machine, and its message goes on.
    Message,
    Known(AnsweredBy),
}

impl MachineDetector {
    /// A detector for a call that has just been answered; `rate_hz`: of its frames. Options beyond their ranges are
    /// taken as they are.
    #[must_use]
    pub fn new(options: MachineDetectionOptions, rate_hz: u32) -> Self {
        Self {
            options,
            rate_hz,
            state: State::Waiting,
            frames: 0,
            activity: VoiceActivity::default(),
            tones: ToneFollower::default(),
            speech_frames: 0,
            quiet_frames: 0,
            silent_frames: 0,
        }
    }

    /// Takes what was heard in 20 ms; `None`: nothing came. Returns the answer in the frame that it is known in; no
    /// later frame changes it.
    pub fn hear(&mut self, frame: Option<&[i16]>) -> Option<AnsweredBy> {
        if matches!(self.state, State::Known(_)) {
            return None;
        }
        self.frames += 1;
        self.listen(frame);
        self.state = self.next();
        match self.state {
            State::Known(answer) => Some(answer),
            _ => None,
        }
    }

    /// From now on frames come at this rate. A tone that goes on begins anew.
    pub fn change_rate(&mut self, rate_hz: u32) {
        if self.rate_hz != rate_hz {
            self.rate_hz = rate_hz;
            self.tones = ToneFollower::default();
        }
    }

    /// How long it has listened: Twilio's `MachineDetectionDuration`.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        Duration::from_millis(u64::from(self.frames) * u64::from(FRAME_MS))
    }

    fn listen(&mut self, frame: Option<&[i16]>) {
        let is_loud = match frame {
            Some(frame) => self.activity.hear(frame),
            None => {
                self.activity.pass(1);
                false
            }
        };
        self.tones.hear(frame, self.rate_hz);
        let is_tone = self.tone().is_some();
        self.silent_frames = if is_loud || is_tone {
            0
        } else {
            self.silent_frames + 1
        };
        if is_loud && !is_tone {
            self.speech_frames += 1;
            self.quiet_frames = 0;
        } else {
            self.speech_frames = 0;
            self.quiet_frames += 1;
        }
    }

    fn next(&self) -> State {
        if self.frames >= frames(self.options.timeout) {
            return State::Known(AnsweredBy::Unknown);
        }
        match self.state {
            State::Waiting | State::Speaking(_) if self.tone().is_some_and(is_fax) => {
                State::Known(AnsweredBy::Fax)
            }
            State::Waiting if self.beeped(is_bare_beep) => self.machine_beeped(),
            State::Waiting if self.speech_frames >= MIN_SPEECH_FRAMES => {
                State::Speaking(self.frames - self.speech_frames)
            }
            State::Waiting if self.silent_frames >= frames(self.options.silence_timeout) => {
                State::Known(AnsweredBy::Unknown)
            }
            State::Speaking(_) if self.beeped(is_beep) => self.machine_beeped(),
            State::Speaking(since) => {
                let spoken_frames = self.frames - self.quiet_frames - since;
                if spoken_frames >= frames(self.options.speech_threshold) {
                    match self.options.mode {
                        MachineDetection::Enable => State::Known(AnsweredBy::MachineStart),
                        MachineDetection::DetectMessageEnd => State::Message,
                    }
                } else if self.speech_is_over() {
                    State::Known(AnsweredBy::Human)
                } else {
                    self.state
                }
            }
            State::Message if self.beeped(is_beep) => self.machine_beeped(),
            State::Message
                if self
                    .tone()
                    .is_some_and(|tone| tone.frames > MAX_BEEP_FRAMES) =>
            {
                State::Known(AnsweredBy::MachineEndOther)
            }
            State::Message if self.speech_is_over() => State::Known(AnsweredBy::MachineEndSilence),
            State::Waiting | State::Message | State::Known(_) => self.state,
        }
    }

    /// The tone that goes on, once it is known to be one.
    fn tone(&self) -> Option<ToneRun> {
        self.tones
            .current()
            .filter(|tone| tone.frames >= MIN_TONE_FRAMES)
    }

    /// A tone of this kind has just ended.
    fn beeped(&self, is_beep: impl Fn(ToneRun) -> bool) -> bool {
        self.tones.ended().is_some_and(is_beep)
    }

    fn machine_beeped(&self) -> State {
        State::Known(match self.options.mode {
            MachineDetection::Enable => AnsweredBy::MachineStart,
            MachineDetection::DetectMessageEnd => AnsweredBy::MachineEndBeep,
        })
    }

    /// Silence has lasted long enough since the last speech; a tone, or what may become one, is no silence.
    fn speech_is_over(&self) -> bool {
        self.quiet_frames >= frames(self.options.speech_end_threshold)
            && self.tones.current().is_none()
    }
}

fn is_fax(tone: ToneRun) -> bool {
    let is_faxes = [CALLING_FAX_HZ, ANSWERING_FAX_HZ]
        .iter()
        .any(|range| range.contains(&tone.frequency_hz));
    is_faxes && tone.frames >= FAX_FRAMES
}

fn is_beep(tone: ToneRun) -> bool {
    (MIN_BEEP_FRAMES..=MAX_BEEP_FRAMES).contains(&tone.frames)
}

fn is_bare_beep(tone: ToneRun) -> bool {
    tone.frequency_hz >= MIN_BARE_BEEP_HZ
        && (MIN_BEEP_FRAMES..=MAX_BARE_BEEP_FRAMES).contains(&tone.frames)
}

fn frames(length: Duration) -> u32 {
    u32::try_from(length.as_millis() / u128::from(FRAME_MS)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
