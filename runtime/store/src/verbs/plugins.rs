//! The life of a plugin: uploaded, tried, active, rolled back.

use std::sync::Arc;

use super::{Rows, StoreError};
use crate::apply::Change;
use crate::plugin::{MAX_OWNED_BYTES, MAX_PLUGINS, MAX_VERSIONS};
use crate::{
    Canary, NewVersion, Plugin, PluginChange, PluginDeed, PluginEvent, PluginOwner, PluginPage,
    PluginVersion, SelfTest, Sha256Digest, Standing, UploadedPlugin,
};

/// Keeps a version, and makes it active where that is asked for and its self-test allows.
pub(crate) fn upload_plugin(
    rows: &mut dyn Rows,
    new: NewVersion,
) -> Result<UploadedPlugin, StoreError> {
    let mut life = Life::of(rows, &new.owner, &new.name, new.at_unix_ms, &new.by)?;
    let (version, is_new) = life.upload(rows, new)?;
    let standing = life.write(rows)?.standing;
    Ok(UploadedPlugin {
        version,
        is_new,
        standing,
    })
}

/// Changes which versions run calls.
pub(crate) fn change_plugin(
    rows: &mut dyn Rows,
    owner: &PluginOwner,
    name: &str,
    change: PluginChange,
    who: &str,
    at: u64,
) -> Result<Arc<Plugin>, StoreError> {
    if rows.directory().plugin(owner, name).is_none() {
        return Err(StoreError::UnknownPlugin(name.to_owned()));
    }
    let mut life = Life::of(rows, owner, name, at, who)?;
    match change {
        PluginChange::Activate { version } => life.activate(version)?,
        PluginChange::Canary { version, percent } => life.try_out(version, percent)?,
        PluginChange::Rollback { from, why } => life.roll_back(from, why)?,
    }
    life.write(rows)
}

/// Keeps the pages of plugins that are there.
pub(crate) fn keep_plugin_pages(
    rows: &mut dyn Rows,
    pages: &[PluginPage],
) -> Result<(), StoreError> {
    let directory = rows.directory();
    pages
        .iter()
        .filter(|page| directory.plugin(&page.owner, &page.name).is_some())
        .try_for_each(|page| rows.put_plugin_page(page))
}

/// What one verb does to one plugin, before anything is written.
pub(crate) struct Life {
    plugin: Plugin,
    who: String,
    at: u64,
    events: Vec<PluginEvent>,
    forgotten: Vec<Sha256Digest>,
    /// The result of a test is another one than before.
    is_tested_again: bool,
}

impl Life {
    /// Of a plugin that is there, or that begins now.
    fn of(
        rows: &dyn Rows,
        owner: &PluginOwner,
        name: &str,
        at: u64,
        who: &str,
    ) -> Result<Self, StoreError> {
        let directory = rows.directory();
        let is_known = match owner {
            PluginOwner::Account(account) => directory.account(*account).is_some(),
            PluginOwner::Carrier(carrier) => directory.carrier(carrier).is_some(),
        };
        if !is_known {
            return Err(StoreError::UnknownPlugin(name.to_owned()));
        }
        let plugin = match directory.plugin(owner, name) {
            Some(plugin) => Plugin::clone(plugin),
            None if directory.plugins_of(owner).count() >= MAX_PLUGINS => {
                return Err(StoreError::PluginsFull(format!(
                    "there are {MAX_PLUGINS} plugins already: give this one the name of one that is not needed any more"
                )));
            }
            None => Plugin::new(owner.clone(), name.to_owned()),
        };
        Ok(Self::with(plugin, at, who))
    }

    pub(crate) fn with(plugin: Plugin, at: u64, who: &str) -> Self {
        Self {
            plugin,
            who: who.to_owned(),
            at,
            events: Vec::new(),
            forgotten: Vec::new(),
            is_tested_again: false,
        }
    }

