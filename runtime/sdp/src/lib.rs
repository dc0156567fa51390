//! SDP (RFC 8866) and the offer/answer model (RFC 3264) for one audio stream with RFC 4733 digits.
//!
//! [`offer`] and [`accept`] are the two halves of a call we place, [`answer`] is ours of a call we take. All three are
//! plain functions over [`Local`], so a re-INVITE is the same call again; [`answer_again`] and [`offer_again`] keep the
//! version of the `o=` line honest (RFC 3264 section 8).

mod address;
mod codec;
mod crypto;
mod description;
mod direction;
mod error;
mod master_key;
mod negotiation;
mod security;
mod stream;

pub use address::{AddressPolicy, Lie, Strangers};
pub use codec::Codec;
pub use description::{Local, offer, offer_again};
pub use direction::Direction;
pub use error::SdpError;
pub use master_key::{CryptoSuite, MasterKey, OurKeys};
pub use negotiation::{Negotiated, TelephoneEvent, accept, answer, answer_again};
pub use security::{LocalSecurity, Security, Srtp};
