//! Outputs waiting to be polled.

use std::collections::VecDeque;

use super::Output;

/// A queue that holds memory only while something waits: a transaction rests for most of its 32 s.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    waiting: VecDeque<Output>,
}

impl Outbox {
    pub(super) fn push(&mut self, output: Output) {
        self.waiting.push_back(output);
    }

    pub(super) fn poll(&mut self) -> Option<Output> {
        let output = self.waiting.pop_front();
        if self.waiting.is_empty() {
            self.waiting = VecDeque::new();
        }
        output
    }
}

impl Extend<Output> for Outbox {
    fn extend<I: IntoIterator<Item = Output>>(&mut self, outputs: I) {
        self.waiting.extend(outputs);
    }
}
