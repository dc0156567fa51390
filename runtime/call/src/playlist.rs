//! What a call plays, in order, though prompts become ready out of order.

use std::collections::VecDeque;
use std::sync::Arc;

use media::Prompt;

use crate::{MediaCommand, PlaybackId};

/// The most playbacks that may wait at a time in one call.
pub(crate) const MAX_QUEUED: usize = 100;

/// From here on playbacks are the call's own sounds, of which the story knows nothing.
const FIRST_SOUND: u32 = 1 << 31;

/// The playbacks of one call that are not over.
///
/// An entry waits for its prompt, then for those before it, then it is with the media leg, which plays what it was
/// given without a gap.
#[derive(Debug, Default)]
pub(crate) struct Playlist {
    entries: VecDeque<Entry>,
    last_id: u32,
    /// Counts from [`FIRST_SOUND`] on.
    last_sound: u32,
}

#[derive(Debug)]
struct Entry {
    id: PlaybackId,
    loops: u32,
    prompt: Stage,
}

#[derive(Debug)]
enum Stage {
    Fetching,
    Ready(Arc<Prompt>),
    Keys(Arc<str>),
    Playing,
}

/// What stopping a playback came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Stopped {
    /// It was not playing: it is off the list.
    Removed,
    /// The leg has it: tell it to stop, and it reports the end.
    Playing,
    /// No such playback.
    Unknown,
}

impl Playlist {
    /// Queues a prompt that is to be fetched; none when the list is full.
    pub(crate) fn push(&mut self, loops: u32) -> Option<PlaybackId> {
        self.push_entry(loops, Stage::Fetching)
    }

    /// Queues keys; none when the list is full. [`Self::next_ready`] tells when their turn has come.
    pub(crate) fn push_keys(&mut self, keys: &str) -> Option<PlaybackId> {
        self.push_entry(1, Stage::Keys(keys.into()))
    }

    /// Queues a sound of the call's own that is to be fetched.
    pub(crate) fn push_sound(&mut self, loops: u32) -> PlaybackId {
        self.last_sound = self.last_sound.max(FIRST_SOUND) + 1;
        let id = PlaybackId(self.last_sound);
        let prompt = Stage::Fetching;
        self.entries.push_back(Entry { id, loops, prompt });
        id
    }

    /// Whether the playback is a sound of the call's own.
    pub(crate) fn is_sound(id: PlaybackId) -> bool {
        id.0 > FIRST_SOUND
    }

    /// Nothing plays or waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn push_entry(&mut self, loops: u32, prompt: Stage) -> Option<PlaybackId> {
        if self.entries.len() >= MAX_QUEUED {
            return None;
        }
        self.last_id += 1;
        let id = PlaybackId(self.last_id);
        self.entries.push_back(Entry { id, loops, prompt });
        Some(id)
    }

    /// A prompt is ready; [`Self::next_ready`] tells when its turn has come.
    pub(crate) fn fetched(&mut self, id: PlaybackId, prompt: Arc<Prompt>) {
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.id == id) {
            entry.prompt = Stage::Ready(prompt);
        }
    }

    /// The next playback that is ready and whose turn it is.
    pub(crate) fn next_ready(&mut self) -> Option<MediaCommand> {
        let entry = self
            .entries
            .iter_mut()
            .find(|entry| !matches!(entry.prompt, Stage::Playing))?;
        match std::mem::replace(&mut entry.prompt, Stage::Playing) {
            Stage::Ready(prompt) => Some(MediaCommand::Play {
                id: entry.id,
                prompt,
                loops: entry.loops,
            }),
            Stage::Keys(keys) => Some(MediaCommand::Press { id: entry.id, keys }),
            other => {
                entry.prompt = other;
                None
            }
        }
    }

    /// Takes a playback that is over off the list; false when it was not on it.
    pub(crate) fn remove(&mut self, id: PlaybackId) -> bool {
        let before = self.entries.len();
        self.entries.retain(|entry| entry.id != id);
        self.entries.len() < before
    }

    /// Stops one playback.
    pub(crate) fn stop(&mut self, id: PlaybackId) -> Stopped {
        match self.entries.iter().find(|entry| entry.id == id) {
            None => Stopped::Unknown,
            Some(entry) if matches!(entry.prompt, Stage::Playing) => Stopped::Playing,
            Some(_) => {
                self.remove(id);
                Stopped::Removed
            }
        }
    }

    /// Empties the list; gives what the leg must be told.
    pub(crate) fn stop_all(&mut self) -> impl Iterator<Item = MediaCommand> + use<> {
        std::mem::take(&mut self.entries)
            .into_iter()
            .filter(|entry| matches!(entry.prompt, Stage::Playing))
            .map(|entry| MediaCommand::Stop(entry.id))
    }

    /// Empties the list: nothing more is to be heard.
    pub(crate) fn clear(&mut self) {
        self.entries.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prompt() -> Arc<Prompt> {
        Arc::new(Prompt::from_pcm(&[0; 160]))
    }

    fn ready(list: &mut Playlist) -> Vec<u32> {
        std::iter::from_fn(|| list.next_ready())
            .map(|command| match command {
                MediaCommand::Play { id, .. } | MediaCommand::Press { id, .. } => id.0,
                other => panic!("{other:?}"),
            })
            .collect()
    }

    #[test]
    fn prompts_are_heard_in_the_order_asked_for() {
        let mut list = Playlist::default();
        let ids: Vec<_> = (0..3).filter_map(|_| list.push(1)).collect();
        list.fetched(ids[1], prompt());
        assert_eq!(ready(&mut list), [0; 0], "the first is not there yet");
        list.fetched(ids[0], prompt());
        assert_eq!(ready(&mut list), [1, 2]);
        assert!(list.remove(ids[0]));
        list.fetched(ids[2], prompt());
        assert_eq!(ready(&mut list), [3]);
    }

    #[test]
    fn a_failed_fetch_lets_the_next_one_through() {
        let mut list = Playlist::default();
        let (first, second) = (list.push(1).unwrap(), list.push(1).unwrap());
        list.fetched(second, prompt());
        assert!(list.remove(first));
        assert_eq!(ready(&mut list), [2]);
        assert!(!list.remove(first), "it is gone");
    }

    #[test]
    fn stopping_tells_whether_the_leg_has_it() {
        let mut list = Playlist::default();
        let (first, second) = (list.push(1).unwrap(), list.push(1).unwrap());
        list.fetched(first, prompt());
        assert_eq!(ready(&mut list), [1]);
        assert_eq!(list.stop(first), Stopped::Playing);
        assert_eq!(list.stop(second), Stopped::Removed);
        assert_eq!(list.stop(second), Stopped::Unknown);
    }

    #[test]
    fn the_list_is_bounded() {
        let mut list = Playlist::default();
        assert_eq!(
            (0..=MAX_QUEUED).filter_map(|_| list.push(1)).count(),
            MAX_QUEUED
        );
    }
}