    fn upload(
        &mut self,
        rows: &mut dyn Rows,
        new: NewVersion,
    ) -> Result<(PluginVersion, bool), StoreError> {
        let sha256 = Sha256Digest::of(&new.bytes);
        if let Some(kept) = self.plugin.version_of(sha256).map(|kept| kept.number) {
            let kept = self.test_again(kept, new.self_test)?;
            if new.activate && !matches!(kept.self_test, SelfTest::Failed { .. }) {
                self.activate(kept.number)?;
            }
            return Ok((kept, false));
        }
        let size_bytes = new.bytes.len() as u64;
        self.make_room(rows, size_bytes)?;
        rows.keep_component(sha256, &new.bytes)?;
        let version = PluginVersion {
            number: 0,
            sha256,
            size_bytes,
            worlds: new.worlds,
            uploaded_unix_ms: self.at,
            by: self.who.clone(),
            self_test: new.self_test,
        };
        let version = self.add(version);
        if new.activate && !matches!(version.self_test, SelfTest::Failed { .. }) {
            self.activate(version.number)?;
        }
        Ok((version, true))
    }

    /// A version that has not passed takes the result of another test.
    fn test_again(&mut self, number: u32, result: SelfTest) -> Result<PluginVersion, StoreError> {
        let mut versions = self.plugin.versions.iter_mut();
        let kept = versions
            .find(|version| version.number == number)
            .ok_or(StoreError::UnknownVersion(number))?;
        let has_passed = matches!(kept.self_test, SelfTest::Passed { .. });
        let is_result = matches!(result, SelfTest::Passed { .. } | SelfTest::Failed { .. });
        if is_result && !has_passed && kept.self_test != result {
            kept.self_test = result;
            self.is_tested_again = true;
        }
        Ok(kept.clone())
    }

    /// Takes a version in whose bytes are kept, under the next number.
    pub(crate) fn add(&mut self, version: PluginVersion) -> PluginVersion {
        self.plugin.numbered += 1;
        let number = self.plugin.numbered;
        let version = PluginVersion { number, ..version };
        self.plugin.versions.push(version.clone());
        self.note(PluginDeed::Uploaded { version: number });
        version
    }

    /// Forgets the oldest versions that have no part to play, until there is room for one more of that size.
    fn make_room(&mut self, rows: &dyn Rows, size_bytes: u64) -> Result<(), StoreError> {
        let directory = rows.directory();
        let others: u64 = directory
            .plugins_of(&self.plugin.owner)
            .filter(|plugin| plugin.name != self.plugin.name)
            .flat_map(|plugin| &plugin.versions)
            .map(|version| version.size_bytes)
            .sum();
        loop {
            let own: u64 = self
                .plugin
                .versions
                .iter()
                .map(|kept| kept.size_bytes)
                .sum();
            if self.plugin.versions.len() < MAX_VERSIONS
                && own + others + size_bytes <= MAX_OWNED_BYTES
            {
                return Ok(());
            }
            if !self.forget_oldest() {
                return Err(StoreError::PluginsFull(format!(
                    "all plugins together may have {} MiB, and no older version of this one can go",
                    MAX_OWNED_BYTES >> 20
                )));
            }
        }
    }

    /// Forgets the oldest versions that have no part to play, down to so many.
    pub(crate) fn keep_at_most(&mut self, count: usize) {
        while self.plugin.versions.len() > count && self.forget_oldest() {}
    }

    /// The oldest version that has no part to play goes; false where there is none.
    fn forget_oldest(&mut self) -> bool {
        let standing = self.plugin.standing;
        let versions = &mut self.plugin.versions;
        let idle = versions
            .iter()
            .position(|kept| !standing.names(kept.number));
        let Some(idle) = idle else { return false };
        self.forgotten.push(versions.remove(idle).sha256);
        true
    }

    pub(crate) fn activate(&mut self, number: u32) -> Result<(), StoreError> {
        self.check_fit(number)?;
        let standing = self.plugin.standing;
        if let Some(canary) = standing.canary {
            self.end_trial(canary, String::new());
        }
        if standing.active == Some(number) {
            return Ok(());
        }
        self.plugin.standing = Standing {
            active: Some(number),
            last_good: standing.active.or(standing.last_good),
            canary: None,
        };
        self.note(PluginDeed::Activated { version: number });
        Ok(())
    }

