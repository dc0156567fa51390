//! What tenants' servers are told, when, and how often: the core of the callback outbox.
//!
//! A callback waits in the store until it is delivered. This core decides which one goes next:
//!
//! - The callbacks of one subject, such as a call, begin in their order: each is tried once before the next one is. A retry holds nobody back; the
//!   `SequenceNumber` tells their order then.
//! - Payers take turns, an account and those that it made together, and each has so many on the way at most: a slow server delays its own tenant's
//!   callbacks alone. Whose server did not answer has one, until it takes one.
//! - So many of a payer wait at most; what comes beyond that is given up at once.
//! - What fails is tried again later and later, for a day. Then it is given up, and stays in the store for whoever looks.
//!
//! No clock, no socket, no randomness: times are arguments, in milliseconds since the Unix epoch.

mod backoff;
mod delivery;
#[cfg(test)]
mod tests;

pub use backoff::{GIVE_UP_AFTER_MS, next_attempt};
pub use delivery::{Delivery, Input, ON_THE_WAY, Output, WAITING_OF_PAYER, Waiting};
