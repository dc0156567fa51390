//! One endpoint under a simulated clock, and the texts its peer sends.

use std::time::{Duration, Instant};

use bytes::Bytes;
use jackfield_sip::registrar::BindingNews;
use jackfield_sip::{
    Command, Config, DialogId, Endpoint, Event, Hop, Incoming, Input, IpNet, Message, Outcome,
    OutgoingInvite, Output, PeerSet, Request, RequestId, Response, parse,
};

pub(crate) const T1: Duration = Duration::from_millis(500);
pub(crate) const SDP: &str = "v=0\r\n";

/// Where the endpoint under test is.
pub(crate) const US: &str = "10.0.0.1:5060";
/// Where its peer is.
pub(crate) const PEER: &str = "10.0.0.2:5060";

/// Where simulated time starts.
#[expect(
    clippy::disallowed_methods,
    reason = "an `Instant` has no other origin; only distances from it matter"
)]
pub(crate) fn origin() -> Instant {
    Instant::now()
}

/// A hop over UDP.
pub(crate) fn udp(address: &str) -> Hop {
    Hop::udp(address.parse().unwrap())
}

/// A message that an endpoint sent.
pub(crate) struct Sent {
    pub(crate) to: Hop,
    /// Where to open a connection instead, when `to` is one that is gone.
    pub(crate) otherwise: Option<Hop>,
    pub(crate) bytes: Bytes,
}

/// One endpoint, what it sent and what it told.
pub(crate) struct Host {
    pub(crate) endpoint: Endpoint,
    pub(crate) now: Instant,
    transmitted: Vec<Sent>,
    events: Vec<(DialogId, Event)>,
    incoming: Vec<Incoming>,
    bound: Vec<BindingNews>,
    answered: Vec<(RequestId, Outcome)>,
}

impl Host {
    /// An endpoint at [`US`] with everybody of 10.0.0.0/8 as peer.
    pub(crate) fn new() -> Self {
        Self::with(Config::new(US.parse().unwrap()), 1, origin())
    }

    pub(crate) fn with(config: Config, seed: u8, now: Instant) -> Self {
        let mut endpoint = Endpoint::new(config, [seed; 32]);
        let peers: PeerSet = ["10.0.0.0/8"]
            .iter()
            .map(|p| p.parse::<IpNet>().unwrap())
            .collect();
        endpoint.set_peers(peers);
        Self {
            endpoint,
            now,
            transmitted: Vec::new(),
            events: Vec::new(),
            incoming: Vec::new(),
            bound: Vec::new(),
            answered: Vec::new(),
        }
    }

    pub(crate) fn feed(&mut self, input: Input) {
        self.endpoint.handle(self.now, input);
        while let Some(output) = self.endpoint.poll() {
            match output {
                Output::Transmit {
                    to,
                    otherwise,
                    bytes,
                } => self.transmitted.push(Sent {
                    to,
                    otherwise,
                    bytes,
                }),
                Output::Incoming(incoming) => self.incoming.push(*incoming),
                Output::Bound(news) => self.bound.push(*news),
                Output::Answered { request, outcome } => self.answered.push((request, outcome)),
                Output::Event { dialog, event } => self.events.push((dialog, event)),
            }
        }
    }

    pub(crate) fn command(&mut self, command: Command) {
        self.feed(Input::Command(command));
    }

    /// A datagram from [`PEER`].
    pub(crate) fn receive(&mut self, text: impl AsRef<[u8]>) {
        self.receive_from(PEER, text);
    }

    /// A datagram from anybody.
    pub(crate) fn receive_from(&mut self, source: &str, text: impl AsRef<[u8]>) {
        self.receive_over(udp(source), text);
    }

    /// A message over any transport.
    pub(crate) fn receive_over(&mut self, from: Hop, text: impl AsRef<[u8]>) {
        let bytes = Bytes::copy_from_slice(text.as_ref());
        self.feed(Input::Received { from, bytes });
    }

    /// Lets time pass, waking the endpoint at each of its deadlines.
    pub(crate) fn advance(&mut self, duration: Duration) {
        let until = self.now + duration;
        while let Some(deadline) = self
            .endpoint
            .deadline()
            .filter(|deadline| *deadline <= until)
        {
            self.now = deadline.max(self.now);
            self.feed(Input::Timeout);
        }
        self.now = until;
    }

    /// The messages sent since the last look, with all that is known of their ways.
    pub(crate) fn all_transmitted(&mut self) -> Vec<Sent> {
        std::mem::take(&mut self.transmitted)
    }

    /// The messages sent since the last look.
    pub(crate) fn transmitted(&mut self) -> Vec<(Hop, Bytes)> {
        let sent = self.all_transmitted().into_iter();
        sent.map(|sent| (sent.to, sent.bytes)).collect()
    }

    /// The methods and statuses sent since the last look.
    pub(crate) fn sent(&mut self) -> String {
        let kinds: Vec<_> = self
            .transmitted()
            .iter()
            .map(|(_, bytes)| kind(bytes))
            .collect();
        kinds.join(" ")
    }

