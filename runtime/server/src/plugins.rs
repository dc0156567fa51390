//! Plugins as the API uploads and changes them: looked over, compiled, kept, put in force.

use std::collections::HashMap;
use std::sync::Arc;

use api::{Done, Plugins, PushError, Upload};
use call::Grants;
use store::{
    NewVersion, Plugin, PluginChange, PluginLogLine, PluginOwner, SelfTest, Sha256Digest,
    StoreError, UploadedPlugin, VersionUsage,
};
use tracing::{error, warn};

use crate::clock;
use crate::flows::{Checked, VersionId};
use crate::operator::Host;
use crate::services::Services;

/// Who acts where the host itself does.
const HOST: &str = "jackfield";

impl Plugins for Host {
    fn usage(&self, owner: &PluginOwner, name: &str) -> HashMap<u32, VersionUsage> {
        self.services().flows.ledger().usage(owner, name)
    }

    fn log(&self, owner: &PluginOwner, name: &str) -> Vec<PluginLogLine> {
        self.services().flows.ledger().lines(owner, name)
    }

    fn push(&self, upload: Upload) -> Done<Result<UploadedPlugin, PushError>> {
        let services = self.services();
        in_background(move || push(&services, upload))
    }

    fn change(
        &self,
        owner: PluginOwner,
        name: String,
        wanted: PluginChange,
        who: String,
    ) -> Done<Result<Arc<Plugin>, PushError>> {
        let services = self.services();
        in_background(move || Ok(change(&services, owner, name, wanted, who)?))
    }
}

/// Compiling and waiting for the disk take their time on a thread that may block.
fn in_background<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, PushError> + Send + 'static,
) -> Done<Result<T, PushError>> {
    Box::pin(async {
        let done = tokio::task::spawn_blocking(work).await;
        done.expect("dealing with a plugin does not panic")
    })
}

fn push(services: &Services, upload: Upload) -> Result<UploadedPlugin, PushError> {
    let grants = grants_of(services, &upload.owner);
    let checked = services
        .flows
        .check_upload(&upload.bytes, &grants)
        .map_err(|error| PushError::Unfit(error.to_string()))?;
    check_replaces(services, &upload.owner, &upload.name, &checked.worlds)
        .map_err(PushError::Unfit)?;
    let worlds = checked.worlds.iter().copied().map(str::to_owned).collect();
    let self_test = self_test(services, &upload, checked);
    let has_passed = matches!(self_test, SelfTest::Passed { .. });
    let new = NewVersion {
        owner: upload.owner,
        name: upload.name,
        bytes: upload.bytes.into(),
        worlds,
        self_test,
        activate: upload.activate && has_passed,
        by: upload.by,
        at_unix_ms: clock::unix_ms(),
    };
    let uploaded = services.store.upload_plugin(new).wait()?;
    services.flows.reload(services.store.as_ref());
    Ok(uploaded)
}

/// Tests an upload, unless these bytes are a version that has passed.
fn self_test(services: &Services, upload: &Upload, checked: Checked) -> SelfTest {
    let directory = services.store.directory();
    let plugin = directory.plugin(&upload.owner, &upload.name);
    let kept = plugin.and_then(|plugin| plugin.version_of(Sha256Digest::of(&upload.bytes)));
    match kept.map(|version| &version.self_test) {
        Some(passed @ SelfTest::Passed { .. }) => passed.clone(),
        _ => services.flows.self_test(&upload.bytes, checked),
    }
}

/// A version runs all that the active one does: who counts on its plugin goes on. In words, where it does not.
fn check_replaces(
    services: &Services,
    owner: &PluginOwner,
    name: &str,
    worlds: &[&str],
) -> Result<(), String> {
    let active = services.flows.active_worlds(owner, name);
    match active.iter().find(|world| !worlds.contains(world)) {
        Some(world) => Err(format!(
            "the active version of `{name}` runs {world}, and this one does not: upload it under another name"
        )),
        None => Ok(()),
    }
}

/// What a plugin of this owner may use: a carrier's are the operator's, and may use everything.
fn grants_of(services: &Services, owner: &PluginOwner) -> Grants {
    match owner {
        PluginOwner::Carrier(_) => Grants::everything(),
        PluginOwner::Account(sid) => {
            let directory = services.store.directory();
            let account = directory.account(*sid);
            account.map_or_else(Grants::default, |account| account.grants.clone())
        }
    }
}

/// Changes which versions of a plugin run calls. For a thread that may block.
fn change(
    services: &Services,
    owner: PluginOwner,
    name: String,
    wanted: PluginChange,
    who: String,
) -> Result<Arc<Plugin>, StoreError> {
    if let PluginChange::Activate { version } | PluginChange::Canary { version, .. } = &wanted {
        check_loads(services, &owner, &name, *version)?;
    }
    let at = clock::unix_ms();
    let changed = services
        .store
        .change_plugin(owner, name, wanted, who, at)
        .wait()?;
    services.flows.reload(services.store.as_ref());
    Ok(changed)
}

/// Takes a version back that keeps trapping: its trial ends, or the last good version is active again.
pub(crate) fn take_back(services: Arc<Services>, version: &VersionId, why: String) {
    let VersionId {
        owner,
        name,
        number,
    } = version.clone();
    warn!(%owner, plugin = name, version = number, "the version is taken back: {why}");
    let wanted = PluginChange::Rollback {
        from: Some(number),
        why,
    };
    tokio::task::spawn_blocking(move || {
        let changed = change(&services, owner, name.clone(), wanted, HOST.to_owned());
        match changed {
            Ok(_) => {}
            Err(StoreError::NotPossible(why)) => {
                warn!(plugin = name, version = number, "it goes on: {why}");
            }
            Err(error) => error!(plugin = name, version = number, "it goes on: {error}"),
        }
    });
}

/// A version that this host cannot run any more is found out before it is active.
fn check_loads(
    services: &Services,
    owner: &PluginOwner,
    name: &str,
    number: u32,
) -> Result<(), StoreError> {
    let directory = services.store.directory();
    let plugin = directory.plugin(owner, name);
    let plugin = plugin.ok_or_else(|| StoreError::UnknownPlugin(name.to_owned()))?;
    if plugin.version(number).is_none() {
        return Err(StoreError::UnknownVersion(number));
    }
    let worlds = services
        .flows
        .worlds_of(services.store.as_ref(), plugin, number);
    let grants = grants_of(services, owner);
    let usable = worlds.and_then(|worlds| {
        plugin_host::require(&worlds.asks, &grants).map_err(|error| error.to_string())?;
        check_replaces(services, owner, name, &worlds.names())
    });
    usable.map_err(|why| StoreError::NotPossible(format!("version {number} cannot run: {why}")))
}
