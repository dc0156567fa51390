//! Messages of DNS (RFC 1035 §4): one question out, one reply in. Nothing in a reply is trusted to be well-formed.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use sip::locate::{Naptr, Record, Srv};

/// The longest name, as text without the dot at its end, and the longest label (RFC 1035 §2.3.4).
const MAX_NAME: usize = 253;
const MAX_LABEL: usize = 63;
/// No chain of aliases is followed further.
const MAX_ALIASES: usize = 16;

/// The one class in use.
const CLASS_IN: u16 = 1;
/// Header flags: this is a response; it was cut short; please ask other servers for me.
const RESPONSE: u16 = 1 << 15;
const TRUNCATED: u16 = 1 << 9;
const RECURSION_DESIRED: u16 = 1 << 8;
/// The operation: 0 is a standard query.
const OPCODE: u16 = 0b1111 << 11;
const RCODE: u16 = 0b1111;
const NO_ERROR: u16 = 0;
const NAME_ERROR: u16 = 3;
/// Of a name's octets: the two bits that make it a pointer.
const POINTER: u8 = 0b1100_0000;

/// What a record holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    A,
    Aaaa,
    Srv,
    Naptr,
    Cname,
}

impl Kind {
    const fn code(self) -> u16 {
        match self {
            Self::A => 1,
            Self::Cname => 5,
            Self::Aaaa => 28,
            Self::Srv => 33,
            Self::Naptr => 35,
        }
    }
}

/// What is asked.
#[derive(Clone, Debug)]
pub(super) struct Question {
    name: Arc<str>,
    kind: Kind,
}

/// What a server said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// Never empty.
    Found { records: Vec<Record>, ttl: Duration },
    /// No such name, or nothing of this kind.
    NotFound,
    /// It does not fit a datagram: ask over TCP.
    Truncated,
}

/// Why a message is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    /// An answer to another question, or none at all: the answer may still come.
    #[error("the message answers another question")]
    Foreign,
    #[error("the message is malformed")]
    Malformed,
    /// The server cannot or will not answer (RFC 1035 §4.1.1).
    #[error("the server answers with code {0}")]
    Refused(u16),
}

impl Question {
    /// None for a name that DNS cannot hold.
    pub(super) fn new(name: Arc<str>, kind: Kind) -> Option<Self> {
        let fits = name.len() <= MAX_NAME
            && name
                .split('.')
                .all(|label| (1..=MAX_LABEL).contains(&label.len()));
        fits.then_some(Self { name, kind })
    }

    /// The message that asks it.
    pub(super) fn message(&self, id: u16) -> Vec<u8> {
        let mut message = Vec::with_capacity(18 + self.name.len());
        for word in [id, RECURSION_DESIRED, 1, 0, 0, 0] {
            message.extend_from_slice(&word.to_be_bytes());
        }
        for label in self.name.split('.') {
            let length = u8::try_from(label.len()).expect("`new` has seen to it");
            message.push(length);
            message.extend_from_slice(label.as_bytes());
        }
        message.push(0);
        message.extend_from_slice(&self.kind.code().to_be_bytes());
        message.extend_from_slice(&CLASS_IN.to_be_bytes());
        message
    }

    /// Reads a message as the answer to this question, sent with `id`.
    pub(super) fn read(&self, id: u16, message: &[u8]) -> Result<Reply, Fault> {
        let mut reader = Reader { message, at: 0 };
        let mut header = [0; 6];
        for word in &mut header {
            *word = reader.u16().ok_or(Fault::Foreign)?;
        }
        let [its_id, flags, questions, answers, ..] = header;
        let is_answer = its_id == id && flags & RESPONSE != 0 && flags & OPCODE == 0;
        if !is_answer || questions != 1 || !self.is_asked_in(&mut reader) {
            return Err(Fault::Foreign);
        }
        match flags & RCODE {
            NO_ERROR if flags & TRUNCATED != 0 => Ok(Reply::Truncated),
            NO_ERROR => self.answer(reader, answers).ok_or(Fault::Malformed),
            NAME_ERROR => Ok(Reply::NotFound),
            code => Err(Fault::Refused(code)),
        }
    }

