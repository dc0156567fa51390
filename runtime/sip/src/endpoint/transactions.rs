//! The table of transactions: found by id, by key of a message, and by what makes requests merge.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::time::Instant;

use bytes::Bytes;

use super::schedule::{Alarm, Schedule, Sleeper, TransactionId};
use super::{DialogId, RequestId};
use crate::hop::Way;
use crate::registrar::BindingId;
use crate::transaction::{
    ClientInput, ClientKey, InviteClient, InviteServer, MergeKey, NonInviteClient, NonInviteServer,
    Output, ServerInput, ServerKey,
};
use crate::{Hop, Method, Response, Via};

/// What a transaction is for, told to its user with each of its outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// An INVITE of ours; what else there is to know of it is the attempt's of that transaction.
    Invite,
    /// A request of ours within a dialog; what else there is to know of it is the errand's of that transaction.
    Errand,
    /// An OPTIONS of ours to a gateway.
    SignOfLife(BindingId),
    /// A request of ours whose answer changes nothing.
    Unheeded,
    /// An INVITE of the peer in this dialog.
    Invited(DialogId),
    /// A request of ours outside dialogs.
    Ask(RequestId),
    /// Another request of the peer.
    Asked,
}

/// Each in a box of its own, for the smallest kinds are the most.
#[derive(Debug)]
enum Machine {
    InviteClient(Box<InviteClient>),
    NonInviteClient(Box<NonInviteClient>),
    InviteServer(Box<InviteServer>),
    NonInviteServer(Box<NonInviteServer>),
}

#[derive(Debug)]
enum Key {
    Client(ClientKey),
    Server(ServerKey, MergeKey),
}

#[derive(Debug)]
struct Transaction {
    machine: Machine,
    purpose: Purpose,
    /// Where the machine's messages go.
    way: Way,
    key: Key,
    alarm: Alarm,
}

/// All transactions of an endpoint.
#[derive(Debug, Default)]
pub(super) struct Transactions {
    by_id: HashMap<TransactionId, Transaction>,
    clients: HashMap<ClientKey, TransactionId>,
    servers: HashMap<ServerKey, TransactionId>,
    /// Requests in work, to know one that comes a second time by another way.
    merged: HashMap<MergeKey, TransactionId>,
    /// Requests of ours over a stream, to be told when it breaks.
    over_streams: HashMap<Hop, HashSet<TransactionId>>,
    last_id: u64,
}

