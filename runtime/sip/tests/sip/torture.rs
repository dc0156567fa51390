//! RFC 4475 and RFC 5118: each message's answer must be one that the list beside the messages allows.

use std::collections::BTreeMap;
use std::path::PathBuf;

use bytes::Bytes;
use jackfield_sip::{Frame, Framer, Hop, Input, NameAddr, Transport, parse};

use crate::host::{Host, kind, udp};

/// One message and what may come of it.
pub(crate) struct Case {
    pub(crate) file: String,
    pub(crate) is_valid: bool,
    /// Statuses, `drop` (no answer, no state) or `process` (told to the user).
    answers: Vec<String>,
    pub(crate) bytes: Bytes,
}

/// Where the list leaves a parser the choice: what ours does, and why.
const CHOICES: [(&str, &str, &str); 16] = [
    (
        "rfc4475/badaspec.dat",
        "400",
        "white space within `<…>` is no URI; guessing where it ends is how two readers come to differ",
    ),
    (
        "rfc4475/badbranch.dat",
        "taken",
        "a branch that is the bare cookie is no branch: the transaction is matched the RFC 2543 way",
    ),
    (
        "rfc4475/baddate.dat",
        "taken",
        "we do not read Date; elements that do not should not refuse it (RFC 4475 §3.1.2.12)",
    ),
    (
        "rfc4475/baddn.terminated.dat",
        "400",
        "a comma in a display name without quotes could as well separate two addresses",
    ),
    (
        "rfc4475/bcast.dat",
        "taken",
        "a well-formed response; the endpoint drops it for its second Via",
    ),
    (
        "rfc4475/escruri.dat",
        "400",
        "a Request-URI has no header fields (RFC 3261 §19.1.1), and none of them may become a Route",
    ),
    (
        "rfc4475/insuf.dat",
        "400",
        "mandatory header fields are missing: well-formed text, but no SIP request (RFC 4475 §3.3.1)",
    ),
    (
        "rfc4475/lwsstart.dat",
        "400",
        "several spaces in the request line: where the URI starts would be a guess",
    ),
    (
        "rfc4475/mcl01.dat",
        "400",
        "two values of Content-Length: nobody knows where the body ends (RFC 4475 §3.3.9)",
    ),
    (
        "rfc4475/mismatch02.dat",
        "400",
        "CSeq names another method: which of the two was meant is unknown, so 501 for either would be a guess",
    ),
    (
        "rfc4475/multi01.dat",
        "400",
        "fields twice that stand once: neither the first nor the last wins (RFC 4475 §3.3.8)",
    ),
    (
        "rfc4475/noreason.dat",
        "taken",
        "a reason phrase may be empty; the endpoint drops it for it answers nothing",
    ),
    (
        "rfc4475/regbadct.dat",
        "400",
        "a `?` in an address without `<…>` may belong to it or not (RFC 3261 §20.10)",
    ),
    (
        "rfc4475/sdp01.dat",
        "taken",
        "well-formed; the endpoint answers 406, for Accept leaves out what it would answer with",
    ),
    (
        "rfc4475/trws.dat",
        "400",
        "white space behind the version, as in lwsstart.dat",
    ),
    (
        "rfc4475/unreason.dat",
        "taken",
        "any UTF-8 is a reason phrase; the endpoint drops it for it answers nothing",
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

impl Case {
    /// Whether the list leaves room for a parser that takes the message: it is valid, or may be answered by more than a
    /// parser's refusal.
    fn may_be_taken(&self) -> bool {
        let is_beyond_parsing = |answer: &String| !["400", "505", "drop"].contains(&&**answer);
        self.is_valid || self.answers.iter().any(is_beyond_parsing)
    }

    /// Whether the list leaves room for a parser that refuses the message, and what may come of that.
    fn refusals(&self) -> Vec<&str> {
        let refusals = ["400", "505", "drop"].into_iter();
        refusals
            .filter(|refusal| self.answers.iter().any(|answer| answer == refusal))
            .collect()
    }
}

/// What the parser makes of a message: `taken`, the status it is refused with, or `drop` when nobody can be told.
fn word_of_the_parser(case: &Case) -> String {
    let is_response = case.bytes.starts_with(b"SIP/");
    match parse(&case.bytes) {
        Ok(_) => "taken".to_owned(),
        Err(_) if is_response => "drop".to_owned(),
        Err(malformed) if malformed.is_answerable() => malformed.error.status().to_string(),
        Err(_) => "drop".to_owned(),
    }
}

#[test]
fn the_parser_does_as_the_list_says() {
    for case in cases() {
        let word = word_of_the_parser(&case);
        let is_allowed = match &*word {
            "taken" => case.may_be_taken(),
            refusal => case.refusals().contains(&refusal),
        };
        assert!(
            is_allowed,
            "{}: {word}, allowed: {:?}",
            case.file, case.answers
        );
    }
}

#[test]
fn each_choice_of_the_parser_has_its_reason() {
    let made: Vec<_> = cases()
        .iter()
        .filter(|case| case.may_be_taken() && !case.refusals().is_empty())
        .map(|case| (case.file.clone(), word_of_the_parser(case)))
        .collect();
    let explained = CHOICES.map(|(file, word, _)| (file.to_owned(), word.to_owned()));
    assert_eq!(BTreeMap::from_iter(made), BTreeMap::from(explained));
}

/// What comes of one message: statuses of answers, `process` where the user is told, `drop` where nothing happens.
fn outcomes_over(from: Hop, file: &str, bytes: &Bytes) -> Vec<String> {
    let mut host = Host::new();
    host.feed(Input::Received {
        from,
        bytes: bytes.clone(),
    });
    let transmitted = host.transmitted();
    for (to, answer) in &transmitted {
        expect_tag(file, answer);
        let is_on_the_way_back = match from.transport.is_reliable() {
            true => *to == from,
            false => to.address.ip() == from.address.ip(),
        };
        assert!(is_on_the_way_back, "{file}: {to}");
    }
    let mut outcomes: Vec<_> = transmitted.iter().map(|(_, bytes)| kind(bytes)).collect();
    outcomes.retain(|status| status != "100");
    if !host.incoming().is_empty() {
        outcomes.push("process".to_owned());
    }
    if outcomes.is_empty() {
        outcomes.push("drop".to_owned());
        let held = (host.endpoint.dialogs(), host.endpoint.transactions());
        assert_eq!(held, (0, 0), "{file}");
    }
    outcomes
}

impl Case {
    fn expect(&self, outcomes: &[String]) {
        let [outcome] = outcomes else {
            panic!("{}: {outcomes:?}", self.file)
        };
        // An OPTIONS is processed by answering it.
        let is_allowed = self.answers.contains(outcome)
            || (outcome == "200" && self.answers.contains(&"process".to_owned()));
        assert!(
            is_allowed,
            "{}: {outcome}, allowed: {:?}",
            self.file, self.answers
        );
    }
}

#[test]
fn the_endpoint_answers_a_datagram_as_it_may() {
    for case in cases() {
        case.expect(&outcomes_over(
            udp("10.9.9.9:5060"),
            &case.file,
            &case.bytes,
        ));
    }
}

/// What a stream does otherwise than a datagram: what comes of it, and how it goes on.
const OVER_A_STREAM: [(&str, &[&str], Goes, &str); 6] = [
    (
        "rfc4475/dblreq.dat",
        &["405", "process", "drop"],
        Goes::Broken,
        "two requests, and behind the second five bytes more than it says, which are no message",
    ),
    (
        "rfc4475/clerr.dat",
        &[],
        Goes::Waiting,
        "Content-Length promises more than there is: the rest is waited for, as long as the connection may wait",
    ),
    (
        "rfc4475/baddn.dat",
        &[],
        Goes::Waiting,
        "the file ends within its head",
    ),
    (
        "rfc4475/ncl.dat",
        &["400"],
        Goes::Broken,
        "a negative Content-Length: nobody knows where the next message starts",
    ),
    (
        "rfc4475/mcl01.dat",
        &["400"],
        Goes::Broken,
        "two values of Content-Length: nobody knows where the next message starts",
    ),
    (
        "rfc4475/inv2543.dat",
        &["400"],
        Goes::Broken,
        "no Content-Length, which only a datagram can do without (RFC 3261 §18.3)",
    ),
];

/// What a stream is after a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Goes {
    /// The next message may come.
    On,
    /// The message is not whole.
    Waiting,
    /// The connection must be closed.
    Broken,
}

/// Reads a stream to its end and gives its messages to an endpoint each, as the server's connections do.
fn outcomes_over_a_stream(case: &Case) -> (Vec<String>, Goes) {
    let from = Hop::new(Transport::Tcp, "10.9.9.9:40000".parse().unwrap());
    let mut framer = Framer::default();
    framer.buffer().extend_from_slice(&case.bytes);
    let mut outcomes = Vec::new();
    loop {
        match framer.poll() {
            Ok(Some(Frame::Message(bytes))) => {
                outcomes.extend(outcomes_over(from, &case.file, &bytes));
            }
            Ok(Some(Frame::Ping)) => {}
            Ok(None) if framer.is_within_message() => return (outcomes, Goes::Waiting),
            Ok(None) => return (outcomes, Goes::On),
            Err(broken) => {
                let head = broken.head.iter();
                outcomes.extend(head.flat_map(|head| outcomes_over(from, &case.file, head)));
                return (outcomes, Goes::Broken);
            }
        }
    }
}

#[test]
fn the_endpoint_answers_a_stream_as_it_may() {
    for case in cases() {
        let (outcomes, goes) = outcomes_over_a_stream(&case);
        let special = OVER_A_STREAM.iter().find(|(file, ..)| *file == case.file);
        match special {
            Some((file, expected, how, _)) => {
                assert_eq!(
                    (outcomes.join(" "), goes),
                    (expected.join(" "), *how),
                    "{file}"
                );
            }
            None => {
                assert_eq!(goes, Goes::On, "{}", case.file);
                case.expect(&outcomes);
            }
        }
    }
}

/// Requests without a `To`, or with one that cannot be read: their answers repeat what there is.
const WITHOUT_TO: [&str; 4] = [
    "rfc4475/badaspec.dat",
    "rfc4475/baddn.terminated.dat",
    "rfc4475/insuf.dat",
    "rfc4475/quotbal.dat",
];

/// Each answer but 100 has a tag (RFC 3261 §8.2.6.2), unless the request has no `To` that one could be added to.
fn expect_tag(file: &str, answer: &Bytes) {
    let text = String::from_utf8_lossy(answer);
    let mut fields = text.lines().filter_map(|line| line.split_once(": "));
    let to = fields.find(|(name, _)| *name == "To");
    let to = to.and_then(|(_, to)| NameAddr::parse(&Bytes::copy_from_slice(to.as_bytes())).ok());
    match to {
        _ if text.starts_with("SIP/2.0 100 ") => {}
        Some(to) => assert!(!to.tag().is_empty(), "{text}"),
        None => assert!(WITHOUT_TO.contains(&file), "{file}: {text}"),
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
