//! What goes into an endpoint and comes out of it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::ReferAsked;
use crate::digest::{Credentials, Hash, User};
use crate::registrar::{self, BindingNews};
use crate::{Ask, Hop, Outcome, PeerSet, Reason, Request, Timing, Transport, Warning};

/// How an endpoint speaks and what it may hold.
#[derive(Clone, Debug)]
pub struct Config {
    /// The addresses others reach us at: they go into `Via` and `Contact`.
    pub contacts: Contacts,
    /// What `Server` and `User-Agent` say. None: neither is written, and nobody learns what runs here.
    pub user_agent: Option<String>,
    /// The most dialogs held at once, early ones included; further INVITEs are answered 503.
    pub max_dialogs: usize,
    /// The most transactions held at once; a finished call's stay for 32 s. Further requests are answered 503.
    pub max_transactions: usize,
    /// What `Retry-After` of a 503 says.
    pub retry_after: Duration,
    /// The timers' base values; each is at least a millisecond.
    pub timing: Timing,
    /// What gateways are granted that register.
    pub registrar: registrar::Config,
    /// The hashes that users may prove their passwords by, most preferred first. Offered as far as there is room for them.
    pub digest: Vec<Hash>,
}

impl Config {
    /// No `Server` header, 10,000 dialogs, 400,000 transactions, a retry after 5 s, the RFC's timers, every hash.
    #[must_use]
    pub fn new(contact: SocketAddr) -> Self {
        Self {
            contacts: Contacts::new(contact),
            user_agent: None,
            max_dialogs: 10_000,
            max_transactions: 400_000,
            retry_after: Duration::from_secs(5),
            timing: Timing::default(),
            registrar: registrar::Config::default(),
            digest: Hash::ALL.to_vec(),
        }
    }
}

/// The address that peers are told, by transport and by whether they are reached over IPv4 or IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contacts {
    addresses: [[SocketAddr; 2]; Transport::ALL.len()],
}

impl Contacts {
    /// The same address for all.
    #[must_use]
    pub const fn new(address: SocketAddr) -> Self {
        Self {
            addresses: [[address; 2]; Transport::ALL.len()],
        }
    }

    /// The same with another address for one transport and the family of this address.
    #[must_use]
    pub const fn with(mut self, transport: Transport, address: SocketAddr) -> Self {
        self.addresses[transport as usize][address.is_ipv6() as usize] = address;
        self
    }

    /// The address that somebody at this hop is told.
    #[must_use]
    pub fn towards(&self, hop: Hop) -> SocketAddr {
        let is_ipv6 = hop.address.ip().to_canonical().is_ipv6();
        self.addresses[hop.transport as usize][usize::from(is_ipv6)]
    }
}

/// One of our dialogs, from its INVITE on. Odd: incoming, given by the endpoint. Even: outgoing, given by the caller, who
/// uses none twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DialogId(pub u64);

/// A request of ours outside dialogs; given by the caller, who uses none twice at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// What an endpoint takes.
#[derive(Clone, Debug)]
pub enum Input {
    /// A message: one datagram, or one of a stream.
    Received {
        /// Where it came from.
        from: Hop,
        /// All of it.
        bytes: Bytes,
    },
    /// No connection can be made to this hop, or it broke with a message of ours unsent.
    Unreachable {
        /// As in [`Output::Transmit`].
        to: Hop,
    },
    /// A connection is over, and nothing of ours was to be sent over it.
    Closed {
        /// Its remote end.
        hop: Hop,
    },
    /// A wish of the call core.
    Command(Command),
    /// [`crate::Endpoint::deadline`] is reached.
    Timeout,
}

