//! Which transaction a message belongs to (RFC 3261 §17.1.3, §17.2.3, §8.2.2.2).

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;

use crate::{Method, Request, Response, Via};

/// A client transaction: our branch, which is unguessable, the method, since a CANCEL has its INVITE's branch, and the
/// address we called ourselves by, for a response to another name was not for us (RFC 3261 §18.1.2).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ClientKey {
    branch: Bytes,
    method: Method,
    sent_by: SocketAddr,
}

impl ClientKey {
    pub(crate) fn new(branch: Bytes, method: Method, sent_by: SocketAddr) -> Self {
        Self {
            branch,
            method,
            sent_by,
        }
    }

    /// The transaction a response answers; none where its branch is not of our making.
    pub(crate) fn of(response: &Response) -> Option<Self> {
        Self::with(response.via(), response.cseq().method.clone())
    }

    /// The transaction of a request of this method that was sent with this `Via`.
    pub(crate) fn with(via: &Via, method: Method) -> Option<Self> {
        Some(Self {
            branch: Bytes::copy_from_slice(via.branch()?),
            method,
            sent_by: via.sent_by_address()?,
        })
    }
}

/// A server transaction. An ACK has the key of its INVITE. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ServerKey {
    parts: Arc<[u8]>,
}

impl ServerKey {
    /// The transaction a request makes or belongs to: by branch and sent-by, or the RFC 2543 way without a usable branch.
    pub(crate) fn of(request: &Request) -> Self {
        Self::with_method(request, method_of_transaction(request))
    }

    /// The INVITE transaction a CANCEL is for.
    pub(crate) fn canceled_by(cancel: &Request) -> Self {
        Self::with_method(cancel, &Method::Invite)
    }

    fn with_method(request: &Request, method: &Method) -> Self {
        let via = request.via();
        if let Some(branch) = via.branch() {
            return Self {
                parts: join(&[method.as_bytes(), branch, via.sent_by()]),
            };
        }
        // RFC 2543 peers: the To tag is left out, for an ACK has the one that our response gave.
        let number = request.cseq().number.to_be_bytes();
        let parts = [
            method.as_bytes(),
            request.request_uri().as_bytes(),
            request.from().tag(),
            &request.call_id,
            &number,
            via.as_bytes(),
        ];
        Self {
            parts: join(&parts),
        }
    }
}

/// One request, however many ways it came: From tag, Call-ID and `CSeq` (RFC 3261 §8.2.2.2). Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct MergeKey {
    parts: Arc<[u8]>,
}

impl MergeKey {
    /// The key of a request; that of an ACK is its INVITE's.
    pub(crate) fn of(request: &Request) -> Self {
        let number = request.cseq().number.to_be_bytes();
        let method = method_of_transaction(request).as_bytes();
        Self {
            parts: join(&[method, request.from().tag(), &request.call_id, &number]),
        }
    }
}

fn method_of_transaction(request: &Request) -> &Method {
    match request.method() {
        Method::Ack => &Method::Invite,
        method => method,
    }
}

/// Parts joined by a byte that none of a header field's parts holds.
fn join(parts: &[&[u8]]) -> Arc<[u8]> {
    parts.join(&b'\n').into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::parse_request;

    fn request(method: &str, via: &str, to: &str) -> Request {
        parse_request(&format!(
            "{method} sip:c@d SIP/2.0\r\nVia: SIP/2.0/UDP {via}\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>{to}\r\nCall-ID: x\r\nCSeq: 1 {method}\r\n\r\n"
        ))
    }

    #[test]
    fn server_keys() {
        let invite = ServerKey::of(&request("INVITE", "h;branch=z9hG4bK1", ""));
        for (method, via, to, same) in [
            ("INVITE", "h;branch=z9hG4bK1;rport", "", true),
            ("ACK", "h;branch=z9hG4bK1", ";tag=2", true),
            ("ACK", "h;branch=z9hG4bK2", ";tag=2", false),
            ("INVITE", "g;branch=z9hG4bK1", "", false),
            ("CANCEL", "h;branch=z9hG4bK1", "", false),
        ] {
            let other = request(method, via, to);
            assert_eq!(ServerKey::of(&other) == invite, same, "{method} {via}");
        }
        assert_eq!(
            ServerKey::canceled_by(&request("CANCEL", "h;branch=z9hG4bK1", "")),
            invite
        );
    }

    #[test]
    fn without_a_branch_the_old_way() {
        for via in ["h", "h;branch=z9hG4bK", "h;branch=1"] {
            let invite = ServerKey::of(&request("INVITE", via, ""));
            assert_eq!(ServerKey::of(&request("ACK", via, ";tag=2")), invite);
            assert_ne!(ServerKey::of(&request("INVITE", "g", "")), invite);
        }
    }

    #[test]
    fn merge_keys() {
        let one = MergeKey::of(&request("INVITE", "h;branch=z9hG4bK1", ""));
        assert_eq!(
            MergeKey::of(&request("INVITE", "g;branch=z9hG4bK2", "")),
            one
        );
        assert_ne!(
            MergeKey::of(&request("OPTIONS", "g;branch=z9hG4bK2", "")),
            one
        );
    }
}
