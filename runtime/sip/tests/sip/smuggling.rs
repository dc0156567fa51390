//! Whatever way a header field is spelt, there is one reading of it, and it is the plain one: what a filter looks for is
//! found, and nothing else turns into it.

use bytes::Bytes;
use jackfield_sip::{Fields, Frame, Framer, Message, SipError, parse};
use proptest::prelude::*;

use crate::host::{Ask, Host, INVITE};

/// Fields by which a stranger could pass for somebody else, or route a call.
const TELLING: [&str; 12] = [
    "P-Asserted-Identity",
    "P-Preferred-Identity",
    "Remote-Party-ID",
    "Diversion",
    "History-Info",
    "Route",
    "Record-Route",
    "Path",
    "X-Account",
    "X-Internal",
    "Authorization",
    "Privacy",
];

/// A second reader, as plain as can be: lines end in CRLF, lines that start blank belong to the one before, a name stands
/// in front of the first colon. None when a line is not like that.
fn plainly(message: &[u8]) -> Option<Vec<(String, Vec<u8>)>> {
    let text: Vec<char> = message.iter().copied().map(char::from).collect();
    let text: String = text.into_iter().collect();
    let (head, _) = text
        .trim_start_matches(['\r', '\n'])
        .split_once("\r\n\r\n")?;
    let head = head.replace("\r\n ", "   ").replace("\r\n\t", "  \t");
    let lines = head.split("\r\n").skip(1);
    lines
        .map(|line| {
            let (name, value) = line.split_once(':')?;
            let blank = [' ', '\t'];
            let name = name.trim_end_matches(blank).to_owned();
            let value = value.trim_matches(blank).chars().map(|c| c as u8).collect();
            (!line.contains(['\r', '\n'])).then_some((name, value))
        })
        .collect()
}

fn fields(message: &Message) -> &Fields {
    match message {
        Message::Request(request) => request,
        Message::Response(response) => response,
    }
}

/// Latin-1 or UTF-8, as the parser gives text.
fn text(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().copied().map(char::from).collect(),
    }
}

/// An INVITE with these lines among its header fields.
fn invite_with(lines: &[u8]) -> Bytes {
    let text = INVITE.text();
    let at = text.find("Contact:").unwrap();
    [&text.as_bytes()[..at], lines, &text.as_bytes()[at..]]
        .concat()
        .into()
}

/// A name in any case, with white space and folds in front of its colon.
fn spelling(name: &'static str) -> impl Strategy<Value = String> {
    let cases = prop::collection::vec(any::<bool>(), name.len());
    (cases, "[ \t]{0,3}(\r\n[ \t]{1,2}){0,2}").prop_map(move |(upper, space)| {
        let letters = name.chars().zip(upper);
        let name: String = letters
            .map(|(c, upper)| match upper {
                true => c.to_ascii_uppercase(),
                false => c.to_ascii_lowercase(),
            })
            .collect();
        name + &space
    })
}

/// A name spelt somehow, and the name that is meant.
fn any_spelling() -> impl Strategy<Value = (&'static str, String)> {
    prop::sample::select(&TELLING[..])
        .prop_flat_map(|name| spelling(name).prop_map(move |spelt| (name, spelt)))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    /// The field is found by its name, with its value, as often as it stands there.
    #[test]
    fn any_spelling_of_a_name_is_that_name(
        spelt in prop::collection::vec(any_spelling(), 1..4),
        before in "(\r\n)?[ \t]{0,2}",
    ) {
        let before = if before.starts_with("\r\n") { format!("{before} ") } else { before };
        let lines: String = spelt
            .iter()
            .enumerate()
            .map(|(index, (_, spelt))| format!("{spelt}:{before}v{index}\r\n"))
            .collect();
        let mut host = Host::new();
        host.receive(invite_with(lines.as_bytes()));
        let incoming = host.incoming();
        let request = &incoming[0].request;
        for name in TELLING {
            let expected: Vec<_> = (0..spelt.len())
                .filter(|index| spelt[*index].0 == name)
                .map(|index| format!("v{index}"))
                .collect();
            let found: Vec<_> = request
                .headers()
                .filter(|(found, _)| found.eq_ignore_ascii_case(name))
                .map(|(_, value)| value.into_owned())
                .collect();
            let first = request.header(name).map(String::from);
            prop_assert_eq!(first.as_ref(), expected.first());
            prop_assert_eq!(found, expected);
        }
    }

    /// A name with one byte that is not its own is another name, or no message at all.
    #[test]
    fn nothing_else_becomes_a_telling_name(
        (name, at, byte) in (prop::sample::select(&TELLING[..]), any::<prop::sample::Index>(), any::<u8>()),
        inserts in any::<bool>(),
    ) {
        let mut spoilt = name.as_bytes().to_vec();
        let at = at.index(spoilt.len());
        prop_assume!(!spoilt[at].eq_ignore_ascii_case(&byte));
        if inserts {
            spoilt.insert(at, byte);
        } else {
            spoilt[at] = byte;
        }
        let message = invite_with(&[&spoilt[..], b": v\r\n"].concat());
        if let Ok(message) = parse(&message) {
            prop_assert_eq!(fields(&message).header(name), None);
        }
    }

    /// Lines of anything: the parser refuses them, or reads what the plain reader reads.
    #[test]
    fn two_readers_read_the_same(
        lines in prop::collection::vec(
            prop_oneof![
                any_spelling().prop_map(|(_, spelt)| format!("{spelt}: x\r\n").into_bytes()),
                "[A-Za-z-]{1,8}[ \t]{0,2}:[ -~\t]{0,20}\r\n".prop_map(String::into_bytes),
                "(\r|\n|\r\n|\r\n |:|\0|[a-z%]){1,6}(\r\n)?".prop_map(String::into_bytes),
                prop::collection::vec(any::<u8>(), 0..12),
            ],
            0..6,
        ),
    ) {
        let message = invite_with(&lines.concat());
        let Ok(read) = parse(&message) else { return Ok(()) };
        let plain = plainly(&message).expect("what the parser takes can be read plainly");
        let ours: Vec<_> = fields(&read).headers().collect();
        prop_assert_eq!(ours.len(), plain.len());
        for ((name, value), (plain_name, plain_value)) in ours.iter().zip(&plain) {
            let is_compact = plain_name.len() == 1;
            prop_assert!(is_compact || *name == *plain_name, "{} {}", name, plain_name);
            prop_assert_eq!(value, &text(plain_value));
            prop_assert!(!value.contains(['\r', '\n']));
        }
    }

    /// Two lengths are refused however they are spelt, and break a stream unless they say the same.
    #[test]
    fn two_lengths_are_refused(
        first in prop_oneof![spelling("Content-Length"), spelling("l")],
        second in prop_oneof![spelling("Content-Length"), spelling("l")],
        lengths in (0u32..6, 0u32..6),
    ) {
        let text = INVITE.text();
        let lines = format!("\r\n{first}:{}\r\n{second}: {}\r\n\r\n", lengths.0, lengths.1);
        let message = text.replace("\r\nContent-Length: 5\r\n\r\n", &lines);
        let error = parse(&message.clone().into()).unwrap_err().error;
        prop_assert_eq!(error, SipError::Duplicate("Content-Length"));
        let mut framer = Framer::default();
        framer.buffer().extend_from_slice(message.as_bytes());
        let framed = framer.poll();
        if lengths.0 == lengths.1 {
            prop_assert!(matches!(framed, Ok(Some(Frame::Message(_)))));
        } else {
            prop_assert_eq!(framed.unwrap_err().error, SipError::Duplicate("Content-Length"));
        }
    }
}

