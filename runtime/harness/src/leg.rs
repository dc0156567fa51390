//! The media side of the simulated leg: prompts that take their time, one after the other.

use std::collections::VecDeque;
use std::time::Duration;

use call::PlaybackId;

/// What a leg plays, in virtual time since the call's beginning.
#[derive(Debug, Default)]
pub(crate) struct Leg {
    /// The first one plays.
    playbacks: VecDeque<Playback>,
}

#[derive(Debug)]
struct Playback {
    id: PlaybackId,
    length: Duration,
    /// Set while it plays.
    ends_at: Option<Duration>,
}

impl Leg {
    pub(crate) fn play(&mut self, now: Duration, id: PlaybackId, length: Duration) {
        self.playbacks.push_back(Playback {
            id,
            length,
            ends_at: None,
        });
        self.start_first(now);
    }

    /// Takes one off, playing or not. False if it is not there.
    pub(crate) fn stop(&mut self, now: Duration, id: PlaybackId) -> bool {
        let before = self.playbacks.len();
        self.playbacks.retain(|playback| playback.id != id);
        self.start_first(now);
        self.playbacks.len() < before
    }

    pub(crate) fn silence(&mut self) {
        self.playbacks.clear();
    }

    /// When the one that plays is over.
    pub(crate) fn deadline(&self) -> Option<Duration> {
        self.playbacks.front().and_then(|playback| playback.ends_at)
    }

    /// The one that is over by now; the next one begins.
    pub(crate) fn ended(&mut self, now: Duration) -> Option<PlaybackId> {
        let over = self.deadline().is_some_and(|at| at <= now);
        let ended = over
            .then(|| self.playbacks.pop_front())
            .flatten()
            .map(|playback| playback.id);
        self.start_first(now);
        ended
    }

    fn start_first(&mut self, now: Duration) {
        if let Some(first) = self.playbacks.front_mut() {
            first.ends_at.get_or_insert(now + first.length);
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
    fn prompts_play_one_after_the_other() {
        let mut leg = Leg::default();
        leg.play(s(0), PlaybackId(1), s(2));
        leg.play(s(1), PlaybackId(2), s(3));
        leg.play(s(1), PlaybackId(3), s(4));
        assert_eq!(leg.deadline(), Some(s(2)));
        assert_eq!(leg.ended(s(1)), None);
        assert_eq!(leg.ended(s(2)), Some(PlaybackId(1)));
        assert_eq!(leg.deadline(), Some(s(5)));
        assert!(leg.stop(s(3), PlaybackId(2)));
        assert!(!leg.stop(s(3), PlaybackId(2)));
        assert_eq!(leg.deadline(), Some(s(7)));
        leg.silence();
        assert_eq!(leg.deadline(), None);
    }
}
