//! Whole messages out of a stream of bytes (TCP, TLS), wherever the stream is cut into reads (RFC 3261 §18.3).

use bytes::{Buf, Bytes, BytesMut};

use crate::SipError;
use crate::head::{self, MAX_HEAD_BYTES};
use crate::lex;

/// The longest body that is taken from a stream.
pub const MAX_BODY_BYTES: usize = 65_536;

/// What [`Framer::poll`] finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// One message, from its first line to the end its `Content-Length` sets.
    Message(Bytes),
    /// A keep-alive, to be answered with one CRLF (RFC 5626 §4.4.1).
    Ping,
}

/// The stream cannot be read any further, for nobody knows where its next message starts. The connection must be closed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct BrokenStream {
    /// What is wrong.
    #[source]
    pub error: SipError,
    /// The head of the message, where it could be found. The endpoint answers it 400, if it can be answered at all.
    pub head: Option<Bytes>,
}

/// Cuts a stream into messages: append what comes to [`Self::buffer`], then [`Self::poll`] until there is nothing more.
///
/// Each byte is looked at a bounded number of times, however few come at once. A message that comes in one piece is not
/// copied: it shares the memory it was read into.
#[derive(Debug)]
pub struct Framer {
    buffer: BytesMut,
    progress: Progress,
    max_head: usize,
    max_body: usize,
    #[cfg(test)]
    looked_at: usize,
}

/// How far the message at the start of the buffer is read.
#[derive(Clone, Copy, Debug)]
enum Progress {
    /// Before its first byte; of a keep-alive's four bytes so many have gone by.
    Between { line_ends: u8 },
    /// In its head: in the line that starts at `line`, of which all before `next` was looked at.
    Head { line: usize, next: usize },
    /// The head is complete; the message ends here.
    Body { end: usize },
    /// Nowhere: whatever comes is not looked at.
    Broken(SipError),
}

impl Default for Framer {
    /// Takes what the parser takes: heads of [`MAX_HEAD_BYTES`], bodies of [`MAX_BODY_BYTES`].
    fn default() -> Self {
        Self::new(MAX_HEAD_BYTES, MAX_BODY_BYTES)
    }
}

impl Framer {
    /// Takes messages with a head of at most `max_head` bytes, the empty line behind it included, and a body of at most
    /// `max_body` bytes.
    #[must_use]
    pub fn new(max_head: usize, max_body: usize) -> Self {
        Self {
            buffer: BytesMut::new(),
            progress: Progress::Between { line_ends: 0 },
            max_head: max_head.min(MAX_HEAD_BYTES),
            max_body,
            #[cfg(test)]
            looked_at: 0,
        }
    }

    /// Where the peer's bytes are to be appended, in the order they come. After [`Self::poll`] had nothing more it holds less
    /// than one message.
    pub fn buffer(&mut self) -> &mut BytesMut {
        &mut self.buffer
    }

    /// Whether a message has begun that is not whole yet.
    #[must_use]
    pub fn is_within_message(&self) -> bool {
        matches!(self.progress, Progress::Head { .. } | Progress::Body { .. })
    }

    /// The next message or keep-alive; none until more bytes are there. Line ends in front of a message are skipped
    /// (RFC 3261 §7.5).
    ///
    /// # Errors
    ///
    /// [`BrokenStream`] where the end of a message cannot be known: `Content-Length` missing, unreadable or contradictory, a
    /// line that does not end in CRLF, a first byte that starts no message, or one of the bounds. It stays broken.
    pub fn poll(&mut self) -> Result<Option<Frame>, BrokenStream> {
        let found = self.find();
        if let Err(broken) = &found {
            self.buffer.clear();
            self.progress = Progress::Broken(broken.error);
        }
        found
    }

    fn find(&mut self) -> Result<Option<Frame>, BrokenStream> {
        loop {
            match self.progress {
                Progress::Between { line_ends } => match self.skip(line_ends)? {
                    Some(frame) => return Ok(Some(frame)),
                    None if self.is_within_message() => {}
                    None => return Ok(None),
                },
                Progress::Head { line, next } => {
                    if !self.read_line(line, next)? {
                        return Ok(None);
                    }
                }
                Progress::Body { end } => {
                    if self.buffer.len() < end {
                        return Ok(None);
                    }
                    self.progress = Progress::Between { line_ends: 0 };
                    return Ok(Some(Frame::Message(self.buffer.split_to(end).freeze())));
                }
                Progress::Broken(error) => return Err(broken(error)),
            }
        }
    }

    /// Skips line ends up to the first byte of a message, or to the end of a keep-alive.
    fn skip(&mut self, mut line_ends: u8) -> Result<Option<Frame>, BrokenStream> {
        let mut skipped = 0;
        let mut found = None;
        for &byte in &self.buffer {
            line_ends = match (byte, line_ends) {
                (b'\r', 2) => 3,
                (b'\r', _) => 1,
                (b'\n', 1) => 2,
                (b'\n', 3) => 4,
                (b'\n', _) => 0,
                // TLS spoken to a port that is not for it, and the like: better known now than at a timeout.
                _ if !lex::is_token_byte(byte) => return Err(broken(SipError::NotSip)),
                _ => break,
            };
            skipped += 1;
            if line_ends == 4 {
                line_ends = 0;
                found = Some(Frame::Ping);
                break;
            }
        }
        #[cfg(test)]
        {
            self.looked_at += skipped;
        }
        self.buffer.advance(skipped);
        self.progress = if found.is_some() || self.buffer.is_empty() {
            Progress::Between { line_ends }
        } else {
            Progress::Head { line: 0, next: 0 }
        };
        Ok(found)
    }

