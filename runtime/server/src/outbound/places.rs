//! Places in the queue, for calls that are being written down.

use std::sync::Arc;

use call::AccountSid;

use super::Outbound;

/// A place of an account, until it is dropped: the call waits then, or was not accepted.
struct Place {
    outbound: Arc<Outbound>,
    account: AccountSid,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.outbound.lock().give_place_back(self.account);
    }
}

impl Outbound {
    /// A place in the queue for one more call of the account; none where it has as many as it may. However many ask at once, no two have the same.
    pub(crate) fn take_place(self: &Arc<Self>, account: AccountSid) -> Option<api::Place> {
        self.lock().take_place(account).then(|| {
            let outbound = Arc::clone(self);
            Box::new(Place { outbound, account }) as api::Place
        })
    }
}
