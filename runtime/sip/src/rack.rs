//! `RAck`: which provisional response a PRACK is for (RFC 3262 §7.2).

use bytes::Bytes;

use crate::field::Name;
use crate::lex;
use crate::{CSeq, Request};

/// The number of a reliable provisional response, and what it answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RAck {
    pub(crate) rseq: u32,
    pub(crate) cseq: CSeq,
}

impl RAck {
    /// What a PRACK says; none where it says nothing, or nothing that can be read.
    pub(crate) fn of(prack: &Request) -> Option<Self> {
        let value = prack.head.values(Name::RAck).next()?;
        Self::parse(&prack.head.share(value))
    }

    fn parse(bytes: &Bytes) -> Option<Self> {
        let value = lex::trim(bytes);
        let (digits, cseq) = value.split_at(lex::length_while(value, |b| b.is_ascii_digit()));
        Some(Self {
            rseq: lex::number(digits)?,
            cseq: CSeq::parse(&bytes.slice_ref(cseq)).ok()?,
        })
    }

    /// The value of the header field.
    pub(crate) fn value(&self) -> Bytes {
        let CSeq { number, method } = &self.cseq;
        format!("{} {number} {method}", self.rseq).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Method;

    #[test]
    fn values() {
        let of_invite = |rseq, number| {
            let method = Method::Invite;
            Some(RAck {
                rseq,
                cseq: CSeq { number, method },
            })
        };
        for (text, expected) in [
            ("776656 1 INVITE", of_invite(776_656, 1)),
            (" 1\t2  INVITE ", of_invite(1, 2)),
            ("1 2", None),
            ("1 INVITE", None),
            ("x 2 INVITE", None),
            ("99999999999 2 INVITE", None),
            ("", None),
        ] {
            assert_eq!(RAck::parse(&text.into()), expected, "{text:?}");
        }
        assert_eq!(of_invite(7, 2).unwrap().value(), "7 2 INVITE");
    }
}