    /// Reads on to the end of a line; false when it has not come yet.
    fn read_line(&mut self, line: usize, next: usize) -> Result<bool, BrokenStream> {
        let within = &self.buffer[..self.buffer.len().min(self.max_head)];
        let length = lex::length_while(&within[next..], |b| b != b'\r' && b != b'\n');
        let at = next + length;
        let is_whole = match (within.get(at), within.get(at + 1)) {
            (Some(b'\r'), Some(b'\n')) => true,
            (None, _) | (Some(b'\r'), None) => false,
            _ => return Err(broken(SipError::BareLineEnding)),
        };
        let is_full = within.len() == self.max_head;
        #[cfg(test)]
        {
            self.looked_at += length + 2;
        }
        if !is_whole {
            if is_full {
                return Err(broken(SipError::TooLarge));
            }
            self.progress = Progress::Head { line, next: at };
            return Ok(false);
        }
        let behind = at + 2;
        self.progress = if at == line {
            Progress::Body {
                end: self.end_of_message(behind)?,
            }
        } else {
            Progress::Head {
                line: behind,
                next: behind,
            }
        };
        Ok(true)
    }

    fn end_of_message(&mut self, head_length: usize) -> Result<usize, BrokenStream> {
        #[cfg(test)]
        {
            self.looked_at += head_length;
        }
        let length = match head::content_length(&self.buffer[..head_length]) {
            Ok(Some(length)) if length as usize <= self.max_body => Ok(length as usize),
            Ok(Some(_)) => Err(SipError::TooLarge),
            Ok(None) => Err(SipError::Missing("Content-Length")),
            Err(error) => Err(error),
        };
        match length {
            Ok(length) => Ok(head_length + length),
            Err(error) => Err(BrokenStream {
                error,
                head: Some(self.buffer.split_to(head_length).freeze()),
            }),
        }
    }
}

