//! One walk from the target to its servers, over the answers that are there so far.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use super::order;
use super::records::{Answer, Lookup, Naptr, Record, Srv, plain};
use super::target::{Target, TargetHost};
use super::{LocateError, MAX_HOPS, Reach};
use crate::{Hop, Transport};

/// Walks anew after each answer: the order of the result depends on the answers, never on when they came.
pub(super) struct Walk<'a> {
    target: &'a Target,
    answers: &'a HashMap<Lookup, Answer>,
    seed: u64,
    /// What would have led further, the most preferred first.
    pub(super) missing: Vec<Lookup>,
    pub(super) hops: Vec<Hop>,
    pub(super) ttl: Option<Duration>,
    /// What to say if no hop is found.
    pub(super) error: Option<LocateError>,
}

/// What a step of the walk came upon.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    /// DNS answered; what it said stands, even if it led nowhere.
    Answered,
    /// DNS has no such records: the next rule applies.
    Nothing,
    /// Not answered yet, or not at all: whether the next rule applies is unknown.
    Unknown,
}

impl<'a> Walk<'a> {
    pub(super) fn new(target: &'a Target, answers: &'a HashMap<Lookup, Answer>, seed: u64) -> Self {
        Self {
            target,
            answers,
            seed,
            missing: Vec::new(),
            hops: Vec::new(),
            ttl: None,
            error: None,
        }
    }

    /// RFC 3263 §4.1 and §4.2 from the top.
    pub(super) fn run(mut self) -> Self {
        let target = self.target;
        match (&target.host, target.port) {
            (TargetHost::Ip(ip), port) => {
                if let Some(way) = self.default_way() {
                    let port = port.unwrap_or(way.transport.default_port());
                    if reaches(way, ip) {
                        self.push(way.transport, SocketAddr::new(*ip, port));
                    } else {
                        self.trouble(LocateError::Family(ip.to_string().into()));
                    }
                }
            }
            (TargetHost::Name(name), Some(port)) => {
                if let Some(way) = self.default_way() {
                    self.addresses(name, port, way);
                }
            }
            (TargetHost::Name(name), None) => self.services(name),
        }
        self
    }

    fn services(&mut self, name: &Arc<str>) {
        if self.target.chosen.is_none() {
            match self.naptr(name) {
                // A failure is as good as no record: routers that know only addresses drop the question.
                Step::Nothing => (),
                Step::Unknown if self.failed(&Lookup::Naptr(Arc::clone(name))) => (),
                Step::Unknown | Step::Answered => return,
            }
        }
        let ways = &self.target.ways;
        let steps: Vec<_> = ways.iter().map(|way| self.service(name, *way)).collect();
        if steps.iter().all(|step| *step == Step::Nothing)
            && let Some(way) = self.default_way()
        {
            self.addresses(name, way.transport.default_port(), way);
        }
    }

    /// Follows the NAPTR records that name a service of ours (RFC 3263 §4.1).
    fn naptr(&mut self, name: &Arc<str>) -> Step {
        let records = match self.records(Lookup::Naptr(Arc::clone(name))) {
            Ok(records) => records,
            Err(step) => return step,
        };
        let mut usable: Vec<(&Naptr, Reach)> = records
            .iter()
            .filter_map(|record| match record {
                Record::Naptr(naptr) => Some((naptr, self.target.way(service_of(naptr)?)?)),
                _ => None,
            })
            .collect();
        if usable.is_empty() {
            return Step::Nothing;
        }
        usable.sort_by_key(|(naptr, _)| (naptr.order, naptr.preference));
        for (naptr, way) in usable {
            let name = plain(&naptr.replacement);
            if self.srv(&name, way) == Step::Nothing {
                self.trouble(LocateError::NotFound(name));
            }
        }
        Step::Answered
    }

    /// Follows the SRV records of a transport, where it has a name for them: over WebSocket there is none (RFC 7118).
    fn service(&mut self, name: &str, way: Reach) -> Step {
        let prefix = match way.transport {
            Transport::Udp => "_sip._udp.",
            Transport::Tcp => "_sip._tcp.",
            Transport::Tls => "_sips._tcp.",
            Transport::Ws | Transport::Wss => return Step::Nothing,
        };
        self.srv(&plain(&format!("{prefix}{name}")), way)
    }