/// What the call core can ask for. A command that no longer fits its dialog (an answer that crossed a CANCEL) is counted
/// and otherwise ignored: the event that tells why is already on its way.
#[derive(Clone, Debug)]
pub enum Command {
    /// Answers an incoming INVITE with 180.
    Ring {
        /// An incoming dialog without a final answer.
        dialog: DialogId,
    },
    /// Answers an incoming INVITE with 183 and early media.
    Progress {
        /// An incoming dialog without a final answer.
        dialog: DialogId,
        /// Our session description.
        sdp: Bytes,
    },
    /// Answers an incoming INVITE with 200, repeated until its ACK.
    Answer {
        /// An incoming dialog without a final answer.
        dialog: DialogId,
        /// Our session description.
        sdp: Bytes,
    },
    /// Refuses an incoming INVITE. The dialog is over; no event follows.
    Reject {
        /// An incoming dialog without a final answer.
        dialog: DialogId,
        /// 300 to 699; anything else is sent as 500.
        status: u16,
        /// The reason phrase, where the usual one will not do. Control characters are left out.
        reason: Option<String>,
        /// Goes into `Retry-After`, in whole seconds, rounded up.
        retry_after: Option<Duration>,
        /// Goes into `Reason`.
        cause: Option<Reason>,
        /// Goes into `Warning`.
        warning: Option<Warning>,
    },
    /// Sends a request outside dialogs. [`Output::Answered`] follows.
    Ask {
        /// A new id.
        request: RequestId,
        /// Whom to ask what.
        ask: Box<Ask>,
    },
    /// Sends an INVITE. What cannot be written, or finds no room, fails with 400 or 503 as an event.
    Invite {
        /// A new, even id.
        dialog: DialogId,
        /// Whom to call, and how.
        invite: Box<OutgoingInvite>,
    },
    /// Takes back an INVITE of ours. [`Event::Failed`] follows; an answer that crosses is acknowledged and ended with BYE.
    Cancel {
        /// An outgoing dialog without a final answer.
        dialog: DialogId,
        /// Goes into `Reason`.
        cause: Option<Reason>,
    },
    /// Ends a dialog, whatever its state: BYE, CANCEL, or 603 to an INVITE without final answer. Before the ACK of our 2xx
    /// the BYE waits for it (RFC 3261 §15). [`Event::Terminated`] follows a BYE, [`Event::Failed`] a CANCEL, nothing a 603.
    Bye {
        /// Any dialog.
        dialog: DialogId,
        /// Goes into `Reason`.
        cause: Option<Reason>,
    },
    /// Answers an offer, told by [`Event::Offer`].
    AcceptOffer {
        /// A dialog with an open offer.
        dialog: DialogId,
        /// Our session description.
        sdp: Bytes,
    },
    /// Refuses an offer; the session goes on as it was.
    RejectOffer {
        /// A dialog with an open offer.
        dialog: DialogId,
        /// 300 to 699; anything else is sent as 500.
        status: u16,
        /// Goes into `Warning`.
        warning: Option<Warning>,
    },
    /// Offers a new description by re-INVITE. [`Event::OfferAnswered`] or [`Event::OfferRefused`] follows, unless the dialog
    /// ends before; where it crosses an offer of the peer it is made again after a while (RFC 3261 §14.1).
    Offer {
        /// A confirmed dialog.
        dialog: DialogId,
        /// Our session description.
        sdp: Bytes,
    },
    /// Asks the peer to call somebody else (REFER, RFC 3515). [`Event::ReferAnswered`] tells whether it will, [`Event::Referred`] how
    /// that goes.
    Refer {
        /// A confirmed dialog, where no other REFER is under way.
        dialog: DialogId,
        /// The URI to call.
        to: String,
    },
    /// Takes the peer's next REFER, with 202 and a first report; [`Event::ReferAsked`] tells of it. Any other is refused with 603.
    TakeRefer {
        /// A confirmed dialog, in which none is wanted or under way.
        dialog: DialogId,
    },
    /// The peer's REFERs are refused again. Nothing happens where one is under way.
    RefuseRefer {
        /// A confirmed dialog.
        dialog: DialogId,
    },
    /// Reports on what the peer's REFER asked for (NOTIFY, RFC 3515 §2.4.4).
    Report {
        /// A dialog in which a REFER was taken whose last report was not sent.
        dialog: DialogId,
        /// 100 to 699; from 200 on it is the last.
        status: u16,
    },
    /// Sends an INFO (RFC 6086). Nothing tells what became of it, but when the peer knows of no such dialog (481)
    /// [`Event::Terminated`] follows.
    Info {
        /// A confirmed dialog.
        dialog: DialogId,
        /// A media type without parameters, such as `application/dtmf-relay`.
        content_type: String,
        /// All of it.
        body: Bytes,
    },
}