fn broken(error: SipError) -> BrokenStream {
    BrokenStream { error, head: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "BYE sip:a@b SIP/2.0\r\nVia: SIP/2.0/TCP h;branch=z9hG4bK1\r\n";

    /// Everything that comes out when the stream arrives in these pieces.
    fn frames<'a>(
        mut framer: Framer,
        pieces: impl IntoIterator<Item = &'a [u8]>,
    ) -> (Vec<String>, Framer) {
        let mut found = Vec::new();
        for piece in pieces {
            framer.buffer().extend_from_slice(piece);
            loop {
                match framer.poll() {
                    Ok(Some(Frame::Message(bytes))) => {
                        found.push(lex::text(&bytes).into_owned());
                    }
                    Ok(Some(Frame::Ping)) => found.push("ping".to_owned()),
                    Ok(None) => break,
                    Err(broken) => {
                        let head = broken.head.map(|head| head.len());
                        found.push(format!("{} {head:?}", broken.error));
                        return (found, framer);
                    }
                }
            }
        }
        (found, framer)
    }

    fn check(stream: &str, expected: &[&str]) {
        let (found, _) = frames(Framer::default(), [stream.as_bytes()]);
        assert_eq!(found, expected, "{stream:?}");
        for at in 0..stream.len() {
            let (first, second) = stream.as_bytes().split_at(at);
            let (found, _) = frames(Framer::default(), [first, second]);
            assert_eq!(found, expected, "{stream:?} cut at {at}");
        }
        let (found, _) = frames(Framer::default(), stream.as_bytes().chunks(1));
        assert_eq!(found, expected, "{stream:?} byte by byte");
    }

    #[test]
    fn messages_and_keepalives() {
        let empty = format!("{HEAD}Content-Length: 0\r\n\r\n");
        let full = format!("{HEAD}l :\r\n\t 0005 \r\nX: y\r\n\r\n\r\n\r\n1");
        check(&empty, &[&empty]);
        check(&full, &[&full]);
        check(&format!("{empty}{full}{empty}"), &[&empty, &full, &empty]);
        check(&format!("\r\n{empty}\r\n{full}"), &[&empty, &full]);
        check("\r\n\r\n", &["ping"]);
        check("\r\n\r\n\r\n", &["ping"]);
        check(
            &format!("\r\n\r\n\r\n\r\n{full}\r\n\r\n{empty}"),
            &["ping", "ping", &full, "ping", &empty],
        );
        check(&format!("\r\r\n\n\r\n{empty}"), &[&empty]);
        check("", &[]);
        check(HEAD, &[]);
        check(&format!("{empty}{}", &full[..full.len() - 1]), &[&empty]);
    }

    #[test]
    fn lengths() {
        for (fields, expected) in [
            ("Content-Length: 2\r\nl: 02\r\n", None),
            ("CONTENT-LENGTH\t: 2\r\n", None),
            ("no field\r\nContent-Length: 2\r\n", None),
            ("", Some("missing Content-Length header field")),
            (
                "X-Content-Length: 2\r\n",
                Some("missing Content-Length header field"),
            ),
            (
                "X: y\r\n Content-Length: 2\r\n",
                Some("missing Content-Length header field"),
            ),
            (
                "Content-Length: 2\r\nl: 3\r\n",
                Some("more than one Content-Length header field"),
            ),
            ("Content-Length: -2\r\n", Some("malformed Content-Length")),
            ("Content-Length: 2, 2\r\n", Some("malformed Content-Length")),
            ("Content-Length:\r\n", Some("malformed Content-Length")),
            (
                "Content-Length: 4294967298\r\n",
                Some("malformed Content-Length"),
            ),
            (
                "Content-Length: 65537\r\n",
                Some("too many header fields, or too long"),
            ),
        ] {
            let message = format!("{HEAD}{fields}\r\n");
            match expected {
                None => check(&format!("{message}ab"), &[&format!("{message}ab")]),
                // The head is there to be answered.
                Some(fault) => check(
                    &format!("{message}ab"),
                    &[&format!("{fault} {:?}", Some(message.len()))],
                ),
            }
        }
    }

    #[test]
    fn what_starts_no_message_breaks_the_stream() {
        for (stream, fault) in [
            ("\u{16}\u{3}\u{1}", "not a SIP message"),
            ("\r\n \r\n", "not a SIP message"),
            (
                "BYE sip:a@b SIP/2.0\nVia",
                "a line of the header fields does not end in CRLF",
            ),
            (
                "BYE sip:a@b SIP/2.0\rVia",
                "a line of the header fields does not end in CRLF",
            ),
            (
                "BYE sip:a@b SIP/2.0\r\n\rVia",
                "a line of the header fields does not end in CRLF",
            ),
        ] {
            check(stream, &[&format!("{fault} None")]);
        }
    }

    #[test]
    fn it_stays_broken() {
        let (_, mut framer) = frames(Framer::default(), [&b" "[..]]);
        framer
            .buffer()
            .extend_from_slice(format!("{HEAD}l: 0\r\n\r\n").as_bytes());
        assert_eq!(
            framer.poll().map_err(|broken| broken.error),
            Err(SipError::NotSip)
        );
        assert!(framer.buffer().is_empty());
    }

    /// A message whose head is `length` bytes long.
    fn with_head(length: usize, body: usize) -> String {
        let start = format!("{HEAD}l: {body}\r\nX: ");
        let filling = "y".repeat(length - start.len() - 4);
        format!("{start}{filling}\r\n\r\n{}", "z".repeat(body))
    }

    #[test]
    fn bounds() {
        let too_large = ["too many header fields, or too long None".to_owned()];
        let largest = with_head(200, 10);
        let longer_head = with_head(201, 10);
        for pieces in [1, 7, 1_000] {
            let run = |stream: &str| frames(Framer::new(200, 10), stream.as_bytes().chunks(pieces));
            assert_eq!(run(&largest).0, [&*largest]);
            let (found, framer) = run(&longer_head);
            assert_eq!(found, too_large);
            assert!(framer.buffer.is_empty());
        }
        let largest = with_head(MAX_HEAD_BYTES, MAX_BODY_BYTES);
        let found = frames(
            Framer::new(usize::MAX, MAX_BODY_BYTES),
            [largest.as_bytes()],
        )
        .0;
        assert_eq!(found, [&*largest]);
        let endless = with_head(MAX_HEAD_BYTES + 1, 0);
        let found = frames(Framer::new(usize::MAX, 0), [endless.as_bytes()]).0;
        assert_eq!(found, too_large);
    }

    #[test]
    fn work_grows_with_the_bytes_and_not_with_the_pieces() {
        let message = with_head(20_000, 20_000);
        let endless = "\r\n".repeat(10_000);
        for (stream, whole_head) in [(&message[..], 20_000), (&endless, 0)] {
            for pieces in [1, 2, 100, stream.len()] {
                let (_, framer) = frames(Framer::default(), stream.as_bytes().chunks(pieces));
                // Every byte up to the body once; at a cut the last two again; the complete head once more.
                let cuts = stream.len() / pieces;
                let allowed = stream.len() + whole_head + 3 * cuts;
                assert!(
                    framer.looked_at <= allowed,
                    "{} bytes in pieces of {pieces}: {} looks, {allowed} allowed",
                    stream.len(),
                    framer.looked_at
                );
            }
        }
    }

    #[test]
    fn a_message_that_comes_whole_is_not_copied() {
        let mut framer = Framer::default();
        let message = format!("{HEAD}l: 1\r\n\r\nx");
        framer.buffer().extend_from_slice(message.as_bytes());
        let read_into = framer.buffer().as_ptr();
        let Ok(Some(Frame::Message(bytes))) = framer.poll() else {
            panic!("a whole message")
        };
        assert_eq!(bytes.as_ptr(), read_into);
    }
}
