//! Whose recipients are decided about next.

use std::collections::BTreeMap;

use call::{AccountSid, BroadcastSid};

/// An account's recipients are decided about for one of its broadcasts at a time; its broadcasts take turns, so that a large one holds up no other.
#[derive(Debug, Default)]
pub(super) struct Turns {
    /// One entry for each account that ever had a broadcast decided about.
    last: BTreeMap<AccountSid, BroadcastSid>,
}

impl Turns {
    /// Of each account's broadcasts that ask, the first behind the one whose turn was last.
    pub(super) fn next(
        &mut self,
        mut asking: Vec<(AccountSid, BroadcastSid)>,
    ) -> Vec<BroadcastSid> {
        asking.sort_unstable();
        let mut chosen = BTreeMap::new();
        for (account, broadcast) in asking {
            let before = self.last.get(&account);
            let is_behind = before.is_some_and(|before| broadcast > *before);
            match chosen.get(&account) {
                // The first that asks stands until one comes that is behind.
                Some(other) if !is_behind || before.is_some_and(|before| other > before) => {}
                _ => drop(chosen.insert(account, broadcast)),
            }
        }
        self.last.extend(&chosen);
        chosen.into_values().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broadcasts_of_one_account_take_turns() {
        let account = |byte| AccountSid::from_bytes([byte; 16]);
        let broadcast = |byte| BroadcastSid::from_bytes([byte; 16]);
        let mut turns = Turns::default();
        let mut next = |asking: &[(u8, u8)]| {
            let asking = asking
                .iter()
                .map(|(of, sid)| (account(*of), broadcast(*sid)));
            let next = turns.next(asking.collect());
            next.iter().map(|sid| sid.as_bytes()[0]).collect::<Vec<_>>()
        };
        let all = [(1, 5), (1, 3), (1, 4), (2, 9)];
        assert_eq!(next(&all), [3, 9]);
        assert_eq!(next(&[]), [0; 0], "they are busy");
        assert_eq!(next(&all), [4, 9]);
        assert_eq!(next(&all), [5, 9]);
        assert_eq!(next(&all), [3, 9], "round and round");
        assert_eq!(next(&[(1, 3), (1, 5)]), [5], "one of them is over");
        assert_eq!(next(&[(1, 3)]), [3], "alone");
        assert_eq!(next(&[(1, 3)]), [3]);
    }
}
