//! REGISTER: gateways tell where they are (RFC 3261 §10.3), and are asked for signs of life.

use std::time::Instant;

use bytes::Bytes;

use super::received::{ACCEPT, Answer, Received};
use super::transactions::Purpose;
use super::{Endpoint, Output};
use crate::digest::{User, Users};
use crate::registrar::{Binding, BindingId, Question};
use crate::transaction::{ClientKey, MergeKey, NonInviteClient, ServerKey};
use crate::write::Writer;
use crate::{Hop, Method};

impl Endpoint {
    /// Where a user's gateways are; the one that registered or refreshed last is the last. Each change is told by
    /// [`Output::Bound`].
    #[must_use]
    pub fn bindings(&self, user: &User) -> &[Binding] {
        self.registrar.bindings(user)
    }

    /// How many contacts of gateways are held.
    #[must_use]
    pub fn registrations(&self) -> usize {
        self.registrar.len()
    }

    /// A REGISTER from a peer or user. That an address is a peer's does not say whose gateway is there, so that everybody
    /// has to prove it.
    pub(super) fn on_register(
        &mut self,
        now: Instant,
        keys: (ServerKey, MergeKey),
        received: &Received,
        user: Option<User>,
    ) {
        let Some(user) = user.or_else(|| self.authenticate(now, received)) else {
            return;
        };
        let request = &received.request;
        let answer = self
            .registrar
            .register(now, request, received.source, &user);
        let tag = self.stateless_tag(request);
        let mut writer = received.response(&self.config, Answer::new(answer.status, &tag));
        for (name, value) in &answer.fields {
            writer.header(name, value.as_bytes());
        }
        self.answer_asked(now, keys, received, writer.finish());
        self.tell_bindings();
    }

    /// A gateway that registered pings us, perhaps from behind a NAT without asking for `rport`: it is answered where it
    /// speaks from.
    pub(super) fn is_ping_of_gateway(&self, received: &Received) -> bool {
        *received.request.method() == Method::Options && self.registrar.knows(received.source)
    }

    /// Ends the bindings of users who may no longer log in.
    pub(super) fn keep_bindings_of(&mut self, users: &Users) {
        self.registrar.retain(|user| users.rules(user).is_some());
        self.tell_bindings();
    }

    pub(super) fn on_connection_gone(&mut self, hop: Hop) {
        self.registrar.lost(hop);
        self.tell_bindings();
    }

    pub(super) fn on_sign_of_life(&mut self, now: Instant, binding: BindingId, is_alive: bool) {
        self.registrar.heard(now, binding, is_alive);
        self.tell_bindings();
    }

    pub(super) fn wake_registrar(&mut self, now: Instant) {
        self.registrar.wake(now);
        self.tell_bindings();
        while let Some(question) = self.registrar.poll_question() {
            self.ask_gateway(now, &question);
        }
    }

    fn tell_bindings(&mut self) {
        while let Some(news) = self.registrar.poll() {
            self.outputs.push_back(Output::Bound(Box::new(news)));
        }
    }

    /// Sends OPTIONS to where a gateway registered from.
    fn ask_gateway(&mut self, now: Instant, Question { user, binding }: &Question) {
        let hop = binding.hop;
        let rules = if self.is_peer(hop) {
            self.rules_of(hop)
        } else {
            self.guard.rules(user)
        };
        let contact = self.config.contacts.towards(hop);
        let us = Hop::new(hop.transport, rules.advertised.unwrap_or(contact));
        let branch = self.identifiers.branch();
        let options = self.write_options(binding, us, &branch);
        let is_reliable = hop.transport.is_reliable();
        let core = NonInviteClient::new(now, self.config.timing, is_reliable, options);
        let key = ClientKey::new(branch, Method::Options, us.address);
        let purpose = Purpose::SignOfLife(binding.id());
        let id = self.transactions.ask(core, purpose, key, hop.into());
        self.drain(now, id);
    }

    fn write_options(&mut self, binding: &Binding, us: Hop, branch: &[u8]) -> Bytes {
        let contact = binding.contact.as_bytes();
        let (tag, call_id) = (self.identifiers.tag(), self.identifiers.call_id());
        let mut writer = Writer::request(b"OPTIONS", contact);
        writer.via(us, branch);
        for route in &binding.path {
            writer.header("Route", route.as_bytes());
        }
        writer.header("Max-Forwards", b"70");
        writer.header_of(
            "From",
            &[b"<", us.contact(None).as_bytes(), b">;tag=", &tag],
        );
        writer.header_of("To", &[b"<", contact, b">"]);
        writer.header("Call-ID", &call_id);
        writer.header("CSeq", b"1 OPTIONS");
        writer.header(ACCEPT.0, ACCEPT.1);
        writer.finish()
    }
}
