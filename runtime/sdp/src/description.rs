//! What we say of ourselves.

use std::net::SocketAddr;

use bytes::Bytes;
use sdp_types::{
    Attribute, Connection, Media, MediaType, Origin, RtpMap, Session, Time, TransportProto,
};

use crate::crypto::Crypto;
use crate::stream::{COMFORT_NOISE, TELEPHONE_EVENT};
use crate::{AddressPolicy, Codec, Direction, LocalSecurity, Security};

/// Comfort noise of 8 kHz (RFC 3551 section 6).
pub(crate) const OUR_COMFORT_NOISE: u8 = 13;

/// Our side of the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Local {
    /// Where we want RTP, as peers see it.
    pub address: SocketAddr,
    /// What we speak, in the order of an offer.
    pub codecs: Vec<Codec>,
    /// The session of the `o=` line: random, the same for the whole dialog.
    pub session_id: u64,
    /// The version of the `o=` line in the next description. Choose the first freely; [`offer_again`] and
    /// [`answer_again`](crate::answer_again) raise it by one whenever a description differs from the one before.
    pub version: u64,
    /// Which addresses of the peer pass.
    pub policy: AddressPolicy,
    /// We can make the noise that a silent peer describes (RFC 3389).
    pub comfort_noise: bool,
    /// We take RTCP on the port of RTP (RFC 5761).
    pub rtcp_mux: bool,
    /// Whether media is encrypted.
    pub security: LocalSecurity,
}

impl Local {
    /// A telephone: G.711 and no extras.
    #[must_use]
    pub fn new(address: SocketAddr, session_id: u64) -> Self {
        Self {
            address,
            codecs: Codec::NARROWBAND.to_vec(),
            session_id,
            version: 1,
            policy: AddressPolicy::default(),
            comfort_noise: false,
            rtcp_mux: false,
            security: LocalSecurity::none(),
        }
    }
}

/// A format of our `m=` line.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Format {
    Audio(u8, Codec),
    ComfortNoise(u8),
    /// With its clock rate.
    TelephoneEvent(u8, u32),
}

impl Format {
    fn payload_type(self) -> u8 {
        match self {
            Self::Audio(payload_type, _)
            | Self::ComfortNoise(payload_type)
            | Self::TelephoneEvent(payload_type, _) => payload_type,
        }
    }

    fn attributes(self) -> Vec<Attribute> {
        let fmtp = |parameters: &str| {
            Attribute::with_value("fmtp", format!("{} {parameters}", self.payload_type()))
        };
        match self {
            // RFC 7587 section 6.1. More than 16 kHz would be thrown away.
            Self::Audio(payload_type, codec @ Codec::Opus) => vec![
                RtpMap::with_encoding_params(payload_type, codec.name(), codec.clock_rate_hz(), 2)
                    .into(),
                fmtp("maxplaybackrate=16000;sprop-maxcapturerate=16000;useinbandfec=1"),
            ],
            Self::Audio(payload_type, codec) => {
                vec![RtpMap::new(payload_type, codec.name(), codec.clock_rate_hz()).into()]
            }
            Self::ComfortNoise(payload_type) => {
                vec![RtpMap::new(payload_type, COMFORT_NOISE, 8_000).into()]
            }
            Self::TelephoneEvent(payload_type, clock_rate_hz) => vec![
                RtpMap::new(payload_type, TELEPHONE_EVENT, clock_rate_hz).into(),
                fmtp("0-15"),
            ],
        }
    }
}

/// Our payload type for telephone events at a clock rate, in offers.
pub(crate) fn our_telephone_event(clock_rate_hz: u32) -> u8 {
    if clock_rate_hz == 8_000 { 101 } else { 110 }
}

