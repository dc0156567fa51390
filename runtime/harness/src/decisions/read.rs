//! `[[trunk]]`, `[[route]]` and `[[retry]]` of a file of cases.

use std::collections::BTreeMap;

use plugin_host::{retry, routing};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use toml::{Table, Value};

use super::expected::{ExpectedRetry, ExpectedRoute};
use super::{DecisionCase, Question};
use crate::case::CaseError;

/// When a question is asked that does not say: noon of a Monday in 2026, UTC.
const NOW_UNIX_MS: i64 = 1_767_614_400_000;
/// What a call is, as far as a case does not say.
const CALL: [(&str, &str); 3] = [
    ("call-sid", "CA00000000000000000000000000000001"),
    ("account-sid", "AC00000000000000000000000000000001"),
    ("caller", "1000"),
];

/// What a file says about decisions.
pub(crate) struct Tables {
    /// What every `[[route]]` finds.
    pub(crate) trunks: Vec<Table>,
    pub(crate) routes: Vec<Table>,
    pub(crate) retries: Vec<Table>,
}

/// A `[[route]]`, with what it does not say filled in.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RouteWords {
    name: String,
    call: Value,
    now_unix_ms: u64,
    #[serde(default)]
    attempts: Vec<Value>,
    /// What is different about trunks of the file, by their ids.
    #[serde(default)]
    trunks: BTreeMap<String, Table>,
    #[serde(default)]
    settings: BTreeMap<String, String>,
    expect: ExpectedRoute,
}

/// A `[[retry]]`, with what it does not say filled in.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RetryWords {
    name: String,
    call: Value,
    now_unix_ms: u64,
    attempts: Vec<Value>,
    #[serde(default)]
    window: retry::Window,
    max_attempts: Option<u32>,
    #[serde(default)]
    settings: BTreeMap<String, String>,
    expect: ExpectedRetry,
}

impl Tables {
    pub(crate) fn is_empty(&self) -> bool {
        self.routes.is_empty() && self.retries.is_empty()
    }

    /// The cases, with these settings below their own.
    pub(crate) fn into_cases(
        self,
        settings: &BTreeMap<String, String>,
    ) -> Result<Vec<DecisionCase>, CaseError> {
        let mut cases = Vec::new();
        for table in self.routes {
            let name = name_of(&table, "route")?;
            cases.push(route(table, &self.trunks, settings).map_err(|why| why.in_case(&name))?);
        }
        for table in self.retries {
            let name = name_of(&table, "retry")?;
            cases.push(retry(table, settings).map_err(|why| why.in_case(&name))?);
        }
        Ok(cases)
    }
}

/// What is wrong with a case.
struct Wrong(String);

impl Wrong {
    fn in_case(self, name: &str) -> CaseError {
        CaseError::Decision {
            case: name.to_owned(),
            why: self.0,
        }
    }
}

fn name_of(table: &Table, kind: &str) -> Result<String, CaseError> {
    let name = table.get("name").and_then(Value::as_str);
    let name = name.map(str::to_owned);
    name.ok_or_else(|| CaseError::Toml(format!("a [[{kind}]] has no `name`")))
}

fn route(
    mut table: Table,
    trunks: &[Table],
    settings: &BTreeMap<String, String>,
) -> Result<DecisionCase, Wrong> {
    fill_in(&mut table)?;
    let words: RouteWords = read("", Value::Table(table))?;
    if !words.expect.is_one() {
        return Err(Wrong(
            "`expect` needs one of `attempts`, `wait`, `refuse` and `error`".to_owned(),
        ));
    }
    let trunks = trunks_of(trunks, words.trunks)?;
    Ok(DecisionCase {
        name: words.name,
        settings: over(settings, words.settings),
        question: Question::Route {
            request: routing::Request {
                call: read("call: ", words.call)?,
                attempts: attempts(words.attempts)?,
                now_unix_ms: words.now_unix_ms,
            },
            trunks,
            expected: words.expect,
        },
    })
}

fn retry(mut table: Table, settings: &BTreeMap<String, String>) -> Result<DecisionCase, Wrong> {
    fill_in(&mut table)?;
    let words: RetryWords = read("", Value::Table(table))?;
    if !words.expect.is_one() {
        return Err(Wrong(
            "`expect` needs one of `again`, `stop` and `error`".to_owned(),
        ));
    }
    if words.attempts.is_empty() {
        return Err(Wrong(
            "`attempts` needs the one that is just over".to_owned(),
        ));
    }
    Ok(DecisionCase {
        name: words.name,
        settings: over(settings, words.settings),
        question: Question::Retry {
            request: retry::Request {
                call: read("call: ", words.call)?,
                attempts: attempts(words.attempts)?,
                window: words.window,
                max_attempts: words.max_attempts,
                now_unix_ms: words.now_unix_ms,
            },
            expected: words.expect,
        },
    })
}

