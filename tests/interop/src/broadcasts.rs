//! `jackfield broadcast`, asked about a running server.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use crate::command_line::run;
use crate::process::eventually;
use crate::server::Server;

/// Four attempts a minute apart, on a machine with other work.
const LIMIT: Duration = Duration::from_secs(480);

/// A message of a second.
const MESSAGE: &str = r#"<Response><Pause length="1"/></Response>"#;

/// The number of the n-th recipient, from 0.
#[must_use]
pub fn number(of: usize) -> String {
    format!("+1500555{of:04}")
}

/// A draft for so many numbers, with further options.
///
/// # Panics
/// When it is refused.
#[must_use]
pub fn draft(server: &Server, recipients: usize, options: &[&str]) -> String {
    draft_for(server, 0..recipients, options)
}

/// A draft for the recipients of these [numbers](number), with further options.
///
/// # Panics
/// When it is refused.
#[must_use]
pub fn draft_for(
    server: &Server,
    recipients: impl Iterator<Item = usize>,
    options: &[&str],
) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let (table, document) = (
        folder.path().join("people.csv"),
        folder.path().join("m.xml"),
    );
    let rows: String = recipients.map(|of| number(of) + ",en\n").collect();
    std::fs::write(&table, format!("number,language\n{rows}")).expect("a file");
    std::fs::write(&document, MESSAGE).expect("a file");
    let mut arguments = vec!["broadcast", "create", "--name", "Flood", "--from", "1000"];
    let (table, document) = (table.display().to_string(), document.display().to_string());
    arguments.extend(["--recipients", &table, "--twiml", &document]);
    arguments.extend(options);
    run(server, &arguments).expect("a draft").trim().to_owned()
}

/// `broadcast show`.
///
/// # Panics
/// When it does not succeed.
#[must_use]
pub fn show(server: &Server, sid: &str) -> Value {
    let shown = run(server, &["broadcast", "show", sid, "--json"]).expect("it is there");
    serde_json::from_str(&shown).expect("JSON")
}

/// One of the counts of a broadcast that was shown.
///
/// # Panics
/// When it is no count.
#[must_use]
pub fn progress(row: &Value, name: &str) -> usize {
    let count = row["progress"][name].as_u64();
    usize::try_from(count.unwrap_or(0)).expect("a small number")
}

/// A broadcast once everybody was called.
///
/// # Panics
/// When that takes too long.
#[must_use]
pub fn completed(server: &Server, sid: &str) -> Value {
    eventually("everybody was called", LIMIT, || {
        let row = show(server, sid);
        (row["state"] == "completed").then_some(row)
    })
}

/// State and last outcome of each number, by the table of results.
///
/// # Panics
/// When it is no such table.
#[must_use]
pub fn results(server: &Server, sid: &str) -> BTreeMap<String, (String, String)> {
    let table = run(server, &["broadcast", "results", sid]).expect("results");
    let mut lines = table.lines();
    assert!(lines.next().is_some_and(|heading| {
        heading.starts_with("number,language,state,reason,attempts,outcome")
    }));
    lines
        .map(|line| {
            // A reason may have a comma in it.
            let cells: Vec<&str> = line.split(',').collect();
            let outcome = cells[cells.len() - 6];
            (
                cells[0].to_owned(),
                (cells[2].to_owned(), outcome.to_owned()),
            )
        })
        .collect()
}
