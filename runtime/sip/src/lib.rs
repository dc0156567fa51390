//! SIP messages, transactions and dialogs, without clock or socket.
//!
//! [`Endpoint`] is the core others use: it takes messages and commands with the time they came at, and gives messages
//! to send and events of dialogs. [`parse()`] reads one message; [`Request`] and [`Response`] are views of its bytes.
//!
//! A user agent after RFC 3261, with RFC 3581 (rport) and RFC 6026 (INVITE transactions); in its dialogs RFC 3262 (PRACK),
//! RFC 3311 (UPDATE), RFC 3326 (Reason), RFC 3515 (REFER), RFC 4028 (session timers) and RFC 6086 (INFO, without
//! packages). [`locate`] finds the servers of a
//! URI (RFC 3263). Gateways register with it ([`registrar`]); [`registration`] keeps one of ours alive at a provider, and
//! [`health`] finds out who takes calls.

mod ask;
mod body;
#[cfg(test)]
mod cost;
mod counters;
mod cseq;
mod dialog;
pub mod digest;
mod endpoint;
mod error;
mod field;
mod from_invite;
mod head;
pub mod health;
mod hop;
mod jitter;
mod lex;
pub mod locate;
mod message;
mod method;
mod name_addr;
mod own_fields;
mod parse;
mod peers;
mod rack;
mod random;
mod reason;
pub mod registrar;
pub mod registration;
mod remains;
mod routes;
mod stream;
#[cfg(test)]
mod testing;
mod timers;
mod transaction;
mod uri;
mod uri_equivalence;
mod via;
mod warning;
mod write;

pub use ask::{Ask, Outcome, Within};
pub use counters::Counters;
pub use cseq::CSeq;
pub use endpoint::{
    Command, Config, Contacts, DialogId, Endpoint, Event, Incoming, Input, InviteTarget,
    OutgoingInvite, Output, Redirects, ReferAsked, Reliable, RequestId,
};
pub use error::SipError;
pub use head::{MAX_FIELDS, MAX_HEAD_BYTES};
pub use hop::{Hop, ServerId, Transport, UnknownTransport};
pub use ipnet::IpNet;
pub use message::{Fields, Message, Request, Response};
pub use method::Method;
pub use name_addr::NameAddr;
pub use parse::{Malformed, parse};
pub use peers::{PeerRules, PeerSet};
pub use reason::{Reason, ReasonProtocol};
pub use remains::Remains;
pub use stream::{BrokenStream, Frame, Framer, MAX_BODY_BYTES};
pub use timers::Timing;
pub use uri::{DEFAULT_PORT, Host, Scheme, Uri};
pub use via::Via;
pub use warning::Warning;