fn read<T: DeserializeOwned>(place: &str, value: Value) -> Result<T, Wrong> {
    value
        .try_into()
        .map_err(|error: toml::de::Error| Wrong(format!("{place}{}", error.message())))
}

fn attempts<T: DeserializeOwned>(attempts: Vec<Value>) -> Result<Vec<T>, Wrong> {
    let numbered = attempts.into_iter().zip(1..);
    numbered
        .map(|(attempt, number)| read(&format!("attempt {number}: "), attempt))
        .collect()
}

/// The trunks of the file, with what is different in this case.
fn trunks_of(
    trunks: &[Table],
    mut changes: BTreeMap<String, Table>,
) -> Result<Vec<routing::Trunk>, Wrong> {
    let mut changed = Vec::new();
    for trunk in trunks {
        let mut trunk = trunk.clone();
        let id = trunk
            .get("id")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        if let Some(mut change) = changes.remove(&id) {
            moments(&mut change)?;
            trunk.extend(change);
        }
        moments(&mut trunk)?;
        changed.push(read(&format!("trunk \"{id}\": "), Value::Table(trunk))?);
    }
    match changes.keys().next() {
        Some(id) => Err(Wrong(format!("there is no [[trunk]] with the id \"{id}\""))),
        None => Ok(changed),
    }
}

fn over(
    settings: &BTreeMap<String, String>,
    own: BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let mut all = settings.clone();
    all.extend(own);
    all
}

/// Fills in what a case does not say: about the call, about attempts, and what time it is.
fn fill_in(table: &mut Table) -> Result<(), Wrong> {
    moments(table)?;
    if let Some(Value::Table(call)) = table.get_mut("call") {
        for (key, value) in CALL {
            call.entry(key).or_insert_with(|| value.into());
        }
    }
    let mut now = NOW_UNIX_MS;
    if let Some(Value::Array(attempts)) = table.get_mut("attempts") {
        for attempt in attempts.iter_mut().filter_map(Value::as_table_mut) {
            fill_in_attempt(attempt);
            let ended = attempt.get("ended-unix-ms").and_then(Value::as_integer);
            now = ended.unwrap_or(now);
        }
    }
    table.entry("now-unix-ms").or_insert(Value::Integer(now));
    Ok(())
}

/// An attempt is over at once, and its status is what its outcome means.
fn fill_in_attempt(attempt: &mut Table) {
    attempt.entry("trunk").or_insert_with(|| "trunk".into());
    if let Some(started) = attempt.get("started-unix-ms").cloned() {
        attempt.entry("ended-unix-ms").or_insert(started);
    }
    let status = match attempt.get("outcome").and_then(Value::as_str) {
        Some("answered") => "completed",
        Some("busy") => "busy",
        Some("no-answer") => "no-answer",
        Some("canceled") => "canceled",
        _ => "failed",
    };
    attempt.entry("status").or_insert_with(|| status.into());
}

/// Moments become milliseconds since 1970, under the names that these have: `now` becomes `now-unix-ms`.
fn moments(table: &mut Table) -> Result<(), Wrong> {
    for (key, value) in std::mem::take(table) {
        let (key, value) = match value {
            Value::Datetime(moment) => {
                let unix_ms = unix_ms(&key, moment)?;
                (format!("{key}-unix-ms"), Value::Integer(unix_ms))
            }
            Value::Table(mut inner) => {
                moments(&mut inner)?;
                (key, Value::Table(inner))
            }
            Value::Array(mut values) => {
                for inner in values.iter_mut().filter_map(Value::as_table_mut) {
                    moments(inner)?;
                }
                (key, Value::Array(values))
            }
            other => (key, other),
        };
        table.insert(key, value);
    }
    Ok(())
}

fn unix_ms(key: &str, moment: toml::value::Datetime) -> Result<i64, Wrong> {
    let timestamp = moment.to_string().parse::<jiff::Timestamp>();
    let unix_ms = timestamp.ok().map(jiff::Timestamp::as_millisecond);
    unix_ms.filter(|ms| *ms >= 0).ok_or_else(|| {
        Wrong(format!(
            "{key} = {moment} is no moment with an offset, as 2026-11-23T09:30:00+07:00 is"
        ))
    })
}
