//! The table of plugins' pages: sealed, since stories log what callers said and typed.

use std::collections::BTreeMap;

use redb::{Database, ReadableDatabase, WriteTransaction};
use sha2::{Digest, Sha256};

use super::tables::{PLUGIN_PAGES, decode, encode, failed};
use crate::seal::{OperatorKey, Purpose, Unsealable};
use crate::{Directory, Plugin, PluginLogLine, PluginOwner, PluginPage, StoreError, VersionUsage};

/// What is sealed of a page.
type Content = (BTreeMap<u32, VersionUsage>, Vec<PluginLogLine>);

/// Writes the page of a plugin that is there.
pub(super) fn put(
    transaction: &WriteTransaction,
    directory: &Directory,
    key: &OperatorKey,
    page: &PluginPage,
) -> Result<(), StoreError> {
    let content = encode(&(&page.usage, &page.lines));
    let bound = bound_to(&page.owner, &page.name);
    let sealed = match &page.owner {
        PluginOwner::Account(sid) => {
            let account = directory.account(*sid);
            let account = account.ok_or(StoreError::UnknownAccount(*sid))?;
            account.key.seal(Purpose::PluginPage, &bound, &content)
        }
        PluginOwner::Carrier(_) => key.seal(Purpose::PluginPage, &bound, &content),
    };
    let owner = page.owner.to_string();
    transaction
        .open_table(PLUGIN_PAGES)
        .map_err(failed)?
        .insert((owner.as_str(), page.name.as_str()), &*sealed)
        .map_err(failed)?;
    Ok(())
}

/// The pages of all plugins that have one.
pub(super) fn all(
    database: &Database,
    directory: &Directory,
    key: &OperatorKey,
) -> Result<Vec<PluginPage>, StoreError> {
    let transaction = database.begin_read().map_err(failed)?;
    let pages = transaction.open_table(PLUGIN_PAGES).map_err(failed)?;
    let mut found = Vec::new();
    for plugin in directory.plugins() {
        let owner = plugin.owner.to_string();
        let place = (owner.as_str(), plugin.name.as_str());
        if let Some(sealed) = pages.get(place).map_err(failed)? {
            found.push(open(directory, key, plugin, sealed.value())?);
        }
    }
    Ok(found)
}

fn open(
    directory: &Directory,
    key: &OperatorKey,
    plugin: &Plugin,
    sealed: &[u8],
) -> Result<PluginPage, StoreError> {
    let bound = bound_to(&plugin.owner, &plugin.name);
    let opened = match &plugin.owner {
        PluginOwner::Account(sid) => match directory.account(*sid) {
            Some(account) => account.key.open(Purpose::PluginPage, &bound, sealed),
            None => Err(Unsealable),
        },
        PluginOwner::Carrier(_) => key.open(Purpose::PluginPage, &bound, sealed),
    };
    let content = opened.map_err(|error| {
        let Plugin { owner, name, .. } = plugin;
        StoreError::Corrupt(format!(
            "the counts and the log of `{name}` of {owner}: {error}"
        ))
    })?;
    let (usage, lines): Content = decode("plugin page", &content)?;
    Ok(PluginPage {
        owner: plugin.owner.clone(),
        name: plugin.name.clone(),
        usage,
        lines,
    })
}

/// A page is bound to its plugin, so that none opens in another's place.
fn bound_to(owner: &PluginOwner, name: &str) -> [u8; 16] {
    let digest = Sha256::new()
        .chain_update(owner.to_string())
        .chain_update([0])
        .chain_update(name)
        .finalize();
    *digest
        .first_chunk()
        .expect("a digest of 32 bytes has a first half")
}
