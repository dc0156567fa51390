//! The account's own audio, as far as a call's recordings become it.

use std::collections::BTreeMap;
use std::time::Duration;

use call::{AudioCommand, AudioError, AudioReply};

use crate::recordings::Recordings;

/// What was prepared and what was kept.
#[derive(Debug, Default)]
pub(crate) struct Audio {
    /// Names, and how long each is.
    prepared: Vec<(String, Duration)>,
    kept: BTreeMap<String, Duration>,
}

impl Audio {
    pub(crate) fn obey(
        &mut self,
        command: AudioCommand,
        recordings: &Recordings,
    ) -> Result<AudioReply, AudioError> {
        command.check()?;
        match command {
            AudioCommand::Prepare(sid) => {
                let audio = recordings.audio_of(sid).ok_or_else(|| {
                    let why =
                        format!("{sid} is no recording of this call that has ended with audio");
                    AudioError::Invalid(why)
                })?;
                let name = format!("prepared-{}.wav", self.prepared.len() + 1);
                self.prepared.push((name.clone(), audio));
                Ok(AudioReply::Prepared(name))
            }
            AudioCommand::Keep { prepared, name } => {
                let place = self.prepared.iter().position(|(own, _)| *own == prepared);
                let place = place.ok_or_else(|| {
                    let why = "that was not prepared in this call".to_owned();
                    AudioError::Invalid(why)
                })?;
                let audio = self.prepared[place].1;
                self.kept.insert(name, audio);
                Ok(AudioReply::Kept)
            }
        }
    }

    /// How long what was prepared last is.
    pub(crate) fn last_prepared(&self) -> Option<&(String, Duration)> {
        self.prepared.last()
    }

    /// What was kept, by its name; takes it away.
    pub(crate) fn take_kept(&mut self) -> BTreeMap<String, Duration> {
        std::mem::take(&mut self.kept)
    }
}

/// The first file, in the order of names, that is not as it must be; `expected` has all of them, in seconds.
pub(crate) fn difference(
    expected: &BTreeMap<String, f64>,
    kept: &BTreeMap<String, Duration>,
) -> Option<String> {
    let mut names: Vec<&String> = expected.keys().chain(kept.keys()).collect();
    names.sort_unstable();
    names.into_iter().find_map(|name| {
        let told = |seconds: Option<f64>| {
            seconds.map_or_else(|| "none".to_owned(), |seconds| format!("{seconds:.1} s"))
        };
        let wanted = told(expected.get(name).copied());
        let found = told(kept.get(name).map(Duration::as_secs_f64));
        let is_same = wanted == found;
        (!is_same).then(|| format!("the file {name}: expected {wanted}, but there was {found}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_has_to_be_as_long_as_written() {
        let kept = BTreeMap::from([("a.wav".to_owned(), Duration::from_millis(3_420))]);
        for (expected, told) in [
            (&[("a.wav", 3.4)][..], ""),
            (&[], "a.wav: expected none, but there was 3.4 s"),
            (&[("a.wav", 4.0)], "expected 4.0 s, but there was 3.4 s"),
            (
                &[("a.wav", 3.4), ("b.wav", 1.0)],
                "b.wav: expected 1.0 s, but there was none",
            ),
        ] {
            let expected = expected.iter().map(|(name, s)| ((*name).to_owned(), *s));
            let found = difference(&expected.collect(), &kept).unwrap_or_default();
            assert!(found.contains(told), "{found}");
            assert_eq!(found.is_empty(), told.is_empty());
        }
    }
}
