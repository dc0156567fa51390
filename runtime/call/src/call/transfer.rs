//! Whoever was dialled asks that the caller be sent on: on their call, and on the one whose story dialled them.
//!
//! The wish ends the dial. Their call stays until the story has said what became of the wish, so that it can be reported to them.

use std::time::Instant;

use super::{Call, State};
use crate::{
    CallError, CallStatus, ChildId, ChildNews, DialEnd, DialId, Effect, Event, HangUpCause, Reply,
    Transfer, TransferCommand,
};

/// What is reported of a wish that was granted, and of one that was not.
const TAKEN: u16 = 200;
const NOT_TAKEN: u16 = 503;

/// A wish that the story has said nothing of yet.
#[derive(Debug)]
pub(super) struct Transferring {
    dial: DialId,
    /// Whoever asked; none once they have hung up.
    child: Option<ChildId>,
}

/// On the call whose story dialled.
impl Call {
    pub(super) fn obey_transfer(&mut self, command: TransferCommand) -> Result<Reply, CallError> {
        match command {
            TransferCommand::Allow(id) => {
                let dial = self.dial.as_mut().filter(|dial| dial.id == id);
                let dial = dial.ok_or(CallError::UnknownId)?;
                dial.takes_transfers = true;
                let answered = dial.joined.filter(|_| dial.is_answered());
                if let Some(child) = answered {
                    self.emit(Effect::TakeTransfer(child));
                }
            }
            TransferCommand::Conclude { dial, is_taken } => {
                let asked = self.transferring.take_if(|asked| asked.dial == dial);
                let asked = asked.ok_or(CallError::UnknownId)?;
                if let Some(child) = asked.child {
                    self.emit(Effect::ConcludeTransfer(child, is_taken));
                }
            }
        }
        Ok(Reply::Done)
    }

    /// Whoever is on the line asks. Anybody else is told that nothing comes of it.
    pub(super) fn child_transfers(&mut self, now: Instant, child: ChildId, asked: Transfer) {
        let is_heard = |dial: &mut super::Dial| {
            dial.takes_transfers && dial.is_answered() && dial.joined == Some(child)
        };
        let Some(dial) = self.dial.take_if(is_heard) else {
            return self.emit(Effect::ConcludeTransfer(child, false));
        };
        // Of an earlier dial, whose wish the story has not spoken of.
        self.forget_transfer();
        self.transferring = Some(Transferring {
            dial: dial.id,
            child: Some(child),
        });
        let end = DialEnd {
            status: CallStatus::Completed,
            call_sid: Some(asked.call_sid),
            duration_s: dial.talked_s(now),
            sip_status: Some(200),
            reason: "the other side asked that the caller be sent on".to_owned(),
        };
        self.emit(Effect::Unbridge);
        self.tell(Event::DialTransferred(dial.id, end, asked));
    }

    /// Whoever asked has hung up.
    pub(super) fn who_asked_is_gone(&mut self, child: ChildId, news: &ChildNews) {
        if let (Some(asked), ChildNews::Ended(_)) = (&mut self.transferring, news) {
            asked.child.take_if(|who| *who == child);
        }
    }

    /// Nobody will say what becomes of the wish.
    pub(super) fn forget_transfer(&mut self) {
        if let Some(child) = self.transferring.take().and_then(|asked| asked.child) {
            self.emit(Effect::HangUpChild(child));
        }
    }
}

/// On the call that was dialled.
impl Call {
    /// The next REFER of the other side is taken.
    pub(super) fn take_transfer(&mut self) {
        if self.state == State::Up && self.dialled.is_some() {
            let dialog = self.leg.dialog;
            self.emit(Effect::Sip(sip::Command::TakeRefer { dialog }));
        }
    }

    pub(super) fn transfer_asked(&mut self, asked: sip::ReferAsked) {
        let Some(dialled) = &mut self.dialled else {
            return self.refuse_transfer(); // nobody is there any more who could say what becomes of it
        };
        dialled.asks = true;
        let call_sid = dialled.sid();
        self.emit(Effect::TellParent(ChildNews::Transfers(Transfer {
            target: asked.to,
            fields: asked.fields,
            call_sid,
        })));
    }

    /// The other side hears what became of its wish. Who granted it has no more use for this call; otherwise neither has.
    pub(super) fn conclude_transfer(&mut self, now: Instant, is_taken: bool) {
        if self.state == State::Up && self.dialled.is_some() {
            self.report(if is_taken { TAKEN } else { NOT_TAKEN });
            self.hang_up(now, HangUpCause::Local);
        }
    }

    /// The other side hears that nothing came of its wish.
    pub(super) fn refuse_transfer(&mut self) {
        self.report(NOT_TAKEN);
    }

    fn report(&mut self, status: u16) {
        let dialog = self.leg.dialog;
        self.emit(Effect::Sip(sip::Command::Report { dialog, status }));
    }
}
