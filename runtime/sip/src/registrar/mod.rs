//! Where the gateways are that register with us (RFC 3261 §10.3, RFC 3327).
//!
//! A core of its own: [`Registrar::register`] takes a request whose sender has proven who it is, [`Registrar::poll`] tells
//! what changed, [`Registrar::poll_question`] whom to ask for a sign of life, and [`Registrar::wake`] is due at
//! [`Registrar::deadline`].

mod binding;
mod liveness;
mod table;
mod wish;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use binding::Registration;
pub use binding::{Binding, BindingId, BindingNews, Change};
use liveness::Liveness;
use table::Table;
use wish::Wish;

use crate::digest::User;
use crate::uri_equivalence::equivalent;
use crate::{Hop, NameAddr, Request, Uri};

/// What a registrar grants and holds.
#[derive(Clone, Debug)]
pub struct Config {
    /// Who asks for a shorter time is answered 423; at most an hour (RFC 3261 §10.3). Whole seconds.
    pub min_expires: Duration,
    /// What a gateway gets that names no time. Whole seconds.
    pub default_expires: Duration,
    /// Who asks for a longer time gets this one. Whole seconds.
    pub max_expires: Duration,
    /// The most contacts of one user; one more is answered 503.
    pub max_contacts: usize,
    /// The most bindings in all; one more is answered 503.
    pub max_bindings: usize,
    /// How often a gateway over UDP is asked for a sign of life. Many NATs forget a silent mapping after 30 s.
    pub ask_every: Duration,
}

impl Default for Config {
    /// 60 s to an hour, 10 minutes where none is named; 5 contacts a user, 10,000 bindings; asked every 25 s.
    fn default() -> Self {
        Self {
            min_expires: Duration::from_mins(1),
            default_expires: Duration::from_mins(10),
            max_expires: Duration::from_hours(1),
            max_contacts: 5,
            max_bindings: 10_000,
            ask_every: Duration::from_secs(25),
        }
    }
}

/// The answer to a REGISTER: what its response has beyond the fields of every response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// 200, or why not.
    pub status: u16,
    /// Header fields, name and value.
    pub fields: Vec<(&'static str, String)>,
}

impl Answer {
    fn new(status: u16) -> Self {
        Self {
            status,
            fields: Vec::new(),
        }
    }

    fn with(status: u16, name: &'static str, value: String) -> Self {
        Self {
            status,
            fields: vec![(name, value)],
        }
    }
}

/// A gateway to ask for a sign of life: send OPTIONS to its hop and tell what came of it with [`Registrar::heard`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Whose it is.
    pub user: User,
    /// Whom to ask.
    pub binding: Binding,
}

/// The bindings of all users.
#[derive(Debug)]
pub struct Registrar {
    config: Config,
    table: Table,
    news: VecDeque<BindingNews>,
    questions: VecDeque<Question>,
}

/// One step of what a REGISTER does.
enum Step {
    Add(Uri, Duration),
    Refresh(BindingId, Uri, Duration),
    Remove(BindingId),
}

