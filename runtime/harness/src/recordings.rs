//! Recordings of the simulated leg: what the caller says fills them, in virtual time.

use std::time::Duration;

use call::{
    PauseBehavior, Recording, RecordingEnd, RecordingId, RecordingOptions, RecordingOrder,
    RecordingSid,
};

/// The beep before a recording.
const BEEP: Duration = Duration::from_millis(500);
/// What a trimmed recording keeps of the silence on either side.
const MARGIN: Duration = Duration::from_millis(200);

/// The recordings that go on, and when the caller speaks; times are since the call's beginning.
#[derive(Debug, Default)]
pub(crate) struct Recordings {
    going_on: Vec<Tape>,
    over: Vec<(RecordingSid, Duration)>,
    /// The caller speaks, or spoke last, from and until.
    voice: Option<(Duration, Duration)>,
}

#[derive(Debug)]
struct Tape {
    id: RecordingId,
    options: RecordingOptions,
    begins_at: Duration,
    /// Since when, and what that leaves.
    paused: Option<(Duration, PauseBehavior)>,
    /// Time that was left out.
    skipped: Duration,
    first_voice: Option<Duration>,
    last_voice: Duration,
}

impl Recordings {
    pub(crate) fn start(&mut self, now: Duration, id: RecordingId, options: RecordingOptions) {
        let begins_at = if options.beep { now + BEEP } else { now };
        let mut tape = Tape {
            id,
            options,
            begins_at,
            paused: None,
            skipped: Duration::ZERO,
            first_voice: None,
            last_voice: begins_at,
        };
        if let Some((from, until)) = self.voice {
            tape.hear(from, until);
        }
        self.going_on.push(tape);
    }

    /// The caller speaks for so long.
    pub(crate) fn speak(&mut self, now: Duration, length: Duration) {
        self.voice = Some((now, now + length));
        for tape in &mut self.going_on {
            tape.hear(now, now + length);
        }
    }

    /// Ends a recording or two by a key. False where the key ends none: it is a digit then.
    pub(crate) fn press(&mut self, now: Duration, key: char) -> Vec<(RecordingId, Recording)> {
        self.end_those(now, RecordingEnd::Key(key), |tape| {
            tape.options.finish_keys.contains(key)
        })
    }

    pub(crate) fn obey(
        &mut self,
        now: Duration,
        order: RecordingOrder,
    ) -> Option<(RecordingId, Recording)> {
        match order {
            RecordingOrder::Stop(id, end) => {
                return self.end_those(now, end, |tape| tape.id == id).pop();
            }
            RecordingOrder::Pause(id, behavior) => {
                if let Some(tape) = self.tape(id) {
                    tape.resume(now);
                    tape.paused = Some((now, behavior));
                }
            }
            RecordingOrder::Resume(id) => {
                if let Some(tape) = self.tape(id) {
                    tape.resume(now);
                }
            }
        }
        None
    }

    /// When the next one ends by itself.
    pub(crate) fn deadline(&self) -> Option<Duration> {
        let ends = self.going_on.iter().filter_map(Tape::ends_at);
        ends.map(|(at, _)| at).min()
    }

    /// One that has ended by now.
    pub(crate) fn ended(&mut self, now: Duration) -> Option<(RecordingId, Recording)> {
        let (id, end) = self.going_on.iter().find_map(|tape| {
            let (at, end) = tape.ends_at()?;
            (at <= now).then_some((tape.id, end))
        })?;
        self.end_those(now, end, |tape| tape.id == id).pop()
    }

    fn tape(&mut self, id: RecordingId) -> Option<&mut Tape> {
        self.going_on.iter_mut().find(|tape| tape.id == id)
    }

    fn end_those(
        &mut self,
        now: Duration,
        end: RecordingEnd,
        which: impl Fn(&Tape) -> bool,
    ) -> Vec<(RecordingId, Recording)> {
        let ended = self.going_on.extract_if(.., |tape| which(tape));
        let ended: Vec<(RecordingId, Recording)> =
            ended.map(|tape| (tape.id, tape.end(now, end))).collect();
        let audio = ended.iter().map(|(_, recording)| {
            let length = Duration::from_millis(recording.duration_ms);
            (recording.sid, length)
        });
        self.over.extend(audio);
        ended
    }

