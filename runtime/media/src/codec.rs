//! The codecs of calls behind one interface: frames of 20 ms in and out of buffers that the caller has. An encoder and a decoder are
//! one direction's state each. Making one allocates; using one does not, but for Opus: its encoder does a hundred times a frame, its
//! decoder ten times.

use crate::concealment::Concealment;
use crate::g722;
#[cfg(feature = "opus")]
use crate::opus;
use crate::{Law, Rate};

/// Bytes that a coded frame of 20 ms has at most.
pub const MAX_FRAME_BYTES: usize = 160;

/// Samples that a packet holds at most: 120 ms of 16 kHz.
pub const MAX_PACKET_SAMPLES: usize = 1_920;

/// A codec.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Codec {
    /// G.711 µ-law.
    Pcmu,
    /// G.711 A-law.
    Pcma,
    /// G.722 at 64 kbit/s.
    G722,
    /// Opus (RFC 6716), mono. Only where [`Self::is_built_in`].
    Opus,
}

impl Codec {
    /// Every codec.
    pub const ALL: [Self; 4] = [Self::Pcmu, Self::Pcma, Self::G722, Self::Opus];

    /// Whether this build has the codec. All but Opus always are there; Opus is with the feature `opus`.
    #[must_use]
    pub const fn is_built_in(self) -> bool {
        !matches!(self, Self::Opus) || cfg!(feature = "opus")
    }

    /// The rate of the samples that go in and come out. Opus is spoken at 16 kHz whatever the peer sends: nothing in a call has more.
    #[must_use]
    pub const fn rate(self) -> Rate {
        match self {
            Self::Pcmu | Self::Pcma => Rate::Narrow,
            Self::G722 | Self::Opus => Rate::Wide,
        }
    }

    /// How far the RTP timestamp moves in 20 ms: 160, but for Opus 960 (RFC 7587 section 4.1). G.722 counts 8,000 a second although it
    /// has 16,000 samples (RFC 3551 section 4.5.2).
    #[must_use]
    pub const fn timestamps_a_frame(self) -> u32 {
        match self {
            Self::Pcmu | Self::Pcma | Self::G722 => 160,
            Self::Opus => 960,
        }
    }

    /// The law, where this is G.711.
    #[must_use]
    pub const fn law(self) -> Option<Law> {
        match self {
            Self::Pcmu => Some(Law::Mu),
            Self::Pcma => Some(Law::A),
            Self::G722 | Self::Opus => None,
        }
    }
}

impl From<Law> for Codec {
    fn from(law: Law) -> Self {
        match law {
            Law::Mu => Self::Pcmu,
            Law::A => Self::Pcma,
        }
    }
}

/// The codec is not in this build.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not in this build: build it with the feature `opus`")]
pub struct NotBuiltIn(pub Codec);

/// A payload that gives no audio.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a payload of the codec")]
pub struct BadPayload;

/// Samples to payloads, one direction of one leg.
pub struct Encoder(Encoding);

enum Encoding {
    G711(Law),
    G722(Box<g722::Encoder>),
    #[cfg(feature = "opus")]
    Opus(Box<opus::Encoder>),
}

impl Encoder {
    /// An encoder that has heard nothing. `redundant`: Opus repeats each frame's gist in the next packet, for peers that lose some
    /// (in-band FEC); the other codecs cannot.
    ///
    /// # Errors
    /// If the codec is not in this build.
    pub fn new(codec: Codec, redundant: bool) -> Result<Self, NotBuiltIn> {
        Ok(Self(match codec {
            Codec::Pcmu => Encoding::G711(Law::Mu),
            Codec::Pcma => Encoding::G711(Law::A),
            Codec::G722 => Encoding::G722(Box::new(g722::Encoder::new())),
            #[cfg(feature = "opus")]
            Codec::Opus => Encoding::Opus(Box::new(opus::Encoder::live(redundant))),
            #[cfg(not(feature = "opus"))]
            Codec::Opus => {
                let _ = redundant;
                return Err(NotBuiltIn(codec));
            }
        }))
    }