    fn srv(&mut self, name: &Arc<str>, way: Reach) -> Step {
        let records = match self.records(Lookup::Srv(Arc::clone(name))) {
            Ok(records) => records,
            Err(step) => return step,
        };
        let servers = records.iter().filter_map(|record| match record {
            Record::Srv(srv) => Some(srv),
            _ => None,
        });
        let ordered = order::servers(servers, MAX_HOPS, order::chance(self.seed, name));
        if ordered.is_empty() {
            return Step::Nothing;
        }
        for Srv { port, target, .. } in ordered {
            let target = plain(target);
            if target.is_empty() || *port == 0 {
                self.trouble(LocateError::NotOffered(Arc::clone(name)));
            } else {
                self.addresses(&target, *port, way);
            }
        }
        Step::Answered
    }

    fn addresses(&mut self, name: &Arc<str>, port: u16, way: Reach) {
        let records = match self.records(Lookup::Addresses(Arc::clone(name))) {
            Ok(records) => records,
            Err(Step::Nothing) => return self.trouble(LocateError::NotFound(Arc::clone(name))),
            Err(_) => return,
        };
        let addresses = records.iter().filter_map(|record| match record {
            // A name that was blocked answers with the unspecified address, which would be ourselves.
            Record::Address(ip) if !ip.is_unspecified() => Some(ip.to_canonical()),
            _ => None,
        });
        let (reached, other): (Vec<_>, Vec<_>) = addresses.partition(|ip| reaches(way, ip));
        if reached.is_empty() {
            let name = Arc::clone(name);
            self.trouble(match other.len() {
                0 => LocateError::NotFound(name),
                _ => LocateError::Family(name),
            });
        }
        for ip in order::addresses(reached, order::chance(self.seed, name)) {
            self.push(way.transport, SocketAddr::new(ip, port));
        }
    }

    /// The records that answer a lookup; none for one that has no answer or an empty one.
    fn records(&mut self, lookup: Lookup) -> Result<&'a [Record], Step> {
        match self.answers.get(&lookup) {
            Some(Answer::Found { records, ttl }) => {
                self.ttl = Some(self.ttl.map_or(*ttl, |least| least.min(*ttl)));
                Ok(records)
            }
            Some(Answer::NotFound) => Err(Step::Nothing),
            Some(Answer::Failed) => {
                self.trouble(LocateError::Unanswered(Arc::clone(lookup.name())));
                Err(Step::Unknown)
            }
            None => {
                self.trouble(LocateError::Unanswered(Arc::clone(lookup.name())));
                if !self.missing.contains(&lookup) {
                    self.missing.push(lookup);
                }
                Err(Step::Unknown)
            }
        }
    }

    fn failed(&self, lookup: &Lookup) -> bool {
        self.answers.get(lookup) == Some(&Answer::Failed)
    }

    /// How the transport is spoken that nobody chose.
    fn default_way(&mut self) -> Option<Reach> {
        let way = self.target.way(self.target.default);
        if way.is_none() {
            self.trouble(LocateError::NotSpoken(self.target.default));
        }
        way
    }

    fn push(&mut self, transport: Transport, address: SocketAddr) {
        let hop = Hop::new(transport, address);
        if self.hops.len() < MAX_HOPS && !self.hops.contains(&hop) {
            self.hops.push(hop);
        }
    }

    /// Keeps what went wrong on the most preferred way, but an unanswered question before any: it may be answered later.
    fn trouble(&mut self, error: LocateError) {
        let passing = |error: &LocateError| matches!(error, LocateError::Unanswered(_));
        match &self.error {
            Some(kept) if passing(kept) || !passing(&error) => (),
            _ => self.error = Some(error),
        }
    }
}

fn reaches(way: Reach, ip: &IpAddr) -> bool {
    match ip {
        IpAddr::V4(_) => way.ipv4,
        IpAddr::V6(_) => way.ipv6,
    }
}

/// The transport of a NAPTR record that leads to SRV records of SIP; none for other services (RFC 3263 §4.1, RFC 7118).
fn service_of(naptr: &Naptr) -> Option<Transport> {
    if !naptr.flags.eq_ignore_ascii_case("s") || plain(&naptr.replacement).is_empty() {
        return None;
    }
    match naptr.services.to_ascii_uppercase().as_str() {
        "SIP+D2U" => Some(Transport::Udp),
        "SIP+D2T" => Some(Transport::Tcp),
        "SIPS+D2T" => Some(Transport::Tls),
        "SIP+D2W" => Some(Transport::Ws),
        "SIPS+D2W" => Some(Transport::Wss),
        _ => None,
    }
}
