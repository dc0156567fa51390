//! Opus at 16 kHz, mono.

use std::panic::{self, AssertUnwindSafe};

use ropus::{Application, Bitrate, Channels, DecodeMode, InbandFec, Signal};

use crate::Rate;
use crate::codec::{BadPayload, MAX_FRAME_BYTES, MAX_PACKET_SAMPLES};

/// What speech of 16 kHz needs (RFC 6716 section 2.1.1 names 16 to 20 kbit/s).
const BITRATE: u32 = 24_000;
/// 0 to 10. Beyond this one the ear hears little for twice the work.
const COMPLEXITY: u8 = 5;
/// The loss that redundancy is laid out for, in percent.
const EXPECTED_LOSS: u8 = 10;

/// One direction's state.
pub(crate) struct Encoder(ropus::Encoder);

impl Encoder {
    pub(crate) fn new(redundant: bool) -> Self {
        let (fec, loss) = if redundant {
            (InbandFec::Enabled, EXPECTED_LOSS)
        } else {
            (InbandFec::Disabled, 0)
        };
        let encoder = ropus::Encoder::builder(Rate::Wide.hz(), Channels::Mono, Application::Voip)
            .bitrate(Bitrate::Bits(BITRATE))
            .complexity(COMPLEXITY)
            .signal(Signal::Voice)
            .inband_fec(fec)
            .packet_loss_perc(loss)
            .build();
        Self(encoder.expect("these settings are all valid"))
    }

    /// Codes 20 ms.
    pub(crate) fn encode(&mut self, frame: &[i16], payload: &mut [u8; MAX_FRAME_BYTES]) -> usize {
        self.0
            .encode(frame, payload)
            .expect("a frame of 20 ms fits into 160 bytes")
    }
}

/// One direction's state.
pub(crate) struct Decoder(ropus::Decoder);

impl Decoder {
    pub(crate) fn new() -> Self {
        let decoder = ropus::Decoder::new(Rate::Wide.hz(), Channels::Mono);
        Self(decoder.expect("16 kHz mono is valid"))
    }

    pub(crate) fn decode(
        &mut self,
        payload: &[u8],
        samples: &mut [i16; MAX_PACKET_SAMPLES],
    ) -> Result<usize, BadPayload> {
        self.guarded(payload, samples, DecodeMode::Normal)
    }

    pub(crate) fn conceal(&mut self, next: Option<&[u8]>, samples: &mut [i16]) {
        let copy = next.filter(|next| !next.is_empty());
        let filled = copy.is_some_and(|next| self.guarded(next, samples, DecodeMode::Fec).is_ok())
            || self.guarded(&[], samples, DecodeMode::Normal).is_ok();
        if !filled {
            samples.fill(0);
        }
    }

    /// Decodes a stranger's bytes: where the library breaks off, the decoder begins anew and the thread goes on.
    fn guarded(
        &mut self,
        payload: &[u8],
        samples: &mut [i16],
        mode: DecodeMode,
    ) -> Result<usize, BadPayload> {
        let decoded =
            panic::catch_unwind(AssertUnwindSafe(|| self.0.decode(payload, samples, mode)));
        match decoded {
            Ok(Ok(count)) => Ok(count),
            Ok(Err(_)) => Err(BadPayload),
            Err(_) => {
                *self = Self::new();
                Err(BadPayload)
            }
        }
    }
}
