//! A recording, as its leg makes it: both voices in, blocks for the disk out.

use std::sync::Arc;
use std::thread::Thread;

use call::{RecordingId, RecordingOptions, RecordingOrder};
use media::codec::MAX_PACKET_SAMPLES;
use media::{Codec, Decoder, Rate, RateConverter, RecordedBlock, Recorder, RecordingEnd};

use super::ear::MAX_FRAME_SAMPLES;
use crate::recorder::{BLOCK_SAMPLES, Block, Ended, Reel};

/// One recording of one leg. Making one, or changing its codec, allocates; recording does not. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Tape {
    id: RecordingId,
    recorder: Recorder,
    rate: Rate,
    channels: u64,
    /// What the peer hears is decoded again from what it is sent: prompts are coded before they get here.
    decoder: Decoder,
    heard: RateConverter,
    said: RateConverter,
    beep: RateConverter,
    /// What was said in the last round, if anything was.
    spoken: Option<[i16; MAX_FRAME_SAMPLES]>,
    /// Samples of each channel that are still to be written as silence.
    owed: u64,
    reel: Arc<Reel>,
    writer: Thread,
}

impl Tape {
    /// A recording of a leg that speaks this codec, at the codec's rate. `writer` empties the reel.
    pub(crate) fn new(
        id: RecordingId,
        options: RecordingOptions,
        codec: Codec,
        reel: Arc<Reel>,
        writer: Thread,
    ) -> Self {
        let rate = codec.rate();
        let channels = match options.channels {
            media::RecordingChannels::Mono => 1,
            media::RecordingChannels::Dual => 2,
        };
        Self {
            id,
            recorder: Recorder::new(options, rate.hz()),
            rate,
            channels,
            decoder: decoder(codec),
            heard: RateConverter::new(rate, rate),
            said: RateConverter::new(rate, rate),
            beep: RateConverter::new(rate, rate),
            spoken: None,
            owed: 0,
            reel,
            writer,
        }
    }

    /// From now on the leg speaks this codec. The file keeps its rate.
    pub(super) fn speak_in(&mut self, codec: Codec) {
        if self.decoder.codec() != codec {
            self.decoder = decoder(codec);
            self.heard = RateConverter::new(codec.rate(), self.rate);
            self.said = RateConverter::new(codec.rate(), self.rate);
            self.beep = RateConverter::new(self.rate, codec.rate());
            self.spoken = None;
        }
    }

    /// Takes what was heard in this round, at the codec's rate, and what was said in the last one.
    pub(super) fn hear(&mut self, round: u64, heard: &[i16]) {
        let length = self.rate.frame_samples();
        let mut caller = [0; MAX_FRAME_SAMPLES];
        self.heard.convert(heard, &mut caller[..length]);
        let callee = self.spoken.as_ref().map(|spoken| &spoken[..length]);
        let block = self.recorder.hear(round, Some(&caller[..length]), callee);
        give(&self.reel, &mut self.owed, self.channels, block);
        self.spoken = None;
    }

    /// Takes the payload that is sent in this round.
    pub(super) fn say(&mut self, payload: &[u8]) {
        let mut samples = [0; MAX_PACKET_SAMPLES];
        let expected = self.decoder.codec().rate().frame_samples();
        if self.decoder.decode(payload, &mut samples) == Ok(expected) {
            let spoken = self.spoken.insert([0; MAX_FRAME_SAMPLES]);
            let length = self.rate.frame_samples();
            self.said
                .convert(&samples[..expected], &mut spoken[..length]);
        }
    }

    /// Writes this round's frame of the beep, at the codec's rate; false when none is due.
    pub(super) fn beep(&mut self, frame: &mut [i16]) -> bool {
        let mut beep = [0; MAX_FRAME_SAMPLES];
        let beep = &mut beep[..self.rate.frame_samples()];
        let is_due = self.recorder.beep(beep);
        if is_due {
            self.beep.convert(beep, frame);
        }
        is_due
    }

    /// A key of the caller's; whether it ends this recording.
    pub(super) fn press(&mut self, key: char) -> bool {
        let went_on = !self.is_over();
        self.recorder.press(key);
        went_on && self.is_over()
    }

    pub(super) fn obey(&mut self, order: RecordingOrder) {
        match order {
            RecordingOrder::Pause(id, behavior) if id == self.id => self.recorder.pause(behavior),
            RecordingOrder::Resume(id) if id == self.id => self.recorder.resume(),
            RecordingOrder::Stop(id, end) if id == self.id => self.recorder.stop(end),
            _ => {}
        }
    }

