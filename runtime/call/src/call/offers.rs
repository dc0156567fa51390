//! What the two sides agree on: offers, answers, and how media flows then.

use std::time::Instant;

use super::Call;
use crate::{ChildNews, Effect, Event, MediaCommand, MediaPath};

impl Call {
    pub(super) fn answer(&mut self, now: Instant) {
        let sdp = match self.negotiated.take() {
            Some((description, path)) => {
                self.unconfirmed = Some(path);
                description
            }
            None => self.leg.offer(),
        };
        self.emit(Effect::Sip(sip::Command::Answer {
            dialog: self.leg.dialog,
            sdp,
        }));
        self.up(now);
    }

    pub(super) fn answered_by_peer(&mut self, now: Instant, sdp: Option<&[u8]>) {
        self.up(now);
        let updated = self.updated.take();
        let answered = sdp.map(|sdp| match updated {
            Some((offer, path)) if offer == sdp => Ok(path),
            _ => self.leg.accept(sdp),
        });
        match answered {
            Some(Ok(path)) => {
                self.connect(path);
                self.begin_story();
            }
            Some(Err(error)) => self.end_for_media(now, &error.to_string()),
            None => self.end_for_media(now, "the answer had no SDP"),
        }
    }

    /// The callee of another call's story is heard before it answers. What is agreed on then counts until the answer says more.
    pub(super) fn early_media(&mut self, sdp: Option<&[u8]>) {
        let (Some(_), Some(sdp)) = (self.dialled, sdp) else {
            return;
        };
        let agreed = self.leg.accept(sdp).ok();
        if let Some(path) = agreed.filter(|path| self.path != Some(*path)) {
            let is_first = self.path.is_none();
            self.connect(path);
            if is_first {
                self.emit(Effect::TellParent(ChildNews::EarlyMedia));
            }
        }
    }

    /// The ACK came; after a late offer it carries the answer.
    ///
    /// Audio flows from here on. Until now the INVITE may have come from somebody who wrote another's address into it, to have him
    /// flooded with it; who can acknowledge has seen our answer.
    pub(super) fn confirmed(&mut self, now: Instant, sdp: Option<&[u8]>) {
        match sdp.map(|sdp| self.leg.accept(sdp)) {
            Some(Ok(path)) => self.unconfirmed = Some(path),
            Some(Err(error)) => return self.end_for_media(now, &error.to_string()),
            None => {}
        }
        if let Some(path) = self.unconfirmed.take() {
            self.connect(path);
        }
        if !std::mem::replace(&mut self.confirmed, true) {
            self.tell(Event::Answered);
        }
    }

    pub(super) fn renegotiate(&mut self, offer: Option<&[u8]>) {
        let dialog = self.leg.dialog;
        let command = match offer.map(|offer| self.leg.answer(offer)).transpose() {
            Ok(Some((sdp, path))) => {
                self.unconfirmed = None;
                self.connect(path);
                sip::Command::AcceptOffer { dialog, sdp }
            }
            Ok(None) => sip::Command::AcceptOffer {
                dialog,
                sdp: self.leg.offer_again(),
            },
            Err(error) => sip::Command::RejectOffer {
                dialog,
                status: error.status(),
                warning: Some(warning(&error)),
            },
        };
        self.emit(Effect::Sip(command));
    }

    /// An offer that came before the answer: what is agreed on now counts once the call is answered.
    pub(super) fn renegotiate_early(&mut self, offer: bytes::Bytes) {
        let dialog = self.leg.dialog;
        let command = match self.leg.answer(&offer) {
            Ok((sdp, path)) => {
                self.updated = Some((offer, path));
                sip::Command::AcceptOffer { dialog, sdp }
            }
            Err(error) => sip::Command::RejectOffer {
                dialog,
                status: error.status(),
                warning: Some(warning(&error)),
            },
        };
        self.emit(Effect::Sip(command));
    }

    /// The peer answered our last description once more: it may have moved, or hold the call. The numbers we receive by are
    /// those of our description, which is the same. An answer that cannot be used changes nothing.
    pub(super) fn refreshed(&mut self, answer: &[u8]) {
        let (Some(current), Ok(mut path)) = (self.path, self.leg.accept(answer)) else {
            return;
        };
        path.receive_payload_type = current.receive_payload_type;
        path.telephone_event =
            path.telephone_event
                .zip(current.telephone_event)
                .map(|(new, old)| sdp::TelephoneEvent {
                    receive: old.receive,
                    ..new
                });
        path.comfort_noise = path.comfort_noise.and(current.comfort_noise);
        if path != current {
            self.connect(path);
        }
    }

    pub(super) fn connect(&mut self, path: MediaPath) {
        self.path = Some(path);
        self.emit(Effect::Media(MediaCommand::Connect(path)));
    }
}

/// What was wrong with a description, for whoever sent it.
pub(super) fn warning(error: &sdp::SdpError) -> sip::Warning {
    sip::Warning {
        code: error.warning_code(),
        text: error.to_string(),
    }
}
