//! Between the leg that records and the thread that writes: blocks of samples, and the end.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crossbeam_queue::ArrayQueue;
use media::Recorded;

/// Samples in a block, of all channels together: a frame at 8 kHz and in one channel. Every frame is some of these.
pub(crate) const BLOCK_SAMPLES: usize = 160;
/// What may wait for the disk. What comes beyond is lost, and silence in the file.
const SLACK_S: u32 = 2;

/// The queue of one recording. Bounded, and without a lock: a media thread fills it.
#[derive(Debug)]
pub(crate) struct Reel {
    blocks: ArrayQueue<Block>,
    ended: ArrayQueue<Ended>,
    /// The disk takes no more of it.
    failed: AtomicBool,
    lost_samples: AtomicU64,
}

/// What is to be appended to the file.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all are samples, and a box would be allocated on a media thread"
)]
pub(crate) enum Block {
    Samples([i16; BLOCK_SAMPLES]),
    /// So many samples of each channel.
    Silence(u64),
}

/// Nothing comes any more.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ended {
    pub(crate) recorded: Recorded,
    /// Samples of each channel that the queue had no room for; they come last.
    pub(crate) silence: u64,
}

impl Reel {
    /// An empty one for samples of this rate.
    pub(crate) fn new(rate_hz: u32, channels: u16) -> Self {
        let samples = SLACK_S * rate_hz * u32::from(channels);
        Self {
            blocks: ArrayQueue::new(samples as usize / BLOCK_SAMPLES),
            ended: ArrayQueue::new(1),
            failed: AtomicBool::new(false),
            lost_samples: AtomicU64::new(0),
        }
    }

    /// Hands a block over; false where there is no room.
    pub(crate) fn push(&self, block: Block) -> bool {
        self.blocks.push(block).is_ok()
    }

    /// Counts samples of each channel that there was no room for.
    pub(crate) fn lose(&self, samples: u64) {
        self.lost_samples.fetch_add(samples, Ordering::Relaxed);
    }

    /// Samples of each channel that are silence for want of room.
    pub(crate) fn lost_samples(&self) -> u64 {
        self.lost_samples.load(Ordering::Relaxed)
    }

    /// Nothing comes any more. Only the first end counts.
    pub(crate) fn end(&self, ended: Ended) {
        let _ = self.ended.push(ended);
    }

    /// The next block.
    pub(crate) fn pop(&self) -> Option<Block> {
        self.blocks.pop()
    }

    /// The end, when it has come. Ask before the blocks are drained: those before the end are there by then.
    pub(crate) fn take_end(&self) -> Option<Ended> {
        self.ended.pop()
    }

    /// The disk takes no more.
    pub(crate) fn fail(&self) {
        self.failed.store(true, Ordering::Relaxed);
    }

    /// Whether recording on is of no use.
    pub(crate) fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }
}
