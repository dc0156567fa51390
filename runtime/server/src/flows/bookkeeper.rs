//! Keeps the ledger: in batches, beside the calls.

use std::sync::Arc;
use std::time::Duration;

use tracing::warn;

use crate::services::Services;

/// How often. A process that is killed loses what was counted and logged since.
const EVERY: Duration = Duration::from_secs(5);
/// Pages that one transaction takes; each has up to some 100 KiB.
const BATCH: usize = 32;

/// Takes up what was kept before, and keeps what changes from now on for as long as the services are there.
pub(crate) fn start(services: &Arc<Services>) {
    match services.store.plugin_pages() {
        Ok(pages) => services.flows.ledger().begin_with(pages),
        Err(error) => warn!("counts and logs of plugins begin anew: {error}"),
    }
    let services = Arc::downgrade(services);
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(EVERY);
        loop {
            ticks.tick().await;
            let Some(services) = services.upgrade() else {
                return;
            };
            keep(&services).await;
        }
    });
}

/// Keeps all that has changed.
pub(crate) async fn keep(services: &Services) {
    let ledger = services.flows.ledger();
    loop {
        let changed = std::iter::from_fn(|| ledger.take_changed());
        let pages: Vec<_> = changed.take(BATCH).collect();
        if pages.is_empty() {
            return;
        }
        if let Err(error) = services.store.keep_plugin_pages(pages.clone()).await {
            warn!("counts and logs of plugins are not kept yet: {error}");
            pages.into_iter().for_each(|page| ledger.put_back(page));
            return;
        }
    }
}
