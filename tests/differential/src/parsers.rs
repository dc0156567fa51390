//! The parsers, each asked for the same things.

use bytes::Bytes;

/// What a parser understood of a message: what transactions and dialogs go by, and the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// Method and Request-URI, or the status.
    pub first: String,
    /// All of `Call-ID`.
    pub call_id: String,
    /// Number and method.
    pub cseq: String,
    /// The tags of `From` and `To`; empty where there is none.
    pub tags: [String; 2],
    /// Of the topmost `Via`, where it has the cookie; others say nothing of transactions (RFC 3261 §17.2.3).
    pub branch: String,
    /// All of it.
    pub body: Vec<u8>,
}

/// Somebody else's parser.
#[derive(Clone, Copy)]
pub struct Other {
    /// The crate.
    pub name: &'static str,
    /// What it understands of a datagram; nothing where it refuses the message or one of the fields of [`View`].
    pub read: fn(&Bytes) -> Option<View>,
}

/// All of them.
pub const OTHERS: [Other; 3] = [
    Other {
        name: "rsip",
        read: rsip,
    },
    Other {
        name: "rsipstack",
        read: rsipstack,
    },
    Other {
        name: "sipx-sip",
        read: sipx,
    },
];

/// What ours understands of a datagram.
pub fn ours(bytes: &Bytes) -> Option<View> {
    use jackfield_sip::{Message, parse};
    let message = parse(bytes).ok()?;
    let (first, fields) = match &message {
        Message::Request(request) => {
            let first = format!("{} {}", request.method(), request.request_uri());
            (first, &**request)
        }
        Message::Response(response) => (response.status().to_string(), &**response),
    };
    let branch = fields.via().branch().map(<[u8]>::to_vec);
    Some(View {
        first,
        call_id: fields.call_id().into_owned(),
        cseq: format!("{} {}", fields.cseq().number, fields.cseq().method),
        tags: [fields.from().tag(), fields.to().tag()].map(text),
        branch: text(&branch.unwrap_or_default()),
        body: fields.body().to_vec(),
    })
}

/// The branch, where it is one of this century.
fn cookied(branch: String) -> String {
    let cookie = "z9hG4bK";
    if branch.len() > cookie.len() && branch.starts_with(cookie) {
        branch
    } else {
        String::new()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The names are the same in both crates: the second began as a copy of the first.
macro_rules! view_of_rsip {
    ($rsip:ident, $message:expr) => {{
        #[allow(
            unused_imports,
            reason = "one of the two has the method without the trait"
        )]
        use $rsip::prelude::UntypedHeader;
        use $rsip::prelude::{HeadersExt, ToTypedHeader};
        let message = $message.ok()?;
        let (first, body) = match &message {
            $rsip::SipMessage::Request(request) => {
                let first = format!("{} {}", request.method, request.uri);
                (first, request.body.clone())
            }
            $rsip::SipMessage::Response(response) => {
                let first = response.status_code.code().to_string();
                (first, response.body.clone())
            }
        };
        let cseq = message.cseq_header().ok()?.typed().ok()?;
        let from = message.from_header().ok()?.typed().ok()?;
        let to = message.to_header().ok()?.typed().ok()?;
        let via = message.via_header().ok()?.typed().ok()?;
        let tags = [from.tag(), to.tag()];
        let branch = via.branch().map(|branch| branch.to_string());
        Some(View {
            first,
            call_id: message.call_id_header().ok()?.value().to_owned(),
            cseq: format!("{} {}", cseq.seq, cseq.method),
            tags: tags.map(|tag| tag.map(|tag| tag.to_string()).unwrap_or_default()),
            branch: cookied(branch.unwrap_or_default()),
            body,
        })
    }};
}

fn rsip(bytes: &Bytes) -> Option<View> {
    view_of_rsip!(rsip, rsip::SipMessage::try_from(&bytes[..]))
}

fn rsipstack(bytes: &Bytes) -> Option<View> {
    use rsipstack::sip;
    view_of_rsip!(sip, sip::SipMessage::try_from(&bytes[..]))
}

/// It reads in layers, so that proxies can pass on what they need not read; here all layers must agree.
fn sipx(bytes: &Bytes) -> Option<View> {
    use sipx_sip::headers::{CSeq, CallId, From, To};
    use sipx_sip::{Limits, Message, Via, parse_datagram, validate};
    let message = parse_datagram(bytes.clone(), &Limits::datagram()).ok()?;
    if !validate(&message).is_empty() {
        return None;
    }
    let first = match &message {
        Message::Request(request) => {
            let method = text(request.method.as_bytes());
            format!("{method} {}", request.uri)
        }
        Message::Response(response) => response.status.code().to_string(),
    };
    let headers = message.headers();
    let cseq = headers.typed::<CSeq>()?.ok()?;
    let (from, to) = (headers.typed::<From>()?.ok()?, headers.typed::<To>()?.ok()?);
    let via = headers.typed::<Via>()?.ok()?;
    Some(View {
        first,
        call_id: text(&headers.typed::<CallId>()?.ok()?.0),
        cseq: format!("{} {}", cseq.sequence, text(cseq.method.as_bytes())),
        tags: [from.tag(), to.tag()].map(|tag| text(tag.unwrap_or_default())),
        branch: cookied(text(via.branch().unwrap_or_default())),
        body: message.body().to_vec(),
    })
}
