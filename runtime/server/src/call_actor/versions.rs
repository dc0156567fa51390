//! Which versions of plugins the call's stories run, and what becomes of them.

use std::sync::Arc;

use call::{CallInfo, Direction, StoryChoice};
use plugin_host::StoryEnd;
use store::PluginLogLine;
use tracing::info;

use super::CallActor;
use crate::clock;
use crate::flows::{Begun, FlowError, VersionId};
use crate::plugins;
use crate::shares::Share;

impl CallActor {
    /// What the story begins with, and its part of what the account's stories have.
    pub(super) fn begun_with_share(
        &mut self,
        choice: StoryChoice,
    ) -> Result<(Begun, Share), FlowError> {
        let begun = self.begun(choice)?;
        let class = begun.flow.class();
        let share = self.services.shares.take(self.account.sid, class)?;
        Ok((begun, share))
    }

    /// What the story begins with: the same, where it is begun again.
    fn begun(&mut self, choice: StoryChoice) -> Result<Begun, FlowError> {
        let mut known = self.begun.iter();
        if let Some((_, begun)) = known.find(|(begun, _)| *begun == choice) {
            self.running_version.clone_from(&begun.version);
            return Ok(begun.clone());
        }
        let (flows, call) = (&self.services.flows, self.info.call_sid);
        let begun = flows.find(&self.account, &self.story, choice, call)?;
        if let Some(version) = &begun.version {
            info!(
                plugin = version.name,
                version = version.number,
                "the story begins"
            );
            flows.ledger().began(version);
        }
        self.running_version.clone_from(&begun.version);
        self.begun.push((choice, begun.clone()));
        Ok(begun)
    }

    /// Counts what a story came to; a version that keeps trapping is taken back. Tells which it was.
    pub(super) fn account_for(&mut self, end: &StoryEnd) -> Option<Arc<VersionId>> {
        let version = self.running_version.take()?;
        let ledger = self.services.flows.ledger();
        if let Some(why) = ledger.ended(&version, end, far_party(&self.info)) {
            plugins::take_back(Arc::clone(&self.services), &version, why);
        }
        Some(version)
    }

    /// How a story went wrong, in its plugin's log.
    pub(super) fn log_trouble(&self, version: &VersionId, trouble: &str) {
        let line = PluginLogLine {
            at_unix_ms: clock::unix_ms(),
            version: version.number,
            call: self.info.call_sid.to_string(),
            level: "error".to_owned(),
            message: trouble.to_owned(),
        };
        self.services.flows.ledger().log(version, line);
    }
}

/// Whom the call is with.
fn far_party(info: &CallInfo) -> &str {
    match info.direction {
        Direction::Inbound => &info.caller,
        _ => &info.callee,
    }
}
