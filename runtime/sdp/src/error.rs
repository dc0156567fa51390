//! Why a description cannot be used.

use crate::Lie;

/// Why a description cannot be used; [`Self::status`] says how a SIP request that carried it is answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SdpError {
    /// The bytes are not SDP; names line and field.
    #[error("not a session description: {0}")]
    Syntax(String),
    /// Longer than any real description, or with more streams.
    #[error("session description too large: {0}")]
    TooLarge(&'static str),
    /// No audio stream over plain RTP (`RTP/AVP`) with a port.
    #[error("no audio stream over RTP/AVP is offered, or it was refused")]
    NoAudio,
    /// There is audio, in none of our codecs.
    #[error("no common codec: the stream has {offered}")]
    NoCommonCodec {
        /// The formats of the stream's `m=` line.
        offered: String,
    },
    /// The stream has no `c=` line of its own and the session has none either.
    #[error("no connection address")]
    NoAddress,
    /// The connection address is a name, or not of the internet.
    #[error("connection address `{0}` is not an IP address")]
    NotAnIpAddress(String),
    /// The address is IPv4 and ours IPv6, or the other way round.
    #[error("connection address `{0}` is of the other IP version")]
    OtherIpVersion(std::net::IpAddr),
    /// Nobody can honestly receive RTP there.
    #[error("media address `{address}` is refused: {lie}")]
    Refused {
        /// Where the media was to be sent.
        address: std::net::SocketAddr,
        /// What is wrong with it.
        lie: Lie,
    },
}

impl SdpError {
    /// The status code of the SIP response to a request with this description: 400 for what is not SDP, else 488.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::Syntax(_) | Self::TooLarge(_) => 400,
            _ => 488,
        }
    }
}
