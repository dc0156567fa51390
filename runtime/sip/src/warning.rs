//! `Warning`: what was wrong with a request, for people (RFC 3261 §20.43).

use std::fmt::Display;

use crate::lex;

/// The longest text that is sent, in characters.
const MAX_CHARS: usize = 200;

/// What was wrong with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Of RFC 3261 §20.43: 301 (addresses), 302 (transport), 304 (media type), 305 (media format), 399 (anything else).
    pub code: u16,
    /// The same in words. Cut off after 200 characters.
    pub text: String,
}

impl Warning {
    /// The value of the header field. `agent`: who warns. Control characters in the text are left out.
    pub(crate) fn value(&self, agent: impl Display) -> String {
        let text: String = self.text.chars().take(MAX_CHARS).collect();
        format!("{} {agent} {}", self.code, lex::quoted(&text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values() {
        for (text, expected) in [
            ("use RTP/SAVP", r#"399 192.0.2.1:5060 "use RTP/SAVP""#),
            (
                "a \"b\" \\ c\r\nVia: d",
                r#"399 192.0.2.1:5060 "a \"b\" \\ cVia: d""#,
            ),
            ("", r#"399 192.0.2.1:5060 """#),
        ] {
            let text = text.to_owned();
            let warning = Warning { code: 399, text };
            assert_eq!(warning.value("192.0.2.1:5060"), expected);
        }
        let long = Warning {
            code: 305,
            text: "é".repeat(500),
        };
        assert_eq!(long.value("a"), format!("305 a \"{}\"", "é".repeat(200)));
    }
}
