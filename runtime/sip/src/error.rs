//! What can be wrong with a message.

/// Why a datagram is not a SIP message this crate acts on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SipError {
    /// No line of the datagram could open a SIP message.
    #[error("not a SIP message")]
    NotSip,
    /// The empty line that ends the header fields is missing.
    #[error("the header fields have no end")]
    Truncated,
    /// A carriage return or line feed stands alone among the header fields.
    #[error("a line of the header fields does not end in CRLF")]
    BareLineEnding,
    /// More header fields than [`crate::MAX_FIELDS`], or a head longer than [`crate::MAX_HEAD_BYTES`].
    #[error("too many header fields, or too long")]
    TooLarge,
    /// The first line is neither a request line nor a status line of the grammar (RFC 3261 §25.1).
    #[error("malformed first line")]
    StartLine,
    /// A SIP version other than 2.0.
    #[error("unsupported SIP version")]
    Version,
    /// A line without a colon, or with something other than a token before it.
    #[error("malformed header field name")]
    FieldName,
    /// A mandatory header field is absent.
    #[error("missing {0} header field")]
    Missing(&'static str),
    /// A header field that may stand once stands twice.
    #[error("more than one {0} header field")]
    Duplicate(&'static str),
    /// A header field's value, named here, is not what its grammar says.
    #[error("malformed {0}")]
    Malformed(&'static str),
    /// The method in `CSeq` is not the method of the request.
    #[error("CSeq names another method than the request line")]
    MethodMismatch,
    /// `Content-Length` promises more bytes than the datagram holds.
    #[error("Content-Length exceeds the datagram")]
    ContentLength,
}

impl SipError {
    /// The status that answers a request with this fault: 505 for the version, otherwise 400.
    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            Self::Version => 505,
            _ => 400,
        }
    }
}