/// What becomes of a 3xx to an INVITE of ours.
#[derive(Clone, Debug, Default)]
pub enum Redirects {
    /// It is a failure like others. Its contacts are told, so that who has the say can call one of them.
    #[default]
    Refuse,
    /// Contacts are called instead: those at one of these addresses that are for the user that was called, best `q` first,
    /// at most five of them, redirected at most three times. Another number is another call, and nobody but the caller of
    /// this endpoint says whether it is allowed.
    Within(Arc<PeerSet>),
}

/// An INVITE to send.
#[derive(Clone, Debug)]
pub struct OutgoingInvite {
    /// Where it goes. They are tried in turn while one says nothing, cannot be reached or answers 503 (RFC 3263 §4.3). An
    /// INVITE of more than 1300 bytes that would go over UDP goes to the same address over a stream first, where that is one
    /// of them (RFC 3261 §18.1.1).
    pub targets: Vec<InviteTarget>,
    /// The address this peer reaches us at, where it is another than everybody's.
    pub advertised: Option<SocketAddr>,
    /// The user name in our `Contact`, where the peer knows us by one, as who registered with it.
    pub contact_user: Option<String>,
    /// The URI in `From`.
    pub from: String,
    /// The display name in `From`, such as `Anonymous`, as it reads: without quotes and escapes.
    pub from_name: Option<String>,
    /// The URI in `To`.
    pub to: String,
    /// The offer.
    pub sdp: Bytes,
    /// More header fields, name and value. Those that the endpoint writes itself are refused.
    pub headers: Vec<(String, String)>,
    /// Whether provisional responses should be sent so that they arrive.
    pub reliable: Reliable,
    /// What is proved to the targets' hosts when they ask (RFC 3261 §22); nobody else is proved anything.
    pub credentials: Option<Arc<Credentials>>,
    /// What becomes of a 3xx.
    pub redirects: Redirects,
    /// How long to wait for any response, even a 100, of one target before the next is tried. Longer than 64 × T1 is that.
    pub answer_within: Duration,
    /// After how long the session should expire unless it is refreshed (RFC 4028), in whole seconds from 90 on. None leaves
    /// it to the peer: a refresh it wants is made and answered in any case.
    pub session_expires: Option<Duration>,
    /// How long to wait for an answer before it is cancelled, over all targets. A time too long for the clock is no limit.
    pub ring_timeout: Duration,
    /// The Call-ID, where the caller has one (kept on disk before the INVITE leaves). Must be one word.
    pub call_id: Option<String>,
}

impl OutgoingInvite {
    /// An INVITE to one hop that may ring for a minute, without an offer yet.
    #[must_use]
    pub fn new(hop: Hop, request_uri: String, from: String, to: String) -> Self {
        Self {
            targets: vec![InviteTarget::new(hop, request_uri)],
            advertised: None,
            contact_user: None,
            from,
            from_name: None,
            to,
            sdp: Bytes::new(),
            headers: Vec::new(),
            reliable: Reliable::No,
            credentials: None,
            redirects: Redirects::Refuse,
            answer_within: Duration::from_secs(32),
            session_expires: None,
            ring_timeout: Duration::from_secs(60),
            call_id: None,
        }
    }
}

