//! What the INVITE of a call that came in said beside who calls whom, under the names of Twilio's parameters.
//!
//! It travels as one setting of the call's flow, in the encoding of forms, so that every component can read it, and the call's journal has it.

use crate::CallRow;

/// The setting.
pub const ARRIVAL: &str = "arrival";

/// The parameters as the value of that setting: `application/x-www-form-urlencoded`.
#[must_use]
pub fn write_arrival(parameters: &[(String, String)]) -> String {
    let mut form = String::new();
    for (name, value) in parameters {
        if !form.is_empty() {
            form.push('&');
        }
        encode(name, &mut form);
        form.push('=');
        encode(value, &mut form);
    }
    form
}

impl CallRow {
    /// What its INVITE said, where it came in: names and values.
    #[must_use]
    pub fn arrival(&self) -> Vec<(String, String)> {
        let form = self.settings.get(ARRIVAL).map_or("", String::as_str);
        let pairs = form.split('&').filter_map(|pair| pair.split_once('='));
        pairs
            .map(|(name, value)| (decode(name), decode(value)))
            .collect()
    }

    /// One of those parameters.
    #[must_use]
    pub fn arrived_with(&self, name: &str) -> Option<String> {
        let mut parameters = self.arrival().into_iter();
        parameters
            .find(|(known, _)| known == name)
            .map(|(_, value)| value)
    }
}

fn encode(text: &str, form: &mut String) {
    for byte in text.bytes() {
        match byte {
            b' ' => form.push('+'),
            b'*' | b'-' | b'.' | b'_' => form.push(char::from(byte)),
            byte if byte.is_ascii_alphanumeric() => form.push(char::from(byte)),
            byte => *form += &format!("%{byte:02X}"),
        }
    }
}

/// What [`encode`] wrote. The setting of a row is always its work.
fn decode(text: &str) -> String {
    let mut plain = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        plain.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [bytes.next(), bytes.next()];
                let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
                let value = digit(digits[0]).zip(digit(digits[1]));
                value.map_or(b'?', |(high, low)| {
                    u8::try_from(16 * high + low).unwrap_or(b'?')
                })
            }
            byte => byte,
        });
    }
    String::from_utf8_lossy(&plain).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_comes_back() {
        for text in ["", "+85523111111", "a b&c=d%20;", "Jürgen ☎", "100%"] {
            let mut form = String::new();
            encode(text, &mut form);
            assert!(!form.contains([' ', '&', '=']), "{form}");
            assert_eq!(decode(&form), text);
        }
        let pairs = [("A", "1 2"), ("SipHeader_X-b", "&")];
        let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(write_arrival(&pairs), "A=1+2&SipHeader_X-b=%26");
        assert_eq!(write_arrival(&[]), "");
    }
}
