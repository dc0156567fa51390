//! Audio of calls, mono, 16 bits, in frames of 20 ms: codecs and what bridges their gaps, resampling, decoding of files, prompts,
//! tones, WAV files, recordings, conferences, who answered, recorded phrases. Without another rate in its name, everything is at
//! 8 kHz.

mod answering_machine;
mod bridge;
pub mod codec;
mod comfort_noise;
mod concealment;
mod conference_beep;
mod decode;
mod dtmf_detector;
mod dtmf_tone;
mod g711;
mod g722;
mod mixer;
#[cfg(feature = "opus")]
mod opus;
mod phrases;
mod prompt;
mod rate;
mod rate_converter;
mod recording;
mod resample;
mod ring_tone;
mod saturation;
#[cfg(test)]
mod synthetic;
#[cfg(test)]
mod testing;
pub mod tone;
mod tone_run;
mod voice_activity;
mod wait_music;
mod wav;
mod wav_file;

pub use answering_machine::{
    AnsweredBy, MachineDetection, MachineDetectionOptions, MachineDetectionRange, MachineDetector,
};
pub use bridge::{BridgeSide, BridgeWay, bridge_way};
pub use codec::{Codec, Decoder, Encoder};
pub use comfort_noise::ComfortNoise;
pub use conference_beep::ConferenceBeep;
pub use decode::{DecodeLimits, MediaError, decode, decode_at, decode_from};
pub use dtmf_detector::DtmfDetector;
pub use dtmf_tone::DtmfTone;
pub use g711::Law;
pub use mixer::{ConferenceFull, Mixer, Seat, Talk};
pub use phrases::{PhraseError, PhraseRules, PhraseRulesError, PhraseSet, Spoken};
pub use prompt::{Prompt, PromptWriter};
pub use rate::Rate;
pub use rate_converter::RateConverter;
pub use recording::{
    PauseBehavior, Recorded, RecordedBlock, Recorder, RecordingChannels, RecordingEnd,
    RecordingOptions, RecordingTracks,
};
pub use resample::{MAX_RATE_HZ, MIN_RATE_HZ, Resampler};
pub use ring_tone::RingTone;
pub use voice_activity::{SILENCE_DBOV, VoiceActivity, level_dbov};
pub use wait_music::{WAIT_MUSIC_RATE, wait_music};
pub use wav::WavWriter;
pub use wav_file::{
    WavEncoding, WavEnd, WavFile, WavFormat, WavFull, WavHeader, WavRepairError, repair_wav,
};

/// The rate of everything here that has no other rate in its name.
pub const RATE_HZ: u32 = 8_000;

/// The length of a frame.
pub const FRAME_MS: u32 = 20;

/// Samples in a frame at 8 kHz; bytes of G.711 too.
pub const SAMPLES_8K: usize = 160;

/// A sample of -1 to 1 as 16 bits; louder ones are clipped.
fn to_i16(sample: f32) -> i16 {
    (sample * 32_768.0).round() as i16 // `as` saturates
}