    /// The only datagram sent since the last look, as text.
    pub(crate) fn sent_text(&mut self) -> String {
        let transmitted = self.transmitted();
        let [(_, bytes)] = &transmitted[..] else {
            panic!("not one datagram: {transmitted:?}")
        };
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    /// What came of requests outside dialogs since the last look, in words.
    pub(crate) fn answered(&mut self) -> String {
        let word = |(RequestId(id), outcome)| match outcome {
            Outcome::Response(response) => format!("{id}:{}", response.status()),
            Outcome::Timeout => format!("{id}:timeout"),
            Outcome::Unreachable => format!("{id}:unreachable"),
        };
        let words: Vec<_> = self.all_answered().into_iter().map(word).collect();
        words.join(" ")
    }

    pub(crate) fn all_answered(&mut self) -> Vec<(RequestId, Outcome)> {
        std::mem::take(&mut self.answered)
    }

    pub(crate) fn incoming(&mut self) -> Vec<Incoming> {
        std::mem::take(&mut self.incoming)
    }

    /// What became of gateways since the last look, in words.
    pub(crate) fn bound(&mut self) -> String {
        let news = std::mem::take(&mut self.bound);
        let words: Vec<_> = news
            .iter()
            .map(|news| format!("{:?} {}", news.change, news.binding.contact))
            .collect();
        words.join(" ").to_lowercase()
    }

    pub(crate) fn all_events(&mut self) -> Vec<(DialogId, Event)> {
        std::mem::take(&mut self.events)
    }

    /// The events since the last look, in words.
    pub(crate) fn events(&mut self) -> String {
        let words: Vec<_> = self
            .all_events()
            .iter()
            .map(|(_, event)| word(event))
            .collect();
        words.join(" ")
    }

    /// Lets everything time out and checks that nothing is left.
    pub(crate) fn expect_idle(&mut self) {
        self.advance(Duration::from_secs(200));
        assert_eq!(
            (self.endpoint.dialogs(), self.endpoint.transactions()),
            (0, 0)
        );
        assert_eq!(self.endpoint.deadline(), None);
    }
}

fn word(event: &Event) -> String {
    let sdp = |sdp: &Option<Bytes>| if sdp.is_some() { "+sdp" } else { "" };
    match event {
        Event::Provisional { status, sdp: s } => format!("provisional:{status}{}", sdp(s)),
        Event::OwnFields(fields) => {
            let fields: Vec<_> = fields
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            format!("own-fields:{}", fields.join(","))
        }
        Event::Answered { sdp: s } => format!("answered{}", sdp(s)),
        Event::Failed { status, .. } => format!("failed:{status}"),
        Event::Acked { sdp: s } => format!("acked{}", sdp(s)),
        Event::NoAck => "no-ack".to_owned(),
        Event::Canceled { .. } => "canceled".to_owned(),
        Event::Bye { .. } => "bye".to_owned(),
        Event::Offer { sdp: s } => format!("offer{}", sdp(s)),
        Event::OfferAnswered { sdp: s } => format!("offer-answered{}", sdp(s)),
        Event::OfferRefused { status } => format!("offer-refused:{status}"),
        Event::ReferAnswered { status, is_final } => {
            let last = if *is_final { "!" } else { "" };
            format!("refer-answered:{status}{last}")
        }
        Event::Referred { status, is_final } => {
            let last = if *is_final { "!" } else { "" };
            format!("referred:{}{last}", status.unwrap_or_default())
        }
        Event::ReferAsked(asked) => format!("refer-asked:{}", asked.to),
        Event::Info { content_type, .. } => format!("info:{content_type}"),
        Event::Terminated => "terminated".to_owned(),
    }
}

/// A message's method or status. Only an answer to a malformed request may be malformed, for it repeats its fields.
pub(crate) fn kind(bytes: &Bytes) -> String {
    match parse(bytes) {
        Ok(Message::Request(request)) => request.method().to_string(),
        Ok(Message::Response(response)) => response.status().to_string(),
        Err(_) if bytes.starts_with(b"SIP/2.0 400 ") => "400".to_owned(),
        Err(_) if bytes.starts_with(b"SIP/2.0 505 ") => "505".to_owned(),
        Err(malformed) => panic!("we sent a malformed message: {malformed}\n{bytes:?}"),
    }
}

pub(crate) fn parse_request(bytes: &Bytes) -> Request {
    match parse(bytes) {
        Ok(Message::Request(request)) => request,
        other => panic!("not a request: {other:?}"),
    }
}

pub(crate) fn parse_response(text: &str) -> Response {
    match parse(&Bytes::copy_from_slice(text.as_bytes())) {
        Ok(Message::Response(response)) => response,
        other => panic!("not a response: {other:?}"),
    }
}

/// The tag in a message's `To`.
pub(crate) fn to_tag(text: &str) -> String {
    String::from_utf8(parse_response(text).to().tag().to_vec()).unwrap()
}

/// A request of the peer in its call `call-1`.
#[derive(Clone)]
pub(crate) struct Ask<'a> {
    pub(crate) method: &'a str,
    pub(crate) cseq: u32,
    pub(crate) branch: &'a str,
    pub(crate) to_tag: &'a str,
    pub(crate) fields: &'a str,
    pub(crate) body: &'a str,
}

