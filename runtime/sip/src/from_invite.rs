//! Requests made from an INVITE we sent, with its branch: CANCEL and the ACK of a failure (RFC 3261 §9.1, §17.1.1.3).

use bytes::Bytes;

use crate::field::Name;
use crate::head::Head;
use crate::write::Writer;
use crate::{Method, Response};

/// The ACK of a final response that is no 2xx: the INVITE's fields with the response's `To`.
pub(crate) fn ack_of_failure(invite: &Bytes, response: &Response) -> Bytes {
    let to = response.head.values(Name::To).next().unwrap_or_default();
    follower(invite, &Method::Ack, Some(to))
}

/// The CANCEL of an INVITE.
pub(crate) fn cancel(invite: &Bytes) -> Bytes {
    follower(invite, &Method::Cancel, None)
}

fn follower(invite: &Bytes, method: &Method, to: Option<&[u8]>) -> Bytes {
    let head = Head::read(invite).expect("an INVITE we wrote is well-formed");
    let mut words = head.first_line().split(|&b| b == b' ');
    let uri = words.nth(1).expect("an INVITE we wrote has a Request-URI");
    let mut writer = Writer::request(method.as_bytes(), uri);
    writer.copy(&head, Name::Via);
    writer.header("Max-Forwards", b"70");
    writer.copy(&head, Name::From);
    match to {
        Some(to) => writer.header("To", to),
        None => writer.copy(&head, Name::To),
    }
    writer.copy(&head, Name::CallId);
    let cseq = head.values(Name::CSeq).next().unwrap_or_default();
    let number = cseq.split(|&b| b == b' ').next().unwrap_or_default();
    writer.header_of("CSeq", &[number, b" ", method.as_bytes()]);
    writer.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn cancel_repeats_the_invite() {
        assert_eq!(
            cancel(&testing::request("INVITE")),
            "CANCEL sip:c@d SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1\r\nMax-Forwards: 70\r\n\
             From: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nCall-ID: x\r\nCSeq: 7 CANCEL\r\nContent-Length: 0\r\n\r\n"
        );
    }

    #[test]
    fn ack_has_the_tag_of_the_response() {
        assert_eq!(
            ack_of_failure(
                &testing::request("INVITE"),
                &testing::response("INVITE", 486)
            ),
            "ACK sip:c@d SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1\r\nMax-Forwards: 70\r\n\
             From: <sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=2\r\nCall-ID: x\r\nCSeq: 7 ACK\r\nContent-Length: 0\r\n\r\n"
        );
    }
}
