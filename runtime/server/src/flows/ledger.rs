//! What each version's calls came to, and when that is enough to take it back.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use plugin_host::{Limit, Outcome, StoryEnd};
use store::{PluginLogLine, PluginOwner, PluginPage, VersionUsage};

use super::VersionId;

/// Traps at which a version may be taken back.
const TRAPS: u64 = 5;
/// By at least so many callers: one alone cannot bring it about.
const CALLERS: usize = 3;
/// And over so many in a hundred of its calls.
const PERCENT: u64 = 2;
/// Lines of the log that are kept for each plugin; the oldest goes first.
const LINES: usize = 200;
/// Bytes of one of these lines; what is longer is cut.
const LINE_BYTES: usize = 512;

/// Counts and logs of all processes that ran so far; whether a version keeps trapping is judged by this one's calls alone.
#[derive(Default)]
pub(crate) struct Ledger {
    book: Mutex<Book>,
    /// Callers are told apart by a hash that nobody outside can aim at.
    hasher: RandomState,
}

#[derive(Default)]
struct Book {
    pages: HashMap<(PluginOwner, String), Page>,
    /// Those that are not kept as they are.
    changed: BTreeSet<(PluginOwner, String)>,
}

/// Of one plugin.
#[derive(Default)]
struct Page {
    versions: HashMap<u32, Entry>,
    lines: VecDeque<PluginLogLine>,
}

#[derive(Default)]
struct Entry {
    usage: VersionUsage,
    trial: Trial,
}

/// How a version does since new calls last began to begin with it.
#[derive(Debug, Default)]
struct Trial {
    calls: u64,
    traps: u64,
    /// Those whose calls trapped, as many as matter.
    callers: BTreeSet<u64>,
    is_over: bool,
}

impl Trial {
    /// Whether the version keeps trapping.
    fn fails(&self) -> bool {
        self.traps >= TRAPS
            && self.callers.len() >= CALLERS
            && self.traps * 100 > self.calls * PERCENT
    }
}

impl Ledger {
    /// Begins with what the processes before this one kept.
    pub(super) fn begin_with(&self, kept: Vec<PluginPage>) {
        let mut book = self.book();
        for page in kept {
            let entries = page.usage.into_iter().map(|(number, usage)| {
                let trial = Trial::default();
                (number, Entry { usage, trial })
            });
            let began = Page {
                versions: entries.collect(),
                lines: page.lines.into(),
            };
            book.pages.insert((page.owner, page.name), began);
        }
    }

    /// A page that has changed since it was taken last, to be kept; none where all are kept as they are. One at a time, so that no call
    /// waits for more than one to be copied.
    pub(super) fn take_changed(&self) -> Option<PluginPage> {
        let mut book = self.book();
        let key = book.changed.pop_first()?;
        let page = book.pages.get(&key)?;
        let usage = page.versions.iter();
        let usage = usage
            .map(|(number, entry)| (*number, entry.usage))
            .collect();
        let lines = page.lines.iter().cloned().collect();
        let (owner, name) = key;
        Some(PluginPage {
            owner,
            name,
            usage,
            lines,
        })
    }

    /// A page that was taken could not be kept.
    pub(super) fn put_back(&self, page: PluginPage) {
        self.book().changed.insert((page.owner, page.name));
    }

    /// A call begins its story with the version.
    pub(crate) fn began(&self, version: &VersionId) {
        let mut book = self.book();
        book.change(version);
        let entry = book.entry(version);
        entry.usage.calls += 1;
        entry.trial.calls += 1;
    }

    /// A story of the version has ended, in a call with `caller`. The words are why the version is to be taken back, told once.
    pub(crate) fn ended(
        &self,
        version: &VersionId,
        end: &StoryEnd,
        caller: &str,
    ) -> Option<String> {
        let mut book = self.book();
        book.change(version);
        let Entry { usage, trial } = book.entry(version);
        usage.cpu_ms += u64::try_from(end.cpu.as_millis()).unwrap_or(u64::MAX);
        usage.memory_bytes = usage.memory_bytes.max(end.memory_bytes);
        usage.host_calls += u64::from(end.host_calls);
        usage.log_lines += u64::from(end.log_lines);
        usage.log_lines_dropped += u64::from(end.log_lines_dropped);
        if !is_trap(&end.outcome) {
            return None;
        }
        usage.traps += 1;
        // What its account's other flows have is not this version's doing.
        if end.limits.contains(&Limit::SharedMemory) {
            return None;
        }
        trial.traps += 1;
        if trial.callers.len() < CALLERS {
            trial.callers.insert(self.hasher.hash_one(caller));
        }
        if trial.is_over || !trial.fails() {
            return None;
        }
        trial.is_over = true;
        let Trial { calls, traps, .. } = trial;
        Some(format!(
            "it trapped {traps} times in {calls} calls, by {CALLERS} callers or more"
        ))
    }

