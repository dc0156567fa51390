//! The SIP and SDP side of a call: one dialog and what was negotiated in it.

use bytes::Bytes;
use sip::DialogId;

use crate::{MediaPath, Outcomes};

/// A leg that somebody else began.
#[derive(Debug)]
pub struct InboundLeg {
    /// The endpoint's name for the dialog.
    pub dialog: DialogId,
    /// The SDP offer of the INVITE; none for a late offer (RFC 3261 section 13.2.1).
    pub offer: Option<Bytes>,
    /// Our media address, codecs and keys.
    pub local: sdp::Local,
}

/// A leg that we begin.
#[derive(Debug)]
pub struct OutboundLeg {
    /// Our name for the dialog.
    pub dialog: DialogId,
    /// The INVITE; the call puts its offer in.
    pub invite: sip::OutgoingInvite,
    /// What the peer's final answers mean.
    pub outcomes: Outcomes,
    /// Our media address, codecs and keys.
    pub local: sdp::Local,
}

/// One leg's side of the offer/answer exchange.
#[derive(Debug)]
pub(crate) struct Leg {
    pub(crate) dialog: DialogId,
    local: sdp::Local,
    /// The description we sent last.
    description: Bytes,
}

impl Leg {
    /// A leg for which nothing was negotiated.
    pub(crate) fn new(dialog: DialogId, local: sdp::Local) -> Self {
        Self {
            dialog,
            local,
            description: Bytes::new(),
        }
    }

    /// What it may be spoken in.
    pub(crate) fn codecs(&self) -> &[sdp::Codec] {
        &self.local.codecs
    }

    /// Our offer, for an INVITE or for the answer to one without an offer.
    pub(crate) fn offer(&mut self) -> Bytes {
        self.description = sdp::offer(&self.local);
        self.description.clone()
    }

    /// Answers the offer of the INVITE that began the leg; an INVITE without one is answered by our offer later.
    pub(crate) fn begin(
        &mut self,
        offer: Option<&[u8]>,
    ) -> Result<Option<(Bytes, MediaPath)>, sdp::SdpError> {
        self.local.security.check()?;
        offer.map(|offer| self.answer(offer)).transpose()
    }

    /// Answers the peer's offer, the first or a later one (RFC 3264 sections 6 and 8).
    pub(crate) fn answer(&mut self, offer: &[u8]) -> Result<(Bytes, MediaPath), sdp::SdpError> {
        let negotiated = if self.description.is_empty() {
            sdp::answer(offer, &self.local)?
        } else {
            sdp::answer_again(offer, &mut self.local, &self.description)?
        };
        self.description = negotiated.description.clone();
        Ok((self.description.clone(), self.agreed(&negotiated)))
    }

    /// Takes the peer's answer to our offer.
    pub(crate) fn accept(&mut self, answer: &[u8]) -> Result<MediaPath, sdp::SdpError> {
        let negotiated = sdp::accept(answer, &self.local)?;
        Ok(self.agreed(&negotiated))
    }

    /// What begins encrypted stays so: a later description without a key is refused.
    fn agreed(&mut self, negotiated: &sdp::Negotiated) -> MediaPath {
        if negotiated.srtp.is_some() {
            self.local.security.policy = sdp::Security::Require;
        }
        MediaPath::from(negotiated)
    }

    /// Our offer to a re-INVITE that asks for one: what we can do and want now. What was answered last may be a hold of the
    /// peer's, and repeating that would keep the call silent (RFC 3261 section 14.2).
    pub(crate) fn offer_again(&mut self) -> Bytes {
        self.description = sdp::offer_again(&mut self.local, &self.description);
        self.description.clone()
    }
}

impl From<&sdp::Negotiated> for MediaPath {
    fn from(negotiated: &sdp::Negotiated) -> Self {
        Self {
            remote: negotiated.remote,
            codec: negotiated.codec,
            send_payload_type: negotiated.send_payload_type,
            receive_payload_type: negotiated.receive_payload_type,
            telephone_event: negotiated.telephone_event,
            comfort_noise: negotiated.comfort_noise,
            redundancy: negotiated.redundancy,
            ptime_ms: negotiated.ptime_ms,
            direction: negotiated.direction,
            rtcp_mux: negotiated.rtcp_mux,
            remote_rtcp: negotiated.remote_rtcp,
            srtp: negotiated.srtp,
        }
    }
}
