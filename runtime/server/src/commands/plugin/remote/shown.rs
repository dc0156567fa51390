//! The server's answers in words.

use std::fmt::Write as _;

use serde_json::Value;

/// All plugins.
pub(super) fn plugins(answer: &Value) -> String {
    let plugins = answer["plugins"].as_array().map_or(&[][..], Vec::as_slice);
    match plugins {
        [] => "no plugins: upload one with `jackfield plugin push`\n".to_owned(),
        plugins => plugins.iter().map(plugin).collect(),
    }
}

/// One plugin: its name, and a line for each version, the newest first.
pub(super) fn plugin(answer: &Value) -> String {
    let mut text = format!("{}\n", word(&answer["name"]));
    for version in answer["versions"].as_array().into_iter().flatten() {
        line(&mut text, version, &answer["canary"]);
    }
    text
}

fn line(text: &mut String, version: &Value, canary: &Value) {
    let state = match (word(&version["state"]), &canary["percent"]) {
        ("canary", percent) => format!("canary {percent} %"),
        (state, _) => state.to_owned(),
    };
    let kib = number(&version["size_bytes"]).div_ceil(1_024);
    let test = &version["self_test"];
    let tested = match word(&test["result"]) {
        "passed" => format!("{} cases ok", test["cases"]),
        "failed" => format!("failed: {}", first_line(word(&test["why"]))),
        _ => "not tested".to_owned(),
    };
    let sha256 = word(&version["sha256"]);
    let usage = &version["usage"];
    let [calls, traps, cpu_ms, host_calls, log_lines] =
        ["calls", "traps", "cpu_ms", "host_calls", "log_lines"].map(|key| number(&usage[key]));
    let memory_kib = number(&usage["memory_bytes"]).div_ceil(1_024);
    writeln!(
        text,
        "  {:>4}  {state:<12}  {kib:>5} KiB  {}  {}  {:<34}  {tested}\n        \
         {calls} calls, {traps} traps, {cpu_ms} ms CPU, {memory_kib} KiB memory, {host_calls} host calls, {log_lines} log lines",
        version["version"].to_string(),
        sha256.get(..12).unwrap_or(sha256),
        word(&version["uploaded"]),
        word(&version["by"]),
    )
    .expect("writing to a string cannot fail");
}

/// What was done, a line each.
pub(super) fn history(answer: &Value) -> String {
    let events = answer["history"].as_array().into_iter().flatten();
    events
        .map(|event| {
            let [at, who, what] = ["at", "who", "what"].map(|key| word(&event[key]));
            format!("{at}  {who:<34}  {what}\n")
        })
        .collect()
}

/// Lines of a log.
pub(super) fn log(answer: &Value) -> String {
    let lines = answer["log"].as_array().into_iter().flatten();
    lines
        .map(|line| {
            let [at, call, level, message] =
                ["at", "call", "level", "message"].map(|key| word(&line[key]));
            let version = line["version"].to_string();
            format!("{at}  version {version}  {call}  {level:<8}  {message}\n")
        })
        .collect()
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or(0)
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn versions_have_a_line_each() {
        let answer = json!({ "plugins": [{
            "name": "survey", "canary": { "version": 3, "percent": 10 },
            "versions": [
                { "version": 3, "state": "canary", "size_bytes": 2_000, "sha256": "0123456789abcdef", "uploaded": "2026-01-02T03:04:05Z",
                  "by": "operator", "self_test": { "result": "passed", "cases": 2 },
                  "usage": { "calls": 9, "traps": 1, "cpu_ms": 20, "memory_bytes": 2_000, "host_calls": 90 } },
                { "version": 2, "state": "active", "size_bytes": 1_024, "sha256": "f", "uploaded": "2026-01-01T03:04:05Z",
                  "by": "operator", "self_test": { "result": "not-run" } },
            ],
        }]});
        let by = format!("{:<34}", "operator");
        assert_eq!(
            plugins(&answer),
            format!(
                "survey\n     3  canary 10 %       2 KiB  0123456789ab  2026-01-02T03:04:05Z  {by}  2 cases ok\n        \
                 9 calls, 1 traps, 20 ms CPU, 2 KiB memory, 90 host calls, 0 log lines\n     \
                 2  active            1 KiB  f  2026-01-01T03:04:05Z  {by}  not tested\n        \
                 0 calls, 0 traps, 0 ms CPU, 0 KiB memory, 0 host calls, 0 log lines\n"
            )
        );
        assert!(plugins(&json!({ "plugins": [] })).contains("plugin push"));
    }

    #[test]
    fn a_log_tells_version_and_call() {
        let answer = json!({ "log": [{ "at": "2026-01-02T03:04:05Z", "version": 2, "call": "CA1", "level": "warn", "message": "odd" }] });
        assert_eq!(
            log(&answer),
            "2026-01-02T03:04:05Z  version 2  CA1  warn      odd\n"
        );
    }

    #[test]
    fn a_history_tells_who_and_when() {
        let answer = json!({ "history": [{ "at": "2026-01-02T03:04:05Z", "who": "operator", "what": "activated version 2" }] });
        let told = history(&answer);
        assert!(told.starts_with("2026-01-02T03:04:05Z  operator"), "{told}");
        assert!(told.ends_with("  activated version 2\n"), "{told}");
    }
}