    /// How long the audio of a recording is that has ended; none where it has none.
    pub(crate) fn audio_of(&self, sid: RecordingSid) -> Option<Duration> {
        let found = self.over.iter().find(|(own, _)| *own == sid);
        found
            .map(|(_, length)| *length)
            .filter(|length| !length.is_zero())
    }
}

impl Tape {
    fn hear(&mut self, from: Duration, until: Duration) {
        if until > self.begins_at && self.paused.is_none() {
            self.first_voice
                .get_or_insert_with(|| from.max(self.begins_at));
            self.last_voice = until;
        }
    }

    fn resume(&mut self, now: Duration) {
        if let Some((since, behavior)) = self.paused.take() {
            if behavior == PauseBehavior::Skip {
                self.skipped += now - since;
            }
            self.last_voice = self.last_voice.max(now);
        }
    }

    /// When it ends by itself, and why.
    fn ends_at(&self) -> Option<(Duration, RecordingEnd)> {
        if self.paused.is_some() {
            return None;
        }
        let silent = self.options.silence_timeout.map(|timeout| {
            let quiet_since = self.last_voice.max(self.begins_at);
            (quiet_since + timeout, RecordingEnd::Silence)
        });
        let long = self.options.max_length.map(|length| {
            (
                self.begins_at + self.skipped + length,
                RecordingEnd::MaxLength,
            )
        });
        silent.into_iter().chain(long).min_by_key(|(at, _)| *at)
    }

    fn end(mut self, now: Duration, end: RecordingEnd) -> Recording {
        self.resume(now);
        let length = now.saturating_sub(self.begins_at + self.skipped);
        let kept = match (self.options.trim_silence, self.first_voice) {
            (false, _) => length,
            (true, None) => Duration::ZERO,
            (true, Some(first)) => {
                let from = first.saturating_sub(MARGIN).max(self.begins_at);
                (self.last_voice + MARGIN).min(now).saturating_sub(from)
            }
        };
        let sid = RecordingSid::from_bytes([u8::try_from(self.id.0).unwrap_or(u8::MAX); 16]);
        Recording {
            sid,
            url: format!("http://harness.invalid/Recordings/{sid}"),
            end: Ok(end),
            duration_ms: u64::try_from(kept.as_millis()).unwrap_or(u64::MAX),
            heard_voice: self.first_voice.is_some(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn silence_after_the_voice_ends_it() {
        let mut recordings = Recordings::default();
        recordings.start(s(1), RecordingId(1), RecordingOptions::of_verb());
        recordings.speak(s(3), s(4));
        assert_eq!(recordings.deadline(), Some(s(12)));
        assert_eq!(recordings.ended(s(11)), None);
        let (id, recording) = recordings.ended(s(12)).unwrap();
        assert_eq!(
            (id, recording.end),
            (RecordingId(1), Ok(RecordingEnd::Silence))
        );
        assert_eq!(
            (recording.duration_ms, recording.heard_voice),
            (4_400, true)
        );
        assert_eq!(recordings.deadline(), None);
    }

    #[test]
    fn a_key_a_pause_and_a_length() {
        let mut recordings = Recordings::default();
        let options = RecordingOptions {
            beep: false,
            trim_silence: false,
            silence_timeout: None,
            max_length: Some(s(10)),
            finish_keys: "#".to_owned(),
            ..RecordingOptions::of_verb()
        };
        recordings.start(s(0), RecordingId(1), options);
        assert_eq!(recordings.press(s(1), '1'), []);
        recordings.obey(
            s(2),
            RecordingOrder::Pause(RecordingId(1), PauseBehavior::Skip),
        );
        assert_eq!(recordings.deadline(), None);
        recordings.obey(s(5), RecordingOrder::Resume(RecordingId(1)));
        assert_eq!(recordings.deadline(), Some(s(13)));
        let ended = recordings.press(s(6), '#');
        assert_eq!(ended[0].1.end, Ok(RecordingEnd::Key('#')));
        assert_eq!(ended[0].1.duration_ms, 3_000);
    }
}
