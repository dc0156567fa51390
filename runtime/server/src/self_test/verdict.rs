//! All that a component is tested by, one after the other, up to the first that goes wrong.

use plugin_host::Worlds;

use super::{Verdict, bounded, callers, cases, questions};

/// Of a transcript, in a verdict.
pub(super) const LAST_LINES: usize = 12;
const LINE_BYTES: usize = 160;

/// Why a test goes no further.
pub(super) enum Trouble {
    /// The component is at fault; says how.
    Broken(String),
    /// The host is.
    NotRun(String),
}

/// How many callers, cases and questions there were so far.
#[derive(Default)]
pub(super) struct Tally(u32);

impl Tally {
    /// One more begins.
    pub(super) fn count(&mut self) {
        self.0 = self.0.saturating_add(1);
    }
}

/// Tests each of a component's worlds: by the host's callers and questions, then by the cases that it brings.
pub(super) fn verdict(worlds: &Worlds, wasm: &[u8]) -> Verdict {
    let mut tally = Tally::default();
    let tested = test(worlds, wasm, &mut tally);
    let cases = tally.0;
    match tested {
        Ok(()) => Verdict::Passed { cases },
        Err(Trouble::Broken(why)) => Verdict::Failed { cases, why },
        Err(Trouble::NotRun(why)) => Verdict::NotRun { why },
    }
}

fn test(worlds: &Worlds, wasm: &[u8], tally: &mut Tally) -> Result<(), Trouble> {
    let refused = |error: plugin_host::LoadError| Trouble::Broken(bounded(error.to_string()));
    let settings = plugin_host::self_test_settings(wasm).map_err(refused)?;
    let files = plugin_host::cases(wasm).map_err(refused)?;
    if let Some(flow) = &worlds.call_flow {
        callers::play(flow, &settings, tally)?;
    }
    if let Some(policy) = &worlds.routing_policy {
        questions::route(policy, &settings, tally)?;
    }
    if let Some(strategy) = &worlds.retry_strategy {
        questions::retry(strategy, &settings, tally)?;
    }
    cases::play(worlds, &files, tally)
}

/// What went wrong, with the last lines of the transcript; at most 4 KiB.
pub(super) fn told(mut why: String, transcript: &str) -> String {
    let mut lines: Vec<&str> = transcript.lines().rev().take(LAST_LINES).collect();
    lines.reverse();
    for line in lines {
        why.push_str("\n  ");
        why.push_str(&line[..line.floor_char_boundary(LINE_BYTES)]);
    }
    bounded(why)
}

#[cfg(test)]
pub(super) mod tests {
    use plugin_host::{Engine, EngineConfig};

    use super::*;

    pub(in super::super) fn verdict_of(wasm: &[u8]) -> Verdict {
        let engine = Engine::new(EngineConfig {
            max_stories: 1,
            cache: None,
        });
        verdict(&engine.unwrap().worlds(wasm).unwrap(), wasm)
    }
}
