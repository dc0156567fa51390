//! Calls that were carried, as the API tells of them, and what a routing policy would have been asked about each.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use anyhow::Context;
use call::Outcome;
use http::Method;
use jiff::Timestamp;
use plugin_host::attempts::{Operator, OutboundCall};
use plugin_host::routing::{Channels, Health, PrefixChannels, Request, Trunk};
use serde::Deserialize;
use serde_json::Value;
use store::{Priority, TrunkId};

use crate::commands::account_api::{AccountApi, Moment};
use crate::retry::question;
use crate::routing::RecentCalls;

/// Calls of a page.
const PAGE: usize = 1_000;

/// What is known of an account's calls.
#[derive(Default)]
pub(crate) struct Past {
    account: String,
    /// The first that was placed in front.
    pub(crate) calls: Vec<PastCall>,
    trunks: HashMap<String, Limits>,
    /// The numbers that the account may show.
    callers: Vec<String>,
}

/// A call that a trunk carried, or that a routing policy refused.
#[derive(Debug, Deserialize)]
pub(crate) struct PastCall {
    pub(crate) call_sid: String,
    direction: String,
    from: String,
    pub(crate) to: String,
    operator: Option<Operator>,
    priority: String,
    reason: Option<String>,
    /// When a routing policy was asked, or would have been; none of calls of which none is asked.
    pub(crate) date_asked: Option<Moment>,
    /// Why a routing policy refused it.
    pub(crate) refused: Option<String>,
    /// Those that may carry it now.
    trunks: Vec<String>,
    /// Why it may not be made now.
    pub(crate) obstacle: Option<String>,
    pub(crate) attempts: Vec<Carried>,
}

/// One attempt, or the whole of a call that came in.
#[derive(Debug, Deserialize)]
pub(crate) struct Carried {
    pub(crate) trunk: String,
    date_started: Option<Moment>,
    date_ended: Option<Moment>,
    #[serde(default)]
    pub(crate) outcome: Option<Outcome>,
    /// Why it was this trunk, in words of whoever chose.
    #[serde(default)]
    pub(crate) chosen_because: Option<String>,
    #[serde(default)]
    retry_after_s: Option<u32>,
}

/// What a trunk serves and carries.
#[derive(Debug, Deserialize)]
struct Limits {
    prefixes: Vec<String>,
    max_channels: u32,
    channels_by_prefix: BTreeMap<String, u32>,
}

/// A page of the API.
#[derive(Deserialize)]
struct Page {
    calls: Vec<PastCall>,
    trunks: HashMap<String, Limits>,
    callers: Vec<String>,
    next_page_uri: Option<String>,
}

/// The newest calls that were placed since then, so many at most. `show` is told how many there are so far.
pub(crate) fn since(
    api: &AccountApi,
    since: Option<Timestamp>,
    most: usize,
    mut show: impl FnMut(usize),
) -> anyhow::Result<Past> {
    let mut past = Past {
        account: api.account.clone().unwrap_or_default(),
        ..Past::default()
    };
    let mut query = vec![("PageSize".to_owned(), PAGE.min(most).to_string())];
    query.extend(since.map(|since| ("Since".to_owned(), since.to_string())));
    loop {
        let page = api.ask_json(Method::GET, "RoutedCalls", &query, &Value::Null)?;
        let page: Page = serde_json::from_value(page)
            .context("the server tells of its calls in other words: is it of this version?")?;
        past.calls.extend(page.calls);
        past.trunks.extend(page.trunks);
        past.callers = page.callers;
        past.calls.truncate(most);
        show(past.calls.len());
        let next = page.next_page_uri.filter(|_| past.calls.len() < most);
        let Some(next) = next else {
            past.calls.reverse();
            return Ok(past);
        };
        query = api.server.join(&next)?.query_pairs().into_owned().collect();
    }
}

/// Something that happened, in the order of time: what ends makes room for what begins at the same time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Turn {
    Ended { call: usize, attempt: usize },
    Asked { call: usize },
    Began { call: usize, attempt: usize },
}

impl Past {
    /// Whether the account may show the number.
    pub(crate) fn may_show(&self, number: &str) -> bool {
        self.callers.iter().any(|own| own == number)
    }

