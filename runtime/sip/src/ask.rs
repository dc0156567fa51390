//! A request of ours outside dialogs, and what comes of it.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::digest::Credentials;
use crate::{Hop, Method, Response};

/// A request outside dialogs: OPTIONS or REGISTER; or one of a dialog that another endpoint had ([`Remains`](crate::Remains)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// The method.
    pub method: Method,
    /// Where it goes. They are tried in turn while one says nothing, cannot be reached or answers 503 (RFC 3263 §4.3).
    pub targets: Vec<Hop>,
    /// `Route` values to send it by, the next hop's first.
    pub routes: Vec<String>,
    /// The address this peer reaches us at, where it is another than everybody's.
    pub advertised: Option<SocketAddr>,
    /// The Request-URI.
    pub request_uri: String,
    /// The URI in `From`.
    pub from: String,
    /// The URI in `To`.
    pub to: String,
    /// The Call-ID, where it is to be the same for several requests (RFC 3261 §10.2). Must be one word.
    pub call_id: Option<String>,
    /// The number in `CSeq`. An answer to a challenge takes the next.
    pub cseq: u32,
    /// More header fields, name and value; `Contact` is one of them.
    pub headers: Vec<(String, String)>,
    /// What is proved to the targets' hosts when they ask (RFC 3261 §22); nobody else is proved anything.
    pub credentials: Option<Arc<Credentials>>,
    /// Both addresses of a dialog that this endpoint does not know, in place of the URIs above.
    pub within: Option<Within>,
}

/// `From` and `To` as they stand in a dialog's requests, with their tags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Within {
    /// Ours.
    pub from: String,
    /// The peer's.
    pub to: String,
}

/// What came of an [`Ask`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The final response.
    Response(Box<Response>),
    /// Nobody answered in time.
    Timeout,
    /// There was no way to send it.
    Unreachable,
}
