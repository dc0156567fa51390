//! How much one request, one tenant and all together may take.

use std::time::Duration;

use crate::websocket::WebSocketBounds;

/// Bounds on requests of one [`Kind`](crate::Kind).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// From the call of `fetch` to the last byte: waiting for a place, look-ups, redirects and the retry included.
    pub total: Duration,
    /// From a request's start to the head of its response, for each redirect anew.
    pub first_byte: Duration,
    /// Bytes of a response's body.
    pub response_bytes: usize,
    /// Requests under way for one tenant; further ones wait their turn within their `total`.
    pub per_tenant: usize,
    /// Requests under way for all tenants; further ones wait their turn within their `total`.
    pub at_once: usize,
}

/// Bounds on all that leaves through this door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Requests of stories: webhooks, and what a plugin asks for.
    pub story: Bounds,
    /// Prompts to be played.
    pub media: Bounds,
    /// Connections of media streams.
    pub websocket: WebSocketBounds,
    /// From the look-up of a host to the TCP connection.
    pub connect: Duration,
    /// Bytes of a request's body.
    pub request_bytes: usize,
    /// Redirects followed for one request.
    pub redirects: usize,
    /// Connection pools kept, one for each set of grants; the least recently used one goes first.
    pub pools: usize,
}

impl Default for Limits {
    /// Twilio's times for webhooks (5 s to connect, 15 s in all) and 10 redirects; 256 KiB for stories, 25 MiB for media.
    fn default() -> Self {
        Self {
            story: Bounds {
                total: Duration::from_secs(15),
                first_byte: Duration::from_secs(15),
                response_bytes: 256 << 10,
                per_tenant: 50,
                at_once: 500,
            },
            media: Bounds {
                total: Duration::from_secs(60),
                first_byte: Duration::from_secs(15),
                response_bytes: 25 << 20,
                per_tenant: 4,
                at_once: 32,
            },
            websocket: WebSocketBounds::default(),
            connect: Duration::from_secs(5),
            request_bytes: 256 << 10,
            redirects: 10,
            pools: 64,
        }
    }
}
