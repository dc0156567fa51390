//! What DNS said, and until when that is taken without asking again.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use sip::locate::{Answer, Lookup};
use tokio::sync::mpsc;

/// A server's own time for its records is taken within these bounds: not every call shall ask, and a change shall be seen
/// within minutes whatever the records say.
const KEEP: std::ops::RangeInclusive<Duration> = Duration::from_secs(5)..=Duration::from_secs(300);
/// How long "there is none" is taken for an answer, and how long DNS is left alone when it failed.
const KEEP_NOTHING: Duration = Duration::from_secs(10);
/// What nobody looked up for so long is asked for as if for the first time.
const FORGET: Duration = Duration::from_secs(24 * 3_600);
/// Names kept. Past it, the one looked up longest ago makes room.
const MAX_ENTRIES: usize = 4_096;

/// Who waits for answers, with room for all that it waits for.
pub(super) type News = mpsc::Sender<(Lookup, Answer)>;

/// What a caller takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Patience {
    /// Any answer that is there, however old.
    AtHand,
    /// One that is within its time, or that DNS has just failed to renew.
    UntilFresh,
}

/// What comes of a look into the cache.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Look {
    /// None: the answer will come as news.
    pub(super) answer: Option<Answer>,
    /// It is for the caller to ask DNS, and to [`settle`](Cache::settle) what comes of it.
    pub(super) ask: bool,
}

/// A turn for better or worse, worth a line in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// DNS has begun to fail.
    Failing,
    /// DNS answers again.
    Recovered,
}

/// The answers of this process.
#[derive(Default)]
pub(super) struct Cache {
    entries: HashMap<Lookup, Entry>,
}

struct Entry {
    /// The last that DNS gave; a failure only where it gave none before.
    answer: Option<Answer>,
    fresh_until: Instant,
    looked_up: Instant,
    /// Somebody asks DNS.
    asking: bool,
    failing: bool,
    waiting: Vec<News>,
}

impl Cache {
    /// Looks for an answer that the caller takes; where there is none, `news` gets it.
    pub(super) fn look(
        &mut self,
        lookup: &Lookup,
        patience: Patience,
        now: Instant,
        news: &News,
    ) -> Look {
        if !self.entries.contains_key(lookup) {
            self.make_room();
        }
        let unknown = Entry::unknown(now);
        let entry = self.entries.entry(lookup.clone()).or_insert(unknown);
        if now.duration_since(entry.looked_up) > FORGET && !entry.asking {
            *entry = Entry::unknown(now);
        }
        entry.looked_up = now;
        let fresh = now < entry.fresh_until;
        let taken = fresh || patience == Patience::AtHand;
        let answer = entry.answer.clone().filter(|_| taken);
        if answer.is_none() {
            entry.waiting.push(news.clone());
        }
        let ask = !fresh && !entry.asking;
        entry.asking |= ask;
        Look { answer, ask }
    }

    /// Takes in what came of asking, and tells those who wait: after a failure, what was known before.
    pub(super) fn settle(&mut self, lookup: &Lookup, answer: Answer, now: Instant) -> Option<Turn> {
        let entry = self.entries.get_mut(lookup)?;
        let keep = match &answer {
            Answer::Found { ttl, .. } => *ttl.clamp(KEEP.start(), KEEP.end()),
            Answer::NotFound | Answer::Failed => KEEP_NOTHING,
        };
        let failing = answer == Answer::Failed;
        let turn = match (entry.failing, failing) {
            (false, true) => Some(Turn::Failing),
            (true, false) => Some(Turn::Recovered),
            _ => None,
        };
        entry.failing = failing;
        entry.asking = false;
        entry.fresh_until = now + keep;
        if !failing || entry.answer.is_none() {
            entry.answer = Some(answer);
        }
        if let Some(answer) = &entry.answer {
            for news in entry.waiting.drain(..) {
                // Who gave up waiting needs no answer.
                let _ = news.try_send((lookup.clone(), answer.clone()));
            }
        }
        turn
    }

    fn make_room(&mut self) {
        if self.entries.len() < MAX_ENTRIES {
            return;
        }
        let idle = self.entries.iter().filter(|(_, entry)| !entry.asking);
        let oldest = idle.min_by_key(|(_, entry)| entry.looked_up);
        if let Some(lookup) = oldest.map(|(lookup, _)| lookup.clone()) {
            self.entries.remove(&lookup);
        }
    }
}

