//! What the routes work with.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use call::AccountSid;
use store::{AccountStore, BroadcastStore, PeopleStore, Secret};

use crate::brand;
use crate::{
    LiveBroadcasts, LiveCalls, LiveMessages, LiveRecordings, LiveRooms, LiveStreams, Media,
    Operator, Plugins, Told,
};

/// Something that is done when it resolves.
pub type Done<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What the routes work with. Clones share it.
#[derive(Clone)]
pub struct ApiState {
    /// Where calls are kept; the tenants' half of the store.
    pub store: Arc<dyn AccountStore>,
    /// Where people are kept.
    pub people: Arc<dyn PeopleStore>,
    /// Where broadcasts are kept.
    pub broadcasts: Arc<dyn BroadcastStore>,
    /// Where accounts' audio is.
    pub media: Arc<dyn Media>,
    /// Who calls their recipients.
    pub live_broadcasts: Arc<dyn LiveBroadcasts>,
    /// The calls that wait or are up.
    pub live: Arc<dyn LiveCalls>,
    /// The recordings that go on, and the files of all.
    pub recordings: Arc<dyn LiveRecordings>,
    /// The conferences and queues at which calls are.
    pub rooms: Arc<dyn LiveRooms>,
    /// The connectors that accounts' texts are handed to.
    pub messages: Arc<dyn LiveMessages>,
    /// The media streams of calls that are up.
    pub streams: Arc<dyn LiveStreams>,
    /// What the API is reached by where the carrier has no host name of its own, without a slash at its end.
    pub public_url: String,
    /// Makes a call's journals fit to be shown to others; none where they cannot be read. The API knows nothing of their format.
    pub redact_journal: fn(&[u8]) -> Option<Vec<u8>>,
    /// What a call's journals tell; none where they cannot be read.
    pub read_journal: fn(&[u8]) -> Option<Told>,
    /// Who compiles plugins, tests them and puts them in force.
    pub plugins: Arc<dyn Plugins>,
    /// What the operator may do.
    pub operator: Arc<dyn Operator>,
    /// The bearer token of the operator API.
    pub operator_key: Secret,
    /// The time, in milliseconds since the Unix epoch.
    pub clock: Arc<dyn Fn() -> u64 + Send + Sync>,
}

impl ApiState {
    /// What an account's applications reach the API by: its carrier's own host name if it has one.
    pub(crate) fn url_of(&self, account: AccountSid) -> String {
        brand::url_of(&self.store.directory(), account, &self.public_url)
    }

    /// The account whose share an account's use is of: its parent's, if it has one.
    pub(crate) fn payer(&self, account: AccountSid) -> AccountSid {
        self.store.directory().payer(account)
    }
}

impl fmt::Debug for ApiState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiState").finish_non_exhaustive()
    }
}
