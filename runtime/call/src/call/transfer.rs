//! One side of a dial asks that the other be sent on: whoever was dialled, or the caller.
//!
//! The wish ends the dial. The dialled call stays until the story has said what became of the wish: then it has been reported to whoever asked, and
//! is hung up, or handed over to a story of its own.

use std::time::Instant;

use super::dial::check_story;
use super::{Call, State};
use crate::{
    CallError, CallStatus, ChildId, ChildNews, Continuation, DialEnd, DialId, Effect, Event,
    HangUpCause, Reply, Transfer, TransferCommand,
};

/// What is reported of a wish that was granted, and of one that was not.
const TAKEN: u16 = 200;
const NOT_TAKEN: u16 = 503;

/// A wish that the story has said nothing of yet.
#[derive(Debug)]
pub(super) struct Transferring {
    dial: DialId,
    /// Whoever was dialled; none once they have hung up.
    child: Option<ChildId>,
    /// The caller asked, and not they.
    is_own: bool,
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
            TransferCommand::AllowOwn(id) => {
                let dial = self.dial.as_mut().filter(|dial| dial.id == id);
                let dial = dial.ok_or(CallError::UnknownId)?;
                dial.takes_own_transfers = true;
                if dial.is_answered() {
                    self.take_refer();
                }
            }
            TransferCommand::Conclude { dial, is_taken } => {
                let asked = self.transferring.take_if(|asked| asked.dial == dial);
                let asked = asked.ok_or(CallError::UnknownId)?;
                if asked.is_own {
                    self.report(is_taken);
                }
                if let Some(child) = asked.child {
                    self.emit(match asked.is_own {
                        true => Effect::HangUpChild(child),
                        false => Effect::ConcludeTransfer(child, is_taken),
                    });
                }
            }
            TransferCommand::HandOver { dial, next } => self.hand_over(dial, next)?,
        }
        Ok(Reply::Done)
    }

    /// Whoever was dialled goes on with another story. Where they have hung up meanwhile nothing has come of the wish.
    fn hand_over(&mut self, dial: DialId, next: Continuation) -> Result<(), CallError> {
        check_story("who is handed over", &next.story, &next.settings)?;
        let is_meant = |asked: &mut Transferring| asked.dial == dial && asked.is_own;
        let asked = self.transferring.take_if(is_meant);
        let child = asked.ok_or(CallError::UnknownId)?.child;
        if let Some(child) = child {
            self.emit(Effect::HandOver(child, next));
        }
        self.report(child.is_some());
        Ok(())
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
        self.dial_transferred(now, &dial, asked);
    }

    /// The caller asks.
    fn own_transfer_asked(&mut self, now: Instant, asked: sip::ReferAsked) {
        let is_heard = |dial: &mut super::Dial| {
            dial.takes_own_transfers && dial.is_answered() && dial.joined.is_some()
        };
        let Some(dial) = self.dial.take_if(is_heard) else {
            return self.report(false);
        };
        // Of an earlier dial; it was whoever had been dialled there that asked, since one REFER of this side is under way at a time.
        self.forget_transfer();
        let asked = Transfer {
            target: asked.to,
            fields: asked.fields,
            call_sid: None,
        };
        self.dial_transferred(now, &dial, asked);
    }

    fn dial_transferred(&mut self, now: Instant, dial: &super::Dial, asked: Transfer) {
        let is_own = asked.call_sid.is_none();
        if !is_own {
            self.refuse_refers(dial);
        }
        self.transferring = Some(Transferring {
            dial: dial.id,
            child: dial.joined,
            is_own,
        });
        let reason = match is_own {
            true => "the caller asked that the other side be sent on",
            false => "the other side asked that the caller be sent on",
        };
        let end = DialEnd {
            status: CallStatus::Completed,
            call_sid: dial.callee,
            duration_s: dial.talked_s(now),
            sip_status: Some(200),
            reason: reason.to_owned(),
        };
        self.emit(Effect::Unbridge);
        self.tell(Event::DialTransferred(dial.id, end, asked));
    }

    /// This dial is over: the caller may ask no longer.
    pub(super) fn refuse_refers(&mut self, dial: &super::Dial) {
        if self.state == State::Up && dial.takes_own_transfers && dial.is_answered() {
            let dialog = self.leg.dialog;
            self.emit(Effect::Sip(sip::Command::RefuseRefer { dialog }));
        }
    }

    /// Whoever was dialled has hung up.
    pub(super) fn who_asked_is_gone(&mut self, child: ChildId, news: &ChildNews) {
        if let (Some(asked), ChildNews::Ended(_)) = (&mut self.transferring, news) {
            asked.child.take_if(|who| *who == child);
        }
    }

    /// Nobody will say what becomes of the wish.
    pub(super) fn forget_transfer(&mut self) {
        let Some(asked) = self.transferring.take() else {
            return;
        };
        if asked.is_own && self.state == State::Up {
            self.report(false);
        }
        if let Some(child) = asked.child {
            self.emit(Effect::HangUpChild(child));
        }
    }
}

/// On the call that was dialled.
impl Call {
    /// The next REFER of the other side is taken.
    pub(super) fn take_transfer(&mut self) {
        if self.state == State::Up && self.dialled.is_some() {
            self.take_refer();
        }
    }

    pub(super) fn take_refer(&mut self) {
        let dialog = self.leg.dialog;
        self.emit(Effect::Sip(sip::Command::TakeRefer { dialog }));
    }

    pub(super) fn transfer_asked(&mut self, now: Instant, asked: sip::ReferAsked) {
        let Some(dialled) = &mut self.dialled else {
            return self.own_transfer_asked(now, asked);
        };
        dialled.asks = true;
        let call_sid = dialled.sid();
        self.emit(Effect::TellParent(ChildNews::Transfers(Transfer {
            target: asked.to,
            fields: asked.fields,
            call_sid: Some(call_sid),
        })));
    }

    /// The other side hears what became of its wish. Who granted it has no more use for this call; otherwise neither has.
    pub(super) fn conclude_transfer(&mut self, now: Instant, is_taken: bool) {
        if self.state == State::Up && self.dialled.is_some() {
            self.report(is_taken);
            self.hang_up(now, HangUpCause::Local);
        }
    }

    /// The other side hears what came of its wish.
    pub(super) fn report(&mut self, is_taken: bool) {
        let status = if is_taken { TAKEN } else { NOT_TAKEN };
        let dialog = self.leg.dialog;
        self.emit(Effect::Sip(sip::Command::Report { dialog, status }));
    }
}