    /// New calls begin with the version from now on: what it did before counts no more against it.
    pub(super) fn begin_trial(&self, owner: &PluginOwner, name: &str, number: u32) {
        let version = VersionId {
            owner: owner.clone(),
            name: name.to_owned(),
            number,
        };
        self.book().entry(&version).trial = Trial::default();
    }

    /// Keeps a line of a version's log.
    pub(crate) fn log(&self, version: &VersionId, mut line: PluginLogLine) {
        let end = line.message.floor_char_boundary(LINE_BYTES);
        line.message.truncate(end);
        let mut book = self.book();
        book.change(version);
        let lines = &mut book.page(version).lines;
        if lines.len() == LINES {
            lines.pop_front();
        }
        lines.push_back(line);
    }

    /// What the versions of a plugin came to.
    pub(crate) fn usage(&self, owner: &PluginOwner, name: &str) -> HashMap<u32, VersionUsage> {
        let book = self.book();
        let page = book.pages.get(&(owner.clone(), name.to_owned()));
        let versions = page.into_iter().flat_map(|page| &page.versions);
        versions
            .map(|(number, entry)| (*number, entry.usage))
            .collect()
    }

    /// The last lines of a plugin's log, the oldest first.
    pub(crate) fn lines(&self, owner: &PluginOwner, name: &str) -> Vec<PluginLogLine> {
        let book = self.book();
        let page = book.pages.get(&(owner.clone(), name.to_owned()));
        page.into_iter()
            .flat_map(|page| page.lines.iter().cloned())
            .collect()
    }

