//! `Reason`: why a call was refused, taken back or ended (RFC 3326), also in responses (RFC 6432).

use crate::field::Name;
use crate::lex::{self, Params};
use crate::message::Fields;

/// Why a call was refused, taken back or ended, in the words of SIP or of the telephone network behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// Whose number [`Self::cause`] is.
    pub protocol: ReasonProtocol,
    /// A SIP status, or a cause of Q.850 (16: normal clearing, 17: busy, 34: no channel).
    pub cause: u16,
    /// The same in words, for people.
    pub text: Option<String>,
}

/// Whose number the cause of a [`Reason`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReasonProtocol {
    /// A SIP status code.
    Sip,
    /// A cause value of ITU-T Q.850, 1 to 127.
    Q850,
}

impl ReasonProtocol {
    const ALL: [Self; 2] = [Self::Q850, Self::Sip];

    /// As the header field says it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sip => "SIP",
            Self::Q850 => "Q.850",
        }
    }
}

impl Reason {
    /// The reason a message gives. Of several the telephone network's, which says more; one that cannot be read is none.
    pub(crate) fn of(message: &Fields) -> Option<Self> {
        ReasonProtocol::ALL.into_iter().find_map(|protocol| {
            let mut values = message.head.items(Name::Reason);
            values.find_map(|value| Self::read(value, protocol))
        })
    }

    fn read(value: &[u8], protocol: ReasonProtocol) -> Option<Self> {
        let (name, params) = value.split_at(lex::length_while(value, |b| b != b';'));
        if !lex::trim_end(name).eq_ignore_ascii_case(protocol.name().as_bytes()) {
            return None;
        }
        let params = Params::new(params);
        let cause = lex::number(params.get("cause")?)?;
        Some(Self {
            protocol,
            cause: u16::try_from(cause).ok()?,
            text: params.get("text").map(lex::unquoted),
        })
    }

    /// The value of the header field. Control characters in the text are left out.
    pub(crate) fn value(&self) -> String {
        let mut value = format!("{};cause={}", self.protocol.name(), self.cause);
        if let Some(text) = &self.text {
            value.push_str(";text=");
            value.push_str(&lex::quoted(text));
        }
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::parse_request;

    fn reason(fields: &str) -> Option<Reason> {
        Reason::of(&parse_request(&format!(
            "BYE sip:c@d SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=2\r\nCall-ID: x\r\n\
             CSeq: 1 BYE\r\n{fields}\r\n"
        )))
    }

    #[test]
    fn values() {
        let some = |protocol, cause, text: &str| {
            Some(Reason {
                protocol,
                cause,
                text: (!text.is_empty()).then(|| text.to_owned()),
            })
        };
        use ReasonProtocol::{Q850, Sip};
        for (fields, expected) in [
            ("", None),
            (
                "Reason: Q.850;cause=16;text=\"Normal call clearing\"\r\n",
                some(Q850, 16, "Normal call clearing"),
            ),
            ("reason: q.850 ; cause = 17\r\n", some(Q850, 17, "")),
            (
                "Reason: SIP;cause=200;text=\"Call completed elsewhere\"\r\n",
                some(Sip, 200, "Call completed elsewhere"),
            ),
            (
                "Reason: SIP;cause=486, Q.850;cause=17;text=busy\r\n",
                some(Q850, 17, "busy"),
            ),
            (
                "Reason: SIP;cause=600\r\nReason: Q.850;cause=21\r\n",
                some(Q850, 21, ""),
            ),
            (
                "Reason: Q.850;text=\"a, \\\"b\\\"\";cause=1\r\n",
                some(Q850, 1, "a, \"b\""),
            ),
            ("Reason: Q.850\r\n", None),
            (
                "Reason: Q.850;cause=x, SIP;cause=480\r\n",
                some(Sip, 480, ""),
            ),
            ("Reason: Q.850;cause=70000\r\n", None),
            ("Reason: X.25;cause=3\r\n", None),
        ] {
            assert_eq!(reason(fields), expected, "{fields}");
        }
    }

    #[test]
    fn what_is_written_reads_the_same() {
        let written = Reason {
            protocol: ReasonProtocol::Q850,
            cause: 34,
            text: Some("no \"circuit\\channel\"\r\nX: y".to_owned()),
        };
        let value = written.value();
        assert_eq!(
            value,
            r#"Q.850;cause=34;text="no \"circuit\\channel\"X: y""#
        );
        let read = reason(&format!("Reason: {value}\r\n")).unwrap();
        assert_eq!(read.text.as_deref(), Some("no \"circuit\\channel\"X: y"));
    }
}