#[test]
fn compact_names_are_the_names_they_stand_for() {
    for (compact, name) in [
        ("a", "Accept-Contact"),
        ("b", "Referred-By"),
        ("d", "Request-Disposition"),
        ("j", "Reject-Contact"),
        ("k", "Supported"),
        ("o", "Event"),
        ("r", "Refer-To"),
        ("s", "Subject"),
        ("u", "Allow-Events"),
        ("x", "Session-Expires"),
        ("y", "Identity"),
    ] {
        for spelt in [
            compact.to_owned(),
            compact.to_uppercase(),
            format!("{compact} "),
        ] {
            let message = parse(&invite_with(format!("{spelt}: v\r\n").as_bytes())).unwrap();
            assert_eq!(
                fields(&message).header(name).as_deref(),
                Some("v"),
                "{spelt}"
            );
        }
    }
}

#[test]
fn what_is_escaped_in_a_uri_stays_in_it() {
    let text = INVITE.text();
    let escaped = "?Route=%3Csip:evil.example%3E&P-Asserted-Identity=%3Csip:boss@a%3E&X-Account=1";
    for (at, is_taken) in [
        ("INVITE sip:1294@10.0.0.1", false),
        ("To: <sip:1294@10.0.0.1", true),
        ("Contact: <sip:alice@10.0.0.2", true),
    ] {
        let message = text.replacen(at, &format!("{at}{escaped}"), 1);
        let read = parse(&message.into());
        assert_eq!(read.is_ok(), is_taken, "{at}");
        for name in TELLING {
            assert!(
                read.iter().all(|read| fields(read).header(name).is_none()),
                "{at} {name}"
            );
        }
    }
    // A line break that is escaped is none.
    let message = text.replacen(
        "sip:1294@10.0.0.1",
        "sip:1294%0d%0aX-Account:%201@10.0.0.1",
        1,
    );
    let read = parse(&message.into()).unwrap();
    assert_eq!(fields(&read).header("X-Account"), None);
}

#[test]
fn lines_that_end_otherwise_are_refused() {
    for lines in [
        "Subject: a\nX-Account: 1\r\n",
        "Subject: a\rX-Account: 1\r\n",
        "Subject: a\n\r\nX-Account: 1\r\n",
        "Subject: a\r\r\nX-Account: 1\r\n",
        "Subject: a\r\n\nX-Account: 1\r\n",
        "Subject: a\n X-Account: 1\r\n",
        "X-Account\0: 1\r\n",
        "\0X-Account: 1\r\n",
        "X-Account\x0b: 1\r\n",
        "X-Account : : 1\r\n X\n",
        "X Account: 1\r\n",
        "(X-Account): 1\r\n",
        "X-Account\r\n",
    ] {
        assert!(parse(&invite_with(lines.as_bytes())).is_err(), "{lines:?}");
        let mut host = Host::new();
        host.receive(invite_with(lines.as_bytes()));
        assert!(host.incoming().is_empty(), "{lines:?}");
    }
    // A NUL in a value is a byte like any other: it ends nothing.
    let read = parse(&invite_with(b"Subject: a\0b\r\n")).unwrap();
    assert_eq!(fields(&read).header("Subject").as_deref(), Some("a\0b"));
}

#[test]
fn what_stands_behind_the_body_of_a_datagram_is_not_read() {
    let first = Ask::within("OPTIONS", 1, "").text();
    let mut host = Host::new();
    host.receive(first + &INVITE.text());
    assert_eq!((host.sent().as_str(), host.incoming().len()), ("200", 0));
}
