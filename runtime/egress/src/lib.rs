//! The one HTTP door out: webhooks, plugin requests, prompts and media streams leave through [`Egress`].
//!
//! A tenant's URL may lead anywhere, so every connection is guarded: the host is resolved once, addresses that are not
//! public are refused unless the account was granted them ([`Grants`]), and the connection goes to the very address that
//! was checked. Redirects pass the same guard. Time, size and number are bounded ([`Limits`]).
//!
//! Webhooks are signed here ([`twilio_signature`]), so no story ever holds an auth token.

mod address;
mod authorization;
mod connector;
mod cookies;
mod egress;
mod error;
mod gate;
mod grants;
mod limits;
mod overrides;
mod request;
mod resolve;
mod roots;
mod signature;
mod stream;
mod websocket;

pub use address::special;
pub use cookies::CookieJar;
pub use egress::Egress;
pub use error::FetchError;
pub use grants::{Grants, InvalidGrant};
pub use limits::{Bounds, Limits};
pub use request::{Kind, MayVisit, OwnHeaders, Request, Response, SigningKey};
pub use resolve::{Resolve, SystemResolver};
pub use roots::{InvalidRoots, Roots};
pub use signature::twilio_signature;
pub use stream::StreamedResponse;
pub use websocket::{Transport, WebSocket, WebSocketBounds, WebSocketError, WebSocketPlace};