/// One place to send an INVITE to. The servers of one URI share its Request-URI; another URI of the same trunk has its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InviteTarget {
    /// Where the message goes: of routes, to the first.
    pub hop: Hop,
    /// The Request-URI.
    pub request_uri: String,
    /// `Route` values, such as `<sip:proxy.example;lr>`: a preloaded route set (RFC 3261 §8.1.1.1).
    pub routes: Vec<String>,
    /// Requests in the dialog go where the INVITE went, whatever address the answer's `Contact` has.
    pub to_source: bool,
}

impl InviteTarget {
    /// A target without routes, whose dialogs go by what the answer says.
    #[must_use]
    pub fn new(hop: Hop, request_uri: impl Into<String>) -> Self {
        Self {
            hop,
            request_uri: request_uri.into(),
            routes: Vec::new(),
            to_source: false,
        }
    }
}

/// Whether the provisional responses to an INVITE should be sent so that they arrive (RFC 3262). Those that are get their
/// PRACK whether it was asked for or not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reliable {
    /// The INVITE does not speak of it.
    #[default]
    No,
    /// As the peer likes: `Supported: 100rel`.
    Supported,
    /// The peer has to, or refuse the call with 420: `Require: 100rel`.
    Required,
}

/// What an endpoint asks for or tells.
#[derive(Clone, Debug)]
pub enum Output {
    /// Send a message.
    Transmit {
        /// Where to. Over a stream: on the connection that is there, or on a new one.
        to: Hop,
        /// Where to open a connection instead, when `to` is one that is gone.
        otherwise: Option<Hop>,
        /// All of it.
        bytes: Bytes,
    },
    /// A new INVITE. It was answered 100 Trying.
    Incoming(Box<Incoming>),
    /// A gateway registered, moved, or is gone.
    Bound(Box<BindingNews>),
    /// What came of a [`Command::Ask`].
    Answered {
        /// Which.
        request: RequestId,
        /// What.
        outcome: Outcome,
    },
    /// Something happened in a dialog.
    Event {
        /// Which.
        dialog: DialogId,
        /// What.
        event: Event,
    },
}

/// A new INVITE from a peer or user.
#[derive(Clone, Debug)]
pub struct Incoming {
    /// The id of its dialog, for commands and events.
    pub dialog: DialogId,
    /// Where it came from.
    pub source: Hop,
    /// Who proved to have sent it; none where the source is a peer's.
    pub user: Option<User>,
    /// The request: numbers in its Request-URI, `From`, `To`, and other header fields.
    pub request: Request,
    /// The offer; none when the peer wants ours in the answer.
    pub sdp: Option<Bytes>,
}

