//! A strategy tried on calls that are over.

use std::collections::BTreeMap;
use std::sync::Arc;

use dial::back_test::Replay;
use dial::retry::{self, Attempt, Decision, Wish};
use plugin_host::attempts::OutboundCall;
use plugin_host::retry::Strategy;
use plugin_host::{DecisionLimits, DecisionSetup, NoDecision};

use super::question::question;

/// A strategy, and what it did not decide.
pub(crate) struct Trial {
    strategy: Strategy,
    settings: BTreeMap<String, String>,
    /// Questions that it was asked.
    pub(crate) questions: u64,
    /// Those among them that it did not answer, so that the usual rules did.
    pub(crate) undecided: u64,
    /// Why it did not answer the last of these.
    pub(crate) trouble: Option<NoDecision>,
}

impl Trial {
    pub(crate) const fn new(strategy: Strategy, settings: BTreeMap<String, String>) -> Self {
        Self {
            strategy,
            settings,
            questions: 0,
            undecided: 0,
            trouble: None,
        }
    }

    /// Calls a person as the strategy says, within what the host allows; none whom nobody ever called.
    pub(crate) async fn play<'p>(
        &mut self,
        call: &OutboundCall,
        past: &'p [Attempt],
        wish: &Wish,
    ) -> Option<Replay<'p>> {
        let mut replay = Replay::new(past)?;
        while !replay.is_reached() {
            match self.decide(call, &replay, wish).await {
                Decision::Again { at_unix_ms, .. } => replay.call(at_unix_ms),
                Decision::Stop(_) => break,
            }
        }
        Some(replay)
    }

    async fn decide(&mut self, call: &OutboundCall, replay: &Replay<'_>, wish: &Wish) -> Decision {
        let (attempts, now) = (replay.attempts(), replay.now_unix_ms());
        let usual = || retry::next(attempts, &wish.clone().in_place_of_a_strategy(), now);
        let Some(request) = question(call.clone(), attempts, wish, now) else {
            return usual();
        };
        self.questions += 1;
        let setup = DecisionSetup {
            settings: self.settings.clone(),
            limits: DecisionLimits::default(),
            log: Arc::new(|_| {}),
        };
        match self.strategy.next(&request, setup).await.result {
            Ok(plugin_host::retry::Decision::Again(again)) => {
                retry::bounded(attempts, wish, again.at_unix_ms, again.reason, now)
            }
            Ok(plugin_host::retry::Decision::Stop(why)) => Decision::Stop(why),
            Err(trouble) => {
                self.undecided += 1;
                self.trouble = Some(trouble);
                usual()
            }
        }
    }
}