    /// An encoder of prompts, which may take its time: Opus takes twice as long, and is redundant.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn prepared(codec: Codec) -> Result<Self, NotBuiltIn> {
        #[cfg(feature = "opus")]
        if codec == Codec::Opus {
            let encoder = Box::new(opus::Encoder::prepared());
            return Ok(Self(Encoding::Opus(encoder)));
        }
        Self::new(codec, false)
    }

    /// Codes a frame: 20 ms at the codec's rate. Returns the payload's length: 160 bytes, of Opus fewer.
    ///
    /// # Panics
    /// If the frame has another length.
    pub fn encode(&mut self, frame: &[i16], payload: &mut [u8; MAX_FRAME_BYTES]) -> usize {
        assert_eq!(frame.len(), self.codec().rate().frame_samples(), "20 ms");
        match &mut self.0 {
            Encoding::G711(law) => {
                for (code, sample) in payload.iter_mut().zip(frame) {
                    *code = law.encode(*sample);
                }
                MAX_FRAME_BYTES
            }
            Encoding::G722(encoder) => {
                encoder.encode(frame, payload);
                MAX_FRAME_BYTES
            }
            #[cfg(feature = "opus")]
            Encoding::Opus(encoder) => encoder.encode(frame, payload),
        }
    }

    /// Which codec it is.
    #[must_use]
    pub fn codec(&self) -> Codec {
        match &self.0 {
            Encoding::G711(law) => (*law).into(),
            Encoding::G722(_) => Codec::G722,
            #[cfg(feature = "opus")]
            Encoding::Opus(_) => Codec::Opus,
        }
    }
}

/// Payloads to samples, one direction of one leg.
pub struct Decoder(Decoding);

enum Decoding {
    G711(Law, Concealment),
    G722(Box<g722::Decoder>, Concealment),
    #[cfg(feature = "opus")]
    Opus(Box<opus::Decoder>),
}

impl Decoder {
    /// A decoder that has heard nothing.
    ///
    /// # Errors
    /// If the codec is not in this build.
    pub fn new(codec: Codec) -> Result<Self, NotBuiltIn> {
        let concealment = || Concealment::new(codec.rate());
        Ok(Self(match codec {
            Codec::Pcmu => Decoding::G711(Law::Mu, concealment()),
            Codec::Pcma => Decoding::G711(Law::A, concealment()),
            Codec::G722 => Decoding::G722(Box::new(g722::Decoder::new()), concealment()),
            #[cfg(feature = "opus")]
            Codec::Opus => Decoding::Opus(Box::new(opus::Decoder::new())),
            #[cfg(not(feature = "opus"))]
            Codec::Opus => return Err(NotBuiltIn(codec)),
        }))
    }

    /// Decodes a payload of any length up to 120 ms, in the order of the packets. Returns the number of samples, which are the first of
    /// `samples`.
    ///
    /// # Errors
    /// If it is empty, longer than that, or not what the codec makes: the packet is as good as lost.
    pub fn decode(
        &mut self,
        payload: &[u8],
        samples: &mut [i16; MAX_PACKET_SAMPLES],
    ) -> Result<usize, BadPayload> {
        if payload.is_empty() {
            return Err(BadPayload);
        }
        match &mut self.0 {
            Decoding::G711(law, concealment) => {
                let samples = samples.get_mut(..payload.len()).ok_or(BadPayload)?;
                for (sample, code) in samples.iter_mut().zip(payload) {
                    *sample = law.decode(*code);
                }
                concealment.heard(samples);
                Ok(samples.len())
            }
            Decoding::G722(decoder, concealment) => {
                let samples = samples.get_mut(..2 * payload.len()).ok_or(BadPayload)?;
                decoder.decode(payload, samples);
                concealment.heard(samples);
                Ok(samples.len())
            }
            #[cfg(feature = "opus")]
            Decoding::Opus(decoder) => decoder.decode(payload, samples),
        }
    }

    /// Fills a gap in what came with something like it, fading to silence within 60 ms: G.711 Appendix I for the waveform codecs, Opus
    /// its own way. `samples` is as long as what was lost, a multiple of 10 ms up to 60 ms. `next` is the payload of the packet that
    /// follows, if it is there already: Opus may have a copy of what was lost in it.
    pub fn conceal(&mut self, next: Option<&[u8]>, samples: &mut [i16]) {
        match &mut self.0 {
            Decoding::G711(_, concealment) | Decoding::G722(_, concealment) => {
                concealment.conceal(samples);
            }
            #[cfg(feature = "opus")]
            Decoding::Opus(decoder) => decoder.conceal(next, samples),
        }
        #[cfg(not(feature = "opus"))]
        let _ = next;
    }

    /// Which codec it is.
    #[must_use]
    pub fn codec(&self) -> Codec {
        match &self.0 {
            Decoding::G711(law, _) => (*law).into(),
            Decoding::G722(..) => Codec::G722,
            #[cfg(feature = "opus")]
            Decoding::Opus(_) => Codec::Opus,
        }
    }
}

impl std::fmt::Debug for Encoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Encoder").field(&self.codec()).finish()
    }
}

impl std::fmt::Debug for Decoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Decoder").field(&self.codec()).finish()
    }
}

#[cfg(test)]
mod tests;
