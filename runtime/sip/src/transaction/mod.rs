//! The four transaction machines of RFC 3261 §17, with RFC 6026's Accepted state.
//!
//! Each is a core: `handle` an input, `poll` an output, `deadline` and `due` for its timers. They know no addresses: the
//! endpoint keeps a way per transaction. Over a reliable transport they send nothing twice and linger for nothing.

mod invite_client;
mod invite_server;
mod key;
mod non_invite_client;
mod non_invite_server;
mod outbox;

use bytes::Bytes;

use crate::Response;

pub(crate) use invite_client::InviteClient;
pub(crate) use invite_server::InviteServer;
pub(crate) use key::{ClientKey, MergeKey, ServerKey};
pub(crate) use non_invite_client::NonInviteClient;
pub(crate) use non_invite_server::NonInviteServer;

/// What a client transaction takes; `T` names its timers.
#[derive(Clone, Debug)]
pub(crate) enum ClientInput<T> {
    Response(Box<Response>),
    /// The transport cannot deliver the request.
    Unreachable,
    Fired(T),
}

/// What a server transaction takes; `T` names its timers.
#[derive(Clone, Debug)]
pub(crate) enum ServerInput<T> {
    /// The request, come again.
    Request,
    /// An ACK that matches.
    Ack,
    /// The user's response.
    Respond {
        status: u16,
        bytes: Bytes,
    },
    Fired(T),
}

/// What a transaction asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    /// Send this to the other side.
    Send(Bytes),
    /// Send this again, because nothing came back in time.
    Resend(Bytes),
    /// A response that is news to the user of a client transaction.
    Received(Box<Response>),
    /// No final response came in time (timer B or F). The transaction is over.
    TimedOut,
    /// The transport could not deliver the request. The transaction is over.
    Unreachable,
    /// The transaction is over.
    Ended,
}
