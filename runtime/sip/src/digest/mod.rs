//! Digest authentication (RFC 3261 §22, RFC 7616, RFC 8760): without clock, randomness or network, as client and as server.
//!
//! Whether a request is to be proved is the endpoint's to decide; here is what proofs look like ([`Challenge`],
//! [`Authorization`]), what is proved to others ([`Credentials`]), and who may prove something to us ([`Users`]).

mod access;
mod algorithm;
mod answer;
mod authorization;
mod challenge;
mod credentials;
mod guard;
mod limits;
mod login;
mod nonce;
mod pieces;
mod proof;
mod users;

pub use algorithm::{Algorithm, Hash};
pub use authorization::{Authorization, Count};
pub use challenge::Challenge;
pub use credentials::{Credentials, InvalidUsername};
pub use proof::{Qop, Subject};
pub use users::{User, UserError, Users};

pub(crate) use access::Access;
pub(crate) use guard::{Guard, Question, Verdict};
pub(crate) use login::Login;
