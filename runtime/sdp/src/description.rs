//! What we say of ourselves.

use std::net::SocketAddr;

use bytes::Bytes;
use sdp_types::{
    Attribute, Connection, Media, MediaType, Origin, RtpMap, Session, Time, TransportProto,
};

use crate::stream::TELEPHONE_EVENT;
use crate::{AddressPolicy, Codec, Direction};

/// Our payload type for telephone events, in offers.
pub(crate) const OUR_TELEPHONE_EVENT: u8 = 101;

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
}

/// A format of our `m=` line.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Format {
    Audio(u8, Codec),
    TelephoneEvent(u8),
}

impl Format {
    fn payload_type(self) -> u8 {
        match self {
            Self::Audio(payload_type, _) | Self::TelephoneEvent(payload_type) => payload_type,
        }
    }

    fn attributes(self) -> Vec<Attribute> {
        match self {
            Self::Audio(payload_type, codec) => {
                vec![RtpMap::new(payload_type, codec.name(), codec.clock_rate_hz()).into()]
            }
            Self::TelephoneEvent(payload_type) => vec![
                RtpMap::new(payload_type, TELEPHONE_EVENT, Codec::Pcmu.clock_rate_hz()).into(),
                Attribute::with_value("fmtp", format!("{payload_type} 0-15")),
            ],
        }
    }
}

/// Our offer: one audio stream both ways with all our codecs and telephone events.
#[must_use]
pub fn offer(local: &Local) -> Bytes {
    let formats: Vec<Format> = local
        .codecs
        .iter()
        .map(|codec| Format::Audio(codec.payload_type(), *codec))
        .chain([Format::TelephoneEvent(OUR_TELEPHONE_EVENT)])
        .collect();
    describe(local, vec![audio(local, &formats, Direction::SendRecv)])
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
    let mut bytes = Vec::with_capacity(384);
    session
        .write(&mut bytes)
        .expect("writing to memory does not fail");
    bytes.into()
}

/// Our audio stream.
pub(crate) fn audio(local: &Local, formats: &[Format], direction: Direction) -> Media {
    let numbers: Vec<String> = formats
        .iter()
        .map(|format| format.payload_type().to_string())
        .collect();
    let mut stream = Media::new(
        MediaType::Audio,
        local.address.port(),
        TransportProto::RtpAvp,
        numbers.join(" "),
    );
    stream.attributes = formats
        .iter()
        .flat_map(|format| format.attributes())
        .collect();
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
