//! A recording of a whole conference: what one would hear in it who says nothing.

use std::sync::Arc;
use std::thread::Thread;

use call::{PauseBehavior, RecordingEnd, RecordingOptions};
use media::{Rate, RateConverter, Recorder};

use super::super::ear::MAX_FRAME_SAMPLES;
use super::super::tape::give;
use crate::recorder::{Ended, Reel};

/// What is asked of a conference's recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TapeOrder {
    /// Nothing is recorded for now.
    Pause(PauseBehavior),
    /// Goes on.
    Resume,
    /// Ends it.
    Stop,
}

/// The recording of one mix, in one channel. Making one allocates; recording does not. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct MixTape {
    recorder: Recorder,
    rate: Rate,
    /// From 8 and from 16 kHz: a mix may become wide while it is recorded. The file keeps its rate.
    narrow: RateConverter,
    wide: RateConverter,
    round: u64,
    /// Samples that are still to be written as silence.
    owed: u64,
    reel: Arc<Reel>,
    writer: Thread,
}

impl MixTape {
    /// A recording at this rate. `writer` empties the reel.
    pub(crate) fn new(
        options: RecordingOptions,
        rate: Rate,
        reel: Arc<Reel>,
        writer: Thread,
    ) -> Self {
        Self {
            recorder: Recorder::new(options, rate.hz()),
            rate,
            narrow: RateConverter::new(Rate::Narrow, rate),
            wide: RateConverter::new(Rate::Wide, rate),
            round: 0,
            owed: 0,
            reel,
            writer,
        }
    }

    /// Takes what was mixed in this round.
    pub(super) fn hear(&mut self, rate: Rate, frame: &[i16]) {
        let mut heard = [0; MAX_FRAME_SAMPLES];
        let heard = &mut heard[..self.rate.frame_samples()];
        match rate {
            Rate::Narrow => self.narrow.convert(frame, heard),
            _ => self.wide.convert(frame, heard),
        }
        let block = self.recorder.hear(self.round, Some(heard), None);
        give(&self.reel, &mut self.owed, 1, block);
        self.round += 1;
    }

    pub(super) fn obey(&mut self, order: TapeOrder) {
        match order {
            TapeOrder::Pause(behavior) => self.recorder.pause(behavior),
            TapeOrder::Resume => self.recorder.resume(),
            TapeOrder::Stop => self.recorder.stop(RecordingEnd::Stopped),
        }
    }

    /// Nothing more is to be recorded: drop it.
    pub(super) fn is_over(&self) -> bool {
        self.reel.has_failed() || self.recorder.ended().is_some()
    }
}

impl Drop for MixTape {
    fn drop(&mut self) {
        self.recorder.stop(RecordingEnd::HungUp); // unless it has ended otherwise
        if let Some(recorded) = self.recorder.ended() {
            let silence = self.owed;
            self.reel.end(Ended { recorded, silence });
        }
        self.writer.unpark();
    }
}
