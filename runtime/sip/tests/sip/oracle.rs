//! Another parser reads the same messages. Where `rsip` and this crate disagree, the reason stands here.

use std::collections::BTreeMap;

use jackfield_sip::{Message, parse};

use crate::torture::cases;

/// What one parser has to say of one message.
#[derive(Debug, PartialEq, Eq)]
struct View {
    first: String,
    call_id: String,
    cseq: String,
    body: Vec<u8>,
}

fn ours(bytes: &bytes::Bytes) -> Option<View> {
    let message = parse(bytes).ok()?;
    let first = match &message {
        Message::Request(request) => format!("{} {}", request.method(), request.request_uri()),
        Message::Response(response) => response.status().to_string(),
    };
    let fields = match &message {
        Message::Request(request) => &**request,
        Message::Response(response) => &**response,
    };
    Some(View {
        first,
        call_id: fields.call_id().into_owned(),
        cseq: format!("{} {}", fields.cseq().number, fields.cseq().method),
        body: fields.body().to_vec(),
    })
}

fn theirs(bytes: &[u8]) -> Option<View> {
    use rsip::prelude::{HeadersExt, ToTypedHeader, UntypedHeader};
    let message = rsip::SipMessage::try_from(bytes).ok()?;
    let first = match &message {
        rsip::SipMessage::Request(request) => format!("{} {}", request.method, request.uri),
        rsip::SipMessage::Response(response) => response.status_code.code().to_string(),
    };
    let call_id = message.call_id_header().ok()?.value().to_owned();
    let cseq = message.cseq_header().ok()?.typed().ok()?;
    Some(View {
        first,
        call_id,
        cseq: format!("{} {}", cseq.seq, cseq.method),
        body: message.body().clone(),
    })
}

fn difference(ours: Option<View>, theirs: Option<View>) -> Option<&'static str> {
    match (ours, theirs) {
        (None, None) => None,
        (Some(_), None) => Some(WE),
        (None, Some(_)) => Some(RSIP),
        (Some(ours), Some(theirs)) if ours == theirs => None,
        (Some(ours), Some(theirs)) if ours.body != theirs.body => Some("body"),
        (Some(ours), Some(theirs)) if ours.first != theirs.first => Some("first line"),
        (Some(_), Some(_)) => Some("fields"),
    }
}

const WE: &str = "only we take it";
const RSIP: &str = "only rsip takes it";

/// File, who takes it, and why the other does not, or why we do not.
const EXPLAINED: &[(&str, &str, &str)] = &[
    ("rfc4475/badaspec.dat", RSIP, "white space within `<…>`"),
    (
        "rfc4475/baddn.terminated.dat",
        RSIP,
        "an unquoted display name with a comma",
    ),
    (
        "rfc4475/badinv01.dat",
        RSIP,
        "empty parameters in Via: rsip does not read it until asked",
    ),
    (
        "rfc4475/clerr.dat",
        RSIP,
        "Content-Length beyond the datagram: rsip does not compare",
    ),
    (
        "rfc4475/dblreq.dat",
        WE,
        "Call-ID in compact form: rsip finds none",
    ),
    (
        "rfc4475/esc01.dat",
        WE,
        "folded lines: rsip fails on the first",
    ),
    (
        "rfc4475/esc02.dat",
        WE,
        "rsip knows a closed list of methods",
    ),
    (
        "rfc4475/intmeth.dat",
        WE,
        "an unknown method, and bytes that are not UTF-8",
    ),
    (
        "rfc4475/longreq.dat",
        WE,
        "folded lines: rsip fails on the first",
    ),
    ("rfc4475/ltgtruri.dat", RSIP, "a Request-URI in `<…>`"),
    (
        "rfc4475/mcl01.dat",
        RSIP,
        "two values of Content-Length: rsip takes the first",
    ),
    (
        "rfc4475/mismatch01.dat",
        RSIP,
        "CSeq names another method: rsip does not compare",
    ),
    (
        "rfc4475/multi01.dat",
        RSIP,
        "fields twice that stand once: rsip takes the first",
    ),
    (
        "rfc4475/ncl.dat",
        RSIP,
        "a negative Content-Length: rsip does not read it",
    ),
    (
        "rfc4475/quotbal.dat",
        RSIP,
        "a quoted string that does not close: rsip does not read To until asked",
    ),
    (
        "rfc4475/regbadct.dat",
        RSIP,
        "a `?` in a Contact without `<…>`: rsip does not read it until asked",
    ),
    (
        "rfc4475/semiuri.dat",
        WE,
        "folded lines: rsip fails on the first",
    ),
    (
        "rfc4475/unkscm.dat",
        WE,
        "rsip knows a closed list of URI schemes",
    ),
    (
        "rfc4475/wsinv.dat",
        WE,
        "folded lines: rsip fails on the first, and white space in front of colons",
    ),
    (
        "rfc5118-wire/ipv6-bug-abnf-3-colons.sip",
        WE,
        "an IPv6 address in the Request-URI: rsip reads its colons as a port",
    ),
    (
        "rfc5118-wire/ipv6-correct-abnf-2-colons.sip",
        WE,
        "an IPv6 address in the Request-URI: rsip reads its colons as a port",
    ),
    (
        "rfc5118-wire/ipv6-good.sip",
        WE,
        "an IPv6 address in the Request-URI: rsip reads its colons as a port",
    ),
    (
        "rfc5118-wire/ipv6-in-sdp.sip",
        WE,
        "an IPv6 address in the Request-URI: rsip reads its colons as a port",
    ),
    (
        "rfc5118-wire/mult-ip-in-sdp.sip",
        WE,
        "an IPv6 address in the Request-URI: rsip reads its colons as a port",
    ),
    (
        "rfc5118-wire/port-ambiguous.sip",
        WE,
        "an IPv6 address in the Request-URI: rsip reads its colons as a port",
    ),
    (
        "rfc5118-wire/port-unambiguous.sip",
        WE,
        "an IPv6 address in the Request-URI: rsip reads its colons as a port",
    ),
    (
        "rfc5118-wire/via-received-param-no-delim.sip",
        WE,
        "an IPv6 address in the Request-URI: rsip reads its colons as a port",
    ),
    (
        "rfc5118-wire/via-received-param-with-delim.sip",
        WE,
        "an IPv6 address in the Request-URI: rsip reads its colons as a port",
    ),
];

#[test]
fn each_disagreement_is_explained() {
    let found: BTreeMap<_, _> = cases()
        .iter()
        .filter_map(|case| {
            Some((
                case.file.clone(),
                difference(ours(&case.bytes), theirs(&case.bytes))?,
            ))
        })
        .collect();
    let explained: BTreeMap<_, _> = EXPLAINED
        .iter()
        .map(|(file, what, _)| ((*file).to_owned(), *what))
        .collect();
    assert_eq!(found, explained);
}