    /// Forgets plugins and versions that are kept no longer, so that uploads do not fill it.
    pub(super) fn keep_only(&self, plugins: impl Iterator<Item = Arc<store::Plugin>>) {
        let kept: HashMap<_, _> = plugins
            .map(|plugin| ((plugin.owner.clone(), plugin.name.clone()), plugin))
            .collect();
        let mut book = self.book();
        book.changed.retain(|key| kept.contains_key(key));
        book.pages.retain(|key, page| {
            let Some(plugin) = kept.get(key) else {
                return false;
            };
            page.versions
                .retain(|number, _| plugin.version(*number).is_some());
            true
        });
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Book {
    /// The page of a version's plugin has other counts or lines from now on.
    fn change(&mut self, version: &VersionId) {
        let key = (version.owner.clone(), version.name.clone());
        self.changed.insert(key);
    }

    fn page(&mut self, version: &VersionId) -> &mut Page {
        let key = (version.owner.clone(), version.name.clone());
        self.pages.entry(key).or_default()
    }

    fn entry(&mut self, version: &VersionId) -> &mut Entry {
        self.page(version)
            .versions
            .entry(version.number)
            .or_default()
    }
}

/// Whether the component is to blame: not where the host stopped it, had no room, or did not answer.
fn is_trap(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Trapped(_) | Outcome::OutOfTime | Outcome::Exceeded(_) => true,
        Outcome::Exited(status) => *status != 0,
        Outcome::Finished(_) | Outcome::Stalled | Outcome::Stopped | Outcome::NoRoom => false,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_version_fails_by_traps_callers_and_share_together() {
        for (calls, traps, callers, fails) in [
            (5, 5, 3, true),
            (5, 4, 3, false),
            (5, 5, 2, false),
            (1_000, 1_000, 1, false),
            (249, 5, 3, true),
            (250, 5, 3, false),
            (10_000, 200, 3, false),
            (10_000, 201, 3, true),
            (0, 0, 0, false),
        ] {
            let trial = Trial {
                calls,
                traps,
                callers: (0..callers).collect(),
                is_over: false,
            };
            assert_eq!(trial.fails(), fails, "{trial:?}");
        }
    }

    fn version() -> VersionId {
        VersionId {
            owner: PluginOwner::Carrier(store::CarrierId("demo".to_owned())),
            name: "survey".to_owned(),
            number: 2,
        }
    }

    fn end(outcome: Outcome) -> StoryEnd {
        StoryEnd {
            outcome,
            journal: Vec::new(),
            commands: 1,
            busy: Duration::from_millis(9),
            cpu: Duration::from_millis(5),
            memory_bytes: 1_000,
            host_calls: 7,
            log_lines: 2,
            log_lines_dropped: 1,
            limits: Vec::new(),
        }
    }

    /// Calls with these callers, each of which traps: those after which the version is to go.
    fn verdicts(ledger: &Ledger, callers: &[&str]) -> Vec<usize> {
        let called = callers.iter().enumerate().filter_map(|(number, caller)| {
            ledger.began(&version());
            let trap = end(Outcome::Trapped("unreachable".to_owned()));
            ledger.ended(&version(), &trap, caller).map(|_why| number)
        });
        called.collect()
    }

    #[test]
    fn one_caller_cannot_have_a_version_taken_back_and_three_can_once() {
        let ledger = Ledger::default();
        let none: [usize; 0] = [];
        assert_eq!(verdicts(&ledger, &["a"; 100]), none);
        assert_eq!(verdicts(&ledger, &["b", "c", "d"]), [1]);
        let VersionId { owner, name, .. } = version();
        ledger.begin_trial(&owner, &name, 2);
        assert_eq!(verdicts(&ledger, &["a", "b", "c", "a"]), none, "begun anew");
        assert_eq!(verdicts(&ledger, &["a"]), [0]);
        assert_eq!(
            ledger.usage(&owner, &name)[&2].traps,
            108,
            "all are counted"
        );
    }

    #[test]
    fn what_is_not_the_components_doing_is_no_trap() {
        let ledger = Ledger::default();
        for outcome in [
            Outcome::Finished(Ok(())),
            Outcome::Exited(0),
            Outcome::Stopped,
            Outcome::Stalled,
            Outcome::NoRoom,
        ] {
            ledger.ended(&version(), &end(outcome), "a");
        }
        ledger.ended(&version(), &end(Outcome::Exited(1)), "a");
        let VersionId { owner, name, .. } = version();
        let usage = ledger.usage(&owner, &name)[&2];
        assert_eq!(
            (
                usage.traps,
                usage.host_calls,
                usage.cpu_ms,
                usage.memory_bytes
            ),
            (1, 42, 30, 1_000)
        );
    }

    fn line(message: &str) -> PluginLogLine {
        PluginLogLine {
            at_unix_ms: 0,
            version: 2,
            call: "CA1".to_owned(),
            level: "info".to_owned(),
            message: message.to_owned(),
        }
    }

    #[test]
    fn a_version_is_not_judged_by_what_its_accounts_other_flows_have() {
        let ledger = Ledger::default();
        for caller in ["a", "b", "c", "d", "e", "f"] {
            ledger.began(&version());
            let starved = StoryEnd {
                limits: vec![Limit::SharedMemory],
                ..end(Outcome::Trapped("unreachable".to_owned()))
            };
            assert_eq!(ledger.ended(&version(), &starved, caller), None);
        }
        let VersionId { owner, name, .. } = version();
        assert_eq!(ledger.usage(&owner, &name)[&2].traps, 6);
    }

    #[test]
    fn what_is_kept_is_there_again_and_traps_of_before_count_no_more() {
        let ledger = Ledger::default();
        assert_eq!(ledger.take_changed(), None);
        ledger.began(&version());
        ledger.ended(&version(), &end(Outcome::OutOfTime), "+1");
        ledger.log(&version(), line("one"));
        let page = ledger.take_changed().unwrap();
        assert_eq!(page.lines, [line("one")]);
        assert_eq!((page.usage[&2].calls, page.usage[&2].traps), (1, 1));
        assert_eq!(ledger.take_changed(), None, "it is kept");
        ledger.put_back(page.clone());
        assert_eq!(ledger.take_changed().as_ref(), Some(&page));

        let next = Ledger::default();
        next.begin_with(vec![page.clone()]);
        next.begin_trial(&page.owner, &page.name, 2);
        assert_eq!(next.take_changed(), None, "nothing is new");
        assert_eq!(next.lines(&page.owner, &page.name), page.lines);
        for caller in ["+2", "+3", "+4", "+5"] {
            next.began(&version());
            let why = next.ended(&version(), &end(Outcome::OutOfTime), caller);
            assert_eq!(why, None, "{caller}: four traps of this process");
        }
        let usage = next.usage(&page.owner, &page.name)[&2];
        assert_eq!((usage.calls, usage.traps), (5, 5));
    }

    #[test]
    fn the_log_keeps_its_last_lines_and_cuts_long_ones() {
        let ledger = Ledger::default();
        for number in 0..LINES + 5 {
            let long = format!("{number} {}", "ប".repeat(LINE_BYTES));
            ledger.log(&version(), line(&long));
        }
        let VersionId { owner, name, .. } = version();
        let lines = ledger.lines(&owner, &name);
        assert_eq!(lines.len(), LINES);
        assert!(lines[0].message.starts_with("5 ប"), "{}", lines[0].message);
        assert!(lines.iter().all(|line| line.message.len() <= LINE_BYTES));
        assert_eq!(ledger.lines(&owner, "another").len(), 0);
    }
}
