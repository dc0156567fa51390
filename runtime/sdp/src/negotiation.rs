//! Answering an offer, and taking the answer to ours (RFC 3264 sections 5 to 8).

use std::net::SocketAddr;

use bytes::Bytes;
use sdp_types::{Media, Session};

use crate::description::{Format, OUR_TELEPHONE_EVENT, audio, describe, refused};
use crate::stream::{PeerStream, is_old_hold, is_usable, parse};
use crate::{Codec, Direction, Local, SdpError};

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
    /// Milliseconds of audio in a packet, as the peer would like it (1 to 200). A wish (RFC 8866 section 6.4).
    pub ptime_ms: u32,
    /// Ours.
    pub direction: Direction,
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
}

/// Answers an offer (RFC 3264 section 6): takes the first audio stream that works, refuses the others with port 0.
///
/// The answer has the first of the offer's codecs that we speak and uses the offer's payload types.
///
/// # Errors
/// What makes every stream of the offer unusable, or the bytes no offer; of several unusable streams the first tells.
pub fn answer(offer: &[u8], local: &Local) -> Result<Negotiated, SdpError> {
    let session = parse(offer)?;
    let mut first_error = None;
    let mut chosen: Option<(usize, Negotiated)> = None;
    for (index, media) in session
        .medias
        .iter()
        .enumerate()
        .filter(|(_, media)| is_usable(media))
    {
        match take(&session, media, local) {
            Ok(negotiated) => {
                chosen = Some((index, negotiated));
                break;
            }
            Err(error) => first_error = first_error.or(Some(error)),
        }
    }
    let Some((index, mut negotiated)) = chosen else {
        return Err(first_error.unwrap_or(SdpError::NoAudio));
    };
    let ours = answering_stream(local, &negotiated);
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
    negotiated.description = describe(local, streams);
    Ok(negotiated)
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
        .filter(|media| is_usable(media))
        .ok_or(SdpError::NoAudio)?;
    let mut negotiated = take(&session, media, local)?;
    negotiated.receive_payload_type = negotiated.codec.payload_type();
    if let Some(event) = &mut negotiated.telephone_event {
        event.receive = OUR_TELEPHONE_EVENT;
    }
    Ok(negotiated)
}

/// The agreement on one stream, numbers as the peer has them, without a description.
fn take(session: &Session, media: &Media, local: &Local) -> Result<Negotiated, SdpError> {
    let peer = PeerStream::new(session, media);
    let (payload_type, codec) = peer.first_codec(&local.codecs)?;
    let remote = peer.remote()?;
    let mut direction = peer.direction().reversed();
    if is_old_hold(remote) {
        direction = direction.without_sending();
    } else {
        check_address(remote, local)?;
    }
    Ok(Negotiated {
        remote,
        codec,
        send_payload_type: payload_type,
        receive_payload_type: payload_type,
        telephone_event: peer.telephone_event().map(|number| TelephoneEvent {
            send: number,
            receive: number,
        }),
        ptime_ms: peer.ptime_ms(),
        direction,
        description: Bytes::new(),
    })
}

fn check_address(remote: SocketAddr, local: &Local) -> Result<(), SdpError> {
    local
        .policy
        .check(remote, local.address)
        .map_err(|lie| SdpError::Refused {
            address: remote,
            lie,
        })?;
    if remote.is_ipv4() != local.address.is_ipv4() {
        return Err(SdpError::OtherIpVersion(remote.ip()));
    }
    Ok(())
}

fn answering_stream(local: &Local, negotiated: &Negotiated) -> Media {
    let mut formats = vec![Format::Audio(
        negotiated.receive_payload_type,
        negotiated.codec,
    )];
    formats.extend(
        negotiated
            .telephone_event
            .map(|event| Format::TelephoneEvent(event.receive)),
    );
    audio(local, &formats, negotiated.direction)
}

#[cfg(test)]
mod tests;
