//! Numbers as clients write them.

/// The number as the store keeps numbers: blanks, dashes, dots and brackets are left out, and nine digits or more that
/// lack their plus get it. A SIP URI, and what is no number at all, stays as it is.
pub(crate) fn normalise(text: &str) -> String {
    let text = text.trim();
    let is_number = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || b"+ -.()".contains(&byte));
    if !is_number {
        return text.to_owned();
    }
    let digits: String = text
        .chars()
        .filter(|c| c.is_ascii_digit() || *c == '+')
        .collect();
    let lacks_plus = !digits.starts_with('+') && digits.len() >= 9;
    if lacks_plus {
        format!("+{digits}")
    } else {
        digits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_one_way() {
        for (written, kept) in [
            ("+85512345678", "+85512345678"),
            (" +855 12 345-678 ", "+85512345678"),
            ("+1 (415) 867.5309", "+14158675309"),
            ("14158675309", "+14158675309"),
            ("1294", "1294"),
            ("12345678", "12345678"),
            ("sip:1000@192.0.2.1:5060", "sip:1000@192.0.2.1:5060"),
            ("client:alice", "client:alice"),
            ("+855x", "+855x"),
            ("", ""),
        ] {
            assert_eq!(normalise(written), kept, "{written}");
        }
    }
}