    /// Shows each call of which a policy is asked, the first in front, with the question as it stood: what the account's own calls held, and what came of
    /// them in the quarter of an hour before. Calls that may not be made now are not shown.
    pub(crate) fn each(
        &self,
        mut show: impl FnMut(&PastCall, &Request, &[Trunk]) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let mut load = Load::default();
        for (at, turn) in self.turns() {
            match turn {
                Turn::Began { call, attempt } => self.begin(&mut load, call, attempt),
                Turn::Ended { call, attempt } => self.end(&mut load, call, attempt, at),
                Turn::Asked { call } => {
                    let call = &self.calls[call];
                    if !call.trunks.is_empty() {
                        let trunks: Vec<Trunk> = (call.trunks.iter())
                            .filter_map(|id| Some(load.trunk(id, self.trunks.get(id)?, at)))
                            .collect();
                        show(call, &self.question(call, at)?, &trunks)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn turns(&self) -> Vec<(u64, Turn)> {
        let mut turns = Vec::new();
        for (call, row) in self.calls.iter().enumerate() {
            turns.extend(
                row.date_asked
                    .map(|at| (at.unix_ms(), Turn::Asked { call })),
            );
            for (attempt, carried) in row.attempts.iter().enumerate() {
                let Some(began) = carried.date_started else {
                    continue;
                };
                turns.push((began.unix_ms(), Turn::Began { call, attempt }));
                let ended = carried.date_ended;
                turns.extend(ended.map(|at| (at.unix_ms(), Turn::Ended { call, attempt })));
            }
        }
        turns.sort_unstable();
        turns
    }

    fn question(&self, call: &PastCall, now_unix_ms: u64) -> anyhow::Result<Request> {
        let priority: Priority = call.priority.parse()?;
        Ok(Request {
            call: OutboundCall {
                call_sid: call.call_sid.clone(),
                account_sid: self.account.clone(),
                caller: call.from.clone(),
                callee: call.to.clone(),
                operator: call.operator.clone(),
                priority: question::priority(priority),
                purpose: call.reason.clone(),
            },
            attempts: Vec::new(),
            now_unix_ms,
        })
    }

    /// The part of its trunk that an attempt of the call is in.
    fn part(&self, call: &PastCall, trunk: &str) -> Option<String> {
        let party = match call.direction.as_str() {
            "inbound" => &call.from,
            _ => &call.to,
        };
        let parts = self.trunks.get(trunk)?.channels_by_prefix.keys();
        let fitting = parts.filter(|prefix| party.starts_with(prefix.as_str()));
        fitting.max_by_key(|prefix| prefix.len()).cloned()
    }

    fn begin(&self, load: &mut Load, call: usize, attempt: usize) {
        let call = &self.calls[call];
        let trunk = &call.attempts[attempt].trunk;
        *load.held(trunk, None) += 1;
        if let Some(part) = self.part(call, trunk) {
            *load.held(trunk, Some(part)) += 1;
        }
    }

    fn end(&self, load: &mut Load, call: usize, attempt: usize, at_unix_ms: u64) {
        let call = &self.calls[call];
        let Carried {
            trunk,
            outcome,
            retry_after_s,
            ..
        } = &call.attempts[attempt];
        *load.held(trunk, None) -= 1;
        if let Some(part) = self.part(call, trunk) {
            *load.held(trunk, Some(part)) -= 1;
        }
        let Some(outcome) = *outcome else {
            return;
        };
        load.recent
            .note(&TrunkId(trunk.clone()), outcome, at_unix_ms);
        if let (Outcome::Congestion, Some(seconds)) = (outcome, *retry_after_s) {
            let pause = Duration::from_secs(seconds.into()).as_millis();
            let until = at_unix_ms.saturating_add(u64::try_from(pause).unwrap_or(u64::MAX));
            load.closed.insert(trunk.clone(), until);
        }
    }
}

/// What the calls hold at some time, and what came of those before.
#[derive(Default)]
struct Load {
    /// Below zero for a moment where a call ends as it begins.
    held: HashMap<(String, Option<String>), i64>,
    closed: HashMap<String, u64>,
    recent: RecentCalls,
}

impl Load {
    fn held(&mut self, trunk: &str, part: Option<String>) -> &mut i64 {
        self.held.entry((trunk.to_owned(), part)).or_default()
    }

    fn trunk(&self, id: &str, limits: &Limits, now_unix_ms: u64) -> Trunk {
        let used = |part: Option<&String>| {
            let held = self.held.get(&(id.to_owned(), part.cloned()));
            held.map_or(0, |held| u32::try_from(*held).unwrap_or(0))
        };
        let parts = limits.channels_by_prefix.iter();
        Trunk {
            id: id.to_owned(),
            prefixes: limits.prefixes.clone(),
            health: Health::Up,
            channels: Channels {
                used: used(None),
                limit: limits.max_channels,
            },
            prefix_channels: parts
                .map(|(prefix, limit)| PrefixChannels {
                    prefix: prefix.clone(),
                    channels: Channels {
                        used: used(Some(prefix)),
                        limit: *limit,
                    },
                })
                .collect(),
            starts_left: 1,
            closed_until_unix_ms: (self.closed.get(id).copied())
                .filter(|until| *until > now_unix_ms),
            recent: self.recent.of(&TrunkId(id.to_owned()), now_unix_ms),
            prices: Vec::new(),
            labels: BTreeMap::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(second: u32) -> String {
        format!("2026-11-23T09:{:02}:{:02}Z", second / 60, second % 60)
    }

    /// A call to Smart's lines that was asked about, began and ended at these seconds.
    fn call(sid: &str, began: u32, ended: Option<u32>, outcome: &str) -> Value {
        json!({
            "call_sid": sid, "direction": "outbound", "from": "345", "to": "+85510000001", "operator": null,
            "priority": "normal", "reason": null, "date_asked": at(began), "refused": null, "trunks": ["north"],
            "obstacle": null,
            "attempts": [{ "trunk": "north", "date_started": at(began), "date_ended": ended.map(at), "outcome": outcome }],
        })
    }

    fn past(calls: Vec<Value>) -> Past {
        let limits = json!({ "prefixes": [], "max_channels": 9, "channels_by_prefix": { "+85510": 2, "+855": 5 } });
        let calls = calls.into_iter();
        Past {
            calls: calls
                .map(|call| serde_json::from_value(call).unwrap())
                .collect(),
            trunks: HashMap::from([("north".to_owned(), serde_json::from_value(limits).unwrap())]),
            ..Past::default()
        }
    }

    /// For each question: the call; channels of the trunk, of +855 and of +85510 in use; calls that are over, answered, congested; whether it is closed.
    fn questions(past: &Past) -> Vec<(String, [u32; 3], [u32; 3], bool)> {
        let mut found = Vec::new();
        past.each(|call, request, trunks| {
            let [trunk] = trunks else {
                panic!("{trunks:?}");
            };
            assert_eq!(request.call.call_sid, call.call_sid);
            let parts = &trunk.prefix_channels;
            found.push((
                call.call_sid.clone(),
                [
                    trunk.channels.used,
                    parts[0].channels.used,
                    parts[1].channels.used,
                ],
                [
                    trunk.recent.attempted,
                    trunk.recent.answered,
                    trunk.recent.congested,
                ],
                trunk.closed_until_unix_ms.is_some(),
            ));
            Ok(())
        })
        .unwrap();
        found
    }

    #[test]
    fn a_question_has_what_the_accounts_calls_held_then() {
        let mut inbound = call("in", 5, Some(60), "answered");
        for (name, value) in [
            ("direction", json!("inbound")),
            ("date_asked", Value::Null),
            ("from", json!("+85593000000")),
        ] {
            inbound[name] = value;
        }
        inbound["attempts"][0]["outcome"] = Value::Null;
        let mut refused = call("c", 20, Some(21), "congestion");
        refused["attempts"][0]["retry_after_s"] = json!(10);
        let past = past(vec![
            call("a", 0, Some(10), "answered"),
            inbound,
            call("b", 10, None, "busy"),
            refused,
            call("d", 25, Some(26), "answered"),
            call("e", 31, Some(32), "answered"),
        ]);
        let expected = [
            ("a", [0, 0, 0], [0, 0, 0], false),
            ("b", [1, 1, 0], [1, 1, 0], false),
            ("c", [2, 1, 1], [1, 1, 0], false),
            ("d", [2, 1, 1], [2, 1, 1], true),
            ("e", [2, 1, 1], [3, 2, 1], false),
        ];
        let expected =
            expected.map(|(sid, used, recent, closed)| (sid.to_owned(), used, recent, closed));
        assert_eq!(questions(&past), expected);
    }

    #[test]
    fn what_may_not_be_called_now_is_not_asked_about() {
        let mut gone = call("a", 0, Some(10), "answered");
        gone["trunks"] = json!([]);
        gone["obstacle"] = json!("no trunk leads there");
        let past = past(vec![gone, call("b", 5, Some(6), "answered")]);
        // Its channel was held all the same.
        assert_eq!(
            questions(&past),
            [("b".to_owned(), [1, 0, 1], [0, 0, 0], false)]
        );
    }
}
