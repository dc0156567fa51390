//! The peer's side of one audio stream, read out of its description.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use sdp_types::{Attribute, Connection, Media, NetType, RtpMap, Session};

use crate::{Codec, Direction, SdpError};

/// The encoding name of RFC 4733 events.
pub(crate) const TELEPHONE_EVENT: &str = "telephone-event";

/// Real descriptions stay far below; a datagram may carry 64 KiB.
const MAX_BYTES: usize = 16 * 1024;
/// More `m=` lines than any real call has.
const MAX_STREAMS: usize = 32;
/// The ptime without an `a=ptime` line (RFC 3551 section 4.2).
const DEFAULT_PTIME_MS: u32 = 20;

/// Reads a description. Bytes that are not UTF-8 (a Latin-1 session name) are replaced: nothing we use can hold them.
pub(crate) fn parse(bytes: &[u8]) -> Result<Session, SdpError> {
    if bytes.len() > MAX_BYTES {
        return Err(SdpError::TooLarge("more than 16 KiB"));
    }
    let text = String::from_utf8_lossy(bytes);
    let session =
        Session::parse(text.as_bytes()).map_err(|error| SdpError::Syntax(error.to_string()))?;
    if session.medias.len() > MAX_STREAMS {
        return Err(SdpError::TooLarge("more than 32 streams"));
    }
    Ok(session)
}

/// An audio stream over plain RTP that is not refused.
pub(crate) fn is_usable(media: &Media) -> bool {
    media.media.eq_ignore_ascii_case("audio")
        && media.proto.eq_ignore_ascii_case("RTP/AVP")
        && media.port != 0
}

/// What the peer says of one audio stream.
pub(crate) struct PeerStream<'a> {
    session: &'a Session,
    media: &'a Media,
    rtpmaps: Vec<RtpMap>,
}

impl<'a> PeerStream<'a> {
    pub(crate) fn new(session: &'a Session, media: &'a Media) -> Self {
        // A line that is not an rtpmap says nothing about any format; the rest of the stream may still be good.
        // Some gateways leave blanks at the ends.
        let rtpmaps = media
            .get_attribute_values("rtpmap")
            .flatten()
            .filter_map(|value| value.trim().parse().ok())
            .collect();
        Self {
            session,
            media,
            rtpmaps,
        }
    }

    /// Payload types in the peer's order of preference.
    fn payload_types(&self) -> impl Iterator<Item = u8> + '_ {
        self.media
            .fmt
            .split_ascii_whitespace()
            .filter_map(|format| format.parse().ok())
    }

    /// The first of the peer's formats that is one of `codecs`, with the peer's number for it.
    pub(crate) fn first_codec(&self, codecs: &[Codec]) -> Result<(u8, Codec), SdpError> {
        self.payload_types()
            .filter_map(|payload_type| Some((payload_type, self.codec(payload_type)?)))
            .find(|(_, codec)| codecs.contains(codec))
            .ok_or_else(|| SdpError::NoCommonCodec {
                offered: self.media.fmt.clone(),
            })
    }

    /// The peer's number for telephone events at our clock rate.
    pub(crate) fn telephone_event(&self) -> Option<u8> {
        self.payload_types().find(|payload_type| {
            self.rtpmap(*payload_type).is_some_and(|map| {
                map.encoding_name.eq_ignore_ascii_case(TELEPHONE_EVENT)
                    && map.clock_rate == Codec::Pcmu.clock_rate_hz()
            })
        })
    }

    /// An rtpmap wins over the static meaning of its number; without one the number means what RFC 3551 says.
    fn codec(&self, payload_type: u8) -> Option<Codec> {
        let Some(map) = self.rtpmap(payload_type) else {
            return Codec::from_payload_type(payload_type);
        };
        let codec = Codec::from_name(&map.encoding_name)?;
        let mono = map
            .encoding_params
            .as_deref()
            .is_none_or(|channels| channels.trim() == "1");
        (mono && map.clock_rate == codec.clock_rate_hz()).then_some(codec)
    }

    fn rtpmap(&self, payload_type: u8) -> Option<&RtpMap> {
        self.rtpmaps
            .iter()
            .find(|map| map.payload_type == payload_type)
    }

    /// The milliseconds of audio the peer would like in a packet.
    pub(crate) fn ptime_ms(&self) -> u32 {
        self.media
            .get_first_attribute_value("ptime")
            .flatten()
            .and_then(|value| value.trim().parse().ok())
            .filter(|ptime_ms| (1..=200).contains(ptime_ms))
            .unwrap_or(DEFAULT_PTIME_MS)
    }

    /// The peer's direction: of the stream, else of the session, else both ways.
    pub(crate) fn direction(&self) -> Direction {
        let first = |attributes: &[Attribute]| {
            attributes
                .iter()
                .find_map(|attribute| Direction::from_name(&attribute.attribute))
        };
        first(&self.media.attributes)
            .or_else(|| first(&self.session.attributes))
            .unwrap_or_default()
    }

    /// Where the peer wants its media, canonical. 0.0.0.0 is an address here: peers of RFC 2543 hold a call with it.
    pub(crate) fn remote(&self) -> Result<SocketAddr, SdpError> {
        let connection = self
            .media
            .connections
            .first()
            .or(self.session.connection.as_ref())
            .ok_or(SdpError::NoAddress)?;
        Ok(SocketAddr::new(ip_of(connection)?, self.media.port))
    }
}

/// The peer holds the call the old way (RFC 3264 section 8.4).
pub(crate) fn is_old_hold(remote: SocketAddr) -> bool {
    remote.ip() == IpAddr::V4(Ipv4Addr::UNSPECIFIED)
}

fn ip_of(connection: &Connection) -> Result<IpAddr, SdpError> {
    let text = &connection.connection_address;
    if connection.nettype != NetType::In {
        return Err(SdpError::NotAnIpAddress(text.clone()));
    }
    let address = connection
        .try_address()
        .map_err(|_| SdpError::NotAnIpAddress(text.clone()))?
        .ip;
    // `::ffff:0.0.0.0` must not pass for the old hold, so it stays what it is and is refused as IPv6.
    let canonical = address.to_canonical();
    Ok(if canonical.is_unspecified() {
        address
    } else {
        canonical
    })
}
