//! Finding the servers of trunks' targets: [`sip::locate`] says what to ask, this asks it of DNS and remembers.
//!
//! A call never waits for DNS when an answer is at hand: an answer past its time is used as it is while a new one is
//! fetched behind it, and stays in use for as long as DNS is dead.

mod cache;
mod dns;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use sip::Uri;
use sip::locate::{Answer, LocateError, Located, Locator, Lookup, MAX_LOOKUPS, Reach};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};
use tracing::{info, warn};

use self::cache::{Cache, News, Patience, Turn};
use self::dns::Dns;
use crate::config;

/// How long a call waits for DNS in all.
const LOCATE_WITHIN: Duration = Duration::from_secs(3);
/// How long one lookup takes before it has failed: less than the above, so that what follows a question that some routers
/// drop (NAPTR) still has its turn.
const LOOKUP_WITHIN: Duration = Duration::from_secs(2);

/// Where answers come from: DNS, or a fixed zone in tests.
pub(crate) trait Source: Send + Sync + 'static {
    /// The answer to one lookup, not remembered.
    fn answer(&self, lookup: Lookup) -> Pin<Box<dyn Future<Output = Answer> + Send + '_>>;
}

/// Finds servers. One for each process.
pub(crate) struct Resolver {
    shared: Arc<Shared>,
    ways: Vec<Reach>,
}

struct Shared {
    source: Box<dyn Source>,
    /// Held for a step at a time, never while waiting.
    cache: Mutex<Cache>,
}

impl Resolver {
    /// A resolver that asks the configured servers, or the system's, for servers that are reached one of these `ways`, the
    /// most preferred first.
    ///
    /// # Errors
    /// When the configured servers cannot be used.
    pub(crate) fn new(dns: &config::Dns, ways: Vec<Reach>) -> anyhow::Result<Self> {
        let dns = Dns::new(dns).context("cannot ask the servers of `dns.servers`")?;
        Ok(Self::over(dns, ways))
    }

    fn over(source: impl Source, ways: Vec<Reach>) -> Self {
        let shared = Shared {
            source: Box::new(source),
            cache: Mutex::default(),
        };
        Self {
            shared: Arc::new(shared),
            ways,
        }
    }

    /// The servers of a target such as `sip:sbc.example.org`, in the order to try them. Weights count anew at each call.
    ///
    /// # Errors
    /// When there is none, or none is known within three seconds.
    pub(crate) async fn hops(&self, uri: &str) -> Result<Arc<Located>, LocateError> {
        let uri = Uri::parse(&Bytes::copy_from_slice(uri.as_bytes())).map_err(LocateError::Uri)?;
        let deadline = Instant::now() + LOCATE_WITHIN;
        let at_hand = self.attempt(&uri, Patience::AtHand, deadline).await;
        // What was remembered leads nowhere: it may not be so any more.
        let located = match at_hand {
            Err(_) => self.attempt(&uri, Patience::UntilFresh, deadline).await,
            located => located,
        };
        located.map(Arc::new)
    }

    async fn attempt(
        &self,
        uri: &Uri,
        patience: Patience,
        deadline: Instant,
    ) -> Result<Located, LocateError> {
        let seed = u64::from_ne_bytes(crate::services::random());
        let mut locator = Locator::new(uri, &self.ways, seed)?;
        // One answer for each lookup: it cannot be full.
        let (news, mut answers) = mpsc::channel(MAX_LOOKUPS);
        let mut waiting = 0;
        loop {
            while let Some(lookup) = locator.poll() {
                match self.shared.look(&lookup, patience, &news) {
                    Some(answer) => locator.handle(lookup, answer),
                    None => waiting += 1,
                }
            }
            if waiting == 0 {
                break;
            }
            let Ok(Some((lookup, answer))) = timeout_at(deadline, answers.recv()).await else {
                break;
            };
            locator.handle(lookup, answer);
            waiting -= 1;
        }
        locator.finish()
    }
}

impl Shared {
    /// What is at hand; otherwise the answer goes to `news`. Asks DNS where it is time to and nobody does.
    fn look(self: &Arc<Self>, lookup: &Lookup, patience: Patience, news: &News) -> Option<Answer> {
        let now = Instant::now().into_std();
        let look = self.cache().look(lookup, patience, now, news);
        if look.ask {
            tokio::spawn(Arc::clone(self).ask(lookup.clone()));
        }
        look.answer
    }

    async fn ask(self: Arc<Self>, lookup: Lookup) {
        let answer = timeout(LOOKUP_WITHIN, self.source.answer(lookup.clone()));
        let answer = answer.await.unwrap_or(Answer::Failed);
        let now = Instant::now().into_std();
        let turn = self.cache().settle(&lookup, answer, now);
        let name = lookup.name();
        match turn {
            Some(Turn::Failing) => {
                warn!(dns.name = %name, "DNS does not answer; what it last said stays in use");
            }
            Some(Turn::Recovered) => info!(dns.name = %name, "DNS answers again"),
            None => {}
        }
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
