//! Serialising requests and responses.

use bytes::Bytes;

use crate::Hop;
use crate::field::Name;
use crate::head::Head;

/// Builds one message, first line first, then header fields, then the body.
pub(crate) struct Writer {
    buffer: Vec<u8>,
}

impl Writer {
    pub(crate) fn request(method: &[u8], uri: &[u8]) -> Self {
        let mut writer = Self {
            buffer: Vec::with_capacity(768),
        };
        writer.put(&[method, b" ", uri, b" SIP/2.0\r\n"]);
        writer
    }

    pub(crate) fn response(status: u16, reason: &str) -> Self {
        let mut writer = Self {
            buffer: Vec::with_capacity(768),
        };
        writer.put(&[
            b"SIP/2.0 ",
            status.to_string().as_bytes(),
            b" ",
            reason.as_bytes(),
            b"\r\n",
        ]);
        writer
    }

    pub(crate) fn header(&mut self, name: &str, value: &[u8]) {
        self.put(&[name.as_bytes(), b": ", value, b"\r\n"]);
    }

    /// A header field whose value is put together from parts.
    pub(crate) fn header_of(&mut self, name: &str, parts: &[&[u8]]) {
        self.put(&[name.as_bytes(), b": "]);
        self.put(parts);
        self.put(&[b"\r\n"]);
    }

    /// `Via` of a request of ours, which asks for its answers at the port it leaves from (RFC 3581 §3).
    pub(crate) fn via(&mut self, us: Hop, branch: &[u8]) {
        let us = format!("SIP/2.0/{} {}", us.transport.name(), us.address);
        self.header_of("Via", &[us.as_bytes(), b";branch=", branch, b";rport"]);
    }

    /// Repeats every value of a header field as it came.
    pub(crate) fn copy(&mut self, head: &Head, name: Name) {
        for value in head.values(name) {
            self.header(name.as_str(), value);
        }
    }

    /// Ends the message without a body.
    pub(crate) fn finish(mut self) -> Bytes {
        self.put(&[b"Content-Length: 0\r\n\r\n"]);
        self.into_bytes()
    }

    /// Ends the message with a session description.
    pub(crate) fn finish_with_sdp(self, sdp: &[u8]) -> Bytes {
        self.finish_with(b"application/sdp", sdp)
    }

    /// Ends the message with a body.
    pub(crate) fn finish_with(mut self, content_type: &[u8], body: &[u8]) -> Bytes {
        let length = body.len().to_string();
        self.header("Content-Type", content_type);
        self.header("Content-Length", length.as_bytes());
        self.put(&[b"\r\n", body]);
        self.into_bytes()
    }

    /// Without spare room, for some messages are kept for half a minute.
    fn into_bytes(self) -> Bytes {
        self.buffer.into_boxed_slice().into()
    }

    fn put(&mut self, parts: &[&[u8]]) {
        for part in parts {
            self.buffer.extend_from_slice(part);
        }
    }
}

/// The usual reason phrase of a status (RFC 3261 §21).
pub(crate) fn reason_phrase(status: u16) -> &'static str {
    const PHRASES: [(u16, &str); 44] = [
        (100, "Trying"),
        (180, "Ringing"),
        (181, "Call Is Being Forwarded"),
        (182, "Queued"),
        (183, "Session Progress"),
        (200, "OK"),
        (400, "Bad Request"),
        (401, "Unauthorized"),
        (403, "Forbidden"),
        (404, "Not Found"),
        (405, "Method Not Allowed"),
        (406, "Not Acceptable"),
        (407, "Proxy Authentication Required"),
        (408, "Request Timeout"),
        (410, "Gone"),
        (413, "Request Entity Too Large"),
        (415, "Unsupported Media Type"),
        (416, "Unsupported URI Scheme"),
        (420, "Bad Extension"),
        (422, "Session Interval Too Small"),
        (423, "Interval Too Brief"),
        (469, "Bad Info Package"),
        (480, "Temporarily Unavailable"),
        (481, "Call/Transaction Does Not Exist"),
        (482, "Loop Detected"),
        (483, "Too Many Hops"),
        (484, "Address Incomplete"),
        (485, "Ambiguous"),
        (486, "Busy Here"),
        (487, "Request Terminated"),
        (488, "Not Acceptable Here"),
        (489, "Bad Event"),
        (491, "Request Pending"),
        (500, "Server Internal Error"),
        (501, "Not Implemented"),
        (502, "Bad Gateway"),
        (503, "Service Unavailable"),
        (504, "Server Time-out"),
        (505, "Version Not Supported"),
        (513, "Message Too Large"),
        (600, "Busy Everywhere"),
        (603, "Decline"),
        (604, "Does Not Exist Anywhere"),
        (606, "Not Acceptable"),
    ];
    let known = PHRASES.binary_search_by_key(&status, |(known, _)| *known);
    known.map_or("Other", |index| PHRASES[index].1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_its_lines_and_body() {
        let mut writer = Writer::request(b"BYE", b"sip:a@b");
        writer.header("X", b"1");
        writer.header_of("Y", &[b"2", b"3"]);
        assert_eq!(
            writer.finish(),
            "BYE sip:a@b SIP/2.0\r\nX: 1\r\nY: 23\r\nContent-Length: 0\r\n\r\n"
        );
        let writer = Writer::response(200, reason_phrase(200));
        assert_eq!(
            writer.finish_with_sdp(b"v=0\r\n"),
            "SIP/2.0 200 OK\r\nContent-Type: application/sdp\r\nContent-Length: 5\r\n\r\nv=0\r\n"
        );
    }

    #[test]
    fn phrases_are_found() {
        for (status, phrase) in [
            (100, "Trying"),
            (487, "Request Terminated"),
            (606, "Not Acceptable"),
            (299, "Other"),
        ] {
            assert_eq!(reason_phrase(status), phrase);
        }
    }
}
