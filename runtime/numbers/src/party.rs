//! Who calls or is called, from the user part that a peer wrote.

use std::fmt;

use crate::user_part::UserPart;
use crate::{Country, PhoneNumber, library};

/// What the user part of a `From`, `To` or Request-URI names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Party {
    /// A telephone number in international form.
    E164(PhoneNumber),
    /// A number of 1 to 8 digits that means something inside its own network only. Unchanged: no zero is added or taken away.
    ShortCode(PhoneNumber),
    /// Nobody wants to be known.
    Anonymous,
    /// Anything else, such as a name; escapes are undone, parameters cut off.
    Other(String),
}

impl Party {
    /// The number; none for a name or nobody.
    #[must_use]
    pub fn number(&self) -> Option<&PhoneNumber> {
        match self {
            Self::E164(number) | Self::ShortCode(number) => Some(number),
            Self::Anonymous | Self::Other(_) => None,
        }
    }
}

impl fmt::Display for Party {
    /// In the words of the API: the number, `anonymous`, or the text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::E164(number) | Self::ShortCode(number) => number.fmt(f),
            Self::Anonymous => f.write_str("anonymous"),
            Self::Other(text) => f.write_str(text),
        }
    }
}

/// Words that networks write where a number would be.
const NOBODY: [&str; 6] = [
    "",
    "anonymous",
    "restricted",
    "unavailable",
    "unknown",
    "private",
];

/// Some of these words in the letters of a keypad, as Twilio and carriers behind it have them; no country has such numbers.
const SPELLED: [&str; 5] = [
    "+266696687",
    "+7378742833",
    "+2562533",
    "+8656696",
    "+86282452253",
];

/// Nothing longer than this is taken for a number without its country's say.
const LONGEST_SHORT_CODE: usize = 8;

/// Up to here digits are a short code, even where a national number could be as short.
const SURELY_SHORT: usize = 6;

/// Reads a user part as it came: `text` may be `+85512345678`, `0085512345678`, `85512345678`, `012345678` or `12345678` (in
/// `country`), with visual separators (RFC 3966 section 5.1.1), `%` escapes, parameters such as `;npdi`, `;isup-oli=0` or
/// `;phone-context=+855`, a `#` at its end, and `tel:` before it.
///
/// `country` is where the peer stands, by whose habits it writes; a `phone-context` that names another goes before it. `00` is
/// always the international prefix, as ITU-T E.123 has it, also where the country itself dials another one.
#[must_use]
pub fn normalise(text: &str, country: Option<Country>) -> Party {
    let part = UserPart::read(text);
    let Some(digits) = &part.digits else {
        let nobody = NOBODY
            .iter()
            .any(|word| part.text.trim().eq_ignore_ascii_case(word));
        return match nobody {
            true => Party::Anonymous,
            false => Party::Other(part.text),
        };
    };
    if SPELLED.contains(&digits.as_str()) {
        return Party::Anonymous;
    }
    let home = match part.context_code {
        Some(code) => library::main_country(code),
        None => country,
    };
    let found = match digits.strip_prefix('+') {
        Some(digits) => global(digits),
        None if digits.len() <= SURELY_SHORT => None,
        None => unsigned(digits, home),
    };
    match found {
        Some(number) => Party::E164(number),
        None => short_code(digits).map_or_else(|| Party::Other(part.text), Party::ShortCode),
    }
}

/// An international number without its plus. One of an unknown range is believed; a trunk prefix that was left in is not.
fn global(digits: &str) -> Option<PhoneNumber> {
    library::international(digits).or_else(|| e164(digits))
}

/// A number that has no plus, as it is written or dialled at home.
fn unsigned(digits: &str, home: Option<Country>) -> Option<PhoneNumber> {
    let itu = digits.strip_prefix("00");
    itu.and_then(library::international)
        .or_else(|| library::dialled(digits, home?))
        .or_else(|| {
            itu.filter(|digits| library::split(digits).is_some())
                .and_then(e164)
        })
        .or_else(|| home.and_then(|_| library::international(digits)))
}

fn e164(digits: &str) -> Option<PhoneNumber> {
    format!("+{digits}").parse().ok()
}

fn short_code(digits: &str) -> Option<PhoneNumber> {
    let fits = digits.len() <= LONGEST_SHORT_CODE;
    fits.then(|| digits.parse().ok())?
}

#[cfg(test)]
mod tests;
