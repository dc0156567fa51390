//! The plain question that every routing policy and every retry strategy is asked. Whatever it answers, it must not break; what it has to
//! answer is in the cases that it brings.

use std::collections::BTreeMap;

use plugin_host::attempts::{Attempt, OutboundCall, Priority, Status};
use plugin_host::retry::{self, Strategy, Window};
use plugin_host::routing::{self, Channels, Health, Policy, Recent, Trunk};
use plugin_host::{Answered, LogLine, NoDecision};

use super::verdict::{Tally, Trouble, told};

/// Noon of a Monday in 2026, UTC.
const NOW_UNIX_MS: u64 = 1_767_614_400_000;
/// One minute, for a call that nobody takes.
const RUNG_MS: u64 = 60_000;

/// Asks over which trunks a call goes where one idle trunk serves all numbers.
pub(super) fn route(
    policy: &Policy,
    settings: &BTreeMap<String, String>,
    tally: &mut Tally,
) -> Result<(), Trouble> {
    tally.count();
    let request = routing::Request {
        call: call(),
        attempts: Vec::new(),
        now_unix_ms: NOW_UNIX_MS,
    };
    let answered = harness::route(policy, &request, &[trunk()], settings);
    judge("a call and one idle trunk the policy", &answered)
}

/// Asks whether a call is tried again whose one attempt nobody answered.
pub(super) fn retry(
    strategy: &Strategy,
    settings: &BTreeMap<String, String>,
    tally: &mut Tally,
) -> Result<(), Trouble> {
    tally.count();
    let request = retry::Request {
        call: call(),
        attempts: vec![unanswered()],
        window: Window::default(),
        max_attempts: None,
        now_unix_ms: NOW_UNIX_MS,
    };
    let answered = harness::retry(strategy, &request, settings);
    judge("a call that nobody answered the strategy", &answered)
}

fn judge<T>(
    asked_about: &str,
    (answered, log): &(Answered<T>, Vec<LogLine>),
) -> Result<(), Trouble> {
    match &answered.result {
        // What it needs may not be here: settings, or the trunks that it knows.
        Ok(_) | Err(NoDecision::Declined(_) | NoDecision::Unusable(_)) => Ok(()),
        Err(NoDecision::NoRoom) => Err(Trouble::NotRun(NoDecision::NoRoom.to_string())),
        Err(broken) => {
            let lines: Vec<&str> = log.iter().map(|line| line.message.as_str()).collect();
            let why = format!("asked about {asked_about} decided nothing: {broken}");
            Err(Trouble::Broken(told(why, &lines.join("\n"))))
        }
    }
}

fn call() -> OutboundCall {
    OutboundCall {
        call_sid: "CA00000000000000000000000000000001".to_owned(),
        account_sid: "AC00000000000000000000000000000001".to_owned(),
        caller: "1000".to_owned(),
        callee: "+85512345678".to_owned(),
        operator: None,
        priority: Priority::Ordinary,
        purpose: None,
    }
}

fn trunk() -> Trunk {
    Trunk {
        id: "trunk".to_owned(),
        prefixes: Vec::new(),
        health: Health::Up,
        channels: Channels::default(),
        prefix_channels: Vec::new(),
        starts_left: 100,
        closed_until_unix_ms: None,
        recent: Recent::default(),
        prices: Vec::new(),
        labels: BTreeMap::new(),
    }
}

fn unanswered() -> Attempt {
    Attempt {
        trunk: "trunk".to_owned(),
        started_unix_ms: NOW_UNIX_MS - RUNG_MS,
        ended_unix_ms: NOW_UNIX_MS,
        status: Status::NoAnswer,
        outcome: ::call::Outcome::NoAnswer,
        sip_code: Some(480),
        retry_after_s: None,
        duration_s: 0,
        answered_by_machine: None,
    }
}
