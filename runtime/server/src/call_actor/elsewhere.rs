//! The end of an attempt that is not the end of its call.

use call::{CallRecord, CallStatus, Direction, HangUpCause, Input};
use store::FailedAttempt;

use super::{CallActor, Message};

impl CallActor {
    /// Hands a call that came to nothing before it rang back to the queue, where another of its trunks is left. False: it is over.
    ///
    /// Who cancels it meanwhile finds it in this inbox, or, once that is closed, in the queue.
    pub(super) async fn goes_elsewhere(&mut self) -> bool {
        let Some((record, at)) = self.ended.clone() else {
            return false;
        };
        let is_ours = self.info.direction == Direction::OutboundApi && !self.rang;
        if !is_ours || !record.may_go_another_way() {
            return false;
        }
        self.messages.close();
        while let Ok(message) = self.messages.try_recv() {
            // A server that is asked to stop leaves it in the queue for its next start.
            let Message::Input(Input::HangUp(cause)) = message else {
                continue;
            };
            if cause != HangUpCause::Shutdown {
                let canceled =
                    CallRecord::new(CallStatus::Canceled, "cancelled between two attempts");
                self.ended = Some((canceled, at));
                return false;
            }
        }
        let (services, sid) = (&self.services, self.info.call_sid);
        let failed = FailedAttempt {
            trunk: self.peer.trunk.clone(),
            sip_status: record.sip_status,
            reason: record.end_reason.clone(),
        };
        if !services.outbound.keep(services, sid, failed).await {
            return false;
        }
        let (trunk, outcome) = (&self.peer.trunk, record.outcome());
        services.policies.recent.note(trunk, outcome, at);
        services.live.remove(&sid);
        services.outbound.go_elsewhere(sid, Some(&record));
        true
    }
}
