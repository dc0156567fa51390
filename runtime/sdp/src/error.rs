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
    /// No audio stream with a port.
    #[error("no audio stream is offered, or it was refused")]
    NoAudio,
    /// There is audio, over what we do not speak: feedback profiles, DTLS, T.38 in place of RTP.
    #[error("audio over {0} is not supported; use RTP/AVP or RTP/SAVP")]
    Profile(String),
    /// There is encrypted audio only, and it is not wanted.
    #[error("audio is offered encrypted only, which is not allowed here; offer RTP/AVP")]
    Encrypted,
    /// There is encrypted audio only, and its key came over signalling that anybody may have read.
    #[error("encrypted audio needs secure signalling; send it over TLS, or offer RTP/AVP")]
    InsecureSignalling,
    /// Audio has to be encrypted, and keys would travel where anybody may read them.
    #[error("audio has to be encrypted here, and its keys may go over TLS only; signal over TLS")]
    NoWayForKeys,
    /// The stream says that it is encrypted, and has no key we can use.
    #[error(
        "no usable crypto attribute; use AES_CM_128_HMAC_SHA1_80 or _32, or AEAD_AES_128_GCM or _256_, with one inline key and no MKI"
    )]
    NoCommonCrypto,
    /// The audio is not encrypted, and has to be.
    #[error("audio has to be encrypted here; use RTP/SAVP with a crypto attribute")]
    NotEncrypted,
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
    /// The code of a `Warning` about it (RFC 3261 section 20.43).
    #[must_use]
    pub const fn warning_code(&self) -> u16 {
        match self {
            Self::NotAnIpAddress(_) | Self::OtherIpVersion(_) => 301, // incompatible network address formats
            Self::Profile(_) | Self::Encrypted | Self::NotEncrypted => 302, // incompatible transport protocol
            Self::NoAudio => 304,              // media type not available
            Self::NoCommonCodec { .. } => 305, // incompatible media format
            _ => 399,
        }
    }

    /// The status code of the SIP response to a request with this description: 400 for what is not SDP, else 488.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::Syntax(_) | Self::TooLarge(_) => 400,
            _ => 488,
        }
    }
}
