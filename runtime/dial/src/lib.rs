//! Outbound calls: queue, policy, limits.
//!
//! [`Dialer`] is a core: it takes `(now, input)` and says which waiting call may be dialled now. [`permit`] is the policy alone:
//! whether an account may call a number at all, and over which trunk. By default it may not. [`permit_referral`] is the same for
//! somebody whom the other side of a call is asked to call.

pub mod back_test;
mod capacity;
mod choice;
mod destination;
mod dialer;
pub mod estimate;
mod learned;
mod line;
mod pace;
mod plan;
mod policy;
pub mod pump;
pub mod retry;
mod schedule;
mod sip_uri;
mod token_bucket;
mod waits;

pub use choice::{Choice, chosen};
pub use destination::header_fields;
pub use dialer::{CallRequest, Dialer, Full, Input, NotNow, Now, Output, QueueLimits, Vacancies};
pub use plan::{PlannedAttempt, TrunkState};
pub use policy::{Refusal, permit, permit_referral, serving};
pub use sip_uri::SipUri;
pub use waits::{AccountWaits, Waits};
