//! Our registration at a provider (RFC 3261 §10.2).
//!
//! A core that asks for REGISTER requests and is told what came of them; whoever sends them answers the provider's challenges.
//! One is out at a time. As long as the provider knows us it is refreshed after four fifths of the time granted; when it does
//! not work, the registrar's other addresses are tried, and then all of them again after longer and longer pauses.

mod backoff;
mod grant;
mod words;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use backoff::{Backoff, Fault};
use bytes::Bytes;
use grant::Grant;
pub use words::{Config, Failure, Input, State};

use crate::random::Identifiers;
use crate::{Ask, Hop, Method, Outcome, Response, Uri, lex};

/// Even where a provider grants less, it is not asked again sooner.
const SHORTEST_REFRESH: Duration = Duration::from_secs(5);

/// A `Retry-After` beyond this is not obeyed: a mistaken one would take a trunk away for good.
const LONGEST_RETRY_AFTER: Duration = Duration::from_hours(1);

/// How many numbers one request may use up by answering challenges. How many it did is not known when nothing came back.
const CSEQS_A_REQUEST: u32 = 8;

/// One registration: [`Self::handle`] an [`Input`], [`Self::poll`] each request to send, come back at [`Self::deadline`].
#[derive(Debug)]
pub struct Registration {
    config: Config,
    /// What we ask for; more than configured once the provider said so.
    expires: Duration,
    targets: Vec<Hop>,
    /// Of the targets, those that this round has not tried.
    untried: VecDeque<Hop>,
    /// The target that worked last.
    preferred: Option<Hop>,
    call_id: String,
    cseq: u32,
    phase: Phase,
    known: Option<Known>,
    /// Contacts of ours that the provider may still list.
    stale: Vec<Uri>,
    failure: Option<Failure>,
    backoff: Backoff,
    is_stopping: bool,
    service_route: Vec<String>,
    associated_uris: Vec<String>,
    outputs: VecDeque<Ask>,
}

/// What is being waited for.
#[derive(Debug)]
enum Phase {
    /// The outcome of a request.
    Asking(Question),
    /// The time of the next.
    Waiting(Instant),
    /// Targets.
    Lacking,
    Stopped,
}

/// The request that is out.
#[derive(Clone, Debug)]
struct Question {
    contact: Contact,
    wish: Wish,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    Bind,
    /// The same after a 423 told what is long enough.
    BindForLonger,
    /// An old contact of ours is to be forgotten.
    Forget,
    /// The end.
    Unbind,
}

/// A contact of ours and the target it was told to.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Contact {
    uri: Uri,
    target: Hop,
}

/// The provider knows us.
#[derive(Debug)]
struct Known {
    contact: Contact,
    until: Instant,
    refresh_at: Instant,
}

impl Registration {
    /// A registration that asks at once, where there are targets. Call-ID and pauses come from `seed`.
    #[must_use]
    pub fn new(config: Config, targets: Vec<Hop>, seed: [u8; 32]) -> Self {
        let call_id = Identifiers::new(seed).call_id();
        let mut registration = Self {
            expires: config.expires,
            config,
            targets,
            untried: VecDeque::new(),
            preferred: None,
            call_id: String::from_utf8_lossy(&call_id).into_owned(),
            cseq: 0,
            phase: Phase::Lacking,
            known: None,
            stale: Vec::new(),
            failure: None,
            backoff: Backoff::new(seed),
            is_stopping: false,
            service_route: Vec::new(),
            associated_uris: Vec::new(),
            outputs: VecDeque::new(),
        };
        registration.start_round();
        registration
    }

    /// Feeds one input. `now` never goes backwards; requests wait in order for [`Self::poll`].
    pub fn handle(&mut self, now: Instant, input: Input) {
        match input {
            Input::Answered(outcome) => self.answered(now, &outcome),
            Input::Targets(targets) if targets.is_empty() => {}
            Input::Targets(targets) => {
                self.targets = targets;
                if matches!(self.phase, Phase::Lacking) {
                    self.start_round();
                }
            }
            Input::Lost(hop) => self.lost(now, hop),
            Input::Stop => self.stop(now),
            Input::Timeout => match self.phase {
                Phase::Waiting(at) if at <= now => self.start_round(),
                _ => {}
            },
        }
    }

    /// The next request to send.
    pub fn poll(&mut self) -> Option<Ask> {
        self.outputs.pop_front()
    }

