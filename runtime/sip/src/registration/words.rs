//! What goes into a registration and comes out of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::digest::Credentials;
use crate::{Contacts, Hop, Outcome};

/// As whom, where and for how long we register.
#[derive(Clone, Debug)]
pub struct Config {
    /// The Request-URI: the provider's domain, such as `sip:provider.example`.
    pub registrar: String,
    /// The URI in `From` and `To`: whom the provider knows us as.
    pub address_of_record: String,
    /// The user in `Contact`: the provider's calls have it in their Request-URI. Any text but an empty one.
    pub contact_user: String,
    /// Where the provider reaches us, for each transport.
    pub contacts: Contacts,
    /// What is proved to the registrar when it asks.
    pub credentials: Option<Arc<Credentials>>,
    /// For how long to ask, in whole seconds. The provider may grant less, and it may want more.
    pub expires: Duration,
}

/// What a registration takes.
#[derive(Clone, Debug)]
pub enum Input {
    /// What came of the last [`crate::Ask`].
    Answered(Outcome),
    /// Where the registrar is, the best first. None: it could not be found now, and is where it was before.
    Targets(Vec<Hop>),
    /// A connection is gone. What the provider has for us goes that way, so we register anew.
    Lost(Hop),
    /// Take the registration back.
    Stop,
    /// [`crate::registration::Registration::deadline`] is reached.
    Timeout,
}

/// Where a registration stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// The first REGISTER is out, or one after a lost connection.
    Registering,
    /// The provider knows where we are.
    Registered {
        /// Until when, if no refresh succeeds before.
        until: Instant,
    },
    /// It did not work, and is tried again.
    Failing {
        /// What happened last.
        failure: Failure,
        /// Until when the provider may still know us from before.
        registered_until: Option<Instant>,
    },
    /// The registration is being taken back.
    Unregistering,
    /// It was taken back, or left to expire.
    Stopped,
}

/// Why a registration does not work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The provider's final answer; none where it gave none.
    pub status: Option<u16>,
    /// Its reason phrase, or ours.
    pub reason: String,
    /// When it is tried again, or was; none: as soon as there is an address.
    pub next_try: Option<Instant>,
}
