//! Requests made from an INVITE we sent, with its branch: CANCEL and the ACK of a failure (RFC 3261 §9.1, §17.1.1.3).

use bytes::Bytes;

use crate::field::Name;
use crate::head::Head;
use crate::write::Writer;
use crate::{Method, Reason, Response};

/// The ACK of a final response that is no 2xx: the INVITE's fields with the response's `To`.
pub(crate) fn ack_of_failure(invite: &Bytes, response: &Response) -> Bytes {
    let to = response.head.values(Name::To).next().unwrap_or_default();
    follower(invite, &Method::Ack, Some(to)).finish()
}

/// The CANCEL of an INVITE.
pub(crate) fn cancel(invite: &Bytes, cause: Option<&Reason>) -> Bytes {
    let mut writer = follower(invite, &Method::Cancel, None);
    if let Some(cause) = cause {
        writer.header("Reason", cause.value().as_bytes());
    }
    writer.finish()
}

/// The same way as the INVITE: Request-URI, `Via` and `Route` (RFC 3261 §9.1, §17.1.1.3).
fn follower(invite: &Bytes, method: &Method, to: Option<&[u8]>) -> Writer {
    let head = Head::read(invite).expect("an INVITE we wrote is well-formed");
    let mut words = head.first_line().split(|&b| b == b' ');
    let uri = words.nth(1).expect("an INVITE we wrote has a Request-URI");
    let mut writer = Writer::request(method.as_bytes(), uri);
    writer.copy(&head, Name::Via);
    writer.copy(&head, Name::Route);
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
    writer
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ReasonProtocol, testing};

    #[test]
    fn cancel_repeats_the_invite() {
        assert_eq!(
            cancel(&testing::request("INVITE"), None),
            "CANCEL sip:c@d SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1\r\nMax-Forwards: 70\r\n\
             From: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nCall-ID: x\r\nCSeq: 7 CANCEL\r\nContent-Length: 0\r\n\r\n"
        );
    }

    #[test]
    fn cancel_goes_the_same_way_and_says_why() {
        let invite = String::from_utf8(testing::request("INVITE").to_vec()).unwrap();
        let routes = "Route: <sip:p1;lr>\r\nRoute: <sip:p2;lr>\r\n";
        let invite = invite.replace("Max-Forwards", &format!("{routes}Max-Forwards"));
        let cause = Reason {
            protocol: ReasonProtocol::Sip,
            cause: 200,
            text: Some("Call completed elsewhere".to_owned()),
        };
        assert_eq!(
            cancel(&invite.into(), Some(&cause)),
            format!(
                "CANCEL sip:c@d SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1\r\n{routes}Max-Forwards: 70\r\n\
                 From: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nCall-ID: x\r\nCSeq: 7 CANCEL\r\n\
                 Reason: SIP;cause=200;text=\"Call completed elsewhere\"\r\nContent-Length: 0\r\n\r\n"
            )
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
