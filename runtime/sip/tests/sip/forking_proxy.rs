//! A proxy that calls two peers at once (RFC 3261 §16): as much of one as an INVITE with two callees needs.

use std::collections::HashMap;

use bytes::Bytes;
use jackfield_sip::{Hop, Message, Method, Request, Response, parse};

use crate::host::{PEER, US, parse_request, udp};
use crate::network::OTHER_PEER;

/// The two it calls.
const CALLEES: [&str; 2] = [PEER, OTHER_PEER];

/// A message that the proxy sends, and where to.
pub(crate) type Sent = (Hop, Bytes);

/// Remembers each INVITE by its branch. It writes no `Via`: its callees answer where their request came from.
#[derive(Default)]
pub(crate) struct ForkingProxy {
    invites: HashMap<Vec<u8>, Forked>,
}

/// An INVITE that went to both.
struct Forked {
    invite: Request,
    forks: [Fork; 2],
    /// Whose failure the caller got.
    told: Option<usize>,
    is_taken_back: bool,
}

#[derive(Default)]
struct Fork {
    tag: Vec<u8>,
    /// 0 without a final response.
    status: u16,
}

impl ForkingProxy {
    /// Takes a message that came `from` somebody and gives those that it leads to.
    pub(crate) fn receive(&mut self, from: Hop, bytes: &Bytes) -> Vec<Sent> {
        match parse(bytes) {
            Ok(Message::Request(request)) => self.request(&request, bytes),
            Ok(Message::Response(response)) => self.response(from, &response, bytes),
            Err(malformed) => panic!("the proxy was sent no message: {malformed}"),
        }
    }

    fn request(&mut self, request: &Request, bytes: &Bytes) -> Vec<Sent> {
        let branch = request.via().branch().expect("ours have one").to_vec();
        let to = |fork: usize| (udp(CALLEES[fork]), bytes.clone());
        if *request.method() == Method::Invite {
            self.invites.entry(branch).or_insert_with(|| Forked {
                invite: parse_request(bytes),
                forks: <[Fork; 2]>::default(),
                told: None,
                is_taken_back: false,
            });
            return (0..2).map(to).collect();
        }
        let Some(forked) = self.invites.get_mut(&branch) else {
            panic!("the proxy knows of no such call: {bytes:?}")
        };
        match request.method() {
            Method::Cancel => {
                forked.is_taken_back = true;
                (0..2).map(to).collect()
            }
            Method::Ack => {
                let is_meant = |fork: &usize| forked.forks[*fork].tag == request.to().tag();
                (0..2).filter(is_meant).map(to).collect()
            }
            other => panic!("{other} is no business of the proxy"),
        }
    }

    fn response(&mut self, from: Hop, response: &Response, bytes: &Bytes) -> Vec<Sent> {
        let branch = response.via().branch().expect("ours have one").to_vec();
        let Some(forked) = self.invites.get_mut(&branch) else {
            panic!("the proxy knows of no such call: {bytes:?}")
        };
        let fork = CALLEES.iter().position(|callee| udp(callee) == from);
        let fork = fork.expect("only callees answer");
        let on = (udp(US), bytes.clone());
        match (&response.cseq().method, response.status()) {
            (Method::Cancel, _) if !forked.is_taken_back => Vec::new(),
            (Method::Invite, status @ 200..) => forked.end(fork, status, response, on),
            _ => vec![on],
        }
    }
}

impl Forked {
    /// A final response of a callee. Every 2xx goes on, and takes the other fork back; of failures only the last goes on, the
    /// first is acknowledged here.
    fn end(&mut self, fork: usize, status: u16, response: &Response, on: Sent) -> Vec<Sent> {
        self.forks[fork].status = status;
        self.forks[fork].tag = response.to().tag().to_vec();
        let (callee, other) = (udp(CALLEES[fork]), 1 - fork);
        if status < 300 {
            let taken_back = (self.forks[other].status == 0).then(|| {
                let cancel = self.follower("CANCEL", &self.invite.header("To").unwrap());
                (udp(CALLEES[other]), cancel)
            });
            return taken_back.into_iter().chain([on]).collect();
        }
        if self.told.is_none() && self.forks[other].status >= 300 {
            self.told = Some(fork);
        }
        if self.told == Some(fork) {
            return vec![on];
        }
        let to = response.header("To").unwrap();
        vec![(callee, self.follower("ACK", &to))]
    }

    /// A request with the INVITE's branch.
    fn follower(&self, method: &str, to: &str) -> Bytes {
        let field = |name| self.invite.header(name).unwrap();
        let text = format!(
            "{method} {} SIP/2.0\r\nVia: {}\r\nMax-Forwards: 70\r\nFrom: {}\r\nTo: {to}\r\nCall-ID: {}\r\n\
             CSeq: {} {method}\r\nContent-Length: 0\r\n\r\n",
            self.invite.request_uri(),
            field("Via"),
            field("From"),
            field("Call-ID"),
            self.invite.cseq().number
        );
        text.into()
    }
}