    fn is_asked_in(&self, reader: &mut Reader<'_>) -> bool {
        let mut asked = || Some((reader.name()?, reader.u16()?, reader.u16()?));
        asked().is_some_and(|(name, kind, class)| {
            let same = name.is_some_and(|name| name.eq_ignore_ascii_case(&self.name));
            same && kind == self.kind.code() && class == CLASS_IN
        })
    }

    /// The records of the name that is asked for, or of the one that it is an alias of. None for a malformed message.
    fn answer(&self, mut reader: Reader<'_>, count: u16) -> Option<Reply> {
        let mut entries = Vec::new();
        for _ in 0..count {
            entries.push(reader.entry()?);
        }
        let mut owner: &str = &self.name;
        let mut ttl = u32::MAX;
        for _ in 0..MAX_ALIASES {
            let of_owner = |entry: &&Entry| entry.owner.as_deref() == Some(owner);
            let alias = entries.iter().filter(of_owner).find_map(|entry| {
                let Data::Alias(target) = &entry.data else {
                    return None;
                };
                Some((target, entry.ttl))
            });
            let Some((target, its_ttl)) = alias else {
                break;
            };
            owner = target;
            ttl = ttl.min(its_ttl);
        }
        let mut records = Vec::new();
        for entry in &entries {
            if let Data::Record(kind, record) = &entry.data
                && *kind == self.kind
                && entry.owner.as_deref() == Some(owner)
            {
                records.push(record.clone());
                ttl = ttl.min(entry.ttl);
            }
        }
        Some(match records.is_empty() {
            true => Reply::NotFound,
            false => Reply::Found {
                records,
                ttl: Duration::from_secs(ttl.into()),
            },
        })
    }
}

/// A record of the answer section.
struct Entry {
    /// None for a name with octets that no name of ours has.
    owner: Option<String>,
    ttl: u32,
    data: Data,
}

enum Data {
    Record(Kind, Record),
    Alias(String),
    /// Of another type or class, or with names that lead nowhere for us.
    Other,
}

