//! The machine that asks for lookups and takes their answers.

use std::collections::HashMap;
use std::sync::Arc;

use super::target::{Target, TargetHost};
use super::walk::Walk;
use super::{Answer, LocateError, Located, Lookup, Reach};
use crate::Uri;

/// No more is asked of DNS for one URI; what is left out is what would be tried last.
pub const MAX_LOOKUPS: usize = 16;

/// No more servers of one URI are tried.
pub const MAX_HOPS: usize = 32;

/// Locates the servers of one URI (RFC 3263 §4).
///
/// Drain [`poll`](Self::poll) after `new` and after each [`handle`](Self::handle): several lookups may be under way at
/// once. [`finish`](Self::finish) when none is, or when there is no more time.
#[derive(Clone, Debug)]
pub struct Locator {
    target: Target,
    seed: u64,
    asked: Vec<Lookup>,
    answers: HashMap<Lookup, Answer>,
}

impl Locator {
    /// A locator for the servers of `uri` among the transports `ours`, which stand in the order of our preference.
    ///
    /// `seed` decides where chance does: between servers of one priority by their weight (RFC 2782), and between the
    /// addresses of one server.
    ///
    /// # Errors
    ///
    /// For a URI that leads nowhere whatever DNS says: another scheme, a host that is no name, a transport that is unknown,
    /// not ours, or at odds with `sips:`.
    pub fn new(uri: &Uri, ours: &[Reach], seed: u64) -> Result<Self, LocateError> {
        Ok(Self {
            target: Target::read(uri, ours)?,
            seed,
            asked: Vec::new(),
            answers: HashMap::new(),
        })
    }

    /// The next lookup to make. None is given twice, and [`MAX_LOOKUPS`] in all.
    pub fn poll(&mut self) -> Option<Lookup> {
        if self.asked.len() == MAX_LOOKUPS {
            return None;
        }
        let mut missing = self.walk().missing.into_iter();
        let lookup = missing.find(|lookup| !self.asked.contains(lookup))?;
        self.asked.push(lookup.clone());
        Some(lookup)
    }

    /// Takes the answer to a lookup. One that was not asked for changes nothing.
    pub fn handle(&mut self, lookup: Lookup, answer: Answer) {
        if self.asked.contains(&lookup) {
            self.answers.insert(lookup, answer);
        }
    }

    /// The servers that the answers so far lead to.
    ///
    /// # Errors
    ///
    /// When there is none: [`LocateError::Unanswered`] where an answer is missing or failed, otherwise what DNS says.
    pub fn finish(&self) -> Result<Located, LocateError> {
        let walk = self.walk();
        if walk.hops.is_empty() {
            let error = walk.error;
            return Err(error.expect("each way that ends without a hop says why"));
        }
        let secure = walk.hops.iter().any(|hop| hop.transport.is_secure());
        Ok(Located {
            verify_name: secure.then(|| self.verify_name()),
            hops: walk.hops,
            ttl: walk.ttl,
        })
    }

    fn walk(&self) -> Walk<'_> {
        Walk::new(&self.target, &self.answers, self.seed).run()
    }

    fn verify_name(&self) -> Arc<str> {
        match &self.target.host {
            TargetHost::Ip(ip) => ip.to_string().into(),
            TargetHost::Name(name) => Arc::clone(name),
        }
    }
}