impl Entry {
    fn unknown(now: Instant) -> Self {
        Self {
            answer: None,
            fresh_until: now,
            looked_up: now,
            asking: false,
            failing: false,
            waiting: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn lookup(name: &str) -> Lookup {
        Lookup::Srv(name.into())
    }

    fn found(seconds: u64) -> Answer {
        Answer::Found {
            records: [].into(),
            ttl: Duration::from_secs(seconds),
        }
    }

    /// A cache, its clock, and one who looks.
    struct Case {
        cache: Cache,
        now: Instant,
        news: News,
        told: mpsc::Receiver<(Lookup, Answer)>,
    }

    impl Case {
        fn new() -> Self {
            let (news, told) = mpsc::channel(16);
            Self {
                cache: Cache::default(),
                now: Instant::now(),
                news,
                told,
            }
        }

        fn look(&mut self, patience: Patience) -> (Option<Answer>, bool) {
            let look = self
                .cache
                .look(&lookup("a"), patience, self.now, &self.news);
            (look.answer, look.ask)
        }

        fn settle(&mut self, answer: Answer) -> Option<Turn> {
            self.cache.settle(&lookup("a"), answer, self.now)
        }
    }

    #[test]
    fn times_are_bounded() {
        for (answer, kept) in [
            (found(0), 5),
            (found(60), 60),
            (found(86_400), 300),
            (Answer::NotFound, 10),
            (Answer::Failed, 10),
        ] {
            let mut case = Case::new();
            assert_eq!(case.look(Patience::AtHand), (None, true));
            case.settle(answer.clone());
            case.now += kept * SECOND - SECOND / 2;
            assert_eq!(
                case.look(Patience::UntilFresh),
                (Some(answer.clone()), false)
            );
            case.now += SECOND;
            assert_eq!(
                case.look(Patience::AtHand),
                (Some(answer.clone()), true),
                "{answer:?}"
            );
            assert_eq!(
                case.look(Patience::AtHand),
                (Some(answer), false),
                "asked once"
            );
            assert_eq!(case.look(Patience::UntilFresh), (None, false));
        }
    }

    #[test]
    fn a_failure_leaves_what_was_known() {
        let mut case = Case::new();
        case.look(Patience::AtHand);
        assert_eq!(case.settle(found(60)), None);
        for turn in [Some(Turn::Failing), None] {
            case.now += 3_600 * SECOND;
            assert_eq!(case.look(Patience::UntilFresh), (None, true));
            assert_eq!(case.settle(Answer::Failed), turn);
            assert_eq!(case.told.try_recv(), Ok((lookup("a"), found(60))));
            assert_eq!(case.look(Patience::UntilFresh), (Some(found(60)), false));
        }
        case.now += 60 * SECOND;
        case.look(Patience::AtHand);
        assert_eq!(case.settle(Answer::NotFound), Some(Turn::Recovered));
        assert_eq!(case.look(Patience::AtHand), (Some(Answer::NotFound), false));
    }

    #[test]
    fn all_who_wait_are_told_once() {
        let mut case = Case::new();
        assert_eq!(case.look(Patience::AtHand), (None, true));
        assert_eq!(case.look(Patience::AtHand), (None, false));
        case.settle(found(60));
        assert_eq!(case.told.try_recv(), Ok((lookup("a"), found(60))));
        assert_eq!(case.told.try_recv(), Ok((lookup("a"), found(60))));
        assert!(case.told.try_recv().is_err());
    }

    #[test]
    fn what_nobody_asks_for_is_forgotten() {
        let mut case = Case::new();
        case.look(Patience::AtHand);
        case.settle(found(60));
        case.now += FORGET;
        assert_eq!(case.look(Patience::AtHand), (Some(found(60)), true));
        case.settle(Answer::Failed);
        case.now += FORGET + SECOND;
        assert_eq!(case.look(Patience::AtHand), (None, true));
    }

    #[test]
    fn the_cache_is_bounded() {
        let mut case = Case::new();
        for at in 0..MAX_ENTRIES + 10 {
            case.now += SECOND;
            let name = lookup(&format!("n{at}"));
            case.cache
                .look(&name, Patience::AtHand, case.now, &case.news);
            case.cache.settle(&name, found(60), case.now);
        }
        assert_eq!(case.cache.entries.len(), MAX_ENTRIES);
        assert!(!case.cache.entries.contains_key(&lookup("n9")));
        assert!(case.cache.entries.contains_key(&lookup("n10")));
    }
}
