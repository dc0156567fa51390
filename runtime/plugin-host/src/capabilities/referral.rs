//! `jackfield:call/referral`: the other side is asked to call somebody else.

use call::{Command, ReferRequest, Referral};

use crate::bindings::{control, referral};
use crate::state::StoryState;

impl referral::Host for StoryState {
    async fn refer(
        &mut self,
        request: referral::ReferRequest,
    ) -> wasmtime::Result<Result<(), control::CallError>> {
        let referral::ReferRequest { target, timeout_s } = request;
        self.do_simply(Command::Refer(ReferRequest { target, timeout_s }))
            .await
    }
}

impl From<Referral> for control::Referral {
    fn from(referral: Referral) -> Self {
        Self {
            refer_status: referral.refer_status,
            call_status: referral.call_status,
            is_over: referral.is_over,
            reason: referral.reason,
        }
    }
}
