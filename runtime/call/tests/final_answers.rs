//! What each final answer to an INVITE means.

#![allow(missing_docs, reason = "a test")]

use jackfield_call::{CallRecord, CallStatus, Outcome, Outcomes};

/// Twilio's statuses: 486 and 600 are busy, 408, 480, 487 and 603 no answer, and all others failed; no code is left out, and none is a
/// success.
#[test]
fn every_code_from_300_to_699_has_its_status() {
    let outcomes = Outcomes::default();
    for code in 300..=699 {
        let expected = match code {
            486 | 600 => CallStatus::Busy,
            408 | 480 | 487 | 603 => CallStatus::NoAnswer,
            _ => CallStatus::Failed,
        };
        assert_eq!(outcomes.status(code), expected, "{code}");
        let record = CallRecord {
            sip_status: Some(code),
            ..CallRecord::new(expected, "")
        };
        let outcome = record.outcome();
        assert!(
            !matches!(outcome, Outcome::Answered | Outcome::Canceled),
            "{code}: {outcome:?}"
        );
        assert_eq!(outcome == Outcome::Congestion, code == 503, "{code}");
        let is_of_the_way = matches!(code, 408 | 500 | 502 | 503 | 504);
        assert_eq!(record.may_go_another_way(), is_of_the_way, "{code}");
    }
}

/// What a trunk means by a code stands over the table, and changes no other.
#[test]
fn a_trunks_own_meaning_is_of_its_code_alone() {
    for own in 300..=699 {
        let outcomes: Outcomes = [(own, CallStatus::Busy)].into_iter().collect();
        let usual = Outcomes::default();
        for code in [own.max(301) - 1, (own + 1).min(699)] {
            if code != own {
                assert_eq!(outcomes.status(code), usual.status(code), "{own}, {code}");
            }
        }
        assert_eq!(outcomes.status(own), CallStatus::Busy);
    }
}
