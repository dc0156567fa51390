//! Retry strategies: the components that say whether, and when, somebody who was not reached is called again.

pub(crate) mod command;
mod past;
pub(crate) mod question;
mod trial;
