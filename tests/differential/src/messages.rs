//! The messages that all parsers are given.

use std::path::{Path, PathBuf};

use bytes::Bytes;

use crate::variations::VARIATIONS;

/// One message.
pub struct Sample {
    /// A file of the vectors or corpora, with the place it was put in if it is no whole message; or what was changed of an
    /// ordinary message.
    pub name: String,
    /// All of it.
    pub bytes: Bytes,
}

const INVITE: &str = "INVITE sip:bob@h.example SIP/2.0\r\nVia: SIP/2.0/UDP a.example:5060;branch=z9hG4bKone\r\nMax-Forwards: 70\r\n\
From: \"Alice\" <sip:alice@a.example>;tag=a1\r\nTo: <sip:bob@h.example>\r\nCall-ID: c1@a.example\r\nCSeq: 7 INVITE\r\n\
Contact: <sip:alice@a.example>\r\nSubject: lunch\r\nContent-Type: application/sdp\r\nContent-Length: 5\r\n\r\nv=0\r\n";

const RINGING: &str = "SIP/2.0 180 Ringing\r\nVia: SIP/2.0/UDP a.example:5060;branch=z9hG4bKone\r\n\
From: \"Alice\" <sip:alice@a.example>;tag=a1\r\nTo: <sip:bob@h.example>;tag=b1\r\nCall-ID: c1@a.example\r\nCSeq: 7 INVITE\r\n\
Contact: <sip:bob@h.example>\r\nContent-Length: 0\r\n\r\n";

/// The torture messages, the fuzzers' corpora, and ordinary messages with one thing changed.
pub fn samples() -> Vec<Sample> {
    let mut samples = torture();
    samples.extend(whole("sip_datagram", 0));
    samples.extend(whole("sip_stream", 1)); // the first byte says how it comes in pieces
    samples.extend(within(
        "sip_uri",
        "Request-URI",
        "sip:bob@h.example SIP",
        " SIP",
    ));
    for (field, value) in [
        ("From", "\"Alice\" <sip:alice@a.example>;tag=a1"),
        ("Via", "SIP/2.0/UDP a.example:5060;branch=z9hG4bKone"),
        ("CSeq", "7 INVITE"),
    ] {
        samples.extend(within("sip_values", field, value, ""));
    }
    samples.extend(varied());
    samples
}

fn tests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The files of a folder in the order of their names.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = std::fs::read_dir(folder).expect("the folder is there");
    let read = |entry: std::io::Result<std::fs::DirEntry>| {
        let path = entry.expect("the folder can be read").path();
        let name = path.file_name().expect("files have names");
        let name = name.to_string_lossy().into_owned();
        (name, std::fs::read(path).expect("the file can be read"))
    };
    let mut files: Vec<_> = entries.map(read).collect();
    files.sort();
    files
}

fn torture() -> Vec<Sample> {
    let folder = tests().join("vectors/sip-torture");
    let list = std::fs::read_to_string(folder.join("MANIFEST.tsv")).expect("the list is there");
    let names = list
        .lines()
        .skip(1)
        .filter_map(|line| line.split('\t').next());
    let sample = |path: &str| Sample {
        name: path.rsplit('/').next().unwrap_or_default().to_owned(),
        bytes: std::fs::read(folder.join(path))
            .expect("the file is there")
            .into(),
    };
    names.map(sample).collect()
}

/// A corpus of messages, without the first bytes of each.
fn whole(corpus: &str, skipped: usize) -> impl Iterator<Item = Sample> {
    let files = files(&tests().join("fuzz/corpus").join(corpus)).into_iter();
    files.map(move |(name, bytes)| Sample {
        name,
        bytes: Bytes::from(bytes).slice(skipped..),
    })
}

/// A corpus of parts, each in the place of `replaced` in an ordinary INVITE, before `behind`.
fn within(corpus: &str, place: &str, replaced: &str, behind: &str) -> impl Iterator<Item = Sample> {
    let (before, after) = INVITE.split_once(replaced).expect("it is in the message");
    let files = files(&tests().join("fuzz/corpus").join(corpus)).into_iter();
    files.map(move |(name, bytes)| Sample {
        name: format!("{place} {name}"),
        bytes: [
            before.as_bytes(),
            &bytes,
            behind.as_bytes(),
            after.as_bytes(),
        ]
        .concat()
        .into(),
    })
}

/// Each variation of an ordinary request and of a response to it, where they have what it replaces.
fn varied() -> impl Iterator<Item = Sample> {
    VARIATIONS.iter().flat_map(|(name, from, to)| {
        let bases = [INVITE, RINGING].into_iter();
        let bases: Vec<_> = bases.filter(|text| text.contains(from)).collect();
        assert!(!bases.is_empty(), "{name}: `{from}` is in no message");
        bases.into_iter().map(|text| Sample {
            name: (*name).to_owned(),
            bytes: replaced(text, from, to).into(),
        })
    })
}

fn replaced(text: &str, from: &str, to: &[u8]) -> Vec<u8> {
    let parts: Vec<_> = text.split(from).map(str::as_bytes).collect();
    parts.join(to)
}
