//! Recordings of a rehearsal: the caller speaks to each for a while, then is silent.

use std::time::Duration;

use super::stage::Stage;
use crate::{CallError, Event, Recorded, RecordingEnd, RecordingId, RecordingOptions};

/// One recording, until its end was told.
pub(super) struct Recording {
    id: RecordingId,
    options: RecordingOptions,
    began: Duration,
    voice: Duration,
    /// When and how it ended.
    ended: Option<(Duration, RecordingEnd)>,
}

impl Recording {
    /// When it ends by itself, and why.
    fn end(&self) -> Option<(Duration, RecordingEnd)> {
        let after = |ms: u32| self.began + Duration::from_millis(ms.into());
        let silent = self.options.silence_timeout_ms;
        let silent = silent.map(|ms| (after(ms) + self.voice, RecordingEnd::Silence));
        let long = self.options.max_length_ms;
        let long = long.map(|ms| (after(ms), RecordingEnd::MaxLength));
        silent.into_iter().chain(long).min_by_key(|(at, _)| *at)
    }

    /// How it has ended by itself until now.
    pub(super) fn ended_by(&self, now: Duration) -> Option<RecordingEnd> {
        self.end().filter(|(at, _)| *at <= now).map(|(_, end)| end)
    }

    fn recorded(&self, at: Duration, end: RecordingEnd) -> Recorded {
        let length = at.saturating_sub(self.began);
        let kept = match self.options.trim_silence {
            true => length.min(self.voice),
            false => length,
        };
        let sid = format!("RE{:032x}", self.id);
        Recorded {
            end,
            url: format!("http://host.example/Recordings/{sid}"),
            sid,
            duration_ms: u64::try_from(kept.as_millis()).unwrap_or(u64::MAX),
            heard_voice: !length.min(self.voice).is_zero(),
        }
    }
}

impl Stage {
    pub(super) fn record(&mut self, options: RecordingOptions) -> Result<RecordingId, CallError> {
        self.up()?;
        if !self.answered {
            return Err(CallError::NotAnswered);
        }
        self.note("record");
        self.recordings_begun += 1;
        let id = self.recordings_begun;
        self.recordings.push(Recording {
            id,
            options,
            began: self.now,
            voice: self.voice,
            ended: None,
        });
        Ok(id)
    }

    /// Notes what is done to a recording, if it goes on.
    pub(super) fn deal_with_recording(
        &mut self,
        id: RecordingId,
        deed: &str,
    ) -> Result<(), CallError> {
        self.up()?;
        let goes_on = |other: &Recording| other.id == id && other.ended.is_none();
        if !self.recordings.iter().any(goes_on) {
            return Err(CallError::UnknownId);
        }
        self.note(deed);
        Ok(())
    }

    pub(super) fn end_recording(&mut self, id: RecordingId, end: RecordingEnd) {
        self.end_recordings(|recording| (recording.id == id).then_some(end.clone()));
    }

    /// Ends those that go on and for which there is a reason.
    pub(super) fn end_recordings(&mut self, why: impl Fn(&Recording) -> Option<RecordingEnd>) {
        let now = self.now;
        for recording in &mut self.recordings {
            if recording.ended.is_none() {
                recording.ended = why(recording).map(|end| (now, end));
            }
        }
    }

    /// Whether this key was for a recording.
    pub(super) fn ends_a_recording(&mut self, key: char) -> bool {
        self.end_recordings(|recording| {
            let ends = recording.options.finish_keys.contains(key);
            ends.then_some(RecordingEnd::Key(key))
        });
        self.recordings
            .iter()
            .any(|recording| recording.ended.is_some())
    }

    /// How long it is until one ends by itself.
    pub(super) fn next_recording_end(&self) -> Option<Duration> {
        let ends = self.recordings.iter().filter_map(Recording::end);
        ends.map(|(at, _)| at.saturating_sub(self.now)).min()
    }

    /// The news of one that has ended.
    pub(super) fn take_recorded(&mut self) -> Option<Event> {
        let place = self.recordings.iter().position(|it| it.ended.is_some())?;
        let recording = self.recordings.remove(place);
        let (at, end) = recording.ended.clone()?;
        Some(Event::RecordingEnded((
            recording.id,
            recording.recorded(at, end),
        )))
    }
}