impl Registrar {
    /// A registrar without bindings.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self {
            config,
            table: Table::default(),
            news: VecDeque::new(),
            questions: VecDeque::new(),
        }
    }

    /// Takes a REGISTER of `user`, who has proven to be that, from where it came. All of it is done, or nothing.
    ///
    /// Answers 400 (contacts that cannot be used), 403 (another's address of record), 420, 423, 500 (older than one of the
    /// same Call-ID that was obeyed already) and 503 (no room).
    pub fn register(&mut self, now: Instant, request: &Request, from: Hop, user: &User) -> Answer {
        match self.plan(request, user) {
            Ok((steps, path)) => {
                let common = Registration::new(request, from, path);
                self.carry_out(now, steps, user, &common);
                self.listing(now, user, &common.path)
            }
            Err(answer) => answer,
        }
    }

    /// The bindings of a user; the one that was heard of last is the last.
    #[must_use]
    pub fn bindings(&self, user: &User) -> &[Binding] {
        self.table.of(user)
    }

    /// Whether a gateway registered from this hop.
    #[must_use]
    pub fn knows(&self, hop: Hop) -> bool {
        self.table.at(hop).next().is_some()
    }

    /// How many bindings are held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether none is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A connection is gone: so are the bindings that came by it.
    pub fn lost(&mut self, hop: Hop) {
        if !hop.transport.is_reliable() {
            return;
        }
        let gone: Vec<_> = self.table.at(hop).collect();
        for id in gone {
            self.remove(id, Change::Lost);
        }
    }

    /// Ends the bindings of all users but those for whom `stays` holds.
    pub fn retain(&mut self, stays: impl Fn(&User) -> bool) {
        for id in self.table.of_others(stays) {
            self.remove(id, Change::Removed);
        }
    }

    /// What came of a [`Question`]: `is_alive` where there was a response, whatever its status.
    pub fn heard(&mut self, now: Instant, id: BindingId, is_alive: bool) {
        let mut stays = true;
        self.table
            .change(id, |binding| stays = binding.liveness.heard(now, is_alive));
        if !stays {
            self.remove(id, Change::Lost);
        }
    }

    /// When to [`Self::wake`] at the latest.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.table.deadline()
    }

    /// Ends what has expired and asks for signs of life.
    pub fn wake(&mut self, now: Instant) {
        while let Some(id) = self.table.due(now) {
            let Some((user, binding)) = self.table.change(id, |binding| binding.liveness.asked())
            else {
                return;
            };
            if binding.expires_at <= now {
                self.remove(id, Change::Expired);
            } else {
                self.questions.push_back(Question { user, binding });
            }
        }
    }

    /// What changed, in order.
    pub fn poll(&mut self) -> Option<BindingNews> {
        self.news.pop_front()
    }

    /// Whom to ask.
    pub fn poll_question(&mut self) -> Option<Question> {
        self.questions.pop_front()
    }

    /// Checks all before anything is done.
    fn plan(&self, request: &Request, user: &User) -> Result<(Vec<Step>, Vec<String>), Answer> {
        wish::check_require(request)?;
        // A third party that registers somebody else is nothing that gateways do, but intruders would (RFC 3261 §10.3, step 4).
        let is_own = |address: &NameAddr| address.uri().user().as_deref() == Some(&*user.name);
        if !is_own(request.to()) || !is_own(request.from()) {
            return Err(Answer::new(403));
        }
        let wish = Wish::read(request, &self.config)?;
        let path = wish::path(request)?;
        let steps = self.steps(wish, user);
        self.check_order(&steps, request, user)?;
        self.check_room(&steps, user)?;
        Ok((steps, path))
    }

    fn steps(&self, wish: Wish, user: &User) -> Vec<Step> {
        let bindings = self.table.of(user);
        let step = |(contact, expires): (Uri, Duration)| {
            let known = bindings
                .iter()
                .find(|binding| equivalent(&binding.contact, &contact));
            match known {
                Some(binding) if expires.is_zero() => Some(Step::Remove(binding.id())),
                Some(binding) => Some(Step::Refresh(binding.id(), contact, expires)),
                None if expires.is_zero() => None,
                None => Some(Step::Add(contact, expires)),
            }
        };
        match wish {
            Wish::Fetch => Vec::new(),
            Wish::RemoveAll => bindings.iter().map(|b| Step::Remove(b.id())).collect(),
            Wish::Bind(wanted) => wanted.into_iter().filter_map(step).collect(),
        }
    }

    /// A REGISTER that was overtaken by a later one changes nothing any more (RFC 3261 §10.3, steps 6 and 7). 500, as for
    /// requests in a dialog: who gets it tries again with the next number, where 400 would have it give up.
    fn check_order(&self, steps: &[Step], request: &Request, user: &User) -> Result<(), Answer> {
        let is_touched = |id: BindingId| {
            steps.iter().any(|step| match step {
                Step::Refresh(touched, ..) | Step::Remove(touched) => *touched == id,
                Step::Add(..) => false,
            })
        };
        let mut bindings = self.table.of(user).iter();
        if bindings.any(|binding| is_touched(binding.id()) && binding.is_later_than(request)) {
            return Err(Answer::new(500));
        }
        Ok(())
    }

    fn check_room(&self, steps: &[Step], user: &User) -> Result<(), Answer> {
        let added = steps.iter().filter(|s| matches!(s, Step::Add(..))).count();
        let removed = steps
            .iter()
            .filter(|s| matches!(s, Step::Remove(_)))
            .count();
        let fits = |held: usize, most: usize| held + added - removed <= most;
        let has_room = fits(self.table.of(user).len(), self.config.max_contacts)
            && fits(self.table.len(), self.config.max_bindings);
        if added == 0 || has_room {
            return Ok(());
        }
        // A contact that nobody refreshes is gone by then.
        let retry_after = self.config.default_expires.as_secs().to_string();
        Err(Answer::with(503, "Retry-After", retry_after))
    }

    fn carry_out(&mut self, now: Instant, steps: Vec<Step>, user: &User, common: &Registration) {
        for step in steps {
            match step {
                Step::Add(contact, expires) => {
                    let id = self.table.new_id();
                    let liveness = Liveness::new(now, common.hop, self.config.ask_every);
                    let binding = Binding::new(id, contact, now + expires, common, liveness);
                    self.table.insert(user, binding.clone());
                    self.tell(user.clone(), binding, Change::Added);
                }
                Step::Refresh(id, contact, expires) => {
                    let every = self.config.ask_every;
                    let refreshed = self.table.change(id, |binding| {
                        let liveness = binding.liveness.refreshed(now, common.hop, every);
                        *binding = Binding::new(id, contact, now + expires, common, liveness);
                    });
                    self.table.put_last(id);
                    if let Some((user, binding)) = refreshed {
                        self.tell(user, binding, Change::Refreshed);
                    }
                }
                Step::Remove(id) => self.remove(id, Change::Removed),
            }
        }
    }

    fn remove(&mut self, id: BindingId, change: Change) {
        if let Some((user, binding)) = self.table.remove(id) {
            self.tell(user, binding, change);
        }
    }

    fn tell(&mut self, user: User, binding: Binding, change: Change) {
        self.news.push_back(BindingNews {
            user,
            binding,
            change,
        });
    }

    /// All bindings with the time they have left (RFC 3261 §10.3, step 8), and the path they will be reached by.
    fn listing(&self, now: Instant, user: &User, path: &[String]) -> Answer {
        let contact = |binding: &Binding| {
            let left = binding.expires_at.saturating_duration_since(now);
            let seconds = left.as_secs() + u64::from(left.subsec_nanos() > 0);
            (
                "Contact",
                format!("<{}>;expires={seconds}", binding.contact),
            )
        };
        let contacts = self.table.of(user).iter().map(contact);
        let path = path.iter().map(|item| ("Path", item.clone()));
        Answer {
            status: 200,
            fields: contacts.chain(path).collect(),
        }
    }
}

#[cfg(test)]
mod tests;