impl Transactions {
    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }

    pub(super) fn of_response(&self, response: &Response) -> Option<TransactionId> {
        self.clients.get(&ClientKey::of(response)?).copied()
    }

    /// Whether a request of ours that has no answer yet was sent with this `Via`.
    pub(super) fn is_of_ours(&self, via: &Via, method: &Method) -> bool {
        let key = ClientKey::with(via, method.clone());
        key.is_some_and(|key| self.clients.contains_key(&key))
    }

    pub(super) fn of_request(&self, key: &ServerKey) -> Option<TransactionId> {
        self.servers.get(key).copied()
    }

    pub(super) fn of_merged(&self, key: &MergeKey) -> Option<TransactionId> {
        self.merged.get(key).copied()
    }

    /// Starts a client transaction for an INVITE of ours.
    pub(super) fn invite(
        &mut self,
        core: InviteClient,
        purpose: Purpose,
        key: ClientKey,
        way: Way,
    ) -> TransactionId {
        self.add(
            Machine::InviteClient(Box::new(core)),
            purpose,
            way,
            Key::Client(key),
        )
    }

    /// Starts a client transaction for another request of ours.
    pub(super) fn ask(
        &mut self,
        core: NonInviteClient,
        purpose: Purpose,
        key: ClientKey,
        way: Way,
    ) -> TransactionId {
        self.add(
            Machine::NonInviteClient(Box::new(core)),
            purpose,
            way,
            Key::Client(key),
        )
    }

    /// Starts a server transaction for an INVITE of the peer.
    pub(super) fn invited(
        &mut self,
        core: InviteServer,
        dialog: DialogId,
        keys: (ServerKey, MergeKey),
        way: Way,
    ) -> TransactionId {
        self.add(
            Machine::InviteServer(Box::new(core)),
            Purpose::Invited(dialog),
            way,
            Key::Server(keys.0, keys.1),
        )
    }

    /// Starts a server transaction for another request of the peer.
    pub(super) fn asked(
        &mut self,
        core: NonInviteServer,
        keys: (ServerKey, MergeKey),
        way: Way,
    ) -> TransactionId {
        self.add(
            Machine::NonInviteServer(Box::new(core)),
            Purpose::Asked,
            way,
            Key::Server(keys.0, keys.1),
        )
    }

    fn add(&mut self, machine: Machine, purpose: Purpose, way: Way, key: Key) -> TransactionId {
        self.last_id += 1;
        let id = TransactionId(self.last_id);
        match &key {
            Key::Client(client) => {
                self.clients.insert(client.clone(), id);
                for stream in streams(way) {
                    self.over_streams.entry(stream).or_default().insert(id);
                }
            }
            Key::Server(server, merge) => {
                self.servers.insert(server.clone(), id);
                self.merged.insert(merge.clone(), id);
            }
        }
        self.by_id.insert(
            id,
            Transaction {
                machine,
                purpose,
                way,
                key,
                alarm: Alarm::default(),
            },
        );
        id
    }

    /// Forgets a transaction.
    pub(super) fn remove(&mut self, id: TransactionId) {
        let Some(transaction) = self.by_id.remove(&id) else {
            return;
        };
        match transaction.key {
            Key::Client(client) => {
                self.clients.remove(&client);
                for stream in streams(transaction.way) {
                    self.leave(stream, id);
                }
            }
            Key::Server(server, merge) => {
                self.servers.remove(&server);
                self.merged.remove(&merge);
            }
        }
    }

    fn leave(&mut self, stream: Hop, id: TransactionId) {
        if let Some(users) = self.over_streams.get_mut(&stream) {
            users.remove(&id);
            if users.is_empty() {
                self.over_streams.remove(&stream);
            }
        }
    }

    /// The requests of ours that went to a stream.
    pub(super) fn over(&self, stream: Hop) -> Vec<TransactionId> {
        let users = self.over_streams.get(&stream);
        let mut users: Vec<_> = users.into_iter().flatten().copied().collect();
        users.sort_unstable(); // a set has no order of its own, and a seed must give the same run
        users
    }

    /// Tells a client transaction that its request cannot be delivered.
    pub(super) fn unreachable(&mut self, now: Instant, id: TransactionId) {
        match self.machine(id) {
            Some(Machine::InviteClient(core)) => core.handle(now, ClientInput::Unreachable),
            Some(Machine::NonInviteClient(core)) => core.handle(now, ClientInput::Unreachable),
            _ => {}
        }
    }

    /// Stops sending an INVITE again; what it is answered still finds it.
    pub(super) fn hush(&mut self, id: TransactionId) {
        if let Some(Machine::InviteClient(core)) = self.machine(id) {
            core.hush();
        }
    }

    /// Feeds a response to its client transaction.
    pub(super) fn response(&mut self, now: Instant, id: TransactionId, response: Box<Response>) {
        match self.machine(id) {
            Some(Machine::InviteClient(core)) => core.handle(now, ClientInput::Response(response)),
            Some(Machine::NonInviteClient(core)) => {
                core.handle(now, ClientInput::Response(response));
            }
            _ => {}
        }
    }

    /// Feeds a retransmitted request to its server transaction.
    pub(super) fn request(&mut self, now: Instant, id: TransactionId) {
        match self.machine(id) {
            Some(Machine::InviteServer(core)) => core.handle(now, ServerInput::Request),
            Some(Machine::NonInviteServer(core)) => core.handle(now, ServerInput::Request),
            _ => {}
        }
    }

    /// Feeds an ACK to its INVITE's server transaction.
    pub(super) fn ack(&mut self, now: Instant, id: TransactionId) {
        if let Some(Machine::InviteServer(core)) = self.machine(id) {
            core.handle(now, ServerInput::Ack);
        }
    }

    /// Gives a response to a server transaction.
    pub(super) fn respond(&mut self, now: Instant, id: TransactionId, status: u16, bytes: Bytes) {
        match self.machine(id) {
            Some(Machine::InviteServer(core)) => {
                core.handle(now, ServerInput::Respond { status, bytes });
            }
            Some(Machine::NonInviteServer(core)) => {
                core.handle(now, ServerInput::Respond { status, bytes });
            }
            _ => {}
        }
    }

    /// Whether this is an INVITE of the peer without final response.
    pub(super) fn awaits_answer(&self, id: TransactionId) -> bool {
        let machine = self.by_id.get(&id).map(|transaction| &transaction.machine);
        matches!(machine, Some(Machine::InviteServer(core)) if core.is_proceeding())
    }

    /// The dialog an INVITE of the peer is in.
    pub(super) fn dialog(&self, id: TransactionId) -> Option<DialogId> {
        match self.by_id.get(&id)?.purpose {
            Purpose::Invited(dialog) => Some(dialog),
            _ => None,
        }
    }

    /// Where a transaction's messages go.
    pub(super) fn hop(&self, id: TransactionId) -> Option<Hop> {
        self.by_id.get(&id).map(|transaction| transaction.way.to)
    }

    /// The address a server transaction's responses go to, without port.
    pub(super) fn peer(&self, id: TransactionId) -> Option<IpAddr> {
        self.by_id
            .get(&id)
            .map(|transaction| transaction.way.to.address.ip())
    }

    /// Fires what is due, one timer at a time. False when nothing is.
    pub(super) fn fire(&mut self, now: Instant, id: TransactionId) -> bool {
        match self.machine(id) {
            Some(Machine::InviteClient(core)) => core
                .due(now)
                .map(|timer| core.handle(now, ClientInput::Fired(timer)))
                .is_some(),
            Some(Machine::NonInviteClient(core)) => core
                .due(now)
                .map(|timer| core.handle(now, ClientInput::Fired(timer)))
                .is_some(),
            Some(Machine::InviteServer(core)) => core
                .due(now)
                .map(|timer| core.handle(now, ServerInput::Fired(timer)))
                .is_some(),
            Some(Machine::NonInviteServer(core)) => core
                .due(now)
                .map(|timer| core.handle(now, ServerInput::Fired(timer)))
                .is_some(),
            None => false,
        }
    }

    /// The next output of a transaction, with its purpose and way.
    pub(super) fn poll(&mut self, id: TransactionId) -> Option<(Output, Purpose, Way)> {
        let transaction = self.by_id.get_mut(&id)?;
        let output = match &mut transaction.machine {
            Machine::InviteClient(core) => core.poll(),
            Machine::NonInviteClient(core) => core.poll(),
            Machine::InviteServer(core) => core.poll(),
            Machine::NonInviteServer(core) => core.poll(),
        };
        output.map(|output| (output, transaction.purpose, transaction.way))
    }

    /// Notes that an alarm of a transaction rang.
    pub(super) fn rang(&mut self, id: TransactionId, at: Instant) {
        if let Some(transaction) = self.by_id.get_mut(&id) {
            transaction.alarm.rang(at);
        }
    }

    /// Puts a transaction's deadline on the schedule.
    pub(super) fn arm(&mut self, id: TransactionId, schedule: &mut Schedule) {
        let Some(transaction) = self.by_id.get_mut(&id) else {
            return;
        };
        let deadline = match &transaction.machine {
            Machine::InviteClient(core) => core.deadline(),
            Machine::NonInviteClient(core) => core.deadline(),
            Machine::InviteServer(core) => core.deadline(),
            Machine::NonInviteServer(core) => core.deadline(),
        };
        schedule.arm(&mut transaction.alarm, deadline, Sleeper::Transaction(id));
    }

    fn machine(&mut self, id: TransactionId) -> Option<&mut Machine> {
        self.by_id
            .get_mut(&id)
            .map(|transaction| &mut transaction.machine)
    }
}

/// The streams a way goes over: the one that is there, or the one that is opened in its place.
fn streams(way: Way) -> impl Iterator<Item = Hop> {
    [Some(way.to), way.otherwise]
        .into_iter()
        .flatten()
        .filter(|hop| hop.transport.is_reliable())
}