/// What happens in a dialog. After [`Event::Failed`], [`Event::NoAck`], [`Event::Canceled`], [`Event::Bye`] or
/// [`Event::Terminated`] the dialog is over and its id means nothing any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The other side is working on our INVITE.
    Provisional {
        /// 101 to 199.
        status: u16,
        /// Early media, where there is a description.
        sdp: Option<Bytes>,
    },
    /// What the final response to our INVITE has for the application behind us ([`Fields::own_fields`](crate::Fields::own_fields)), where it has
    /// some: names and values. Told just before [`Event::Answered`] or [`Event::Failed`].
    OwnFields(Vec<(String, String)>),
    /// Our INVITE was answered with 2xx; the endpoint has sent the ACK.
    Answered {
        /// The answer to our offer: of the 2xx, or where that has none what the peer had described reliably before.
        sdp: Option<Bytes>,
    },
    /// Our INVITE came to nothing.
    Failed {
        /// The final status of the last target that was tried; after a CANCEL of ours, which also follows when it rang too
        /// long, mostly its 487. Where none came it is 487 after a CANCEL, 408 when nothing was heard in time, 503 when no
        /// target can be reached or there is no room, 482 after redirections in a circle, 400 for what cannot be written.
        status: u16,
        /// The reason phrase.
        reason: String,
        /// When the peer wants to be tried again.
        retry_after: Option<Duration>,
        /// What the network behind the peer says of it.
        cause: Option<Reason>,
        /// The URIs that a 3xx names, best first.
        contacts: Vec<String>,
    },
    /// The ACK of our 2xx came.
    Acked {
        /// The answer, when the offer was ours.
        sdp: Option<Bytes>,
    },
    /// No ACK of our 2xx came within 64 × T1, and the endpoint sent a BYE; or no PRACK of a provisional response that asks
    /// for one, and it answered 504.
    NoAck,
    /// The peer took its INVITE back; 487 was sent.
    Canceled {
        /// Why, such as a call that was answered elsewhere.
        cause: Option<Reason>,
    },
    /// The peer ended the dialog; 200 was sent.
    Bye {
        /// Why, where it says.
        cause: Option<Reason>,
    },
    /// A re-INVITE, or an UPDATE or PRACK with an offer: answer with [`Command::AcceptOffer`] or [`Command::RejectOffer`].
    /// It may come before the call is answered.
    Offer {
        /// The offer; none when the peer wants ours in the answer.
        sdp: Option<Bytes>,
    },
    /// The peer answered an offer of ours: one of [`Command::Offer`], one that went out with a provisional response, or one
    /// that only repeats our description to refresh the session.
    OfferAnswered {
        /// The answer; none where the peer forgot it.
        sdp: Option<Bytes>,
    },
    /// The peer refused the offer of [`Command::Offer`]; the session goes on as it was.
    OfferRefused {
        /// The final status; 491 where it crossed the peer's again and again, or one of ours is not answered yet.
        status: u16,
    },
    /// The peer's final answer to a REFER. Where it and a report cross, it may come after that.
    ReferAnswered {
        /// 200 to 699; 408 where none came.
        status: u16,
        /// Refused, or accepted by a peer that will not report (RFC 4488): nothing more will be told of it.
        is_final: bool,
    },
    /// How the call goes that the peer was asked to make.
    Referred {
        /// The status it got so far; none where the peer does not say.
        status: Option<u16>,
        /// Nothing more will be told of it.
        is_final: bool,
    },
    /// The peer wants somebody else to be called in its place; 202 was sent, and that it is tried. [`Command::Report`] tells it more.
    ReferAsked(Box<ReferAsked>),
    /// An INFO of a kind that gateways send digits in; 200 was sent.
    Info {
        /// `application/dtmf-relay` or `application/dtmf`.
        content_type: &'static str,
        /// Such as `Signal=5`.
        body: Bytes,
    },
    /// Our BYE was answered, or timed out; or the peer knows nothing of the dialog any more, or let the session expire, and
    /// the endpoint sent a BYE.
    Terminated,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contacts_by_transport_and_family() {
        let address = |text: &str| text.parse::<SocketAddr>().unwrap();
        let contacts = Contacts::new(address("192.0.2.1:5060"))
            .with(Transport::Udp, address("[2001:db8::1]:5060"))
            .with(Transport::Tls, address("192.0.2.1:5061"));
        for (transport, to, expected) in [
            (Transport::Udp, "203.0.113.9:5060", "192.0.2.1:5060"),
            (Transport::Udp, "[2001:db8::9]:5060", "[2001:db8::1]:5060"),
            (
                Transport::Udp,
                "[::ffff:203.0.113.9]:5060",
                "192.0.2.1:5060",
            ),
            (Transport::Tls, "203.0.113.9:5061", "192.0.2.1:5061"),
            (Transport::Tls, "[2001:db8::9]:5061", "192.0.2.1:5060"),
        ] {
            let hop = Hop::new(transport, address(to));
            assert_eq!(contacts.towards(hop), address(expected), "{hop}");
        }
    }
}
