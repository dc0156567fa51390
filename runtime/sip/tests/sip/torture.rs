//! RFC 4475 and RFC 5118: each message's answer must be one that the list beside the messages allows.

use std::path::PathBuf;

use bytes::Bytes;
use jackfield_sip::parse;

use crate::host::{Host, kind};

/// One message and what may come of it.
pub(crate) struct Case {
    pub(crate) file: String,
    pub(crate) is_valid: bool,
    /// Statuses, `drop` (no answer, no state) or `process` (told to the user).
    answers: Vec<String>,
    pub(crate) bytes: Bytes,
}

/// Messages that our parser takes although the RFC calls them invalid, and why that is right here.
const TAKEN: [(&str, &str); 2] = [
    (
        "rfc4475/baddate.dat",
        "we do not read Date; elements that do not should not refuse it (RFC 4475 §3.1.2.12)",
    ),
    (
        "rfc4475/escruri.dat",
        "header fields in the Request-URI are not read, so none can become a Route (RFC 4475 §3.1.2.11)",
    ),
];

/// Messages the RFC calls valid and our parser refuses: they are well-formed as texts, not as SIP requests.
const REFUSED: [(&str, &str); 3] = [
    (
        "rfc4475/insuf.dat",
        "lacks mandatory header fields: to be answered 400 (RFC 4475 §3.3.1)",
    ),
    (
        "rfc4475/multi01.dat",
        "repeats fields that stand once: to be answered 400 (RFC 4475 §3.3.8)",
    ),
    (
        "rfc4475/mcl01.dat",
        "two values of Content-Length: to be answered 400 (RFC 4475 §3.3.9)",
    ),
];

pub(crate) fn vectors() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/sip-torture")
}

pub(crate) fn cases() -> Vec<Case> {
    let list = std::fs::read_to_string(vectors().join("MANIFEST.tsv"))
        .expect("the list lies beside the messages");
    let case = |line: &str| {
        let columns: Vec<_> = line.split('\t').collect();
        let [file, _, _, class, _, answers, ..] = columns[..] else {
            panic!("a row of the list: {line}")
        };
        let bytes =
            std::fs::read(vectors().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        Case {
            file: file.to_owned(),
            is_valid: class == "valid",
            answers: answers.split('|').map(str::to_owned).collect(),
            bytes: bytes.into(),
        }
    };
    list.lines().skip(1).map(case).collect()
}

#[test]
fn all_are_here() {
    assert_eq!(cases().len(), 63);
}

#[test]
fn the_parser_takes_the_valid_and_refuses_the_invalid() {
    let is_listed =
        |list: &[(&str, &str)], file: &str| list.iter().any(|(listed, _)| *listed == file);
    let surprises: Vec<_> = cases()
        .into_iter()
        .filter(|case| {
            let list = if case.is_valid {
                &REFUSED[..]
            } else {
                &TAKEN[..]
            };
            let expected = case.is_valid != is_listed(list, &case.file);
            parse(&case.bytes).is_ok() != expected
        })
        .map(|case| {
            (
                case.file,
                parse(&case.bytes).err().map(|malformed| malformed.error),
            )
        })
        .collect();
    assert_eq!(surprises, []);
}

#[test]
fn the_endpoint_answers_as_it_may() {
    for case in cases() {
        let mut host = Host::new();
        host.receive_from("10.9.9.9:5060", &case.bytes);
        let mut outcome: Vec<_> = host
            .transmitted()
            .iter()
            .map(|(_, bytes)| kind(bytes))
            .collect();
        outcome.retain(|status| status != "100");
        if !host.incoming().is_empty() {
            outcome.push("process".to_owned());
        }
        if outcome.is_empty() {
            outcome.push("drop".to_owned());
            assert_eq!(
                (host.endpoint.dialogs(), host.endpoint.transactions()),
                (0, 0),
                "{}",
                case.file
            );
        }
        let [outcome] = &outcome[..] else {
            panic!("{}: {outcome:?}", case.file)
        };
        // An OPTIONS is processed by answering it.
        let is_allowed = case.answers.contains(outcome)
            || (outcome == "200" && case.answers.contains(&"process".to_owned()));
        assert!(
            is_allowed,
            "{}: {outcome}, allowed: {:?}",
            case.file, case.answers
        );
    }
}

#[test]
fn the_hardest_is_read_right() {
    let case = cases()
        .into_iter()
        .find(|case| case.file.ends_with("wsinv.dat"))
        .expect("it is on the list");
    let request = crate::host::parse_request(&case.bytes);
    assert_eq!(request.cseq().number, 9);
    assert_eq!(request.header("max-forwards").as_deref(), Some("0068"));
    assert_eq!(request.header("Subject").as_deref(), Some(""));
    assert_eq!(
        request.header("UnknownHeaderWithUnusualValue").as_deref(),
        Some(";;,,;;,;")
    );
    assert_eq!(
        request.from().display_name().as_deref(),
        Some(r#"J Rosenberg \""#)
    );
    assert_eq!(
        (request.from().tag(), request.to().tag()),
        (&b"98asjd8"[..], &b"1918181833n"[..])
    );
    assert_eq!(request.body().len(), 150);
    assert_eq!(
        request
            .headers()
            .filter(|(name, _)| name.eq_ignore_ascii_case("via"))
            .count(),
        2
    );
}
