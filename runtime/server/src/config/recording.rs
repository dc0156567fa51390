//! What may be recorded and kept.

use anyhow::bail;
use serde::Deserialize;
use store::Secret;
use url::Url;

/// A day: what Twilio records at most.
const LONGEST_S: u64 = 86_400;
const PART_KIB: usize = 8 << 10;
/// From what serves tests to what one would hold in memory.
const PARTS_KIB: std::ops::RangeInclusive<usize> = 16..=256 << 10;

/// Bounds of recordings, and where they are kept: in `recordings` of the data folder, or in a bucket once they are complete.
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
    /// The bucket of an S3-compatible store. None: the data folder.
    pub(crate) s3_bucket: Option<String>,
    /// Where the store is reached; none: Amazon's.
    pub(crate) s3_endpoint: Option<String>,
    pub(crate) s3_region: String,
    pub(crate) s3_access_key_id: String,
    pub(crate) s3_secret_access_key: Secret,
    /// A folder of the bucket; empty for none.
    pub(crate) s3_prefix: String,
    /// KiB of a file that are sent at a time; what is longer goes in parts. Amazon's S3 takes no less than 5,120.
    pub(crate) s3_part_kib: usize,
}

impl Default for Recording {
    fn default() -> Self {
        Self {
            max_per_account: 100,
            max_length_s: 4 * 3_600,
            max_mib_per_account: 0,
            mp3_encoder: "lame".to_owned(),
            s3_bucket: None,
            s3_endpoint: None,
            s3_region: "us-east-1".to_owned(),
            s3_access_key_id: String::new(),
            s3_secret_access_key: Secret::new(String::new()),
            s3_prefix: String::new(),
            s3_part_kib: PART_KIB,
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
        self.check_bucket()
    }

    fn check_bucket(&self) -> anyhow::Result<()> {
        let secret = self.s3_secret_access_key.expose();
        let Some(bucket) = &self.s3_bucket else {
            let said = !self.s3_access_key_id.is_empty() || !secret.is_empty();
            let is_usual = self.s3_prefix.is_empty() && self.s3_part_kib == PART_KIB;
            if said || self.s3_endpoint.is_some() || !is_usual {
                bail!(
                    "recording.s3_bucket is missing: without it nothing else of recording.s3_… has an effect"
                );
            }
            return Ok(());
        };
        let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c);
        if !(3..=63).contains(&bucket.len()) || !bucket.chars().all(is_name) {
            bail!(
                "recording.s3_bucket is {bucket:?}: give the name of a bucket, 3 to 63 of a-z, 0-9, `-` and `.`"
            );
        }
        if self.s3_access_key_id.is_empty() || secret.is_empty() {
            bail!(
                "recording.s3_access_key_id and recording.s3_secret_access_key are required with recording.s3_bucket"
            );
        }
        let part = self.s3_part_kib;
        if !PARTS_KIB.contains(&part) {
            bail!("recording.s3_part_kib is {part}: give 16 to 262,144");
        }
        if let Some(endpoint) = &self.s3_endpoint {
            let url = Url::parse(endpoint).ok();
            if !url.is_some_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host()) {
                bail!("recording.s3_endpoint is {endpoint:?}: give an http:// or https:// URL");
            }
        }
        if self.max_mib_per_account > 0 {
            bail!(
                "recording.max_mib_per_account counts the data folder, and recording.s3_bucket empties it: give one of them"
            );
        }
        Ok(())
    }
}
