//! Which keys a story asks for, and the collecting of them.

/// More keys than this are not taken in one go, whatever the story asks for.
const MOST: usize = 1_000;

/// Which keys a [`gather`](crate::Call::gather) collects, and when it is content.
///
/// ```
/// use jackfield_guest::Digits;
///
/// let choice = Digits::up_to(1);
/// let pin = Digits::exactly(4).until('#');
/// let amount = Digits::any().until('#');
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digits {
    at_most: usize,
    at_least: usize,
    finishing: Vec<char>,
}

impl Digits {
    /// At most `count` keys (1 to 1,000): content with the last of them; with fewer when the caller ceases to type.
    #[must_use]
    pub fn up_to(count: usize) -> Self {
        Self {
            at_most: count.clamp(1, MOST),
            at_least: 0,
            finishing: Vec::new(),
        }
    }

    /// `count` keys (1 to 1,000), or none: an entry that stays shorter is given back empty.
    #[must_use]
    pub fn exactly(count: usize) -> Self {
        let digits = Self::up_to(count);
        Self {
            at_least: digits.at_most,
            ..digits
        }
    }

    /// Any number of keys (up to 1,000), until the caller ceases to type.
    #[must_use]
    pub fn any() -> Self {
        Self::up_to(MOST)
    }

    /// This key ends the entry, and is no part of it. Several calls name several keys.
    #[must_use]
    pub fn until(mut self, key: char) -> Self {
        self.finishing.push(key);
        self
    }
}

/// One entry while it is typed.
#[derive(Debug)]
pub(crate) struct Entry {
    wanted: Digits,
    typed: String,
}

impl Entry {
    pub(crate) fn new(wanted: Digits) -> Self {
        Self {
            wanted,
            typed: String::new(),
        }
    }

    /// Takes one key in. True when the entry is complete with it.
    pub(crate) fn press(&mut self, key: char) -> bool {
        if self.wanted.finishing.contains(&key) {
            return true;
        }
        self.typed.push(key); // keys are ASCII: a byte each
        self.typed.len() >= self.wanted.at_most
    }

    /// What was typed; nothing when it is too short.
    pub(crate) fn into_digits(self) -> String {
        if self.typed.len() < self.wanted.at_least {
            return String::new();
        }
        self.typed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Types `keys` until the entry is complete; the rest is left over.
    fn check(wanted: &Digits, keys: &str, expected: &str, left_over: &str) {
        let mut entry = Entry::new(wanted.clone());
        let mut keys_to_come = keys.chars();
        for key in keys_to_come.by_ref() {
            if entry.press(key) {
                break;
            }
        }
        assert_eq!(entry.into_digits(), expected, "{wanted:?} of {keys}");
        assert_eq!(keys_to_come.as_str(), left_over, "{wanted:?} of {keys}");
    }

    #[test]
    fn an_entry_ends_where_it_should() {
        check(&Digits::up_to(1), "12", "1", "2");
        check(&Digits::up_to(3), "12", "12", "");
        check(&Digits::up_to(3), "", "", "");
        check(&Digits::up_to(0), "12", "1", "2");
        check(&Digits::up_to(3), "*#A4", "*#A", "4");
        check(&Digits::exactly(4), "12345", "1234", "5");
        check(&Digits::exactly(4), "123", "", "");
        check(&Digits::exactly(4).until('#'), "123#9", "", "9");
        check(&Digits::exactly(2).until('#'), "12#", "12", "#");
        check(&Digits::any().until('#'), "15*3#7", "15*3", "7");
        check(&Digits::any().until('#'), "#7", "", "7");
        check(&Digits::any().until('#').until('*'), "15*3#", "15", "3#");
        check(&Digits::any(), "15#", "15#", "");
    }

    #[test]
    fn no_entry_is_endless() {
        let keys = "5".repeat(MOST + 2);
        check(&Digits::any(), &keys, &keys[..MOST], "55");
        check(&Digits::up_to(usize::MAX), &keys, &keys[..MOST], "55");
    }
}