    /// Nothing more is to be recorded: drop it.
    pub(super) fn is_over(&self) -> bool {
        self.reel.has_failed() || self.recorder.ended().is_some()
    }
}

impl Drop for Tape {
    fn drop(&mut self) {
        self.recorder.stop(RecordingEnd::HungUp); // unless it has ended otherwise
        if let Some(recorded) = self.recorder.ended() {
            let silence = self.owed;
            self.reel.end(Ended { recorded, silence });
        }
        self.writer.unpark();
    }
}

/// Hands a block over. What finds no room becomes silence, so that both channels and all times stay right.
pub(super) fn give(reel: &Reel, owed: &mut u64, channels: u64, block: RecordedBlock<'_>) {
    *owed += block.silence_samples;
    for chunk in block.samples.chunks_exact(BLOCK_SAMPLES) {
        pay(reel, owed);
        let samples = chunk.try_into().expect("chunks have this length");
        if *owed > 0 || !reel.push(Block::Samples(samples)) {
            let lost = BLOCK_SAMPLES as u64 / channels;
            *owed += lost;
            reel.lose(lost);
        }
    }
    pay(reel, owed);
}

fn pay(reel: &Reel, owed: &mut u64) {
    if *owed > 0 && reel.push(Block::Silence(*owed)) {
        *owed = 0;
    }
}

fn decoder(codec: Codec) -> Decoder {
    Decoder::new(codec).expect("only codecs of this build are negotiated")
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::media_plane) fn tape(
        options: RecordingOptions,
        codec: Codec,
    ) -> (Tape, Arc<Reel>) {
        let channels = match options.channels {
            media::RecordingChannels::Mono => 1,
            media::RecordingChannels::Dual => 2,
        };
        let reel = Arc::new(Reel::new(codec.rate().hz(), channels));
        let writer = std::thread::current();
        let tape = Tape::new(RecordingId(1), options, codec, Arc::clone(&reel), writer);
        (tape, reel)
    }

    fn of_call() -> RecordingOptions {
        RecordingOptions::of_call(media::RecordingChannels::Dual)
    }

    #[test]
    fn the_caller_is_left_and_what_is_said_is_right_a_round_later() {
        let (mut tape, reel) = tape(of_call(), Codec::Pcmu);
        tape.hear(0, &[1_000; 160]);
        tape.say(&[media::Law::Mu.encode(2_000); 160]);
        tape.hear(1, &[1_000; 160]);
        let said = media::Law::Mu.decode(media::Law::Mu.encode(2_000));
        for right in [0, 0, said, said] {
            let Some(Block::Samples(samples)) = reel.pop() else {
                panic!("a block of samples")
            };
            assert_eq!(samples[..2], [1_000, right]);
        }
        assert!(reel.take_end().is_none());
        drop(tape);
        let ended = reel.take_end().unwrap();
        assert_eq!((ended.recorded.samples, ended.silence), (320, 0));
        assert_eq!(ended.recorded.end, RecordingEnd::HungUp);
    }

    #[test]
    fn what_finds_no_room_is_silence_and_counted() {
        let (mut tape, reel) = tape(of_call(), Codec::Pcmu);
        for round in 0..101 {
            tape.hear(round, &[500; 160]);
        }
        assert_eq!(reel.lost_samples(), 160, "a reel takes two seconds");
        let mut samples = 0;
        while let Some(block) = reel.pop() {
            samples += match block {
                Block::Samples(_) => 80,
                Block::Silence(samples) => samples,
            };
        }
        drop(tape);
        let ended = reel.take_end().unwrap();
        assert_eq!(samples + ended.silence, ended.recorded.samples);
    }

    #[test]
    fn a_key_ends_it_once_and_a_failure_ends_it_too() {
        let options = RecordingOptions {
            beep: false,
            ..RecordingOptions::of_verb()
        };
        let (mut tape, _) = tape(options.clone(), Codec::Pcmu);
        assert!(!tape.press('A'));
        assert!(tape.press('#'));
        assert!(!tape.press('#'));
        let (tape, reel) = self::tape(options, Codec::Pcmu);
        assert!(!tape.is_over());
        reel.fail();
        assert!(tape.is_over());
    }

    #[test]
    fn a_file_keeps_its_rate_when_the_codec_changes() {
        let (mut tape, reel) = tape(of_call(), Codec::G722);
        tape.hear(0, &[0; 320]);
        tape.speak_in(Codec::Pcma);
        tape.hear(1, &[0; 160]);
        let blocks = std::iter::from_fn(|| reel.pop()).count();
        assert_eq!(blocks, 2 * 4);
    }
}
