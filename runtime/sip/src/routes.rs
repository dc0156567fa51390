//! Route sets: the proxies a request goes by (RFC 3261 §12.2.1.1, §16.12).

use bytes::Bytes;

use crate::field::Name;
use crate::message::Fields;
use crate::write::Writer;
use crate::{NameAddr, Uri};

/// `Route` values in the order requests carry them.
#[derive(Clone, Debug, Default)]
pub(crate) struct RouteSet {
    values: Vec<Bytes>,
    first: Option<Uri>,
}

impl RouteSet {
    /// What a message recorded, in its order: that of the side the request came to (RFC 3261 §12.1.1). All bytes are copies.
    pub(crate) fn recorded(message: &Fields) -> Self {
        let values = message.head.items(Name::RecordRoute);
        Self::new(values.map(Bytes::copy_from_slice).collect())
    }

    /// In the order of the side that sent the request (RFC 3261 §12.1.2).
    pub(crate) fn reversed(self) -> Self {
        Self::new(self.values.into_iter().rev().collect())
    }

    /// A preloaded one (RFC 3261 §8.1.1.1).
    pub(crate) fn new(values: Vec<Bytes>) -> Self {
        let first = values.first().and_then(|route| NameAddr::parse(route).ok());
        let first = first.map(|route| route.uri().clone());
        Self { values, first }
    }

    /// All of them.
    pub(crate) fn values(&self) -> &[Bytes] {
        &self.values
    }

    /// Where the request goes first.
    pub(crate) fn first(&self) -> Option<&Uri> {
        self.first.as_ref()
    }

    /// The Request-URI of a request to `target`. A strict router (no `lr`) stands there itself.
    pub(crate) fn request_uri<'a>(&'a self, target: &'a [u8]) -> &'a [u8] {
        match self.strict_router() {
            Some(router) => router.as_bytes(),
            None => target,
        }
    }

    /// Writes the `Route` header fields; behind a strict router the target goes last.
    pub(crate) fn write(&self, writer: &mut Writer, target: &[u8]) {
        let is_strict = self.strict_router().is_some();
        for route in self.values.iter().skip(usize::from(is_strict)) {
            writer.header("Route", route);
        }
        if is_strict {
            writer.header_of("Route", &[b"<", target, b">"]);
        }
    }

    fn strict_router(&self) -> Option<&Uri> {
        self.first.as_ref().filter(|uri| uri.param("lr").is_none())
    }
}
