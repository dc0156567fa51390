//! Messages and words the unit tests share.

use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::transaction::Output;
use crate::{Message, Request, Response, parse};

pub(crate) const T1: Duration = Duration::from_millis(500);

/// Where simulated time starts.
#[expect(
    clippy::disallowed_methods,
    reason = "an `Instant` has no other origin; only distances from it matter"
)]
pub(crate) fn origin() -> Instant {
    Instant::now()
}

pub(crate) fn parse_request(text: &str) -> Request {
    match parse(&Bytes::copy_from_slice(text.as_bytes())) {
        Ok(Message::Request(request)) => request,
        other => panic!("not a request: {other:?}"),
    }
}

pub(crate) fn parse_response(text: &str) -> Response {
    match parse(&Bytes::copy_from_slice(text.as_bytes())) {
        Ok(Message::Response(response)) => response,
        other => panic!("not a response: {other:?}"),
    }
}

/// A request as our client transactions send it.
pub(crate) fn request(method: &str) -> Bytes {
    format!(
        "{method} sip:c@d SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1\r\nMax-Forwards: 70\r\n\
         From: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nCall-ID: x\r\nCSeq: 7 {method}\r\nContent-Length: 0\r\n\r\n"
    )
    .into()
}

pub(crate) fn response_bytes(method: &str, status: u16) -> Bytes {
    format!(
        "SIP/2.0 {status} Words\r\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\n\
         To: <sip:c@d>;tag=2\r\nCall-ID: x\r\nCSeq: 7 {method}\r\nContent-Length: 0\r\n\r\n"
    )
    .into()
}

pub(crate) fn response(method: &str, status: u16) -> Response {
    match parse(&response_bytes(method, status)) {
        Ok(Message::Response(response)) => response,
        other => panic!("not a response: {other:?}"),
    }
}

/// A transaction's output in two words.
pub(crate) fn word(output: &Output) -> String {
    match output {
        Output::Send(bytes) => format!("send {}", kind(bytes)),
        Output::Resend(bytes) => format!("resend {}", kind(bytes)),
        Output::Received(response) => format!("received {}", response.status()),
        Output::TimedOut => "timed out".to_owned(),
        Output::Unreachable => "unreachable".to_owned(),
        Output::Ended => "ended".to_owned(),
    }
}

/// A message's method or status.
pub(crate) fn kind(bytes: &Bytes) -> String {
    match parse(bytes) {
        Ok(Message::Request(request)) => request.method().to_string(),
        Ok(Message::Response(response)) => response.status().to_string(),
        Err(malformed) => malformed.to_string(),
    }
}
