//! Broadcasts that were made, as the API tells of them.

use std::time::Duration;

use anyhow::{Context, bail};
use call::{CallRecord, CallStatus};
use dial::retry::{Attempt, Wish};
use http::Method;
use jiff::Timestamp;
use plugin_host::attempts::OutboundCall;
use serde::Deserialize;
use serde_json::Value;
use store::{Priority, QueueTerms, TrunkId};

use crate::commands::account_api::{AccountApi, Moment};
use crate::retry::question;

/// Recipients of a page.
const PAGE: &str = "1000";

/// A broadcast, as far as rules look at it.
#[derive(Debug, Deserialize)]
pub(crate) struct Broadcast {
    pub(crate) sid: String,
    account_sid: String,
    name: String,
    from: String,
    priority: String,
    not_before: Option<Moment>,
    expires: Option<Moment>,
    window: Option<String>,
    date_created: Moment,
    bounds: Bounds,
    progress: Progress,
}

/// What the broadcast itself says of its attempts.
#[derive(Debug, Deserialize)]
struct Bounds {
    max_attempts: Option<u32>,
    gap_s: Option<u64>,
}

#[derive(Debug, Deserialize)]
struct Progress {
    recipients: u64,
}

/// A recipient with all of their calls.
#[derive(Debug, Deserialize)]
struct Recipient {
    number: String,
    state: String,
    attempts: Vec<Call>,
}

#[derive(Debug, Deserialize)]
struct Call {
    call_sid: String,
    outcome: String,
    sip_status: Option<u16>,
    retry_after_s: Option<u32>,
    duration_s: u32,
    trunk: Option<String>,
    date_started: Moment,
    date_ended: Moment,
}

/// Somebody who was called, and is called no more.
pub(crate) struct Person {
    pub(crate) call: OutboundCall,
    /// The calls that were made.
    pub(crate) past: Vec<Attempt>,
}

/// The broadcasts of an account that were made since then, the newest first.
pub(crate) fn since(api: &AccountApi, since: Timestamp) -> anyhow::Result<Vec<Broadcast>> {
    let mut found = Vec::new();
    let mut query = vec![("PageSize".to_owned(), PAGE.to_owned())];
    loop {
        let page = api.ask_json(Method::GET, "Broadcasts", &query, &Value::Null)?;
        for row in page["broadcasts"].as_array().into_iter().flatten() {
            let row = understood(row.clone())?;
            if row.date_created.0 < since {
                return Ok(found);
            }
            found.push(row);
        }
        let Some(next) = page["next_page_uri"].as_str() else {
            return Ok(found);
        };
        query = api.server.join(next)?.query_pairs().into_owned().collect();
    }
}

/// One broadcast.
pub(crate) fn one(api: &AccountApi, sid: &str) -> anyhow::Result<Broadcast> {
    let path = format!("Broadcasts/{sid}");
    understood(api.ask_json(Method::GET, &path, &[], &Value::Null)?)
}

fn understood(row: Value) -> anyhow::Result<Broadcast> {
    serde_json::from_value(row)
        .context("the server tells of its broadcasts in other words: is it of this version?")
}

impl Broadcast {
    /// How many it has.
    pub(crate) const fn recipients(&self) -> u64 {
        self.progress.recipients
    }

    /// What it says of its attempts.
    pub(crate) fn wish(&self) -> anyhow::Result<Wish> {
        let unix_ms = |at: &Option<Moment>| at.as_ref().map(Moment::unix_ms);
        let window = self.window.as_ref().map(|hours| hours.parse());
        let terms = QueueTerms {
            priority: self.priority()?,
            not_before_unix_ms: unix_ms(&self.not_before),
            expires_unix_ms: unix_ms(&self.expires),
            window: window.transpose()?,
        };
        Ok(Wish {
            max_attempts: self.bounds.max_attempts,
            gap: self.bounds.gap_s.map(Duration::from_secs),
            terms,
        })
    }

    fn priority(&self) -> anyhow::Result<Priority> {
        Ok(self.priority.parse()?)
    }

