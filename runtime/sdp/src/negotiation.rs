//! Answering an offer, and taking the answer to ours (RFC 3264 sections 5 to 8).

use std::net::SocketAddr;

use bytes::Bytes;
use sdp_types::{Media, Session, TransportProto};

use crate::crypto::Crypto;
use crate::description::{
    Extras, Format, OUR_COMFORT_NOISE, audio, describe, our_telephone_event, refused,
};
use crate::stream::{PeerStream, Role, is_audio, is_old_hold, parse};
use crate::{Codec, Direction, Local, SdpError, Security, Srtp};

/// What both sides agreed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Negotiated {
    /// Where the peer wants its media. 0.0.0.0 when it holds the call the old way; `direction` then never sends.
    pub remote: SocketAddr,
    /// The codec, both ways.
    pub codec: Codec,
    /// The number in the packets we send: the peer's.
    pub send_payload_type: u8,
    /// The number in the packets we receive: ours.
    pub receive_payload_type: u8,
    /// Digits as RFC 4733 events; none if the peer does not know them.
    pub telephone_event: Option<TelephoneEvent>,
    /// The number of comfort noise (RFC 3389) in the packets we receive; none if the peer sends none.
    pub comfort_noise: Option<u8>,
    /// The peer has use for what Opus repeats of the frame before.
    pub redundancy: bool,
    /// Milliseconds of audio in a packet, as the peer would like it: 10 to 60, by tens. A wish (RFC 8866 section 6.4), which its
    /// `a=maxptime` bounds. What it sends may be longer or shorter.
    pub ptime_ms: u32,
    /// Ours.
    pub direction: Direction,
    /// RTCP goes over the port of RTP, both ways.
    pub rtcp_mux: bool,
    /// Where the peer wants RTCP; none if it says nothing usable, and while it holds the call the old way.
    pub remote_rtcp: Option<SocketAddr>,
    /// The keys; none where packets go unencrypted.
    pub srtp: Option<Srtp>,
    /// The answer to send; empty from [`accept`].
    pub description: Bytes,
}

/// The payload types of telephone events, which may differ by direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TelephoneEvent {
    /// In the packets we send: the peer's number.
    pub send: u8,
    /// In the packets we receive: ours.
    pub receive: u8,
    /// What durations count, both ways: the codec's clock (RFC 4733 section 2.5.1), or 8,000 a second beside a codec of another clock,
    /// from a peer that knows no other events. Timestamps are the codec's in any case: it is one stream.
    pub clock_rate_hz: u32,
}

/// Answers an offer (RFC 3264 section 6): takes the first audio stream that works, refuses the others with port 0.
///
/// The answer has the first of the offer's codecs that we speak and uses the offer's payload types. A stream that comes with a key is
/// encrypted if our policy has it so, whichever of the two profiles it names.
///
/// # Errors
/// What makes every stream of the offer unusable, or the bytes no offer; of several unusable streams the first tells.
pub fn answer(offer: &[u8], local: &Local) -> Result<Negotiated, SdpError> {
    let session = parse(offer)?;
    let mut first_error = None;
    let mut chosen: Option<(usize, Agreed)> = None;
    let streams = session.medias.iter().enumerate();
    for (index, media) in streams.filter(|(_, media)| is_audio(media)) {
        match take(&session, media, local, Role::Offer) {
            Ok(agreed) => {
                chosen = Some((index, agreed));
                break;
            }
            Err(error) => first_error = first_error.or(Some(error)),
        }
    }
    let Some((index, agreed)) = chosen else {
        return Err(first_error.unwrap_or(SdpError::NoAudio));
    };
    let ours = answering_stream(local, &agreed);
    let streams = session.medias.iter().enumerate();
    let streams = streams
        .map(|(at, media)| {
            if at == index {
                ours.clone()
            } else {
                refused(media)
            }
        })
        .collect();
    Ok(Negotiated {
        description: describe(local, streams),
        ..agreed.negotiated
    })
}

/// Answers a new offer within the dialog. `previous` is the description we sent last, with the version `local` has now;
/// the version grows by one if the new answer says anything else (RFC 3264 section 8).
///
/// # Errors
/// As [`answer`]; the version is then untouched and the old agreement stands.
pub fn answer_again(
    offer: &[u8],
    local: &mut Local,
    previous: &[u8],
) -> Result<Negotiated, SdpError> {
    let negotiated = answer(offer, local)?;
    if negotiated.description == previous {
        return Ok(negotiated);
    }
    local.version += 1;
    answer(offer, local)
}

/// Takes the answer to [`offer`](crate::offer): the first codec it lists that we offered.
///
/// # Errors
/// What makes the answer unusable; the call then cannot go on.
pub fn accept(answer: &[u8], local: &Local) -> Result<Negotiated, SdpError> {
    let session = parse(answer)?;
    // Ours had one stream, and an answer keeps the order (RFC 3264 section 6).
    let media = session
        .medias
        .first()
        .filter(|media| is_audio(media))
        .ok_or(SdpError::NoAudio)?;
    let mut negotiated = take(&session, media, local, Role::Answer)?.negotiated;
    let codec = negotiated.codec;
    negotiated.receive_payload_type = codec.payload_type();
    if let Some(event) = &mut negotiated.telephone_event {
        event.receive = our_telephone_event(event.clock_rate_hz);
    }
    negotiated.comfort_noise = negotiated.comfort_noise.map(|_| OUR_COMFORT_NOISE);
    Ok(negotiated)
}