/// Reads a message from the front. Every method gives none where the message ends too early.
#[derive(Clone)]
struct Reader<'a> {
    message: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let bytes = self.message.get(self.at..self.at.checked_add(count)?)?;
        self.at += count;
        Some(bytes)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.bytes(N)?.try_into().ok()
    }

    fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_be_bytes)
    }

    fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    /// A text of up to 255 octets (RFC 1035 §3.3).
    fn text(&mut self) -> Option<Box<str>> {
        let length = self.u8()?;
        let bytes = self.bytes(length.into())?;
        Some(String::from_utf8_lossy(bytes).into())
    }

    /// A name in lower case, without the dot at its end; the root is `.`. The inner none is a name that is well-formed and
    /// has an octet that no name of ours has.
    fn name(&mut self) -> Option<Option<String>> {
        let mut name = String::new();
        let mut plain = true;
        let mut letters = 0;
        let mut reader = self.clone();
        // Where the reading goes on: behind the first pointer, or behind the name.
        let mut end = None;
        // A pointer leads back to before the part that it ends (RFC 1035 §4.1.4), so each is followed once.
        let mut floor = self.at;
        loop {
            match reader.u8()? {
                0 => break,
                length if length & POINTER == POINTER => {
                    let low = reader.u8()?;
                    end.get_or_insert(reader.at);
                    reader.at = usize::from(u16::from_be_bytes([length & !POINTER, low]));
                    if reader.at >= floor {
                        return None;
                    }
                    floor = reader.at;
                }
                length if length & POINTER != 0 => return None,
                length => {
                    let label = reader.bytes(length.into())?;
                    let known = |b: &u8| b.is_ascii_alphanumeric() || b"-_".contains(b);
                    plain &= label.iter().all(known);
                    if !name.is_empty() {
                        name.push('.');
                    }
                    name.extend(label.iter().map(|b| char::from(b.to_ascii_lowercase())));
                    letters += label.len() + 1;
                    if letters > MAX_NAME + 1 {
                        return None;
                    }
                }
            }
        }
        self.at = end.unwrap_or(reader.at);
        if name.is_empty() {
            name.push('.');
        }
        Some(plain.then_some(name))
    }

    fn entry(&mut self) -> Option<Entry> {
        let owner = self.name()?;
        let (kind, class) = (self.u16()?, self.u16()?);
        // A time with its highest bit set counts as none (RFC 2181 §8).
        let ttl = self.array().map(u32::from_be_bytes)?;
        let ttl = if ttl > i32::MAX.unsigned_abs() {
            0
        } else {
            ttl
        };
        let length = usize::from(self.u16()?);
        let mut data = Reader {
            message: self.message.get(..self.at + length)?,
            at: self.at,
        };
        self.at += length;
        let data = match class {
            CLASS_IN => data.data(kind)?,
            _ => Data::Other,
        };
        Some(Entry { owner, ttl, data })
    }

    /// The data of one record, at whose end this reader ends.
    fn data(&mut self, kind: u16) -> Option<Data> {
        const KINDS: [Kind; 5] = [Kind::A, Kind::Aaaa, Kind::Srv, Kind::Naptr, Kind::Cname];
        let Some(kind) = KINDS.into_iter().find(|known| known.code() == kind) else {
            return Some(Data::Other);
        };
        let record = match kind {
            Kind::A => Record::Address(IpAddr::from(self.array::<4>()?)),
            Kind::Aaaa => Record::Address(IpAddr::from(self.array::<16>()?)),
            Kind::Srv => {
                let (priority, weight, port) = (self.u16()?, self.u16()?, self.u16()?);
                let Some(target) = self.name()? else {
                    return Some(Data::Other);
                };
                Record::Srv(Srv {
                    priority,
                    weight,
                    port,
                    target: target.into(),
                })
            }
            Kind::Naptr => {
                let (order, preference) = (self.u16()?, self.u16()?);
                let (flags, services, _regexp) = (self.text()?, self.text()?, self.text()?);
                let Some(replacement) = self.name()? else {
                    return Some(Data::Other);
                };
                Record::Naptr(Naptr {
                    order,
                    preference,
                    flags,
                    services,
                    replacement: replacement.into(),
                })
            }
            Kind::Cname => {
                return Some(match self.name()? {
                    Some(target) => Data::Alias(target),
                    None => Data::Other,
                });
            }
        };
        Some(Data::Record(kind, record))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::reply;
    use super::*;

    const ID: u16 = 0x1234;
    const ZONE: &str = "
        a.example 300 A 192.0.2.1
        a.example 60 A 192.0.2.2
        a.example 300 AAAA 2001:db8::1
        b.example 20 CNAME c.example
        c.example 300 CNAME A.example
        loop.example 60 CNAME pool.example
        pool.example 60 CNAME loop.example
        dangling.example 60 CNAME nowhere.example
        _sip._udp.a.example 60 SRV 10 20 5060 Sbc.A.example.
        none.example 60 SRV 0 0 0 .
        a.example 60 NAPTR 1 2 s SIP+D2U _sip._udp.a.example";

    fn question(name: &str, kind: Kind) -> Question {
        Question::new(name.into(), kind).unwrap()
    }

    fn answer(name: &str, kind: Kind) -> Vec<u8> {
        reply(ZONE, &question(name, kind).message(ID))
    }

    fn address(ip: &str) -> Record {
        Record::Address(ip.parse().unwrap())
    }

    #[test]
    fn answers() {
        let srv = |priority, weight, port, target: &str| {
            let target = target.into();
            Record::Srv(Srv {
                priority,
                weight,
                port,
                target,
            })
        };
        let naptr = Record::Naptr(Naptr {
            order: 1,
            preference: 2,
            flags: "s".into(),
            services: "SIP+D2U".into(),
            replacement: "_sip._udp.a.example".into(),
        });
        let both = vec![address("192.0.2.1"), address("192.0.2.2")];
        for (name, kind, records, ttl) in [
            ("a.example", Kind::A, both.clone(), 60),
            ("a.example", Kind::Aaaa, vec![address("2001:db8::1")], 300),
            ("b.example", Kind::A, both, 20),
            (
                "_sip._udp.a.example",
                Kind::Srv,
                vec![srv(10, 20, 5060, "sbc.a.example")],
                60,
            ),
            ("none.example", Kind::Srv, vec![srv(0, 0, 0, ".")], 60),
            ("a.example", Kind::Naptr, vec![naptr], 60),
        ] {
            let found = Reply::Found {
                records,
                ttl: Duration::from_secs(ttl),
            };
            let read = question(name, kind).read(ID, &answer(name, kind));
            assert_eq!(read, Ok(found), "{name} {kind:?}");
        }
    }

    #[test]
    fn no_records() {
        for name in [
            "nowhere.example",
            "none.example",
            "loop.example",
            "dangling.example",
        ] {
            let read = question(name, Kind::A).read(ID, &answer(name, Kind::A));
            assert_eq!(read, Ok(Reply::NotFound), "{name}");
        }
    }

    #[test]
    fn only_an_answer_to_the_question_counts() {
        let asked = question("a.example", Kind::A);
        let honest = answer("a.example", Kind::A);
        assert!(asked.read(ID, &honest).is_ok());
        for (what, message) in [
            ("nothing", vec![]),
            ("a header cut short", honest[..11].to_vec()),
            ("another name", answer("none.example", Kind::A)),
            ("another type", answer("a.example", Kind::Aaaa)),
            ("the question itself", asked.message(ID)),
        ] {
            assert_eq!(asked.read(ID, &message), Err(Fault::Foreign), "{what}");
        }
        assert_eq!(asked.read(ID ^ 1, &honest), Err(Fault::Foreign));
    }

    #[test]
    fn flags() {
        let asked = question("a.example", Kind::A);
        for (at, bits, expected) in [
            (2, 0x02, Ok(Reply::Truncated)),
            (2, 0x08, Err(Fault::Foreign)),
            (3, 0x02, Err(Fault::Refused(2))),
            (3, 0x03, Ok(Reply::NotFound)),
            (3, 0x05, Err(Fault::Refused(5))),
        ] {
            let mut message = answer("a.example", Kind::A);
            message[at] |= bits;
            assert_eq!(asked.read(ID, &message), expected, "{at} {bits}");
        }
    }

    #[test]
    fn names_that_dns_cannot_hold() {
        let long = "a".repeat(64);
        let deep = "a.".repeat(126) + "ab";
        for name in ["", "a..example", ".example", long.as_str(), deep.as_str()] {
            assert!(Question::new(name.into(), Kind::A).is_none(), "{name}");
        }
        let deepest = "a.".repeat(126) + "a";
        let asked = question(&deepest, Kind::A);
        let zone = format!("{deepest} 60 A 192.0.2.1");
        let read = asked.read(ID, &reply(&zone, &asked.message(ID)));
        assert!(matches!(read, Ok(Reply::Found { .. })), "{read:?}");
    }

    /// Where the first record of an answer to a question for `a.example` begins: behind header and question.
    const FIRST_RECORD: usize = 12 + 11 + 4;

    #[test]
    fn pointers_lead_backwards_only() {
        let asked = question("a.example", Kind::A);
        let at = u8::try_from(FIRST_RECORD).unwrap();
        for target in [at, at + 1, at + 2, 0xff] {
            let mut message = answer("a.example", Kind::A);
            message[FIRST_RECORD] = POINTER;
            message[FIRST_RECORD + 1] = target;
            assert_eq!(asked.read(ID, &message), Err(Fault::Malformed), "{target}");
        }
    }

    #[test]
    fn what_is_cut_short_or_garbled_is_no_more_than_malformed() {
        for (name, kind) in [
            ("b.example", Kind::A),
            ("_sip._udp.a.example", Kind::Srv),
            ("a.example", Kind::Naptr),
        ] {
            let asked = question(name, kind);
            let honest = answer(name, kind);
            for length in 12 + name.len() + 6..honest.len() {
                assert_eq!(
                    asked.read(ID, &honest[..length]),
                    Err(Fault::Malformed),
                    "{name} {length}"
                );
            }
            for at in 0..honest.len() {
                for value in 0..=u8::MAX {
                    let mut message = honest.clone();
                    message[at] = value;
                    if let Ok(Reply::Found { records, .. }) = asked.read(ID, &message) {
                        assert!(!records.is_empty() && records.len() <= 3, "{at} {value}");
                    }
                }
            }
        }
    }
}