    /// Shows everybody page by page: those who are called no more, and how many others there were.
    pub(crate) fn each(
        &self,
        api: &AccountApi,
        mut show: impl FnMut(Vec<Person>, u64) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let path = format!("Broadcasts/{}/Recipients", self.sid);
        let mut query = vec![("PageSize".to_owned(), PAGE.to_owned())];
        loop {
            let mut page = api.ask_json(Method::GET, &path, &query, &Value::Null)?;
            let recipients: Vec<Recipient> = serde_json::from_value(page["recipients"].take())
                .context("the server tells of recipients in other words: is it of this version?")?;
            let all = recipients.len() as u64;
            let over = recipients
                .into_iter()
                .filter(|one| matches!(one.state.as_str(), "reached" | "given-up"))
                .map(|one| self.person(one))
                .collect::<anyhow::Result<Vec<Person>>>()?;
            let called: Vec<_> = over
                .into_iter()
                .filter(|person| !person.past.is_empty())
                .collect();
            let others = all - called.len() as u64;
            show(called, others)?;
            let Some(next) = page["next_page_uri"].as_str() else {
                return Ok(());
            };
            query = api.server.join(next)?.query_pairs().into_owned().collect();
        }
    }

    fn person(&self, recipient: Recipient) -> anyhow::Result<Person> {
        let first = recipient.attempts.first();
        Ok(Person {
            call: OutboundCall {
                call_sid: first.map_or_else(String::new, |call| call.call_sid.clone()),
                account_sid: self.account_sid.clone(),
                caller: self.from.clone(),
                callee: recipient.number,
                // The server's data alone tell.
                operator: None,
                priority: question::priority(self.priority()?),
                purpose: Some(self.name.clone()),
            },
            past: recipient
                .attempts
                .into_iter()
                .map(attempt)
                .filter(|attempt| !attempt.as_ref().is_ok_and(Attempt::was_not_made))
                .collect::<anyhow::Result<_>>()?,
        })
    }
}

/// A call, as the rules read it. The cause of the telephone network stands for its outcome, whatever told of that at the time.
fn attempt(call: Call) -> anyhow::Result<Attempt> {
    let (status, q850_cause) = match call.outcome.as_str() {
        "reached" => (CallStatus::Completed, None),
        // Whoever hung up before the end was not reached.
        "cut-short" => (CallStatus::NoAnswer, None),
        "busy" => (CallStatus::Busy, Some(17)),
        "no-answer" => (CallStatus::NoAnswer, Some(19)),
        "congestion" => (CallStatus::Failed, Some(34)),
        "unreachable" => (CallStatus::Failed, Some(20)),
        "rejected" => (CallStatus::Failed, Some(21)),
        "unallocated" => (CallStatus::Failed, Some(1)),
        "canceled" => (CallStatus::Canceled, None),
        "failed" | "lost" => (CallStatus::Failed, None),
        other => bail!("the server knows an outcome `{other}`: is it of this version?"),
    };
    Ok(Attempt {
        started_unix_ms: call.date_started.unix_ms(),
        ended_unix_ms: call.date_ended.unix_ms(),
        trunk: call.trunk.map(TrunkId),
        record: CallRecord {
            sip_status: call.sip_status,
            q850_cause,
            retry_after_s: call.retry_after_s,
            duration_s: call.duration_s,
            ..CallRecord::new(status, "")
        },
    })
}

#[cfg(test)]
mod tests {
    use call::Outcome;

    use super::*;

    #[test]
    fn outcomes_are_read_as_they_were() {
        for (word, expected) in [
            ("reached", Outcome::Answered),
            ("cut-short", Outcome::NoAnswer),
            ("busy", Outcome::Busy),
            ("no-answer", Outcome::NoAnswer),
            ("congestion", Outcome::Congestion),
            ("unreachable", Outcome::Unreachable),
            ("rejected", Outcome::Rejected),
            ("unallocated", Outcome::Unallocated),
            ("canceled", Outcome::Canceled),
            ("failed", Outcome::Failed),
            ("lost", Outcome::Failed),
        ] {
            let call = Call {
                call_sid: String::new(),
                outcome: word.to_owned(),
                sip_status: None,
                retry_after_s: None,
                duration_s: 0,
                trunk: Some("north".to_owned()),
                date_started: Moment(Timestamp::UNIX_EPOCH),
                date_ended: Moment(Timestamp::UNIX_EPOCH),
            };
            assert_eq!(attempt(call).unwrap().record.outcome(), expected, "{word}");
        }
    }
}
