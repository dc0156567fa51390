//! Where another parser and ours disagree, the reason stands here; and no reason stands here without a disagreement.

use std::collections::BTreeSet;

use jackfield_differential::{OTHERS, View, ours, samples};
use jackfield_sip::parse;

const RSIP: &str = "rsip";
const STACK: &str = "rsipstack";
const SIPX: &str = "sipx-sip";

/// How two parsers disagree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    /// Only we take the message.
    We,
    /// Only the other takes it.
    They,
    /// Both take it, for different things.
    Differ,
}
use What::{Differ, They, We};

fn disagreement(ours: Option<&View>, theirs: Option<&View>) -> Option<What> {
    match (ours, theirs) {
        (Some(ours), Some(theirs)) => (ours != theirs).then_some(Differ),
        (Some(_), None) => Some(We),
        (None, Some(_)) => Some(They),
        (None, None) => None,
    }
}

/// What messages, parsers and disagreement a reason is for.
struct Reason {
    parsers: &'static [&'static str],
    what: What,
    why: &'static str,
    /// The messages by name; for what only others take by what our parser says of it.
    of: &'static [&'static str],
}

const fn reason(
    parsers: &'static [&'static str],
    what: What,
    why: &'static str,
    of: &'static [&'static str],
) -> Reason {
    Reason {
        parsers,
        what,
        why,
        of,
    }
}

