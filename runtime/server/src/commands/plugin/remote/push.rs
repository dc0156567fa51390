//! `jackfield plugin push`.

use std::io::Write;
use std::path::Path;

use anyhow::{Context, bail};
use http::Method;
use serde_json::Value;

use super::PushOptions;
use crate::commands::plugin::component;

/// The server's status where the same bytes are a version already.
const KNOWN: u16 = 200;

/// Builds the component unless one is given, uploads it, and tells what became of it. Fails where its test does.
pub(super) fn push(options: &PushOptions, out: &mut impl Write) -> anyhow::Result<()> {
    let given = options.component.as_deref();
    let component = match options.server.api.json {
        true => component(given, &options.source, &mut std::io::sink())?,
        false => component(given, &options.source, out)?,
    };
    let name = match &options.name {
        Some(name) => name.clone(),
        None => name_of(&component)?,
    };
    let wasm = std::fs::read(&component)
        .with_context(|| format!("cannot read {}", component.display()))?;
    let server = &options.server;
    if !server.api.json {
        let kib = wasm.len().div_ceil(1_024);
        writeln!(out, "uploading {kib} KiB as {name} …")?;
    }
    let path = match options.inactive {
        true => format!("{name}/Versions?Activate=false"),
        false => format!("{name}/Versions"),
    };
    let (status, answer) =
        server.ask_for_status(Method::POST, &path, "application/wasm", wasm.into())?;
    if status == KNOWN && !server.api.json {
        writeln!(out, "these bytes are version {} already", answer["version"])?;
    }
    server.tell(&answer, in_words, out)?;
    match answer["self_test"]["result"].as_str() {
        Some("failed") => bail!("the test failed: this version is not used"),
        _ => Ok(()),
    }
}

fn in_words(version: &Value) -> String {
    let worlds = version["worlds"].as_array().into_iter().flatten();
    let worlds: Vec<_> = worlds.filter_map(Value::as_str).collect();
    let test = &version["self_test"];
    let why = test["why"].as_str().unwrap_or_default();
    let tested = match test["result"].as_str() {
        Some("passed") => format!("tested: {} cases\n", test["cases"]),
        Some("failed") => format!("test failed: {}\n", why.trim_end()),
        _ if why.is_empty() => String::new(),
        _ => format!("not tested: {why}; `jackfield plugin activate` takes it all the same\n"),
    };
    // Of a version that came by a tenants file the server has no worlds written down.
    let compiled = match worlds.is_empty() {
        true => String::new(),
        false => format!("compiled: runs {}\n", worlds.join(", ")),
    };
    format!(
        "{compiled}{tested}{} as version {}\n",
        version["state"].as_str().unwrap_or_default(),
        version["version"]
    )
}

/// `target/…/head_count.wasm` is `head-count`.
fn name_of(component: &Path) -> anyhow::Result<String> {
    let stem = component.file_stem().and_then(|stem| stem.to_str());
    let stem = stem.context("the component's file has no name in UTF-8: give --name")?;
    Ok(stem.to_lowercase().replace('_', "-"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_plugin_is_named_after_its_file() {
        for (file, name) in [
            ("target/release/head_count.wasm", "head-count"),
            ("Menu.wasm", "menu"),
        ] {
            assert_eq!(name_of(Path::new(file)).unwrap(), name);
        }
    }

    #[test]
    fn what_became_of_a_version_is_told() {
        let version = json!({
            "version": 3, "state": "active", "worlds": ["jackfield:call/call-flow@0.1.0"],
            "self_test": { "result": "passed", "cases": 2 },
        });
        assert_eq!(
            in_words(&version),
            "compiled: runs jackfield:call/call-flow@0.1.0\ntested: 2 cases\nactive as version 3\n"
        );
        let applied = json!({ "version": 1, "state": "active", "worlds": [] });
        assert_eq!(in_words(&applied), "active as version 1\n");
    }
}
