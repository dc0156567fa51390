//! Opus at 16 kHz, mono.

use std::panic::{self, AssertUnwindSafe};

use ropus::{Application, Bitrate, Channels, DecodeMode, InbandFec, Signal};

use crate::Rate;
use crate::codec::{BadPayload, MAX_FRAME_BYTES, MAX_PACKET_SAMPLES};

/// What speech of 16 kHz needs (RFC 6716 section 2.1.1 names 16 to 20 kbit/s), and the copies beside it.
const BITRATE: u32 = 28_000;
/// Of 0 to 10, for what is coded while it is said: 0 and 1 take as long, and leave out high tones to have room for copies.
const LIVE: u8 = 2;
/// For what is coded once. Beyond this one the ear hears little for twice the work.
const PREPARED: u8 = 5;
/// The loss that redundancy is laid out for, in percent.
const EXPECTED_LOSS: u8 = 10;

/// Frames of nothing at all after which the next ones are coded as the last one was: until then the state has come to rest, and what is
/// repeated for lossy lines is nothing too.
const SETTLED: u32 = 10;

/// One direction's state.
pub(crate) struct Encoder {
    encoder: ropus::Encoder,
    /// Frames of nothing at all, one after the other up to now.
    empty: u32,
    /// What the last of them became.
    silence: [u8; MAX_FRAME_BYTES],
    silence_bytes: usize,
}

impl Encoder {
    /// For what is said as it is coded.
    pub(crate) fn live(redundant: bool) -> Self {
        Self::new(redundant, LIVE)
    }

    /// For what is coded once and heard often, by peers of whom some lose packets.
    pub(crate) fn prepared() -> Self {
        Self::new(true, PREPARED)
    }

    fn new(redundant: bool, complexity: u8) -> Self {
        let (fec, loss) = if redundant {
            (InbandFec::Enabled, EXPECTED_LOSS)
        } else {
            (InbandFec::Disabled, 0)
        };
        let encoder = ropus::Encoder::builder(Rate::Wide.hz(), Channels::Mono, Application::Voip)
            .bitrate(Bitrate::Bits(BITRATE))
            .complexity(complexity)
            .signal(Signal::Voice)
            .inband_fec(fec)
            .packet_loss_perc(loss)
            .build();
        Self {
            encoder: encoder.expect("these settings are all valid"),
            empty: 0,
            silence: [0; MAX_FRAME_BYTES],
            silence_bytes: 0,
        }
    }

    /// Codes 20 ms. Who is silent for long costs nothing.
    pub(crate) fn encode(&mut self, frame: &[i16], payload: &mut [u8; MAX_FRAME_BYTES]) -> usize {
        let is_empty = frame.iter().all(|sample| *sample == 0);
        if is_empty && self.empty >= SETTLED {
            *payload = self.silence;
            return self.silence_bytes;
        }
        let length = self
            .encoder
            .encode(frame, payload)
            .expect("a frame of 20 ms fits into 160 bytes");
        self.empty = if is_empty { self.empty + 1 } else { 0 };
        self.silence = *payload;
        self.silence_bytes = length;
        length
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