const REASONS: &[Reason] = &[
    // What only they take: each line is a check of ours that they do not make.
    reason(
        &[RSIP, STACK],
        They,
        "how long the body is: they take what is there, or nothing where the number cannot be read",
        &[
            "malformed Content-Length",
            "Content-Length exceeds the datagram",
        ],
    ),
    reason(
        &[RSIP, STACK],
        They,
        "that what stands once does so: they take the first, or the last Content-Length",
        &[
            "more than one Call-ID header field",
            "more than one Content-Length header field",
            "more than one CSeq header field",
            "more than one From header field",
            "more than one Max-Forwards header field",
            "more than one To header field",
        ],
    ),
    reason(
        &[RSIP, STACK],
        They,
        "that CSeq names the method, and its number is below 2^31",
        &[
            "CSeq names another method than the request line",
            "malformed CSeq",
        ],
    ),
    reason(
        &[RSIP, STACK],
        They,
        "numbers beyond their range, words where numbers stand, and which version is spoken",
        &["malformed Max-Forwards", "unsupported SIP version"],
    ),
    reason(
        &[RSIP, STACK],
        They,
        "a status from 100 to 699, and one space between the words of the first line",
        &["malformed first line"],
    ),
    reason(
        &[RSIP, STACK],
        They,
        "URIs by their grammar: two at signs, empty parameters, header fields where none may be, brackets",
        &["malformed URI", "malformed host", "malformed Request-URI"],
    ),
    reason(
        &[RSIP, STACK, SIPX],
        They,
        "that port 0 is none (rsipstack also takes an IPv6 address without brackets for a host and a port)",
        &["malformed port"],
    ),
    reason(
        &[RSIP, STACK],
        They,
        "addresses to their end: quotes that do not close, commas, what stands behind brackets, empty parameters",
        &["malformed quoted string", "malformed parameter"],
    ),
    reason(
        &[RSIP, STACK, SIPX],
        They,
        "a Contact before somebody asks for it",
        &["malformed address"],
    ),
    reason(
        &[RSIP, STACK, SIPX],
        They,
        "that a Call-ID is one word",
        &["malformed Call-ID"],
    ),
    reason(
        &[RSIP, STACK],
        They,
        "that lines end in CRLF",
        &["a line of the header fields does not end in CRLF"],
    ),
    reason(
        &[RSIP, STACK],
        They,
        "how many header fields there are",
        &["too many header fields, or too long"],
    ),
    reason(
        &[STACK],
        They,
        "names of header fields: a line without colon is passed over, any bytes are a name",
        &["malformed header field name"],
    ),
    reason(
        &[STACK, SIPX],
        They,
        "that a Via is of SIP (rsipstack also takes an empty one for none)",
        &["malformed Via"],
    ),
    // What only we take.
    reason(
        &[RSIP],
        We,
        "folded lines: it fails on the first",
        &[
            "esc01.dat",
            "folded CSeq",
            "folded From",
            "folded behind the name",
            "folded to an empty line",
            "folded with a space",
            "folded with a tab",
            "longreq.dat",
            "semiuri.dat",
            "wsinv.dat",
        ],
    ),
    reason(
        &[RSIP],
        We,
        "compact names: it finds none of the fields",
        &[
            "compact Call-ID",
            "compact From",
            "compact To",
            "compact Via",
            "compact names in capitals",
            "dblreq.dat",
        ],
    ),
    reason(
        &[RSIP],
        We,
        "white space before colons, in Via, around `=` and in CSeq",
        &[
            "CSeq with a tab",
            "Via value-21",
            "spaces around a tag",
            "spaces before the colon",
            "spaces before the colon of Call-ID",
            "spaces in Via",
        ],
    ),
    reason(
        &[SIPX],
        We,
        "white space around the colon of a port in Via",
        &["Via value-22", "spaces in Via"],
    ),
    reason(
        &[RSIP, STACK],
        We,
        "they know a closed list of methods",
        &[
            "a method with a dash",
            "an unknown method",
            "esc02.dat",
            "intmeth.dat",
        ],
    ),
    reason(
        &[RSIP],
        We,
        "it knows a closed list of URI schemes, and takes what is behind `tel:` for a number",
        &[
            "From value-07",
            "Request-URI uri-10",
            "Request-URI uri-12",
            "Request-URI uri-27",
            "Request-URI uri-34",
            "a tel URI",
            "an unknown scheme",
            "unkscm.dat",
            "unksm2.dat",
        ],
    ),
    reason(
        &[RSIP],
        We,
        "IPv6 addresses: it reads their colons as a port",
        &[
            "Request-URI uri-07",
            "Request-URI uri-09",
            "Via value-23",
            "Via value-24",
            "Via with IPv6",
            "a URI with IPv6",
            "a URI with IPv6 and a port",
            "ipv4-mapped-ipv6.sip",
            "ipv6-correct-abnf-2-colons.sip",
            "ipv6-good.sip",
            "ipv6-in-sdp.sip",
            "mult-ip-in-header.sip",
            "mult-ip-in-sdp.sip",
            "port-ambiguous.sip",
            "port-unambiguous.sip",
            "via-received-param-no-delim.sip",
            "via-received-param-with-delim.sip",
        ],
    ),
    reason(
        &[RSIP, STACK],
        We,
        "three colons before the IPv4 part of an IPv6 address, which RFC 5118 §4.5 asks to forgive",
        &[
            "Request-URI uri-08",
            "a URI with impossible IPv6",
            "ipv6-bug-abnf-3-colons.sip",
        ],
    ),
    reason(
        &[SIPX],
        We,
        "three colons: it forgives them before an IPv4 part only",
        &["a URI with impossible IPv6"],
    ),
    reason(
        &[RSIP, STACK],
        We,
        "bytes that are no UTF-8, in values that we do not read",
        &[
            "From value-05",
            "a reason that is no UTF-8",
            "latin-1-name.sip",
        ],
    ),
    reason(
        &[RSIP],
        We,
        "bytes that are no UTF-8, and UTF-8 in URIs",
        &["Request-URI uri-33", "bytes that are no UTF-8"],
    ),
    reason(
        &[SIPX],
        We,
        "bytes beyond ASCII in URIs, and in display names without quotes",
        &[
            "From value-05",
            "Request-URI uri-33",
            "UTF-8 before the brackets",
            "a URI with UTF-8",
        ],
    ),
    reason(
        &[SIPX],
        We,
        "`%` without two hexadecimal digits: we pass it on as it is",
        &[
            "Request-URI uri-05",
            "a URI with a bad escape",
            "a URI with half an escape",
        ],
    ),
    reason(
        &[RSIP],
        We,
        "parameters in the user part",
        &["Request-URI uri-06"],
    ),
    reason(
        &[SIPX],
        We,
        "an empty user part before an at sign",
        &["Request-URI uri-30", "a URI with an empty user"],
    ),
    reason(
        &[STACK],
        We,
        "a user part that begins with a semicolon",
        &["Request-URI uri-29"],
    ),
    reason(
        &[RSIP],
        We,
        "quoted strings with escapes or brackets in them, and a quoted tag",
        &[
            "From value-04",
            "From value-06",
            "a quoted tag",
            "brackets in quotes",
        ],
    ),
    reason(
        &[SIPX],
        We,
        "an empty tag or branch is none to us",
        &["an empty branch", "an empty tag"],
    ),
    reason(
        &[RSIP, STACK, SIPX],
        We,
        "line ends before a message, as on streams (RFC 3261 §7.5)",
        &["CRLF in front", "three-and-keepalives.sip"],
    ),
    reason(
        &[RSIP, STACK],
        We,
        "transports nobody has heard of",
        &["Via over an unknown transport", "Via value-22"],
    ),
    reason(
        &[RSIP, STACK],
        We,
        "the version in small letters, which RFC 3261 §7.1 says is the same",
        &["a version in small letters"],
    ),
    reason(
        &[RSIP],
        We,
        "`SIP/2.0` of a Via in other letters, or another version there",
        &["Via in small letters", "Via of version 3.0"],
    ),
    reason(
        &[RSIP],
        We,
        "a status line without a reason, and so without its second space",
        &["no reason and no space"],
    ),
    reason(
        &[SIPX],
        We,
        "no Max-Forwards, as RFC 2543 had it",
        &[
            "inv2543.dat",
            "isup-beside-sdp.sip",
            "late-cancel.sip",
            "latin-1-name.sip",
            "many-vias.sip",
            "no Max-Forwards",
            "no-length.sip",
            "parts-in-parts.sip",
            "parts-without-end.sip",
        ],
    ),
    // What they take for something else.
    reason(
        &[RSIP, STACK],
        Differ,
        "methods, schemes and transports are the same to them in any letters; to us a method is not (RFC 3261 §7.1), and a URI stays as it is",
        &[
            "Request-URI uri-01",
            "Request-URI uri-13",
            "CSeq of a method in small letters",
            "a URI with parameters",
            "a method in small letters",
            "a scheme in capitals",
        ],
    ),
    reason(
        &[RSIP],
        Differ,
        "it takes what is behind `tel:` for a number, and so loses its zeros",
        &["Request-URI uri-11"],
    ),
    reason(
        &[STACK],
        Differ,
        "it escapes user parts once more as it writes them",
        &[
            "Request-URI uri-04",
            "Request-URI uri-05",
            "Request-URI uri-22",
            "Request-URI uri-23",
            "Request-URI uri-26",
            "a URI with UTF-8",
            "a URI with a bad escape",
            "a URI with an escaped line end",
            "a URI with escapes",
            "a URI with half an escape",
            "esc01.dat",
        ],
    ),
    reason(
        &[STACK],
        Differ,
        "it writes IPv6 addresses in a form of its own",
        &["ipv6-correct-abnf-2-colons.sip"],
    ),
    reason(
        &[RSIP, STACK],
        Differ,
        "they miss a tag, and rsipstack a branch, with white space around it",
        &["From value-02"],
    ),
    reason(
        &[STACK],
        Differ,
        "as above; and it looks for a tag within quotes",
        &[
            "Via value-21",
            "brackets in quotes",
            "spaces around a tag",
            "wsinv.dat",
        ],
    ),
    reason(
        &[SIPX],
        Differ,
        "it takes the quotes of a tag away; to us they are part of it, for the peer must find it as it was",
        &["a quoted tag"],
    ),
    reason(
        &[RSIP],
        Differ,
        "it keeps the spaces behind a value",
        &["spaces at the end"],
    ),
    reason(
        &[STACK],
        Differ,
        "it keeps the space of a fold in front of a value",
        &["folded behind the name"],
    ),
    reason(
        &[STACK],
        Differ,
        "it takes a comma behind a Via for a part of its branch",
        &["a comma behind Via", "two Via in one field"],
    ),
    reason(
        &[RSIP],
        Differ,
        "it loses what stands behind an IPv6 address in `received`",
        &["received with IPv6 in Via"],
    ),
    reason(
        &[RSIP],
        Differ,
        "the body is what is there, whatever Content-Length says",
        &[
            "Content-Length of 0 with a body",
            "Content-Length of less",
            "a second message behind the body",
        ],
    ),
    reason(
        &[STACK],
        Differ,
        "without Content-Length there is no body; in a datagram it reaches to the end (RFC 3261 §18.3)",
        &[
            "inv2543.dat",
            "isup-beside-sdp.sip",
            "no Content-Length",
            "no-length.sip",
            "parts-in-parts.sip",
            "parts-without-end.sip",
        ],
    ),
    reason(
        &[STACK],
        Differ,
        "it stops reading header fields where one is no UTF-8, Content-Length among those it then misses",
        &["bytes that are no UTF-8"],
    ),
];

