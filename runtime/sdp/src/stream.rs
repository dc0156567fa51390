//! The peer's side of one audio stream, read out of its description.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use sdp_types::{Attribute, Connection, Media, NetType, RtpMap, Session};

use crate::crypto::Crypto;
use crate::description::{OUR_COMFORT_NOISE, our_telephone_event};
use crate::{Codec, Direction, SdpError};

/// The encoding name of RFC 4733 events.
pub(crate) const TELEPHONE_EVENT: &str = "telephone-event";
/// The encoding name of RFC 3389 comfort noise.
pub(crate) const COMFORT_NOISE: &str = "CN";

/// Real descriptions stay far below; a datagram may carry 64 KiB.
const MAX_BYTES: usize = 16 * 1024;
/// More `m=` lines than any real call has.
const MAX_STREAMS: usize = 32;
/// The ptime without an `a=ptime` line (RFC 3551 section 4.2).
const DEFAULT_PTIME_MS: u32 = 20;
/// What peers ask for beyond this is a slip.
const MAX_ASKED_MS: u32 = 200;
/// What we send at least and at most.
const MIN_PTIME_MS: u32 = 10;
const MAX_PTIME_MS: u32 = 60;

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

/// An audio stream that is not refused.
pub(crate) fn is_audio(media: &Media) -> bool {
    media.media.eq_ignore_ascii_case("audio") && media.port != 0
}

/// What the peer's description is to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Offer,
    /// To an offer of ours.
    Answer,
}

/// What the peer says of one audio stream.
pub(crate) struct PeerStream<'a> {
    session: &'a Session,
    media: &'a Media,
    role: Role,
    rtpmaps: Vec<RtpMap>,
}

impl<'a> PeerStream<'a> {
    pub(crate) fn new(session: &'a Session, media: &'a Media, role: Role) -> Self {
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
            role,
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

    /// The peer's number for telephone events at this clock rate.
    pub(crate) fn telephone_event(&self, clock_rate_hz: u32) -> Option<u8> {
        let ours = our_telephone_event(clock_rate_hz);
        self.number_of(TELEPHONE_EVENT, clock_rate_hz, |number| {
            self.role == Role::Answer && number == ours
        })
    }

    /// The peer's number for comfort noise of 8 kHz.
    pub(crate) fn comfort_noise(&self) -> Option<u8> {
        self.number_of(COMFORT_NOISE, 8_000, |number| number == OUR_COMFORT_NOISE)
    }

    /// The first number with this map, or without a map where it `is_known`.
    fn number_of(
        &self,
        name: &str,
        clock_rate_hz: u32,
        is_known: impl Fn(u8) -> bool,
    ) -> Option<u8> {
        self.payload_types()
            .find(|number| match self.rtpmap(*number) {
                Some(map) => {
                    map.encoding_name.eq_ignore_ascii_case(name) && map.clock_rate == clock_rate_hz
                }
                None => is_known(*number),
            })
    }

    /// An rtpmap wins over the static meaning of its number; without one the number means what RFC 3551 says, or what our offer said
    /// of it: some answer without maps.
    fn codec(&self, payload_type: u8) -> Option<Codec> {
        let Some(map) = self.rtpmap(payload_type) else {
            let of_our_offer = Codec::ALL
                .into_iter()
                .find(|codec| self.role == Role::Answer && codec.payload_type() == payload_type);
            return Codec::from_payload_type(payload_type).or(of_our_offer);
        };
        Codec::from_name(&map.encoding_name)
            .filter(|codec| codec.is_mapped_so(map.clock_rate, map.encoding_params.as_deref()))
    }

    /// Whether the `a=fmtp` line of a number has this parameter.
    pub(crate) fn has_parameter(&self, payload_type: u8, parameter: &str) -> bool {
        let lines = self.media.get_attribute_values("fmtp").flatten();
        lines
            .filter_map(|line| line.trim().split_once(' '))
            .filter(|(number, _)| number.parse() == Ok(payload_type))
            .flat_map(|(_, parameters)| parameters.split(';'))
            .any(|found| found.trim().eq_ignore_ascii_case(parameter))
    }

    /// The first `a=crypto` line that we can do.
    pub(crate) fn crypto(&self) -> Option<Crypto> {
        Crypto::first_usable(self.media.get_attribute_values("crypto").flatten())
    }

    /// The peer takes RTCP on the port of RTP, or asks for that (RFC 5761).
    pub(crate) fn rtcp_mux(&self) -> bool {
        self.has("rtcp-mux")
    }

    /// Where the peer wants RTCP, if not on the port of RTP: where `a=rtcp` says (RFC 3605), else one port further. An address of its
    /// own is not believed: whoever is named there has not asked for it.
    pub(crate) fn rtcp_port(&self) -> Option<u16> {
        let value = self.media.get_first_attribute_value("rtcp").flatten();
        let named = value.and_then(|value| value.split_ascii_whitespace().next()?.parse().ok());
        named.or_else(|| self.media.port.checked_add(1))
    }

    fn has(&self, name: &str) -> bool {
        let mut attributes = self.media.attributes.iter();
        attributes.any(|attribute| attribute.attribute.eq_ignore_ascii_case(name))
    }

    fn rtpmap(&self, payload_type: u8) -> Option<&RtpMap> {
        self.rtpmaps
            .iter()
            .find(|map| map.payload_type == payload_type)
    }

    /// The milliseconds of audio the peer would like in a packet, within what it takes and what we send: 10 to 60, by tens.
    pub(crate) fn ptime_ms(&self) -> u32 {
        let asked = self.milliseconds("ptime").unwrap_or(DEFAULT_PTIME_MS);
        let longest = self.milliseconds("maxptime").unwrap_or(MAX_PTIME_MS);
        let ptime_ms = asked.min(longest).clamp(MIN_PTIME_MS, MAX_PTIME_MS);
        ptime_ms / 10 * 10
    }

    fn milliseconds(&self, name: &str) -> Option<u32> {
        let value = self.media.get_first_attribute_value(name).flatten()?;
        let value = value.trim().parse().ok()?;
        (1..=MAX_ASKED_MS).contains(&value).then_some(value)
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
