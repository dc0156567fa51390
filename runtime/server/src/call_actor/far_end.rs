//! The far end of a call that has no wire: where an application was dialled. It takes what would go to the SIP endpoint, and its leg is
//! joined to the call whose story dials.

use std::time::Instant;

use call::{CallRecord, ChildNews, Input, MediaCommand, MediaPath};
use tokio::sync::mpsc;
use tracing::{Instrument, error};

use super::CallActor;
use crate::applications::{Calling, Place};
use crate::children::{self, Parent};
use crate::media_plane::{Leg, OpenLeg};

/// Such an end.
pub(crate) struct FarEnd {
    pub(super) leg: Leg,
    local: sdp::Local,
    signals: mpsc::Sender<sip::Event>,
    /// Until it is answered, or over.
    gives_up: Option<Instant>,
    /// As of [`Calling`].
    depth: u32,
    own: String,
    /// The account's room for it.
    _place: Place,
}

impl FarEnd {
    /// An end that waits for an answer to `local` until `gives_up`. What it has to say to the call goes into `signals`.
    pub(crate) fn new(
        opened: OpenLeg,
        local: sdp::Local,
        signals: mpsc::Sender<sip::Event>,
        gives_up: Instant,
        (depth, own): (u32, String),
        place: Place,
    ) -> Self {
        let mut events = opened.events;
        // Keys and silence are the business of the call that it is joined to.
        tokio::spawn(async move { while events.recv().await.is_some() {} }.in_current_span());
        Self {
            leg: opened.leg,
            local,
            signals,
            gives_up: Some(gives_up),
            depth,
            own,
            _place: place,
        }
    }

    /// What whom its application dials is shown, unless that says otherwise.
    pub(super) fn own(&self) -> &str {
        &self.own
    }

    /// Takes what the call would send. Whether it was answered by that.
    fn take(&mut self, command: &sip::Command) -> bool {
        let said = match command {
            sip::Command::Answer { sdp, .. } => {
                self.gives_up = None;
                match sdp::accept(sdp, &self.local) {
                    Ok(agreed) => {
                        let path = MediaPath::from(&agreed);
                        self.leg.send(MediaCommand::Connect(path));
                    }
                    Err(error) => error!("a call's own legs do not agree: {error}"),
                }
                sip::Event::Acked { sdp: None }
            }
            sip::Command::Bye { .. } => sip::Event::Terminated,
            sip::Command::Reject { .. } => {
                self.gives_up = None;
                return false;
            }
            _ => return false,
        };
        // The call reads them before it does anything else that makes one: they always fit.
        let _ = self.signals.try_send(said);
        matches!(command, sip::Command::Answer { .. })
    }
}

impl CallActor {
    /// Sends what the call says, over its wire or to its far end here.
    pub(super) fn signal(&mut self, command: sip::Command) {
        self.leaving |= matches!(command, sip::Command::Bye { .. });
        let Some(far_end) = &mut self.far_end else {
            return self.services.endpoint.send(command);
        };
        if far_end.take(&command) {
            self.tell_parent(ChildNews::Answered(self.info.call_sid));
        }
    }

    /// When a far end here gives up ringing.
    pub(super) fn rings_until(&self) -> Option<Instant> {
        self.far_end.as_ref().and_then(|far_end| far_end.gives_up)
    }

    /// What is heard where the one who dialled goes: of a far end here a hang-up as over a wire.
    pub(super) fn end_from_parent(&mut self, otherwise: Input) -> Input {
        let Some(far_end) = &mut self.far_end else {
            return otherwise;
        };
        far_end.gives_up = None;
        Input::Sip(match self.call.is_up() {
            true => sip::Event::Bye { cause: None },
            false => sip::Event::Canceled { cause: None },
        })
    }

    /// The call of an application is over.
    pub(super) fn tell_of_end(&mut self, record: &CallRecord) {
        if self.far_end.is_none() {
            return; // the call itself says so
        }
        self.tell_parent(children::ended(Some(self.info.call_sid), record));
    }

    /// Calls an application for this call's story.
    pub(super) fn place_application(&mut self, parent: Parent, call: call::ChildCall) {
        self.children.expect(&parent);
        let calling = Calling {
            services: self.services.clone(),
            account: self.account.clone(),
            caller: self.info.clone(),
            codec: self.call.codec(),
            depth: self.far_end.as_ref().map_or(0, |far_end| far_end.depth) + 1,
            own: match &self.far_end {
                Some(far_end) => far_end.own.clone(),
                None => children::own_number(&self.info).to_owned(),
            },
            parent,
            call,
        };
        tokio::spawn(calling.run().in_current_span());
    }
}
