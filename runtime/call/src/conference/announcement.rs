//! Announcements that are being heard.

use std::collections::VecDeque;

use crate::{CallSid, MediaSource};

/// The announcements of a conference that are not over, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Announcements(VecDeque<Announcement>);

#[derive(Debug)]
struct Announcement {
    to: Option<CallSid>,
    source: MediaSource,
    /// Who has not heard it to its end.
    hearing: Vec<CallSid>,
    /// Why somebody could not hear it; none where somebody could.
    failed: Option<String>,
    was_heard: bool,
}

/// An announcement that is over.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Over {
    /// For whom it was; none: for all.
    pub(super) to: Option<CallSid>,
    pub(super) source: MediaSource,
    /// Why nobody could hear it.
    pub(super) outcome: Result<(), String>,
}

impl Announcements {
    pub(super) fn begin(
        &mut self,
        to: Option<CallSid>,
        source: MediaSource,
        hearing: Vec<CallSid>,
    ) {
        if !hearing.is_empty() {
            self.0.push_back(Announcement {
                to,
                source,
                hearing,
                failed: None,
                was_heard: false,
            });
        }
    }

    /// A call is through with the oldest one that it has to hear.
    pub(super) fn heard(&mut self, call: CallSid, outcome: Result<(), String>) -> Vec<Over> {
        let mut all = self.0.iter_mut();
        if let Some(one) = all.find(|one| one.hearing.contains(&call)) {
            one.hearing.retain(|hearing| *hearing != call);
            match outcome {
                Ok(()) => one.was_heard = true,
                Err(why) => one.failed = Some(why),
            }
        }
        self.take_over()
    }

    /// A call hears nothing any more.
    pub(super) fn gone(&mut self, call: CallSid) -> Vec<Over> {
        for one in &mut self.0 {
            one.hearing.retain(|hearing| *hearing != call);
        }
        self.take_over()
    }

    fn take_over(&mut self) -> Vec<Over> {
        let all = std::mem::take(&mut self.0);
        let (over, on) = all.into_iter().partition(|one| one.hearing.is_empty());
        self.0 = on;
        let over: VecDeque<Announcement> = over;
        over.into_iter().map(Announcement::over).collect()
    }
}

impl Announcement {
    fn over(self) -> Over {
        let failed = self.failed.filter(|_| !self.was_heard);
        Over {
            to: self.to,
            source: self.source,
            outcome: failed.map_or(Ok(()), Err),
        }
    }
}
