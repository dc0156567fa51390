//! The moment at which an INVITE leaves.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use call::CallSid;
use dial::Input;
use tokio::sync::oneshot;

use super::Outbound;

/// Those who wait for their INVITE to leave.
#[derive(Debug, Default)]
pub(super) struct Leaving(Mutex<HashMap<CallSid, oneshot::Sender<()>>>);

impl Leaving {
    fn expect(&self, call: CallSid) -> oneshot::Receiver<()> {
        let (told, leaves) = oneshot::channel();
        self.lock().insert(call, told);
        leaves
    }

    /// The INVITE of a call leaves now.
    pub(super) fn tell(&self, call: CallSid) {
        if let Some(told) = self.lock().remove(&call) {
            // Whoever waited for it may have given up.
            let _ = told.send(());
        }
    }

    /// A call is over.
    pub(super) fn forget(&self, call: CallSid) {
        self.lock().remove(&call);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<CallSid, oneshot::Sender<()>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Outbound {
    /// Resolves when the INVITE of a call may leave that is on disk and knows its server: its trunk, its account and its carrier have a start for
    /// it then, however many calls a slow disk or name server has held up. Whoever gives up waiting says [`Outbound::ended`].
    pub(crate) async fn leave(self: &Arc<Self>, call: CallSid) {
        let leaves = self.leaving.expect(call);
        self.feed(Input::Ready(call));
        // It is told, or the process stops.
        let _ = leaves.await;
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Weak;
    use std::time::{Duration, Instant};

    use call::AccountSid;
    use dial::{CallRequest, NotNow};
    use store::tenants::Surroundings;
    use store::{AccountStore as _, MemoryStore, QueueTerms, Store as _, Tenants};
    use tokio::runtime::Handle;
    use tokio::time::timeout;

    use super::*;

    const TENANTS: &str = r#"
        [[carrier]]
        id = "east"
        [[trunk]]
        id = "slow"
        carrier = "east"
        target = "203.0.113.1:5060"
        max_channels = 9
        calls_per_second = 1
        [[account]]
        carrier = "east"
        name = "one"
        outbound = { allow = ["+855"], max_channels = 9, calls_per_second = 100 }
        [[number]]
        number = "+85512000001"
        account = "one"
        flow = "menu"
    "#;
    /// More than a machine with much other work needs.
    const LIMIT: Duration = Duration::from_secs(60);

    async fn outbound() -> (Arc<Outbound>, AccountSid) {
        let store = MemoryStore::new();
        let surroundings = Surroundings {
            folder: Path::new("."),
            bundled: &["menu"],
            uploaded: &|_, _, _| false,
            check_component: &|_, _| Ok(()),
        };
        let tenants = Tenants::parse(TENANTS, &surroundings).unwrap();
        store.apply(tenants).await.unwrap();
        let account = store.directory().accounts().next().unwrap().sid;
        let outbound = Outbound::new(Weak::new(), store.directory(), Handle::current());
        let outbound = Arc::new(outbound);
        tokio::spawn(Arc::clone(&outbound).keep_time());
        (outbound, account)
    }

    /// Begins a call, as soon as one may.
    async fn begin(outbound: &Outbound, account: AccountSid) -> CallSid {
        let request = CallRequest {
            call: store::random_call_sid(),
            account,
            from: "+85512000001".to_owned(),
            to: "+85512345678".to_owned(),
            terms: QueueTerms::default(),
            tried: Vec::new(),
            plan: None,
        };
        loop {
            match outbound.begin_now(&request) {
                Err(NotNow::NotBefore(at)) => tokio::time::sleep_until(at.into()).await,
                begun => {
                    begun.unwrap();
                    return request.call;
                }
            }
        }
    }

    /// Three that are ready together, on real clocks: the first leaves, one is given up, and the last has its start a second after the first.
    #[tokio::test]
    async fn calls_that_are_ready_together_leave_one_after_the_other() {
        let (outbound, account) = outbound().await;
        let mut calls = Vec::new();
        for _ in 0..3 {
            calls.push(begin(&outbound, account).await);
        }
        let before = Instant::now();
        timeout(LIMIT, outbound.leave(calls[0])).await.unwrap();
        let mut given_up = Box::pin(outbound.leave(calls[1]));
        let mut last = Box::pin(outbound.leave(calls[2]));
        // Each is ready; a machine that did nothing for a second may have let the one leave that is given up.
        let _ = timeout(Duration::ZERO, &mut given_up).await;
        let _ = timeout(Duration::ZERO, &mut last).await;
        drop(given_up);
        outbound.ended(calls[1]);
        timeout(LIMIT, last).await.unwrap();
        assert!(before.elapsed() >= Duration::from_millis(950), "{before:?}");
        assert!(outbound.leaving.lock().is_empty());
    }
}