    /// When to feed [`Input::Timeout`] at the latest.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        match self.phase {
            Phase::Waiting(at) => Some(at),
            Phase::Asking(_) | Phase::Lacking | Phase::Stopped => None,
        }
    }

    /// Where it stands, for who has to find out why no calls come.
    #[must_use]
    pub fn state(&self) -> State {
        match (&self.phase, &self.failure, &self.known) {
            (Phase::Stopped, ..) => State::Stopped,
            _ if self.is_stopping => State::Unregistering,
            (_, Some(failure), known) => State::Failing {
                failure: failure.clone(),
                registered_until: known.as_ref().map(|known| known.until),
            },
            (.., Some(known)) => State::Registered { until: known.until },
            (.., None) => State::Registering,
        }
    }

    /// The routes for calls to this provider, the next hop's first (RFC 3608). Mostly empty.
    #[must_use]
    pub fn service_route(&self) -> &[String] {
        &self.service_route
    }

    /// The URIs we may call ourselves by (`P-Associated-URI`, RFC 7315 §4.1), the default one first. Mostly empty.
    #[must_use]
    pub fn associated_uris(&self) -> &[String] {
        &self.associated_uris
    }

    /// Tries all targets, beginning with the one that worked last.
    fn start_round(&mut self) {
        let others = self
            .targets
            .iter()
            .filter(|hop| Some(**hop) != self.preferred);
        let preferred = self.preferred.filter(|hop| self.targets.contains(hop));
        self.untried = preferred.into_iter().chain(others.copied()).collect();
        match self.untried.pop_front() {
            Some(target) => self.bind(target, Wish::Bind),
            None => {
                self.phase = Phase::Lacking;
                self.failure = Some(Failure {
                    status: None,
                    reason: "the registrar has no address".to_owned(),
                    next_try: None,
                });
            }
        }
    }

    fn bind(&mut self, target: Hop, wish: Wish) {
        let uri = contact_uri(&self.config, target);
        self.ask(Question {
            contact: Contact { uri, target },
            wish,
        });
    }

    fn ask(&mut self, question: Question) {
        self.cseq += 1;
        let expires = match question.wish {
            Wish::Bind | Wish::BindForLonger => self.expires.as_secs(),
            Wish::Forget | Wish::Unbind => 0,
        };
        let Contact { uri, target } = &question.contact;
        let contact = format!("<{uri}>;expires={expires}");
        self.outputs.push_back(Ask {
            method: Method::Register,
            targets: vec![*target],
            routes: Vec::new(),
            advertised: Some(self.config.contacts.towards(*target)),
            request_uri: self.config.registrar.clone(),
            from: self.config.address_of_record.clone(),
            to: self.config.address_of_record.clone(),
            call_id: Some(self.call_id.clone()),
            cseq: self.cseq,
            headers: vec![
                ("Contact".to_owned(), contact),
                // Some read only this one.
                ("Expires".to_owned(), expires.to_string()),
            ],
            credentials: self.config.credentials.clone(),
            within: None,
        });
        self.phase = Phase::Asking(question);
    }

    fn answered(&mut self, now: Instant, outcome: &Outcome) {
        let Phase::Asking(question) = &self.phase else {
            return;
        };
        let question = question.clone();
        self.cseq = match outcome {
            Outcome::Response(response) => self.cseq.max(response.cseq().number),
            Outcome::Timeout | Outcome::Unreachable => self.cseq + CSEQS_A_REQUEST,
        };
        match question.wish {
            Wish::Bind | Wish::BindForLonger => self.bind_answered(now, question, outcome),
            // Whatever it said, it was asked once.
            Wish::Forget => self.go_on(now),
            Wish::Unbind => self.end(),
        }
    }

    fn bind_answered(&mut self, now: Instant, question: Question, outcome: &Outcome) {
        let response = match outcome {
            Outcome::Response(response) => response,
            Outcome::Timeout => return self.try_next(now, None, "no response", None),
            Outcome::Unreachable if self.reconnects(now, question.contact.target) => {
                return self.bind(question.contact.target, Wish::Bind);
            }
            Outcome::Unreachable => return self.try_next(now, None, "no connection", None),
        };
        let (status, retry_after) = (response.status(), response.retry_after());
        match status {
            200..300 => self.succeeded(now, question.contact, response),
            423 if question.wish == Wish::Bind => match longer(response, self.expires) {
                Some(expires) => {
                    self.expires = expires;
                    self.bind(question.contact.target, Wish::BindForLonger);
                }
                None => self.failed(now, Fault::Refused, failure(response), retry_after),
            },
            408 | 500..600 => {
                self.try_next(now, Some(status), &response.reason(), retry_after);
            }
            _ => self.failed(now, Fault::Refused, failure(response), retry_after),
        }
    }

    fn succeeded(&mut self, now: Instant, contact: Contact, response: &Response) {
        let grant = Grant::read(response);
        let time = grant.time(&contact.uri, self.expires);
        if time.is_zero() {
            let failure = (Some(response.status()), "granted no time".to_owned());
            return self.failed(now, Fault::Refused, failure, None);
        }
        self.preferred = Some(contact.target);
        self.backoff.succeeded(now);
        self.failure = None;
        let values = |name| response.items(name).map(|item| item.into_owned()).collect();
        self.service_route = values("Service-Route");
        self.associated_uris = values("P-Associated-URI");
        let before = self.known.replace(Known {
            contact: contact.clone(),
            until: now + time,
            refresh_at: now + time.mul_f64(0.8).max(SHORTEST_REFRESH),
        });
        self.stale.extend(before.map(|known| known.contact.uri));
        self.stale
            .retain(|old| *old != contact.uri && grant.lists(old));
        self.go_on(now);
    }

    /// What comes after a success: old contacts are taken back, and then there is nothing to do until the refresh.
    fn go_on(&mut self, now: Instant) {
        if self.is_stopping {
            return self.unbind(now);
        }
        // None: the connection broke in between.
        let Some(known) = &self.known else {
            return self.start_round();
        };
        match self.stale.pop() {
            // To the target that works now: the old one is perhaps no more.
            Some(uri) => {
                let target = known.contact.target;
                self.ask(Question {
                    contact: Contact { uri, target },
                    wish: Wish::Forget,
                });
            }
            None => self.phase = Phase::Waiting(known.refresh_at),
        }
    }

    /// This target does not work: perhaps the next one does.
    fn try_next(
        &mut self,
        now: Instant,
        status: Option<u16>,
        reason: &str,
        retry_after: Option<Duration>,
    ) {
        match self.untried.pop_front() {
            Some(target) if !self.is_stopping => self.bind(target, Wish::Bind),
            _ => self.failed(now, Fault::Absent, (status, reason.to_owned()), retry_after),
        }
    }

    fn failed(
        &mut self,
        now: Instant,
        fault: Fault,
        (status, reason): (Option<u16>, String),
        retry_after: Option<Duration>,
    ) {
        if self.is_stopping {
            return self.unbind(now);
        }
        let wanted = retry_after.unwrap_or_default().min(LONGEST_RETRY_AFTER);
        let next_try = now + self.backoff.failed(now, fault).max(wanted);
        self.known = self.known.take().filter(|known| known.until > now);
        self.failure = Some(Failure {
            status,
            reason,
            next_try: Some(next_try),
        });
        self.phase = Phase::Waiting(next_try);
    }

    fn lost(&mut self, now: Instant, hop: Hop) {
        // While a request is out, its outcome decides.
        if !matches!(self.phase, Phase::Waiting(_)) || self.failure.is_some() {
            return;
        }
        if self.reconnects(now, hop) {
            self.start_round();
        } else if self.known.is_none() {
            let failure = (None, "the connection breaks".to_owned());
            self.failed(now, Fault::Absent, failure, None);
        }
    }

    /// Forgets a registration whose connection broke. Whether it is to be made anew at once.
    fn reconnects(&mut self, now: Instant, hop: Hop) -> bool {
        let is_ours = |known: &mut Known| known.contact.target == hop;
        hop.transport.is_reliable()
            && self.known.take_if(is_ours).is_some()
            && self.backoff.reconnects(now)
            && !self.is_stopping
    }

    fn stop(&mut self, now: Instant) {
        if std::mem::replace(&mut self.is_stopping, true) {
            return;
        }
        // While a request is out, its outcome says what there is to take back (RFC 3261 §10.2: one at a time).
        if !matches!(self.phase, Phase::Asking(_)) {
            self.unbind(now);
        }
    }

    fn unbind(&mut self, now: Instant) {
        match self.known.take().filter(|known| known.until > now) {
            Some(known) => self.ask(Question {
                contact: known.contact,
                wish: Wish::Unbind,
            }),
            None => self.end(),
        }
    }

    fn end(&mut self) {
        self.phase = Phase::Stopped;
    }
}

fn failure(response: &Response) -> (Option<u16>, String) {
    (Some(response.status()), response.reason().into_owned())
}

/// What a 423 says is long enough, where that is longer than what we asked for (RFC 3261 §10.2.8).
fn longer(response: &Response, asked: Duration) -> Option<Duration> {
    let value = response.header("Min-Expires")?;
    let seconds = lex::number(value.as_bytes())?;
    let wanted = Duration::from_secs(seconds.into());
    (wanted > asked).then_some(wanted)
}

fn contact_uri(config: &Config, target: Hop) -> Uri {
    let us = Hop::new(target.transport, config.contacts.towards(target));
    let text = us.contact(Some(&config.contact_user));
    Uri::parse(&Bytes::from(text)).expect("an escaped user before an address is a URI")
}

#[cfg(test)]
mod tests;
