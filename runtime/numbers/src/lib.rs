//! Telephone numbers: how peers write them, what they mean, how a trunk wants them.
//!
//! Inside, a number is E.164 with its plus or a short code: a [`PhoneNumber`]. [`normalise`] reads what a peer wrote, by the
//! habits of its [`Country`]; [`write()`] gives the [`Form`] that a peer wants. [`identity()`] reads who calls from a whole INVITE, [`forwarded_from()`] who sent them on, and a
//! [`Presenter`] says who calls whom in one of ours. The numbering plans are those of
//! `rlibphonenumber`, a port of libphonenumber; only emergency numbers, which it does not have, are a table in this crate.

mod country;
mod emergency;
mod emergency_numbers;
mod form;
mod forwarding;
mod home;
mod identity;
mod library;
mod party;
mod phone_number;
mod presentation;
mod rules;
mod user_part;

pub use country::{Country, InvalidCountry};
pub use emergency::is_emergency;
pub use form::{Form, write};
pub use forwarding::forwarded_from;
pub use home::NumberKind;
pub use identity::{caller_name, identity, party};
pub use party::{Party, normalise};
pub use phone_number::{InvalidNumber, PhoneNumber};
pub use presentation::{Callee, Caller, Presentation, Presenter};
pub use rules::{CallerIdRules, IdentityHeader, NumberRules};