/// An INVITE with an offer.
pub(crate) const INVITE: Ask<'_> = Ask {
    method: "INVITE",
    cseq: 1,
    branch: "one",
    to_tag: "",
    fields: "Contact: <sip:alice@10.0.0.2>\r\nContent-Type: application/sdp\r\n",
    body: SDP,
};

impl<'a> Ask<'a> {
    /// A request within the dialog our tag belongs to.
    pub(crate) fn within(method: &'a str, cseq: u32, to_tag: &'a str) -> Self {
        Ask {
            method,
            cseq,
            branch: method,
            to_tag,
            fields: "",
            body: "",
        }
    }

    /// The ACK of the INVITE with that number.
    pub(crate) fn ack(cseq: u32, to_tag: &'a str) -> Self {
        Ask::within("ACK", cseq, to_tag)
    }

    /// The same of the callee of our INVITE, with its tag.
    pub(crate) fn of_callee(&self, invite: &Request, tag: &str) -> String {
        let ours = String::from_utf8_lossy(invite.from().tag()).into_owned();
        let ask = Ask {
            to_tag: &ours,
            ..self.clone()
        };
        ask.text()
            .replace("call-1", &invite.call_id())
            .replace("tag=a1", &format!("tag={tag}"))
    }

    pub(crate) fn text(&self) -> String {
        let Ask {
            method,
            cseq,
            branch,
            fields,
            body,
            ..
        } = self;
        let to_tag = if self.to_tag.is_empty() {
            String::new()
        } else {
            format!(";tag={}", self.to_tag)
        };
        format!(
            "{method} sip:1294@10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.2;branch=z9hG4bK{branch}\r\nMax-Forwards: 70\r\n\
             From: \"Alice\" <sip:alice@10.0.0.2>;tag=a1\r\nTo: <sip:1294@10.0.0.1>{to_tag}\r\nCall-ID: call-1\r\n\
             CSeq: {cseq} {method}\r\n{fields}Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
    }
}

/// A response of the peer to a request of ours.
#[derive(Clone)]
pub(crate) struct Reply<'a> {
    pub(crate) status: u16,
    pub(crate) to_tag: &'a str,
    pub(crate) fields: &'a str,
    pub(crate) body: &'a str,
}

impl<'a> Reply<'a> {
    pub(crate) fn new(status: u16, to_tag: &'a str) -> Self {
        Reply {
            status,
            to_tag,
            fields: "",
            body: "",
        }
    }

    /// A 2xx or 18x with a description.
    pub(crate) fn with_sdp(status: u16, to_tag: &'a str) -> Self {
        let fields = "Contact: <sip:bob@10.0.0.2>\r\nContent-Type: application/sdp\r\n";
        Reply {
            status,
            to_tag,
            fields,
            body: SDP,
        }
    }

    pub(crate) fn to(&self, request: &Request) -> String {
        let field = |name| request.header(name).unwrap();
        let has_tag = !request.to().tag().is_empty();
        let to_tag = if self.to_tag.is_empty() || has_tag {
            String::new()
        } else {
            format!(";tag={}", self.to_tag)
        };
        format!(
            "SIP/2.0 {} Words\r\nVia: {}\r\nFrom: {}\r\nTo: {}{to_tag}\r\nCall-ID: {}\r\nCSeq: {}\r\n{}Content-Length: {}\r\n\r\n{}",
            self.status,
            field("Via"),
            field("From"),
            field("To"),
            field("Call-ID"),
            field("CSeq"),
            self.fields,
            self.body.len(),
            self.body
        )
    }
}

/// An INVITE of ours to the peer, ringing for 20 s.
pub(crate) fn outgoing(target: &str) -> Box<OutgoingInvite> {
    Box::new(OutgoingInvite {
        sdp: Bytes::from_static(SDP.as_bytes()),
        headers: vec![("X-Account".to_owned(), "ac1".to_owned())],
        ring_timeout: Duration::from_secs(20),
        ..OutgoingInvite::new(
            udp(target),
            format!("sip:+85512345678@{target}"),
            format!("sip:1294@{US}"),
            format!("sip:+85512345678@{target}"),
        )
    })
}

/// The incoming dialog every test of one call has.
pub(crate) const FIRST: DialogId = DialogId(1);

/// A host whose peer's INVITE is in; the 100 is looked at already.
pub(crate) fn invited() -> Host {
    let mut host = Host::new();
    host.receive(INVITE.text());
    assert_eq!(host.sent(), "100");
    host
}

/// A host that answered its peer's INVITE, with our tag; the 200 is not acknowledged.
pub(crate) fn answered() -> (Host, String) {
    let mut host = invited();
    host.command(Command::Answer {
        dialog: FIRST,
        sdp: SDP.into(),
    });
    let tag = to_tag(&host.sent_text());
    (host, tag)
}

/// A host in a dialog its peer made, with our tag.
pub(crate) fn talking() -> (Host, String) {
    let (mut host, tag) = answered();
    host.receive(Ask::ack(1, &tag).text());
    assert_eq!(host.events(), "acked");
    (host, tag)
}
