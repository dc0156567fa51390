//! What each version's calls came to, and when that is enough to take it back.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use api::{PluginLogLine, VersionUsage};
use plugin_host::{Outcome, StoryEnd};
use store::PluginOwner;

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

/// Counts since this process started; a restart begins anew.
#[derive(Default)]
pub(crate) struct Ledger {
    pages: Mutex<HashMap<(PluginOwner, String), Page>>,
    /// Callers are told apart by a hash that nobody outside can aim at.
    hasher: RandomState,
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
    /// A call begins its story with the version.
    pub(crate) fn began(&self, version: &VersionId) {
        let mut pages = self.pages();
        let entry = entry(&mut pages, version);
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
        let mut pages = self.pages();
        let Entry { usage, trial } = entry(&mut pages, version);
        usage.cpu_ms += u64::try_from(end.cpu.as_millis()).unwrap_or(u64::MAX);
        usage.memory_bytes = usage.memory_bytes.max(end.memory_bytes);
        usage.host_calls += u64::from(end.host_calls);
        usage.log_lines += u64::from(end.log_lines);
        usage.log_lines_dropped += u64::from(end.log_lines_dropped);
        if !is_trap(&end.outcome) {
            return None;
        }
        usage.traps += 1;
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
        entry(&mut self.pages(), &version).trial = Trial::default();
    }

    /// Keeps a line of a version's log.
    pub(crate) fn log(&self, version: &VersionId, mut line: PluginLogLine) {
        let end = line.message.floor_char_boundary(LINE_BYTES);
        line.message.truncate(end);
        let mut pages = self.pages();
        let lines = &mut page(&mut pages, version).lines;
        if lines.len() == LINES {
            lines.pop_front();
        }
        lines.push_back(line);
    }

    /// What the versions of a plugin came to.
    pub(crate) fn usage(&self, owner: &PluginOwner, name: &str) -> HashMap<u32, VersionUsage> {
        let pages = self.pages();
        let page = pages.get(&(owner.clone(), name.to_owned()));
        let versions = page.into_iter().flat_map(|page| &page.versions);
        versions
            .map(|(number, entry)| (*number, entry.usage))
            .collect()
    }

    /// The last lines of a plugin's log, the oldest first.
    pub(crate) fn lines(&self, owner: &PluginOwner, name: &str) -> Vec<PluginLogLine> {
        let pages = self.pages();
        let page = pages.get(&(owner.clone(), name.to_owned()));
        page.into_iter()
            .flat_map(|page| page.lines.iter().cloned())
            .collect()
    }

    /// Forgets versions that are kept no longer, so that uploads do not fill it.
    pub(super) fn keep_only(&self, plugins: impl Iterator<Item = Arc<store::Plugin>>) {
        let mut pages = self.pages();
        for plugin in plugins {
            let key = (plugin.owner.clone(), plugin.name.clone());
            if let Some(page) = pages.get_mut(&key) {
                page.versions
                    .retain(|number, _| plugin.version(*number).is_some());
            }
        }
    }

    fn pages(&self) -> MutexGuard<'_, HashMap<(PluginOwner, String), Page>> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn page<'p>(
    pages: &'p mut HashMap<(PluginOwner, String), Page>,
    version: &VersionId,
) -> &'p mut Page {
    pages
        .entry((version.owner.clone(), version.name.clone()))
        .or_default()
}

fn entry<'p>(
    pages: &'p mut HashMap<(PluginOwner, String), Page>,
    version: &VersionId,
) -> &'p mut Entry {
    page(pages, version)
        .versions
        .entry(version.number)
        .or_default()
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

    #[test]
    fn the_log_keeps_its_last_lines_and_cuts_long_ones() {
        let ledger = Ledger::default();
        for number in 0..LINES + 5 {
            let line = PluginLogLine {
                at_unix_ms: 0,
                version: 2,
                call: "CA1".to_owned(),
                level: "info",
                message: format!("{number} {}", "ប".repeat(LINE_BYTES)),
            };
            ledger.log(&version(), line);
        }
        let VersionId { owner, name, .. } = version();
        let lines = ledger.lines(&owner, &name);
        assert_eq!(lines.len(), LINES);
        assert!(lines[0].message.starts_with("5 ប"), "{}", lines[0].message);
        assert!(lines.iter().all(|line| line.message.len() <= LINE_BYTES));
        assert_eq!(ledger.lines(&owner, "another").len(), 0);
    }
}