/// What was agreed on, and what of the peer's stream our answer repeats.
struct Agreed {
    negotiated: Negotiated,
    profile: TransportProto,
    crypto: Option<Crypto>,
}

/// The agreement on one stream, numbers as the peer has them, without a description.
fn take(session: &Session, media: &Media, local: &Local, role: Role) -> Result<Agreed, SdpError> {
    let peer = PeerStream::new(session, media, role);
    let profile = profile_of(media)?;
    let crypto = encryption(&peer, &profile, local)?;
    let (payload_type, codec) = peer.first_codec(&local.codecs)?;
    let clock_rate_hz = codec.clock_rate_hz();
    let mut remote = peer.remote()?;
    let mut direction = peer.direction().reversed();
    if is_old_hold(remote) {
        direction = direction.without_sending();
    } else {
        remote = check_address(remote, local)?;
    }
    let rtcp_mux = local.rtcp_mux && peer.rtcp_mux();
    let negotiated = Negotiated {
        remote,
        codec,
        send_payload_type: payload_type,
        receive_payload_type: payload_type,
        telephone_event: telephone_event(&peer, clock_rate_hz),
        comfort_noise: peer
            .comfort_noise()
            .filter(|_| local.comfort_noise && clock_rate_hz == 8_000),
        redundancy: codec == Codec::Opus && peer.has_parameter(payload_type, "useinbandfec=1"),
        ptime_ms: peer.ptime_ms(),
        direction,
        rtcp_mux,
        remote_rtcp: remote_rtcp(&peer, remote, rtcp_mux, local),
        srtp: crypto.map(|theirs| Srtp {
            send: local.security.keys.of(theirs.key.suite()),
            receive: theirs.key,
        }),
        description: Bytes::new(),
    };
    Ok(Agreed {
        negotiated,
        profile,
        crypto,
    })
}

/// The events of the codec's clock rate. Many who speak Opus have them at 8 kHz alone.
fn telephone_event(peer: &PeerStream<'_>, codec_clock_rate_hz: u32) -> Option<TelephoneEvent> {
    [codec_clock_rate_hz, 8_000]
        .into_iter()
        .find_map(|clock_rate_hz| {
            let number = peer.telephone_event(clock_rate_hz)?;
            Some(TelephoneEvent {
                send: number,
                receive: number,
                clock_rate_hz,
            })
        })
}

fn profile_of(media: &Media) -> Result<TransportProto, SdpError> {
    [TransportProto::RtpAvp, TransportProto::RtpSavp]
        .into_iter()
        .find(|profile| media.proto.eq_ignore_ascii_case(profile.as_str()))
        .ok_or_else(|| SdpError::Profile(media.proto.clone()))
}

/// The peer's key, if the stream is to be encrypted.
fn encryption(
    peer: &PeerStream<'_>,
    profile: &TransportProto,
    local: &Local,
) -> Result<Option<Crypto>, SdpError> {
    let security = &local.security;
    security.check()?;
    // An answer's tag and suite should be those of our offer. Some number anew, and we can do every suite.
    let crypto = peer.crypto().filter(|_| security.is_possible());
    let is_encrypted = *profile == TransportProto::RtpSavp;
    match (crypto, security.policy) {
        (Some(crypto), _) => Ok(Some(crypto)),
        (None, Security::None) if is_encrypted => Err(SdpError::Encrypted),
        (None, _) if is_encrypted && !security.signalling_is_secure => {
            Err(SdpError::InsecureSignalling)
        }
        (None, _) if is_encrypted => Err(SdpError::NoCommonCrypto),
        (None, Security::Require) => Err(SdpError::NotEncrypted),
        (None, Security::None | Security::Offer) => Ok(None),
    }
}

fn remote_rtcp(
    peer: &PeerStream<'_>,
    remote: SocketAddr,
    rtcp_mux: bool,
    local: &Local,
) -> Option<SocketAddr> {
    if is_old_hold(remote) {
        return None;
    }
    if rtcp_mux {
        return Some(remote);
    }
    let address = SocketAddr::new(remote.ip(), peer.rtcp_port()?);
    check_address(address, local).ok()
}

/// Where media is sent that is to go to `remote`.
fn check_address(remote: SocketAddr, local: &Local) -> Result<SocketAddr, SdpError> {
    let remote = local
        .policy
        .check(remote, local.address)
        .map_err(|lie| SdpError::Refused {
            address: remote,
            lie,
        })?;
    if remote.is_ipv4() != local.address.is_ipv4() {
        return Err(SdpError::OtherIpVersion(remote.ip()));
    }
    Ok(remote)
}

fn answering_stream(local: &Local, agreed: &Agreed) -> Media {
    let negotiated = &agreed.negotiated;
    let codec = negotiated.codec;
    let mut formats = vec![Format::Audio(negotiated.receive_payload_type, codec)];
    formats.extend(negotiated.comfort_noise.map(Format::ComfortNoise));
    formats.extend(
        negotiated
            .telephone_event
            .map(|event| Format::TelephoneEvent(event.receive, event.clock_rate_hz)),
    );
    let extras = Extras {
        profile: agreed.profile.clone(),
        crypto: agreed
            .crypto
            .map(|theirs| Crypto::answering(theirs, &local.security.keys))
            .into_iter()
            .collect(),
        rtcp_mux: negotiated.rtcp_mux,
    };
    audio(local, &formats, negotiated.direction, &extras)
}

#[cfg(test)]
mod tests;
