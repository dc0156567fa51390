//! Requests of ours outside dialogs: OPTIONS and REGISTER, with proofs and failover (RFC 3261 §8.1, §10.2, §11.1).

use std::time::Instant;

use bytes::Bytes;

use super::errand::Written;
use super::schedule::TransactionId;
use super::transactions::Purpose;
use super::uac::is_writable_word;
use super::{Endpoint, Output, RequestId};
use crate::digest::Access;
use crate::field::Name;
use crate::routes::RouteSet;
use crate::transaction::ClientKey;
use crate::write::Writer;
use crate::{Ask, Hop, NameAddr, Outcome, Response, Uri, lex};

/// One that has no answer yet.
#[derive(Debug)]
pub(super) struct Asking {
    ask: Ask,
    transaction: TransactionId,
    /// Which of the targets it went to.
    at: usize,
    /// `From` with our tag.
    from: Bytes,
    call_id: Bytes,
    cseq: u32,
    access: Option<Access>,
}

impl Asking {
    fn hop(&self) -> Hop {
        self.ask.targets[self.at]
    }
}

impl Endpoint {
    pub(super) fn ask_outside(&mut self, now: Instant, request: RequestId, ask: Ask) -> bool {
        if self.asking.contains_key(&request) {
            return false;
        }
        if ask.targets.is_empty() || !is_writable(&ask) {
            self.tell_answered(request, Outcome::Unreachable);
            return true;
        }
        let tag = self.identifiers.tag();
        let call_id = match &ask.call_id {
            Some(call_id) => Bytes::copy_from_slice(call_id.as_bytes()),
            None => self.identifiers.call_id(),
        };
        let credentials = ask.credentials.clone();
        let asking = Asking {
            transaction: TransactionId(0),
            at: 0,
            from: match &ask.within {
                Some(within) => Bytes::copy_from_slice(within.from.as_bytes()),
                None => [b"<", ask.from.as_bytes(), b">;tag=", &tag].concat().into(),
            },
            call_id,
            cseq: ask.cseq,
            access: credentials.map(|credentials| Access::new(credentials, &ask.targets)),
            ask,
        };
        self.asking.insert(request, asking);
        self.send_ask(now, request);
        true
    }

    fn send_ask(&mut self, now: Instant, request: RequestId) {
        if self.transactions.len() >= self.config.max_transactions {
            return self.end_ask(request, Outcome::Unreachable);
        }
        let branch = self.identifiers.branch();
        let Some(asking) = self.asking.get_mut(&request) else {
            return;
        };
        let hop = asking.hop();
        let contact = self.config.contacts.towards(hop);
        let us = Hop::new(hop.transport, asking.ask.advertised.unwrap_or(contact));
        let bytes = write(asking, us, &branch, self.config.user_agent.as_deref());
        let written = Written {
            key: ClientKey::new(branch, asking.ask.method.clone(), us.address),
            way: hop.into(),
            bytes,
        };
        let id = self.ask(now, written, Purpose::Ask(request));
        if let Some(asking) = self.asking.get_mut(&request) {
            asking.transaction = id;
        }
        self.drain(now, id);
    }

    pub(super) fn on_ask_answered(
        &mut self,
        now: Instant,
        transaction: TransactionId,
        request: RequestId,
        response: Box<Response>,
    ) {
        if response.status() < 200 {
            return;
        }
        let cnonce = self.identifiers.tag();
        let asking = self.asking.get_mut(&request);
        let Some(asking) = asking.filter(|asking| asking.transaction == transaction) else {
            return;
        };
        let hop = asking.hop();
        let goes_on = match (response.status(), &mut asking.access) {
            (401 | 407, Some(access)) => access.challenged(hop, &response, &cnonce),
            _ => false,
        };
        if goes_on {
            asking.cseq += 1;
            self.send_ask(now, request);
        } else if response.status() != 503 || !self.ask_next(now, request) {
            self.end_ask(request, Outcome::Response(response));
        }
    }

    pub(super) fn on_ask_lost(&mut self, now: Instant, request: RequestId, outcome: Outcome) {
        if !self.ask_next(now, request) {
            self.end_ask(request, outcome);
        }
    }

    /// Asks the next target. False when there is none.
    fn ask_next(&mut self, now: Instant, request: RequestId) -> bool {
        let Some(asking) = self.asking.get_mut(&request) else {
            return true;
        };
        if asking.at + 1 == asking.ask.targets.len() {
            return false;
        }
        asking.at += 1;
        if let Some(access) = &mut asking.access {
            access.start_anew();
        }
        self.send_ask(now, request);
        true
    }

    fn end_ask(&mut self, request: RequestId, outcome: Outcome) {
        self.asking.remove(&request);
        self.tell_answered(request, outcome);
    }

    fn tell_answered(&mut self, request: RequestId, outcome: Outcome) {
        self.outputs
            .push_back(Output::Answered { request, outcome });
    }
}

fn write(asking: &mut Asking, us: Hop, branch: &[u8], user_agent: Option<&str>) -> Bytes {
    let hop = asking.hop();
    let ask = &asking.ask;
    let method = ask.method.as_bytes();
    let routes = ask.routes.iter().cloned().map(Bytes::from);
    let routes = RouteSet::new(routes.collect());
    let target = ask.request_uri.as_bytes();
    let request_uri = routes.request_uri(target);
    let mut writer = Writer::request(method, request_uri);
    writer.via(us, branch);
    routes.write(&mut writer, target);
    writer.header("Max-Forwards", b"70");
    writer.header("From", &asking.from);
    match &ask.within {
        Some(within) => writer.header("To", within.to.as_bytes()),
        None => writer.header_of("To", &[b"<", ask.to.as_bytes(), b">"]),
    }
    writer.header("Call-ID", &asking.call_id);
    writer.header_of("CSeq", &[asking.cseq.to_string().as_bytes(), b" ", method]);
    if let Some(user_agent) = user_agent {
        writer.header("User-Agent", user_agent.as_bytes());
    }
    if let Some(access) = &mut asking.access {
        for (name, value) in access.fields(hop, method, request_uri, b"") {
            writer.header(name.as_str(), &value);
        }
    }
    for (name, value) in &ask.headers {
        writer.header(name, value.as_bytes());
    }
    writer.finish()
}

/// Whether the parts keep to their grammar, so that none can smuggle in another.
fn is_writable(ask: &Ask) -> bool {
    let is_uri = |text: &String| Uri::parse(&Bytes::copy_from_slice(text.as_bytes())).is_ok();
    let is_address =
        |text: &String| NameAddr::parse(&Bytes::copy_from_slice(text.as_bytes())).is_ok();
    let is_field = |(name, value): &(String, String)| {
        let known = Name::of(name.as_bytes());
        lex::is_token(name.as_bytes())
            && matches!(known, Name::Other | Name::Accept | Name::Contact)
            && !value.contains(char::is_control)
    };
    lex::is_token(ask.method.as_bytes())
        && [&ask.request_uri, &ask.from, &ask.to]
            .into_iter()
            .all(is_uri)
        && ask.routes.iter().all(is_address)
        && ask.within.iter().all(|within| {
            let both = [&within.from, &within.to];
            both.into_iter()
                .all(|address| is_address(address) && !address.contains(char::is_control))
        })
        && ask.headers.iter().all(is_field)
        && ask.call_id.as_deref().is_none_or(is_writable_word)
        && ask.cseq < 1 << 30
}