impl Reason {
    fn explains(&self, parser: &str, what: What) -> bool {
        self.what == what && self.parsers.contains(&parser)
    }
}

#[test]
fn each_disagreement_is_explained() {
    let mut unexplained = BTreeSet::new();
    let mut needed = BTreeSet::new();
    let samples = samples();
    for sample in &samples {
        let ours = ours(&sample.bytes);
        let refusal = parse(&sample.bytes).err().map(|error| error.to_string());
        for other in OTHERS {
            let theirs = (other.read)(&sample.bytes);
            let Some(what) = disagreement(ours.as_ref(), theirs.as_ref()) else {
                continue;
            };
            let key = refusal.as_ref().unwrap_or(&sample.name);
            let fitting = REASONS
                .iter()
                .filter(|reason| reason.explains(other.name, what));
            let found = fitting.flat_map(|reason| reason.of).find(|of| *of == key);
            match found {
                Some(found) => needed.insert((other.name, what, *found)),
                None => unexplained.insert(format!(
                    "{}, {what:?}, {} ({key}): {ours:?} and {theirs:?}",
                    other.name, sample.name
                )),
            };
        }
    }
    let all: Vec<_> = unexplained.into_iter().collect();
    assert!(all.is_empty(), "not explained:\n{}", all.join("\n"));
    for reason in REASONS {
        for parser in reason.parsers {
            for of in reason.of {
                let is_needed = needed.contains(&(*parser, reason.what, *of));
                assert!(is_needed, "{parser} and we agree on `{of}`: {}", reason.why);
            }
        }
    }
    assert!(samples.len() > 500, "{} messages", samples.len());
}
