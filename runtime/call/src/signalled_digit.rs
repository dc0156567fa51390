//! Digits that come in signalling, by INFO, from peers that send no telephone events.

/// The digit in the body of `application/dtmf-relay` (`Signal=5`, one line of several) or `application/dtmf` (`5` alone).
/// Both are taken in either, for gateways mix them up. Numbers above 9 are those of RFC 4733 table 3; a hook flash is none.
pub(crate) fn digit(body: &[u8]) -> Option<char> {
    let text = str::from_utf8(body).ok()?;
    let signal = text.lines().find_map(|line| {
        let (name, value) = line.split_once('=')?;
        name.trim().eq_ignore_ascii_case("signal").then_some(value)
    });
    let value = match signal {
        Some(value) => value,
        None if text.contains('=') => return None,
        None => text,
    };
    match value.trim() {
        "10" => Some('*'),
        "11" => Some('#'),
        "12" => Some('A'),
        "13" => Some('B'),
        "14" => Some('C'),
        "15" => Some('D'),
        value => {
            let mut letters = value.chars();
            let digit = letters.next()?.to_ascii_uppercase();
            let is_one = letters.next().is_none() && "0123456789*#ABCD".contains(digit);
            is_one.then_some(digit)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies() {
        for (body, expected) in [
            ("Signal=5\r\nDuration=160\r\n", Some('5')),
            ("Signal= *\r\nDuration= 250", Some('*')),
            ("Duration=100\nsignal = #\n", Some('#')),
            ("Signal=11\r\n", Some('#')),
            ("Signal=10\r\n", Some('*')),
            ("Signal=d\r\n", Some('D')),
            ("5", Some('5')),
            ("0\r\n", Some('0')),
            ("*", Some('*')),
            ("Signal=16\r\n", None),
            ("Signal=\r\n", None),
            ("Signal=55\r\n", None),
            ("Signal=x\r\n", None),
            ("Duration=5\r\n", None),
            ("", None),
            ("<dtmf>5</dtmf>", None),
        ] {
            assert_eq!(digit(body.as_bytes()), expected, "{body:?}");
        }
        assert_eq!(digit(&[0xff, b'5']), None);
    }
}