/// Our offer: one audio stream both ways with all our codecs and telephone events.
///
/// Encryption that is required is offered as RTP/SAVP. One that is merely possible is offered as RTP/AVP with keys, which peers
/// without encryption read as plain RTP.
#[must_use]
pub fn offer(local: &Local) -> Bytes {
    let is_secure = local.security.is_possible();
    let profile = if is_secure && local.security.policy == Security::Require {
        TransportProto::RtpSavp
    } else {
        TransportProto::RtpAvp
    };
    let extras = Extras {
        profile,
        crypto: if is_secure {
            Crypto::offered(&local.security.keys)
        } else {
            Vec::new()
        },
        rtcp_mux: local.rtcp_mux,
    };
    let stream = audio(local, &offered_formats(local), Direction::SendRecv, &extras);
    describe(local, vec![stream])
}

fn offered_formats(local: &Local) -> Vec<Format> {
    let codecs = local.codecs.iter();
    let mut formats: Vec<Format> = codecs
        .map(|codec| Format::Audio(codec.payload_type(), *codec))
        .collect();
    let speaks_at = |clock_rate_hz| {
        let mut codecs = local.codecs.iter();
        codecs.any(|codec| codec.clock_rate_hz() == clock_rate_hz)
    };
    if local.comfort_noise && speaks_at(8_000) {
        formats.push(Format::ComfortNoise(OUR_COMFORT_NOISE));
    }
    for clock_rate_hz in [8_000, 48_000] {
        if speaks_at(clock_rate_hz) {
            let number = our_telephone_event(clock_rate_hz);
            formats.push(Format::TelephoneEvent(number, clock_rate_hz));
        }
    }
    formats
}

/// Our offer within a dialog. `previous` is the description we sent last, with the version `local` has now; the
/// version grows by one if the new one says anything else (RFC 3264 section 8).
#[must_use]
pub fn offer_again(local: &mut Local, previous: &[u8]) -> Bytes {
    let description = offer(local);
    if description == previous {
        return description;
    }
    local.version += 1;
    offer(local)
}

/// The description with these streams.
pub(crate) fn describe(local: &Local, streams: Vec<Media>) -> Bytes {
    let ip = local.address.ip();
    let origin = Origin::with_ip_addr(local.session_id, local.version, ip);
    let mut session = Session::new(origin, "-");
    session.set_connection(Connection::from_ip_addr(ip));
    session.add_time(Time::new(0, 0));
    session.medias = streams;
    let mut bytes = Vec::with_capacity(1024);
    session
        .write(&mut bytes)
        .expect("writing to memory does not fail");
    bytes.into()
}

/// What our stream has beside formats and direction.
pub(crate) struct Extras {
    pub(crate) profile: TransportProto,
    pub(crate) crypto: Vec<Crypto>,
    pub(crate) rtcp_mux: bool,
}

/// Our audio stream.
pub(crate) fn audio(
    local: &Local,
    formats: &[Format],
    direction: Direction,
    extras: &Extras,
) -> Media {
    let numbers: Vec<String> = formats
        .iter()
        .map(|format| format.payload_type().to_string())
        .collect();
    let mut stream = Media::new(
        MediaType::Audio,
        local.address.port(),
        extras.profile.clone(),
        numbers.join(" "),
    );
    stream.attributes = formats
        .iter()
        .flat_map(|format| format.attributes())
        .collect();
    for crypto in &extras.crypto {
        stream
            .attributes
            .push(Attribute::with_value("crypto", crypto.value()));
    }
    if extras.rtcp_mux {
        stream.attributes.push(Attribute::new("rtcp-mux"));
    }
    stream.attributes.push(Attribute::with_value("ptime", 20));
    stream.attributes.push(Attribute::new(direction.name()));
    stream
}

/// The answer to a stream we do not take: the same line with port 0 (RFC 3264 section 6).
pub(crate) fn refused(offered: &Media) -> Media {
    Media {
        port: 0,
        num_ports: None,
        media_title: None,
        connections: Vec::new(),
        bandwidths: Vec::new(),
        key: None,
        attributes: Vec::new(),
        ..offered.clone()
    }
}
