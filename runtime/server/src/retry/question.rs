//! What a retry strategy is asked: the attempts of a recipient in its words.

use call::CallStatus;
use dial::retry::{Attempt, Wish};
use media::AnsweredBy;
use plugin_host::attempts::{self, Operator, OutboundCall, Status};
use plugin_host::retry::{Request, Window};
use store::{Directory, PhoneNumber, Priority};

/// The question whether there is another attempt. None where the last one was not made: no strategy has anything to say of that.
pub(crate) fn question(
    call: OutboundCall,
    attempts: &[Attempt],
    wish: &Wish,
    now_unix_ms: u64,
) -> Option<Request> {
    if attempts.last()?.was_not_made() {
        return None;
    }
    Some(Request {
        call,
        attempts: attempts.iter().filter_map(attempt).collect(),
        window: Window {
            from_unix_ms: wish.terms.not_before_unix_ms,
            until_unix_ms: wish.terms.expires_unix_ms,
        },
        max_attempts: wish.max_attempts,
        now_unix_ms,
    })
}

/// The network operator that a number was given to, as far as it is known.
pub(crate) fn operator(directory: &Directory, number: &PhoneNumber) -> Option<Operator> {
    let known = directory.operator(number)?;
    Some(Operator {
        country: known.id.country.to_string(),
        name: known.id.name.clone(),
    })
}

/// How much a call matters, in a strategy's words.
pub(crate) const fn priority(priority: Priority) -> attempts::Priority {
    match priority {
        Priority::Emergency => attempts::Priority::Urgent,
        Priority::Normal => attempts::Priority::Ordinary,
        Priority::Bulk => attempts::Priority::Low,
    }
}

/// One attempt; none for one that was not made.
fn attempt(attempt: &Attempt) -> Option<attempts::Attempt> {
    let record = &attempt.record;
    let trunk = attempt.trunk.as_ref().filter(|_| !attempt.was_not_made())?;
    Some(attempts::Attempt {
        trunk: trunk.0.clone(),
        started_unix_ms: attempt.started_unix_ms,
        ended_unix_ms: attempt.ended_unix_ms,
        status: match record.status {
            CallStatus::Completed => Status::Completed,
            CallStatus::Busy => Status::Busy,
            CallStatus::NoAnswer => Status::NoAnswer,
            CallStatus::Canceled => Status::Canceled,
            _ => Status::Failed,
        },
        outcome: record.outcome(),
        sip_code: record.sip_status,
        retry_after_s: record.retry_after_s,
        duration_s: record.duration_s,
        answered_by_machine: record.answered_by.and_then(|by| match by {
            AnsweredBy::Human => Some(false),
            AnsweredBy::Unknown => None,
            _ => Some(true),
        }),
    })
}

#[cfg(test)]
mod tests {
    use call::CallRecord;
    use plugin_host::attempts::Priority;
    use store::TrunkId;

    use super::*;

    fn attempt(trunk: Option<&str>, status: CallStatus, sip_status: Option<u16>) -> Attempt {
        Attempt {
            started_unix_ms: 1_000,
            ended_unix_ms: 9_000,
            trunk: trunk.map(|name| TrunkId(name.to_owned())),
            record: CallRecord {
                sip_status,
                retry_after_s: Some(30),
                ..CallRecord::new(status, "")
            },
        }
    }

    fn asked(attempts: &[Attempt]) -> Option<Request> {
        let call = OutboundCall {
            call_sid: String::new(),
            account_sid: String::new(),
            caller: "1294".to_owned(),
            callee: "+85512345678".to_owned(),
            operator: None,
            priority: Priority::Urgent,
            purpose: None,
        };
        question(call, attempts, &Wish::default(), 10_000)
    }

    #[test]
    fn a_strategy_is_told_of_the_attempts_that_were_made() {
        let taken_back = attempt(None, CallStatus::Canceled, None);
        let busy = attempt(Some("north"), CallStatus::Busy, Some(486));
        let request = asked(&[taken_back.clone(), busy.clone()]).unwrap();
        assert_eq!(request.attempts.len(), 1);
        let told = &request.attempts[0];
        assert_eq!(
            (told.trunk.as_str(), told.status, told.outcome),
            ("north", Status::Busy, call::Outcome::Busy)
        );
        assert_eq!((told.sip_code, told.retry_after_s), (Some(486), Some(30)));
        assert_eq!(asked(&[busy, taken_back]), None);
        assert_eq!(asked(&[]), None);
    }
}
