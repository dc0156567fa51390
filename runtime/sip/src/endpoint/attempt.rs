//! What is known of an INVITE of ours beyond its transaction's state: it outlives the dialog it made, for late and forked
//! answers must still be acknowledged (RFC 3261 §13.2.2.4).

use std::time::Instant;

use bytes::Bytes;

use super::DialogId;
use super::early::Early;
use crate::dialog::OurInvite;
use crate::hop::Way;
use crate::{Hop, Reason};

/// The most forks of an INVITE whose answers are taken.
pub(super) const MAX_FORKS: usize = 16;

/// Where our CANCEL stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cancel {
    NotWanted,
    /// To be sent as soon as a provisional response says that the INVITE arrived (RFC 3261 §9.1).
    Wanted,
    /// Sent. At this time the final response is not waited for any longer.
    Sent {
        give_up_at: Instant,
    },
}

/// One INVITE of ours.
#[derive(Debug)]
pub(super) struct Attempt {
    /// The dialog it is for; over perhaps.
    pub(super) dialog: DialogId,
    pub(super) destination: Hop,
    pub(super) branch: Bytes,
    /// What the dialogs made of its answers keep.
    pub(super) ours: OurInvite,
    /// The INVITE, as long as a CANCEL could be made of it.
    pub(super) invite: Bytes,
    /// The header fields of it that prove who we are.
    pub(super) proof: Vec<(&'static str, Bytes)>,
    /// Whether any response came.
    pub(super) is_heard: bool,
    pub(super) cancel: Cancel,
    /// Why it is cancelled.
    pub(super) cause: Option<Reason>,
    /// The forks that answered provisionally.
    pub(super) early: Vec<Early>,
    pub(super) forks: Vec<Fork>,
}

/// One 2xx and the ACK that each of its retransmissions gets.
#[derive(Debug)]
pub(super) struct Fork {
    pub(super) remote_tag: Bytes,
    pub(super) way: Way,
    pub(super) ack: Bytes,
}

impl Attempt {
    pub(super) fn new(
        dialog: DialogId,
        destination: Hop,
        branch: Bytes,
        ours: OurInvite,
        invite: Bytes,
    ) -> Self {
        let (cancel, forks) = (Cancel::NotWanted, Vec::new());
        Self {
            dialog,
            destination,
            branch,
            ours,
            invite,
            proof: Vec::new(),
            is_heard: false,
            cancel,
            cause: None,
            early: Vec::new(),
            forks,
        }
    }

    pub(super) fn fork(&self, remote_tag: &[u8]) -> Option<&Fork> {
        self.forks.iter().find(|fork| fork.remote_tag == remote_tag)
    }
}
