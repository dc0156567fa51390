//! What the registrar says of a gateway.

use std::time::Instant;

use bytes::Bytes;

use super::liveness::Liveness;
use crate::digest::User;
use crate::{Hop, Request, Uri};

/// One contact of a gateway, from its REGISTER until it ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The Request-URI of requests for it, as it registered it. Behind a NAT it names an address that only the gateway
    /// knows: requests go to [`Self::hop`].
    pub contact: Uri,
    /// Where the REGISTER came from.
    pub hop: Hop,
    /// When it ends unless it is refreshed.
    pub expires_at: Instant,
    /// `Route` values of requests for it: the proxies on the way (RFC 3327), the next one first. Mostly empty.
    pub path: Vec<String>,
    pub(super) id: BindingId,
    call_id: Bytes,
    cseq: u32,
    pub(super) liveness: Liveness,
}

/// What all contacts of one REGISTER share.
pub(super) struct Registration {
    pub(super) hop: Hop,
    pub(super) path: Vec<String>,
    call_id: Bytes,
    cseq: u32,
}

impl Registration {
    pub(super) fn new(request: &Request, hop: Hop, path: Vec<String>) -> Self {
        Self {
            hop,
            path,
            // A copy: kept for long, it should not hold its whole message.
            call_id: Bytes::copy_from_slice(&request.call_id),
            cseq: request.cseq().number,
        }
    }
}

impl Binding {
    pub(super) fn new(
        id: BindingId,
        contact: Uri,
        expires_at: Instant,
        common: &Registration,
        liveness: Liveness,
    ) -> Self {
        Self {
            contact,
            hop: common.hop,
            expires_at,
            path: common.path.clone(),
            id,
            call_id: common.call_id.clone(),
            cseq: common.cseq,
            liveness,
        }
    }

    /// Its id, the same as long as it is refreshed.
    #[must_use]
    pub fn id(&self) -> BindingId {
        self.id
    }

    /// Whether a REGISTER with this Call-ID and number was sent before the last one that this binding obeyed, or is that
    /// one.
    pub(super) fn is_later_than(&self, request: &Request) -> bool {
        self.call_id == request.call_id && request.cseq().number <= self.cseq
    }

    /// When to look after it next.
    pub(super) fn wakes_at(&self) -> Instant {
        match self.liveness.due_at() {
            Some(due_at) => due_at.min(self.expires_at),
            None => self.expires_at,
        }
    }
}

/// A binding of one registrar; ids are never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BindingId(pub(super) u64);

/// What became of a gateway's binding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BindingNews {
    /// Its login, whose name is the user of its address of record too.
    pub user: User,
    /// The binding, as it is now or was at its end.
    pub binding: Binding,
    /// What happened.
    pub change: Change,
}

/// What can happen to a binding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is new.
    Added,
    /// It goes on, perhaps from another hop.
    Refreshed,
    /// The gateway ended it, or its user may not log in any more.
    Removed,
    /// It was not refreshed in time.
    Expired,
    /// Its connection is gone, or it stopped answering.
    Lost,
}
