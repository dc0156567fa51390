//! Streams of real messages, cut into every pair of pieces and into random ones.

use bytes::Bytes;
use jackfield_sip::{BrokenStream, Frame, Framer, SipError, parse};
use proptest::prelude::*;

use crate::torture::cases;

/// What came out of a stream: its frames, and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Read {
    frames: Vec<Frame>,
    end: Result<bool, BrokenStream>,
}

impl Read {
    fn of<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut framer = Framer::default();
        let mut frames = Vec::new();
        for piece in pieces {
            framer.buffer().extend_from_slice(piece);
            loop {
                match framer.poll() {
                    Ok(Some(frame)) => frames.push(frame),
                    Ok(None) => break,
                    Err(broken) => {
                        return Self {
                            frames,
                            end: Err(broken),
                        };
                    }
                }
            }
        }
        let end = Ok(framer.is_within_message());
        Self { frames, end }
    }

    fn messages(&self) -> Vec<&Bytes> {
        self.frames
            .iter()
            .filter_map(|frame| match frame {
                Frame::Message(bytes) => Some(bytes),
                Frame::Ping => None,
            })
            .collect()
    }
}

/// The messages of the list that a stream cannot carry as they are, or carries otherwise than a datagram does.
fn expected(file: &str) -> (usize, Result<bool, SipError>) {
    match file {
        // Two requests, of which the second is five bytes longer than it says.
        "rfc4475/dblreq.dat" => (2, Err(SipError::Missing("Content-Length"))),
        // Content-Length promises more than there is: the rest is waited for.
        "rfc4475/clerr.dat" => (0, Ok(true)),
        // The file ends within its head.
        "rfc4475/baddn.dat" => (0, Ok(true)),
        "rfc4475/ncl.dat" => (0, Err(SipError::Malformed("Content-Length"))),
        "rfc4475/mcl01.dat" => (0, Err(SipError::Duplicate("Content-Length"))),
        "rfc4475/inv2543.dat" => (0, Err(SipError::Missing("Content-Length"))),
        _ => (1, Ok(false)),
    }
}

#[test]
fn torture_messages_come_out_of_a_stream_as_their_notes_say() {
    for case in cases() {
        let read = Read::of([&case.bytes[..]]);
        let end = read.end.clone().map_err(|broken| broken.error);
        assert_eq!(
            (read.messages().len(), end),
            expected(&case.file),
            "{}",
            case.file
        );
    }
}

#[test]
fn a_stream_and_a_datagram_read_the_same() {
    let mut compared = 0;
    for case in cases() {
        let read = Read::of([&case.bytes[..]]);
        let [message] = read.messages()[..] else {
            continue;
        };
        let as_read = |bytes: &Bytes| format!("{:?}", parse(bytes));
        // A datagram may hold more than its message; this list's do not, but for line ends.
        assert!(case.bytes.starts_with(message), "{}", case.file);
        if case.bytes.len() == message.len() {
            assert_eq!(as_read(message), as_read(&case.bytes), "{}", case.file);
            compared += 1;
        }
    }
    assert!(compared >= 50, "{compared} compared");
}

/// Each message of the list, and all that leave the stream whole behind each other with keep-alives between.
fn streams() -> Vec<Vec<u8>> {
    let mut streams: Vec<Vec<u8>> = cases().iter().map(|case| case.bytes.to_vec()).collect();
    let whole: Vec<Vec<u8>> = cases()
        .iter()
        .filter(|case| expected(&case.file).1 == Ok(false))
        .map(|case| case.bytes.to_vec())
        .collect();
    for pair in whole.windows(2) {
        streams.push(pair.join(&b"\r\n\r\n"[..]));
    }
    streams.push(whole.join(&b"\r\n\r\n\r\n"[..]));
    streams
}

#[test]
fn every_cut_gives_the_same() {
    let mut cuts = 0;
    for stream in streams().into_iter().filter(|stream| stream.len() < 8_192) {
        let whole = Read::of([&stream[..]]);
        for at in 0..stream.len() {
            assert_eq!(
                Read::of([&stream[..at], &stream[at..]]),
                whole,
                "cut at {at} of {:?}",
                String::from_utf8_lossy(&stream)
            );
            cuts += 1;
        }
    }
    assert!(cuts > 80_000, "{cuts} cuts");
}

#[test]
fn byte_by_byte_gives_the_same() {
    for stream in streams() {
        assert_eq!(Read::of(stream.chunks(1)), Read::of([&stream[..]]));
    }
}

proptest! {
    /// Messages with bytes changed, put behind each other and cut anywhere: never a panic, always the same.
    #[test]
    fn spoilt_streams_read_the_same_however_they_are_cut(
        chosen in prop::collection::vec(prop::sample::select(streams()), 1..4),
        spoil in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let mut stream = chosen.concat();
        for (at, byte) in spoil {
            let at = at.index(stream.len());
            stream[at] = byte;
        }
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(stream.len())).collect();
        cuts.sort_unstable();
        let mut pieces = Vec::new();
        let mut rest = &stream[..];
        for cut in cuts {
            let (piece, behind) = rest.split_at(cut - (stream.len() - rest.len()));
            pieces.push(piece);
            rest = behind;
        }
        pieces.push(rest);
        prop_assert_eq!(Read::of(pieces), Read::of([&stream[..]]));
    }
}
