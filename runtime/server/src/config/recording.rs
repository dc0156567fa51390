//! What may be recorded and kept.

use anyhow::bail;
use serde::Deserialize;

/// A day: what Twilio records at most.
const LONGEST_S: u64 = 86_400;

/// Bounds of recordings. The files lie in `recordings` of the data folder.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Recording {
    /// Recordings of one account at a time.
    pub(crate) max_per_account: u32,
    /// Seconds of one recording; it ends then.
    pub(crate) max_length_s: u64,
    /// MiB of recordings that one account may keep; 0: as many as there is room for.
    pub(crate) max_mib_per_account: u64,
    /// The program that makes MP3 of WAV, called as `lame` is. Empty for none.
    pub(crate) mp3_encoder: String,
}

impl Default for Recording {
    fn default() -> Self {
        Self {
            max_per_account: 100,
            max_length_s: 4 * 3_600,
            max_mib_per_account: 0,
            mp3_encoder: "lame".to_owned(),
        }
    }
}

impl Recording {
    /// None: as many as there is room for.
    pub(crate) fn max_bytes_per_account(&self) -> Option<u64> {
        let mib = self.max_mib_per_account;
        (mib > 0).then(|| mib.saturating_mul(1 << 20))
    }

    pub(super) fn check(&self) -> anyhow::Result<()> {
        let length_s = self.max_length_s;
        if !(1..=LONGEST_S).contains(&length_s) {
            bail!("recording.max_length_s is {length_s}: give 1 to 86,400");
        }
        Ok(())
    }
}
