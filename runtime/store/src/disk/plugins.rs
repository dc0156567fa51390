//! The tables of plugins: how each stands, and what was done to it.

use redb::{Database, ReadableDatabase, WriteTransaction};

use super::tables::{self, decode, encode, failed};
use crate::{Plugin, PluginEvent, PluginOwner, StoreError};

/// Writes a plugin's row, and adds to its history.
pub(super) fn put(
    transaction: &WriteTransaction,
    plugin: &Plugin,
    events: &[PluginEvent],
) -> Result<(), redb::Error> {
    let owner = plugin.owner.to_string();
    transaction
        .open_table(tables::PLUGINS)?
        .insert((owner.as_str(), plugin.name.as_str()), &*encode(plugin))?;
    let mut history = transaction.open_table(tables::PLUGIN_EVENTS)?;
    for event in events {
        let key = (owner.as_str(), plugin.name.as_str(), event.sequence);
        history.insert(key, &*encode(event))?;
    }
    Ok(())
}

/// Takes a plugin out, with its history, its counts and its log.
pub(super) fn remove(
    transaction: &WriteTransaction,
    owner: &PluginOwner,
    name: &str,
) -> Result<(), redb::Error> {
    let text = owner.to_string();
    transaction
        .open_table(tables::PLUGINS)?
        .remove((text.as_str(), name))?;
    transaction
        .open_table(tables::PLUGIN_PAGES)?
        .remove((text.as_str(), name))?;
    let of_plugin = (text.as_str(), name, 0)..=(text.as_str(), name, u32::MAX);
    transaction
        .open_table(tables::PLUGIN_EVENTS)?
        .retain_in(of_plugin, |_, _| false)?;
    Ok(())
}

/// At most `limit` events, the newest first.
pub(super) fn history(
    database: &Database,
    owner: &PluginOwner,
    name: &str,
    before: Option<u32>,
    limit: usize,
) -> Result<Vec<PluginEvent>, StoreError> {
    let transaction = database.begin_read().map_err(failed)?;
    let events = transaction
        .open_table(tables::PLUGIN_EVENTS)
        .map_err(failed)?;
    let owner = owner.to_string();
    let lowest = (owner.as_str(), name, 0);
    let highest = (owner.as_str(), name, before.unwrap_or(u32::MAX));
    let newest_first = events.range(lowest..highest).map_err(failed)?.rev();
    newest_first
        .take(limit)
        .map(|row| decode("plugin event", row.map_err(failed)?.1.value()))
        .collect()
}
