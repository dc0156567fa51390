//! A plugin, its versions and its history as the API shows them.

use std::collections::HashMap;

use serde_json::{Value, json};
use store::{Plugin, PluginEvent, PluginLogLine, PluginVersion, SelfTest, Standing, VersionUsage};

use crate::date::iso8601;

pub(crate) fn show(plugin: &Plugin, usage: &HashMap<u32, VersionUsage>) -> Value {
    let standing = &plugin.standing;
    let canary = standing
        .canary
        .map(|canary| json!({ "version": canary.version, "percent": canary.percent }));
    let newest_first = plugin.versions.iter().rev();
    let versions: Vec<_> = newest_first
        .map(|version| {
            let usage = usage.get(&version.number).copied();
            show_version(version, standing, usage.unwrap_or_default())
        })
        .collect();
    json!({
        "name": plugin.name,
        "active": standing.active,
        "last_good": standing.last_good,
        "canary": canary,
        "versions": versions,
    })
}

pub(crate) fn show_version(
    version: &PluginVersion,
    standing: &Standing,
    usage: VersionUsage,
) -> Value {
    let number = version.number;
    let state = match standing {
        Standing { active, .. } if *active == Some(number) => "active",
        Standing { canary, .. } if canary.is_some_and(|canary| canary.version == number) => {
            "canary"
        }
        Standing { last_good, .. } if *last_good == Some(number) => "last-good",
        _ => "inactive",
    };
    json!({
        "version": number,
        "state": state,
        "sha256": version.sha256.to_string(),
        "size_bytes": version.size_bytes,
        "worlds": version.worlds,
        "uploaded": iso8601(version.uploaded_unix_ms),
        "by": version.by,
        "self_test": show_self_test(&version.self_test),
        "usage": usage,
    })
}

fn show_self_test(test: &SelfTest) -> Value {
    match test {
        SelfTest::NotRun => json!({ "result": "not-run" }),
        SelfTest::CouldNotRun { why } => json!({ "result": "not-run", "why": why }),
        SelfTest::Passed { cases } => json!({ "result": "passed", "cases": cases }),
        SelfTest::Failed { cases, why } => {
            json!({ "result": "failed", "cases": cases, "why": why })
        }
    }
}

pub(crate) fn show_line(line: &PluginLogLine) -> Value {
    json!({
        "at": iso8601(line.at_unix_ms),
        "version": line.version,
        "call": line.call,
        "level": line.level,
        "message": line.message,
    })
}

pub(crate) fn show_event(event: &PluginEvent) -> Value {
    json!({
        "at": iso8601(event.at_unix_ms),
        "who": event.who,
        "what": event.deed.to_string(),
    })
}
