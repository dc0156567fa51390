//! The end of an attempt that is not the end of its call.

use call::{CallRecord, CallStatus, Direction, HangUpCause, Input};
use store::FailedAttempt;

use super::{CallActor, Message};
use crate::children;

impl CallActor {
    /// Lets a call that came to nothing before it rang go over another of its trunks, where one is left: by way of the queue, or at once where another
    /// call's story dials it. False: it is over.
    ///
    /// Who cancels it meanwhile finds it in this inbox, or, once that is closed, in the queue or with its parent.
    pub(super) async fn goes_elsewhere(&mut self) -> bool {
        let Some((record, at)) = self.ended.clone() else {
            return false;
        };
        let is_inbound = self.info.direction == Direction::Inbound;
        if is_inbound || self.rang || !record.may_go_another_way() {
            return false;
        }
        self.messages.close();
        // Also what a sender has a place for and is about to put there.
        while let Some(message) = self.messages.recv().await {
            // A server that is asked to stop leaves it in the queue for its next start.
            let Message::Input(Input::HangUp(cause)) = message else {
                continue;
            };
            if cause != HangUpCause::Shutdown {
                let canceled =
                    CallRecord::new(CallStatus::Canceled, "cancelled between two attempts");
                let sid = Some(self.info.call_sid);
                self.parting = self.parting.take().map(|_| children::ended(sid, &canceled));
                self.ended = Some((canceled, at));
                return false;
            }
        }
        match self.info.direction {
            Direction::OutboundDial => self.is_placed_again(record, at),
            Direction::OutboundApi | Direction::Inbound => self.waits_again(&record, at).await,
        }
    }

    async fn waits_again(&self, record: &CallRecord, at: u64) -> bool {
        let (services, sid) = (&self.services, self.info.call_sid);
        let failed = FailedAttempt {
            trunk: self.peer.trunk.clone(),
            sip_status: record.sip_status,
            reason: record.end_reason.clone(),
            because: None,
        };
        if !services.outbound.keep(services, sid, failed).await {
            return false;
        }
        self.note_failed(record, at);
        services.outbound.go_elsewhere(sid, Some(record));
        true
    }

    fn is_placed_again(&mut self, record: CallRecord, at: u64) -> bool {
        let (sid, trunk) = (self.info.call_sid, self.peer.trunk.clone());
        let Some(placing) = self.placing.take() else {
            return false;
        };
        if self.services.live.is_closed() || !placing.has_way_besides(&trunk) {
            return false;
        }
        self.note_failed(&record, at);
        self.services.outbound.ended_with(sid, &record);
        placing.again(trunk, record);
        true
    }

    fn note_failed(&self, record: &CallRecord, at: u64) {
        let (trunk, outcome) = (&self.peer.trunk, record.outcome());
        self.services.policies.recent.note(trunk, outcome, at);
        self.services.live.remove(&self.info.call_sid);
    }
}
