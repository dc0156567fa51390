//! The tables, whole.

use super::*;

/// Every code from 300 to 699 that is not in `rows` means `rest`.
#[track_caller]
fn check_all<T: PartialEq + std::fmt::Debug + Copy>(
    meant: impl Fn(u16) -> T,
    rows: &[(u16, T)],
    rest: T,
) {
    for code in 300..=699 {
        let row = rows.iter().find(|(listed, _)| *listed == code);
        assert_eq!(
            meant(code),
            row.map_or(rest, |(_, meaning)| *meaning),
            "{code}"
        );
    }
}

const DEFAULT: [(u16, CallStatus); 6] = [
    (486, CallStatus::Busy),
    (600, CallStatus::Busy),
    (408, CallStatus::NoAnswer),
    (480, CallStatus::NoAnswer),
    (487, CallStatus::NoAnswer),
    (603, CallStatus::NoAnswer),
];

#[test]
fn the_default_table() {
    let table = Outcomes::default();
    check_all(|code| table.status(code), &DEFAULT, CallStatus::Failed);
}

#[test]
fn a_trunk_means_what_it_says() {
    let table: Outcomes = [
        (603, CallStatus::Failed),
        (503, CallStatus::Busy),
        (480, CallStatus::Canceled),
    ]
    .into_iter()
    .collect();
    let rows = [
        (603, CallStatus::Failed),
        (503, CallStatus::Busy),
        (480, CallStatus::Canceled),
        (486, CallStatus::Busy),
        (600, CallStatus::Busy),
        (408, CallStatus::NoAnswer),
        (487, CallStatus::NoAnswer),
    ];
    check_all(|code| table.status(code), &rows, CallStatus::Failed);
}

fn ended(status: CallStatus, code: u16, q850: Option<u16>) -> Outcome {
    let record = CallRecord {
        sip_status: Some(code),
        q850_cause: q850,
        ..CallRecord::new(status, "")
    };
    record.outcome()
}

#[test]
fn every_code_by_the_default_table() {
    use Outcome::{Busy, Congestion, NoAnswer, Rejected, Unallocated, Unreachable};
    let table = Outcomes::default();
    let rows = [
        (401, Rejected),
        (402, Rejected),
        (403, Rejected),
        (404, Unallocated),
        (407, Rejected),
        (408, NoAnswer),
        (410, Unallocated),
        (430, Unreachable),
        (433, Rejected),
        (480, NoAnswer),
        (484, Unallocated),
        (485, Unallocated),
        (486, Busy),
        (487, NoAnswer),
        (502, Unreachable),
        (503, Congestion),
        (504, Unreachable),
        (600, Busy),
        (603, NoAnswer),
        (604, Unallocated),
        (607, Rejected),
        (608, Rejected),
    ];
    check_all(
        |code| ended(table.status(code), code, None),
        &rows,
        Outcome::Failed,
    );
}

#[test]
fn a_trunk_that_calls_a_code_failed_leaves_the_fine_meaning_to_the_code() {
    for (code, outcome) in [
        (603, Outcome::Rejected),
        (480, Outcome::Unreachable),
        (408, Outcome::Unreachable),
        (487, Outcome::NoAnswer),
        (486, Outcome::Busy),
    ] {
        assert_eq!(ended(CallStatus::Failed, code, None), outcome, "{code}");
    }
}

/// Every cause of Q.850 behind a 500, which says nothing itself.
#[test]
fn every_cause() {
    use Outcome::{Busy, Congestion, NoAnswer, Rejected, Unallocated, Unreachable};
    let rows = [
        (Unallocated, &[1, 22, 28][..]),
        (Busy, &[17]),
        (NoAnswer, &[18, 19]),
        (Unreachable, &[2, 3, 20, 27]),
        (Rejected, &[21, 50, 55, 57, 63, 87]),
        (Congestion, &[34, 38, 41, 42, 44, 46, 47]),
    ];
    for cause in 0..=127 {
        let row = rows.iter().find(|(_, causes)| causes.contains(&cause));
        let expected = row.map_or(Outcome::Failed, |(outcome, _)| *outcome);
        assert_eq!(
            ended(CallStatus::Failed, 500, Some(cause)),
            expected,
            "{cause}"
        );
    }
}

#[test]
fn a_cause_says_more_than_a_code_and_less_than_an_answer_or_our_own_wish() {
    assert_eq!(
        ended(CallStatus::NoAnswer, 480, Some(34)),
        Outcome::Congestion
    );
    assert_eq!(
        ended(CallStatus::NoAnswer, 480, Some(20)),
        Outcome::Unreachable
    );
    assert_eq!(
        ended(CallStatus::NoAnswer, 480, Some(31)),
        Outcome::NoAnswer
    );
    assert_eq!(
        ended(CallStatus::Failed, 503, Some(1)),
        Outcome::Unallocated
    );
    assert_eq!(
        ended(CallStatus::Failed, 503, Some(16)),
        Outcome::Congestion
    );
    assert_eq!(
        ended(CallStatus::Completed, 200, Some(17)),
        Outcome::Answered
    );
    assert_eq!(
        ended(CallStatus::Canceled, 487, Some(17)),
        Outcome::Canceled
    );
    let undialled = CallRecord::new(CallStatus::Failed, "no trunk");
    assert_eq!(undialled.outcome(), Outcome::Failed);
}

#[test]
fn another_trunk_helps_where_the_way_was_at_fault() {
    for (sip_status, q850_cause, expected) in [
        (Some(408), None, true),
        (Some(500), None, true),
        (Some(502), None, true),
        (Some(503), None, true),
        (Some(504), None, true),
        (Some(503), Some(34), true),
        (Some(503), Some(38), true),
        (Some(503), Some(3), true),
        (Some(503), Some(31), true),
        // The network knows the called party: another trunk finds the same.
        (Some(503), Some(17), false),
        (Some(503), Some(1), false),
        (Some(503), Some(21), false),
        (Some(408), Some(18), false),
        (Some(500), Some(20), false),
        (Some(404), None, false),
        (Some(480), None, false),
        (Some(486), None, false),
        (Some(487), None, false),
        (Some(488), None, false),
        (Some(600), None, false),
        (Some(603), None, false),
        (None, None, false),
    ] {
        let status = sip_status.map_or(CallStatus::Failed, CallStatus::from_sip);
        let record = CallRecord {
            sip_status,
            q850_cause,
            ..CallRecord::new(status, "")
        };
        let told = record.may_go_another_way();
        assert_eq!(told, expected, "{sip_status:?} {q850_cause:?}");
    }
    // A trunk's table says what its 503 means.
    let busy = CallRecord {
        sip_status: Some(503),
        ..CallRecord::new(CallStatus::Busy, "")
    };
    assert!(!busy.may_go_another_way());
}
