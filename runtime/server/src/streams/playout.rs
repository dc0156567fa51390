//! What the far end has to say and was not yet said.

use std::collections::VecDeque;

use crossbeam_queue::ArrayQueue;

use crate::media_plane::{Codes, PIECES, Piece};

/// Audio that may wait: 5 minutes. What comes beyond is dropped.
const MAX_CODES: usize = 5 * 60 * 8_000;
/// Marks that may wait.
const MAX_MARKS: usize = 1_000;

/// Audio and marks in their order, ahead of the short queue that the leg takes them from.
#[derive(Debug, Default)]
pub(super) struct Playout {
    codes: VecDeque<u8>,
    /// Codes that were handed to the leg.
    handed: u64,
    /// Marks, each with the code that it stands before.
    marks: VecDeque<(u64, String)>,
    /// Marks that the leg has, by their numbers.
    handed_marks: VecDeque<(u32, String)>,
    last_mark: u32,
}

impl Playout {
    /// Takes audio in; returns how many codes found no room.
    pub(super) fn audio(&mut self, codes: &[u8]) -> usize {
        let room = MAX_CODES - self.codes.len();
        let taken = codes.len().min(room);
        self.codes.extend(&codes[..taken]);
        codes.len() - taken
    }

    /// Takes a mark in; false when too many wait.
    pub(super) fn mark(&mut self, name: String) -> bool {
        let waiting = self.marks.len() + self.handed_marks.len();
        if waiting >= MAX_MARKS {
            return false;
        }
        let place = self.handed + self.codes.len() as u64;
        self.marks.push_back((place, name));
        true
    }

    /// Fills the leg's queue.
    pub(super) fn feed(&mut self, pieces: &ArrayQueue<Piece>) {
        while pieces.len() < PIECES {
            let Some(piece) = self.next_piece() else {
                return;
            };
            // Nobody else fills the queue.
            let _ = pieces.push(piece);
        }
    }

    /// The leg has reached this mark; its name.
    pub(super) fn reached(&mut self, mark: u32) -> Option<String> {
        let place = self
            .handed_marks
            .iter()
            .position(|(number, _)| *number == mark)?;
        self.handed_marks.remove(place).map(|(_, name)| name)
    }

    /// Nothing of it is to be said any more; the names of the marks that wait, in order.
    pub(super) fn clear(&mut self, pieces: &ArrayQueue<Piece>) -> Vec<String> {
        while pieces.pop().is_some() {}
        self.handed += self.codes.len() as u64;
        self.codes = VecDeque::new();
        let handed = std::mem::take(&mut self.handed_marks);
        let waiting = std::mem::take(&mut self.marks);
        let handed = handed.into_iter().map(|(_, name)| name);
        handed
            .chain(waiting.into_iter().map(|(_, name)| name))
            .collect()
    }

    fn next_piece(&mut self) -> Option<Piece> {
        let until_mark = self.marks.front().map(|(place, _)| place - self.handed);
        if until_mark == Some(0) {
            let (_, name) = self.marks.pop_front()?;
            self.last_mark = self.last_mark.wrapping_add(1);
            self.handed_marks.push_back((self.last_mark, name));
            return Some(Piece::Mark(self.last_mark));
        }
        let mut codes: Codes = [0; _];
        let until_mark = until_mark.map_or(codes.len(), |codes| codes as usize);
        let length = self.codes.len().min(codes.len()).min(until_mark);
        if length == 0 {
            return None;
        }
        for (code, taken) in codes.iter_mut().zip(self.codes.drain(..length)) {
            *code = taken;
        }
        self.handed += length as u64;
        Some(Piece::Audio { codes, length })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(pieces: &ArrayQueue<Piece>) -> Vec<String> {
        std::iter::from_fn(|| pieces.pop())
            .map(|piece| match piece {
                Piece::Audio { codes, length } => format!("{length} of {}", codes[0]),
                Piece::Mark(number) => format!("mark {number}"),
            })
            .collect()
    }

    #[test]
    fn audio_and_marks_are_handed_over_in_their_order() {
        let (mut playout, pieces) = (Playout::default(), ArrayQueue::new(PIECES));
        assert!(playout.mark("first".to_owned()));
        playout.audio(&[1; 200]);
        assert!(playout.mark("second".to_owned()));
        playout.audio(&[2; 30]);
        playout.audio(&[2; 30]);
        playout.feed(&pieces);
        assert_eq!(
            words(&pieces),
            ["mark 1", "160 of 1", "40 of 1", "mark 2", "60 of 2"]
        );
        assert_eq!(playout.reached(2).as_deref(), Some("second"));
        assert_eq!(playout.reached(2), None);
        assert_eq!(playout.reached(1).as_deref(), Some("first"));
    }

    #[test]
    fn the_leg_is_given_little_at_a_time() {
        let (mut playout, pieces) = (Playout::default(), ArrayQueue::new(PIECES));
        playout.audio(&[1; 8_000]);
        playout.feed(&pieces);
        playout.feed(&pieces);
        assert_eq!((pieces.len(), playout.codes.len()), (PIECES, 6_400));
        pieces.pop();
        playout.feed(&pieces);
        assert_eq!(playout.codes.len(), 6_240);
    }

    #[test]
    fn clearing_returns_all_marks_and_leaves_nothing() {
        let (mut playout, pieces) = (Playout::default(), ArrayQueue::new(PIECES));
        for name in ["a", "b"] {
            playout.audio(&[1; 10]);
            playout.mark(name.to_owned());
        }
        playout.feed(&pieces);
        playout.audio(&[1; 4_000]);
        playout.mark("c".to_owned());
        assert_eq!(playout.clear(&pieces), ["a", "b", "c"]);
        playout.feed(&pieces);
        assert!(pieces.is_empty());
        playout.mark("d".to_owned());
        playout.feed(&pieces);
        assert_eq!(words(&pieces), ["mark 3"]);
        assert_eq!(playout.reached(3).as_deref(), Some("d"));
    }

    #[test]
    fn what_waits_is_bounded() {
        let mut playout = Playout::default();
        assert_eq!(playout.audio(&vec![0; MAX_CODES - 5]), 0);
        assert_eq!(playout.audio(&[0; 12]), 7);
        let taken = (0..MAX_MARKS + 3).filter(|_| playout.mark(String::new()));
        assert_eq!(taken.count(), MAX_MARKS);
    }
}