    fn try_out(&mut self, number: u32, percent: u8) -> Result<(), StoreError> {
        self.check_fit(number)?;
        let standing = self.plugin.standing;
        let on_trial = standing.canary.filter(|canary| canary.version == number);
        match (percent, on_trial) {
            (0, Some(canary)) => self.end_trial(canary, String::new()),
            (0, None) => {
                return Err(StoreError::NotPossible(format!(
                    "version {number} is not on trial"
                )));
            }
            (1..=100, _) if standing.active == Some(number) => {
                return Err(StoreError::NotPossible(format!(
                    "version {number} is active: new calls begin with it already"
                )));
            }
            (1..=100, _) if standing.active.is_none() => {
                return Err(StoreError::NotPossible(
                    "no version is active for the other calls: activate one first".to_owned(),
                ));
            }
            (1..=100, on_trial) => {
                let version = number;
                if let Some(other) = standing.canary.filter(|_| on_trial.is_none()) {
                    self.end_trial(other, String::new());
                }
                self.plugin.standing.canary = Some(Canary { version, percent });
                self.note(PluginDeed::CanaryBegun { version, percent });
            }
            _ => {
                return Err(StoreError::NotPossible(
                    "a share is from 0 to 100 %".to_owned(),
                ));
            }
        }
        Ok(())
    }

    fn roll_back(&mut self, from: Option<u32>, why: String) -> Result<(), StoreError> {
        let standing = self.plugin.standing;
        let is_meant = |number: u32| from.is_none_or(|from| from == number);
        if let Some(canary) = standing.canary.filter(|canary| is_meant(canary.version)) {
            self.end_trial(canary, why);
            return Ok(());
        }
        match (
            standing.active.filter(|active| is_meant(*active)),
            standing.last_good,
        ) {
            (Some(from), Some(to)) => {
                self.plugin.standing = Standing {
                    active: Some(to),
                    last_good: None,
                    canary: standing.canary,
                };
                self.note(PluginDeed::RolledBack { from, to, why });
                Ok(())
            }
            (None, _) if from.is_some() => Err(StoreError::NotPossible(
                "the version runs no new calls any more".to_owned(),
            )),
            _ => Err(StoreError::NotPossible(
                "there is no version to go back to: activate one by its number".to_owned(),
            )),
        }
    }

    fn end_trial(&mut self, canary: Canary, why: String) {
        self.plugin.standing.canary = None;
        let version = canary.version;
        self.note(PluginDeed::CanaryEnded { version, why });
    }

    /// Whether the version is kept and may run calls.
    fn check_fit(&self, number: u32) -> Result<(), StoreError> {
        let version = self
            .plugin
            .version(number)
            .ok_or(StoreError::UnknownVersion(number))?;
        match &version.self_test {
            SelfTest::Failed { why, .. } => Err(StoreError::NotPossible(format!(
                "version {number} did not pass its self-test: {why}"
            ))),
            SelfTest::NotRun | SelfTest::CouldNotRun { .. } | SelfTest::Passed { .. } => Ok(()),
        }
    }

    fn note(&mut self, deed: PluginDeed) {
        self.events.push(PluginEvent {
            sequence: self.plugin.events,
            at_unix_ms: self.at,
            who: self.who.clone(),
            deed,
        });
        self.plugin.events += 1;
    }

    /// The plugin as it is now, what was done to it, and the bytes that it needs no more.
    pub(crate) fn end(self) -> (Plugin, Vec<PluginEvent>, Vec<Sha256Digest>) {
        (self.plugin, self.events, self.forgotten)
    }

    fn write(self, rows: &mut dyn Rows) -> Result<Arc<Plugin>, StoreError> {
        let is_tested_again = self.is_tested_again;
        let (plugin, events, forgotten) = self.end();
        let plugin = Arc::new(plugin);
        if events.is_empty() && !is_tested_again {
            return Ok(plugin);
        }
        let mut directory = (*rows.directory()).clone();
        let change = Change::Plugin(Arc::clone(&plugin), events);
        directory.take(change.clone());
        rows.set_directory(directory, &[change])?;
        rows.forget_components(forgotten);
        Ok(plugin)
    }
}
