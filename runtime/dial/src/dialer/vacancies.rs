//! Which calls would find a place in the lines, asked before they are accepted.

use std::collections::BTreeMap;

use call::AccountSid;
use store::TrunkId;

use super::routes::Way;
use super::{CallRequest, Dialer};
use crate::line::Part;

/// Places for calls that are about to be accepted.
///
/// A line has as many places for one account as it has channels: whoever hangs up leaves a channel to somebody who waits already. Where
/// one operator's lines are few, full or down, no more stand there than that, and those for the other operators are accepted before them.
#[derive(Debug, Default)]
pub struct Vacancies {
    taken: BTreeMap<(TrunkId, Part), usize>,
}

impl Vacancies {
    /// Takes a place for a call in the line of each of its trunks; false where none of these has one. A call that is refused has a place: whoever
    /// accepts it hears why.
    pub fn take(&mut self, dialer: &Dialer, request: &CallRequest) -> bool {
        let Ok(ways) = dialer.ways(request) else {
            return true;
        };
        let payer = dialer.directory.payer(request.account);
        let class = dialer.class(request);
        let usable = dialer.usable(&ways);
        let has_place = usable.iter().any(|way| {
            let line = dialer.lines[class].get(&way.trunk);
            let waiting = line.map_or(0, |line| line.waiting(payer, &way.part));
            waiting + self.taken(way) < dialer.places_in_line(payer, way)
        });
        if has_place {
            for way in usable {
                let line = (way.trunk.clone(), way.part.clone());
                *self.taken.entry(line).or_default() += 1;
            }
        }
        has_place
    }

    fn taken(&self, way: &Way) -> usize {
        let key = (way.trunk.clone(), way.part.clone());
        self.taken.get(&key).copied().unwrap_or(0)
    }
}

impl Dialer {
    /// As many as have a channel there, and at most half of those that the account may have at once: none of its lines takes all of them.
    fn places_in_line(&self, payer: AccountSid, way: &Way) -> usize {
        let trunk = self.trunks.get(&way.trunk);
        let channels = trunk.map_or(0, |trunk| trunk.limit(way.part.as_deref()));
        let own = self.accounts.get(&payer).map_or(0, |own| own.limit() / 2);
        usize::try_from(channels.min(own).max(1)).unwrap_or(usize::MAX)
    }
}
