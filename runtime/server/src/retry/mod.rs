//! Retry strategies: the components that say whether, and when, somebody who was not reached is called again.

pub(crate) mod question;
pub(crate) mod trial;
