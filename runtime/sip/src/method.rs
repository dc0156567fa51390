//! The method of a request.

use std::fmt;

use bytes::Bytes;

/// A request's method. Case matters and nothing is percent-decoded: `invite` is not `INVITE` (RFC 3261 §7.1).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Method {
    /// Sets up a dialog, or changes a session within one (RFC 3261 §13).
    Invite,
    /// Acknowledges the final answer to an INVITE (RFC 3261 §13, §17).
    Ack,
    /// Takes back an INVITE that has no final answer yet (RFC 3261 §9).
    Cancel,
    /// Ends a dialog (RFC 3261 §15).
    Bye,
    /// Asks what the other side can do; used as a ping (RFC 3261 §11).
    Options,
    /// Binds an address of record to contacts (RFC 3261 §10).
    Register,
    /// Carries application data within a dialog (RFC 6086).
    Info,
    /// Acknowledges a provisional response (RFC 3262).
    Prack,
    /// Changes a session or its target without an INVITE (RFC 3311).
    Update,
    /// Asks the other side to call somebody else (RFC 3515).
    Refer,
    /// Reports an event of a subscription (RFC 6665).
    Notify,
    /// Asks for a subscription (RFC 6665).
    Subscribe,
    /// Any other method, as it was written.
    Other(Bytes),
}

impl Method {
    /// The method a token names. The token is taken as it is, so only a parser that checked it calls this.
    pub(crate) fn from_token(token: &Bytes) -> Self {
        match &token[..] {
            b"INVITE" => Self::Invite,
            b"ACK" => Self::Ack,
            b"CANCEL" => Self::Cancel,
            b"BYE" => Self::Bye,
            b"OPTIONS" => Self::Options,
            b"REGISTER" => Self::Register,
            b"INFO" => Self::Info,
            b"PRACK" => Self::Prack,
            b"UPDATE" => Self::Update,
            b"REFER" => Self::Refer,
            b"NOTIFY" => Self::Notify,
            b"SUBSCRIBE" => Self::Subscribe,
            _ => Self::Other(token.clone()),
        }
    }

    /// The method as it stands on the wire.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Invite => b"INVITE",
            Self::Ack => b"ACK",
            Self::Cancel => b"CANCEL",
            Self::Bye => b"BYE",
            Self::Options => b"OPTIONS",
            Self::Register => b"REGISTER",
            Self::Info => b"INFO",
            Self::Prack => b"PRACK",
            Self::Update => b"UPDATE",
            Self::Refer => b"REFER",
            Self::Notify => b"NOTIFY",
            Self::Subscribe => b"SUBSCRIBE",
            Self::Other(token) => token,
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(self.as_bytes()))
    }
}
