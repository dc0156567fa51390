//! Codecs, resampling, tones, WAV and prompts, in 20 ms frames.
