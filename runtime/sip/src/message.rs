//! Requests and responses over the bytes they came in (RFC 3261 §7).

use std::borrow::Cow;
use std::ops::Deref;
use std::time::Duration;

use bytes::Bytes;

use crate::body::{self, Content};
use crate::field::Name;
use crate::head::Head;
use crate::lex;
use crate::{CSeq, Method, NameAddr, Uri, Via};

/// A SIP message that holds what RFC 3261 demands of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// A request.
    Request(Request),
    /// A response.
    Response(Response),
}

/// What requests and responses have in common. The mandatory header fields are read once, by the parser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fields {
    pub(crate) head: Head,
    pub(crate) via: Via,
    pub(crate) from: NameAddr,
    pub(crate) to: NameAddr,
    pub(crate) call_id: Bytes,
    pub(crate) cseq: CSeq,
    pub(crate) body: Bytes,
}

impl Fields {
    /// The topmost `Via`.
    #[must_use]
    pub fn via(&self) -> &Via {
        &self.via
    }

    /// Who sent the request of this transaction.
    #[must_use]
    pub fn from(&self) -> &NameAddr {
        &self.from
    }

    /// Whom the request of this transaction is for.
    #[must_use]
    pub fn to(&self) -> &NameAddr {
        &self.to
    }

    /// The `Call-ID`.
    #[must_use]
    pub fn call_id(&self) -> Cow<'_, str> {
        lex::text(&self.call_id)
    }

    /// The `CSeq`.
    #[must_use]
    pub fn cseq(&self) -> &CSeq {
        &self.cseq
    }

    /// The first value of a header field, by its full name in any case; a field in compact form is found too.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<Cow<'_, str>> {
        let mut fields = self.head.fields();
        let found = fields.find(|(written, _)| written.eq_ignore_ascii_case(name.as_bytes()));
        found.map(|(_, value)| lex::text(value))
    }

    /// The items of a list header field, such as `Supported`, in order, however they are spread over lines; by its full name
    /// in any case.
    pub fn items<'a>(&'a self, name: &'a str) -> impl Iterator<Item = Cow<'a, str>> {
        let fields = self.head.fields();
        fields
            .filter(|(written, _)| written.eq_ignore_ascii_case(name.as_bytes()))
            .flat_map(|(_, value)| lex::list(value))
            .map(lex::text)
    }

    /// Every header field in order: name (compact forms in full, else as written) and value.
    pub fn headers(&self) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
        self.head
            .fields()
            .map(|(name, value)| (lex::text(name), lex::text(value)))
    }

    /// The body: as long as `Content-Length` says, or the rest of the datagram (RFC 3261 §18.3).
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// The message as it came, with folded lines joined and without what stood in front of its first line.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        [&self.head.bytes()[..], self.head.rest()].concat()
    }

    /// How long [`Self::to_bytes`] is.
    pub(crate) fn size(&self) -> usize {
        self.head.bytes().len() + self.head.rest().len()
    }

    /// The session description the body is, or has among its parts (RFC 5621).
    pub(crate) fn sdp(&self) -> Option<Bytes> {
        match body::content(self) {
            Content::Sdp(sdp) => Some(sdp),
            Content::Nothing | Content::Unsupported | Content::Malformed => None,
        }
    }

    /// Whether a list of option tags, such as `Require`, has this one.
    pub(crate) fn has_option(&self, list: Name, option: &str) -> bool {
        let mut options = self.head.items(list);
        options.any(|found| found.eq_ignore_ascii_case(option.as_bytes()))
    }

    /// What `Content-Type` says, without parameters.
    pub(crate) fn media_type(&self) -> &[u8] {
        let value = self.head.values(Name::ContentType).next();
        let value = value.unwrap_or_default();
        lex::trim_end(&value[..lex::length_while(value, |b| b != b';')])
    }

    /// The `Contact` URI, where there is exactly one that can be read.
    pub(crate) fn contact(&self) -> Option<Uri> {
        let mut contacts = self.head.items(Name::Contact);
        let first = contacts.next()?;
        let contact = NameAddr::parse(&self.head.share(first)).ok()?;
        contacts.next().is_none().then(|| contact.uri().clone())
    }
}

/// A request. Its header fields are those of [`Fields`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub(crate) fields: Box<Fields>,
    pub(crate) method: Method,
    pub(crate) uri: Uri,
}

impl Request {
    /// The method.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The Request-URI.
    #[must_use]
    pub fn request_uri(&self) -> &Uri {
        &self.uri
    }
}

impl Deref for Request {
    type Target = Fields;

    fn deref(&self) -> &Fields {
        &self.fields
    }
}

/// A response. Its header fields are those of [`Fields`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    pub(crate) fields: Box<Fields>,
    pub(crate) status: u16,
    pub(crate) reason: Bytes,
}

impl Response {
    /// The status, 100 to 699.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The reason phrase, perhaps empty.
    #[must_use]
    pub fn reason(&self) -> Cow<'_, str> {
        lex::text(&self.reason)
    }

    /// When to try again, from `Retry-After` (RFC 3261 §20.33); its comment and parameters are not read.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        let value = self.head.values(Name::RetryAfter).next()?;
        let digits = &value[..lex::length_while(value, |b| b.is_ascii_digit())];
        lex::number(digits).map(|seconds| Duration::from_secs(seconds.into()))
    }
}

impl Deref for Response {
    type Target = Fields;

    fn deref(&self) -> &Fields {
        &self.fields
    }
}
