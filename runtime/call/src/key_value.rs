//! Key-value pairs that outlive a call. Mirrors `wasi:keyvalue@0.2.0-draft`.
//!
//! An account's pairs are the same for all its calls, so no call keeps them: a story's questions go past its call, to whoever keeps what is
//! durable. What is asked, what may be kept, and pairs in memory are here, for all who keep some.

use std::collections::BTreeMap;
use std::ops::Bound;

use serde::{Deserialize, Serialize};

/// Bytes of a key, at most; at least one.
const KEY_BYTES: usize = 256;
/// Bytes of a value, at most.
const VALUE_BYTES: usize = 64 * 1024;
/// Pairs of one account, at most.
const KEYS: u64 = 10_000;
/// Bytes of an account's keys and values together, at most: 16 MiB.
const TOTAL_BYTES: u64 = 16 * 1024 * 1024;
/// Keys of one [`KeyValueReply::Keys`], at most.
const PAGE_KEYS: usize = 500;

/// What a story asks of its account's pairs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeyValueCommand {
    /// Changes nothing.
    Read(KeyValueRead),
    /// Is durable when it is answered.
    Write(KeyValueWrite),
}

/// What changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeyValueRead {
    /// The value of a key.
    Get(String),
    /// Whether there is a key.
    Exists(String),
    /// The first keys behind this one, or of all.
    List {
        /// The last key of the page before.
        after: Option<String>,
    },
}

/// What changes one pair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeyValueWrite {
    /// Keeps a pair, in place of the one that the key has.
    Set {
        /// 1 to 256 bytes.
        key: String,
        /// At most 65,536 bytes.
        value: Vec<u8>,
    },
    /// Forgets a pair, if it is there.
    Delete(String),
    /// Adds to a value in decimal digits; a pair that is not there counts as 0.
    Increment {
        /// 1 to 256 bytes.
        key: String,
        /// What is added.
        delta: u64,
    },
}

/// What comes back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeyValueReply {
    /// To [`KeyValueWrite::Set`] and [`KeyValueWrite::Delete`]: it is on disk.
    Done,
    /// To [`KeyValueRead::Get`]; none if there is no such key.
    Value(Option<Vec<u8>>),
    /// To [`KeyValueRead::Exists`].
    Exists(bool),
    /// To [`KeyValueRead::List`]: at most 500, in the order of their bytes.
    Keys {
        /// The keys.
        keys: Vec<String>,
        /// There are more behind the last one.
        more: bool,
    },
    /// To [`KeyValueWrite::Increment`]: the sum.
    Number(u64),
}

/// Why nothing was read or kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[non_exhaustive]
pub enum KeyValueError {
    /// Nobody keeps pairs for this story.
    #[error("not granted: key-value")]
    NotGranted,
    /// A key that none can be.
    #[error("the key has {0} bytes: it must have 1 to {KEY_BYTES}")]
    InvalidKey(usize),
    /// A value that is too large.
    #[error("the value has {0} bytes: at most {VALUE_BYTES} are kept")]
    ValueTooLarge(usize),
    /// The account has as many pairs as it may.
    #[error("the account has {KEYS} keys, the most it may have: delete some")]
    TooManyKeys,
    /// The account's pairs are as large as they may be.
    #[error("the account's keys and values would take more than {TOTAL_BYTES} bytes: delete some")]
    Full,
    /// To be added to, and something else than a number.
    #[error("the value of \"{0}\" is no number in decimal digits, so that nothing can be added")]
    NotANumber(String),
    /// The sum has more than 64 bits.
    #[error("the value of \"{0}\" would have more than 64 bits")]
    TooLargeNumber(String),
    /// The pairs cannot be had at present; says why.
    #[error("the key-value pairs are out of reach: {0}")]
    Unavailable(String),
}

/// What an account's pairs take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct KeyValueUsage {
    /// Pairs.
    pub keys: u64,
    /// Bytes of keys and values.
    pub bytes: u64,
}

/// One pair written anew, or forgotten: what [`KeyValueWrite::plan`] gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyValueChange {
    /// The key.
    pub key: String,
    /// Its value from now on; none to forget it.
    pub value: Option<Vec<u8>>,
    /// What the account's pairs take then.
    pub usage: KeyValueUsage,
    /// What the story is told.
    pub reply: KeyValueReply,
}

impl KeyValueUsage {
    /// What the pairs take after the value of `key` has changed from one to another.
    ///
    /// # Errors
    /// [`KeyValueError::TooManyKeys`] or [`KeyValueError::Full`]; never where it takes less than before.
    fn after(
        self,
        key: &str,
        before: Option<&[u8]>,
        value: Option<&[u8]>,
    ) -> Result<Self, KeyValueError> {
        let bytes =
            |value: Option<&[u8]>| value.map_or(0, |value| (key.len() + value.len()) as u64);
        let (gone, come) = (bytes(before), bytes(value));
        let after = Self {
            keys: (self.keys + u64::from(value.is_some()))
                .saturating_sub(u64::from(before.is_some())),
            bytes: (self.bytes + come).saturating_sub(gone),
        };
        if after.keys > KEYS && after.keys > self.keys {
            return Err(KeyValueError::TooManyKeys);
        }
        if after.bytes > TOTAL_BYTES && after.bytes > self.bytes {
            return Err(KeyValueError::Full);
        }
        Ok(after)
    }
}

/// Checks a key.
///
/// # Errors
/// [`KeyValueError::InvalidKey`].
fn check_key(key: &str) -> Result<(), KeyValueError> {
    if (1..=KEY_BYTES).contains(&key.len()) {
        return Ok(());
    }
    Err(KeyValueError::InvalidKey(key.len()))
}

impl KeyValueRead {
    /// Checks that it can be asked.
    ///
    /// # Errors
    /// [`KeyValueError::InvalidKey`].
    pub fn check(&self) -> Result<(), KeyValueError> {
        match self {
            Self::Get(key) | Self::Exists(key) => check_key(key),
            Self::List { .. } => Ok(()),
        }
    }
}

impl KeyValueWrite {
    /// The key of the one pair that it changes.
    #[must_use]
    pub fn key(&self) -> &str {
        match self {
            Self::Set { key, .. } | Self::Increment { key, .. } | Self::Delete(key) => key,
        }
    }

    /// What it changes, where its key has the value `before` and all pairs of the account take `usage`.
    ///
    /// # Errors
    /// Why it changes nothing.
    pub fn plan(
        self,
        before: Option<&[u8]>,
        usage: KeyValueUsage,
    ) -> Result<KeyValueChange, KeyValueError> {
        check_key(self.key())?;
        let (key, value, reply) = match self {
            Self::Set { key, value } => {
                if value.len() > VALUE_BYTES {
                    return Err(KeyValueError::ValueTooLarge(value.len()));
                }
                (key, Some(value), KeyValueReply::Done)
            }
            Self::Delete(key) => (key, None, KeyValueReply::Done),
            Self::Increment { key, delta } => {
                let sum = number(&key, before)?.checked_add(delta);
                let sum = sum.ok_or_else(|| KeyValueError::TooLargeNumber(key.clone()))?;
                let value = sum.to_string().into_bytes();
                (key, Some(value), KeyValueReply::Number(sum))
            }
        };
        let usage = usage.after(&key, before, value.as_deref())?;
        Ok(KeyValueChange {
            key,
            value,
            usage,
            reply,
        })
    }
}

fn number(key: &str, value: Option<&[u8]>) -> Result<u64, KeyValueError> {
    let Some(value) = value else { return Ok(0) };
    let digits = std::str::from_utf8(value).ok();
    digits
        .and_then(|digits| digits.parse().ok())
        .ok_or_else(|| KeyValueError::NotANumber(key.to_owned()))
}

/// A page of keys from those that come in order: at most 500.
///
/// # Errors
/// The first of theirs.
pub fn page_of_keys<E>(keys: impl Iterator<Item = Result<String, E>>) -> Result<KeyValueReply, E> {
    let mut keys: Vec<String> = keys.take(PAGE_KEYS + 1).collect::<Result<_, E>>()?;
    let more = keys.len() > PAGE_KEYS;
    keys.truncate(PAGE_KEYS);
    Ok(KeyValueReply::Keys { keys, more })
}

/// Pairs of one account in memory: for tests and simulation.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeyValues {
    pairs: BTreeMap<String, Vec<u8>>,
    usage: KeyValueUsage,
}

impl KeyValues {
    /// Does what a story asks.
    ///
    /// # Errors
    /// Why nothing was read or kept.
    pub fn obey(&mut self, command: KeyValueCommand) -> Result<KeyValueReply, KeyValueError> {
        match command {
            KeyValueCommand::Read(read) => self.read(read),
            KeyValueCommand::Write(write) => self.write(write),
        }
    }

    /// Answers.
    ///
    /// # Errors
    /// [`KeyValueError::InvalidKey`].
    pub fn read(&self, read: KeyValueRead) -> Result<KeyValueReply, KeyValueError> {
        read.check()?;
        match read {
            KeyValueRead::Get(key) => Ok(KeyValueReply::Value(self.pairs.get(&key).cloned())),
            KeyValueRead::Exists(key) => Ok(KeyValueReply::Exists(self.pairs.contains_key(&key))),
            KeyValueRead::List { after } => {
                let after = after.map_or(Bound::Unbounded, Bound::Excluded);
                let keys = self.pairs.range((after, Bound::Unbounded));
                page_of_keys(keys.map(|(key, _)| Ok(key.clone())))
            }
        }
    }

    /// Changes a pair.
    ///
    /// # Errors
    /// Why it changes nothing.
    pub fn write(&mut self, write: KeyValueWrite) -> Result<KeyValueReply, KeyValueError> {
        let before = self.pairs.get(write.key());
        let change = write.plan(before.map(Vec::as_slice), self.usage)?;
        self.usage = change.usage;
        match change.value {
            Some(value) => self.pairs.insert(change.key, value),
            None => self.pairs.remove(&change.key),
        };
        Ok(change.reply)
    }

    /// All pairs, in the order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.pairs
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_slice()))
    }

    /// What they take.
    #[must_use]
    pub const fn usage(&self) -> KeyValueUsage {
        self.usage
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(key: &str, bytes: usize) -> KeyValueWrite {
        KeyValueWrite::Set {
            key: key.to_owned(),
            value: vec![b'x'; bytes],
        }
    }

    fn increment(key: &str, delta: u64) -> KeyValueWrite {
        let key = key.to_owned();
        KeyValueWrite::Increment { key, delta }
    }

    #[test]
    fn what_cannot_be_kept_is_refused_and_changes_nothing() {
        let mut pairs = KeyValues::default();
        pairs.write(set("word", 3)).unwrap();
        pairs.write(increment("many", u64::MAX)).unwrap();
        let kept = pairs.clone();
        let long = "k".repeat(KEY_BYTES + 1);
        for (write, error) in [
            (set("", 1), KeyValueError::InvalidKey(0)),
            (set(&long, 1), KeyValueError::InvalidKey(KEY_BYTES + 1)),
            (
                set("a", VALUE_BYTES + 1),
                KeyValueError::ValueTooLarge(VALUE_BYTES + 1),
            ),
            (
                KeyValueWrite::Delete(String::new()),
                KeyValueError::InvalidKey(0),
            ),
            (
                increment("word", 1),
                KeyValueError::NotANumber("word".to_owned()),
            ),
            (
                increment("many", 1),
                KeyValueError::TooLargeNumber("many".to_owned()),
            ),
        ] {
            assert_eq!(pairs.write(write), Err(error));
        }
        assert_eq!(pairs, kept);
        let read = pairs.read(KeyValueRead::Get(long));
        assert_eq!(read, Err(KeyValueError::InvalidKey(KEY_BYTES + 1)));
    }

    #[test]
    fn as_many_keys_as_allowed_and_no_more() {
        let mut pairs = KeyValues::default();
        for number in 0..KEYS {
            pairs.write(set(&format!("{number:05}"), 0)).unwrap();
        }
        assert_eq!(pairs.write(set("more", 0)), Err(KeyValueError::TooManyKeys));
        // One that is there already may change, and one that goes makes room.
        assert_eq!(pairs.write(set("00000", 9)), Ok(KeyValueReply::Done));
        let forget = KeyValueWrite::Delete("00000".to_owned());
        assert_eq!(pairs.write(forget), Ok(KeyValueReply::Done));
        assert_eq!(pairs.write(set("more", 0)), Ok(KeyValueReply::Done));
        assert_eq!(pairs.usage().keys, KEYS);
    }

    #[test]
    fn as_many_bytes_as_allowed_and_no_more() {
        let mut pairs = KeyValues::default();
        let whole = TOTAL_BYTES / (VALUE_BYTES as u64 + 3);
        for number in 0..whole {
            pairs
                .write(set(&format!("{number:03}"), VALUE_BYTES))
                .unwrap();
        }
        assert_eq!(
            pairs.write(set("all", VALUE_BYTES)),
            Err(KeyValueError::Full)
        );
        let left = usize::try_from(TOTAL_BYTES - pairs.usage().bytes).unwrap();
        assert_eq!(pairs.write(set("all", left - 3)), Ok(KeyValueReply::Done));
        assert_eq!(pairs.usage().bytes, TOTAL_BYTES);
        assert_eq!(pairs.write(set("all", left - 2)), Err(KeyValueError::Full));
        let forget = KeyValueWrite::Delete("all".to_owned());
        assert_eq!(pairs.write(forget), Ok(KeyValueReply::Done));
        let forget = KeyValueWrite::Delete("never there".to_owned());
        assert_eq!(pairs.write(forget), Ok(KeyValueReply::Done));
        assert_eq!(pairs.usage().keys, whole);
    }

    #[test]
    fn keys_come_in_order_a_page_at_a_time() {
        let mut pairs = KeyValues::default();
        for number in (0..=PAGE_KEYS).rev() {
            pairs.write(set(&format!("{number:03}"), 1)).unwrap();
        }
        let list = |after: Option<&str>| {
            let after = after.map(str::to_owned);
            match pairs.read(KeyValueRead::List { after }).unwrap() {
                KeyValueReply::Keys { keys, more } => (keys[0].clone(), keys.len(), more),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(list(None), ("000".to_owned(), PAGE_KEYS, true));
        assert_eq!(list(Some("499")), ("500".to_owned(), 1, false));
        assert_eq!(list(Some("0")), ("000".to_owned(), PAGE_KEYS, true));
    }

    #[test]
    fn what_is_not_there_counts_as_nothing() {
        let mut pairs = KeyValues::default();
        for (delta, sum) in [(2, 2), (40, 42), (0, 42)] {
            let told = pairs.write(increment("calls", delta));
            assert_eq!(told, Ok(KeyValueReply::Number(sum)));
        }
        assert_eq!(pairs.iter().collect::<Vec<_>>(), [("calls", &b"42"[..])]);
        let exists = |key: &str| pairs.read(KeyValueRead::Exists(key.to_owned()));
        assert_eq!(exists("calls"), Ok(KeyValueReply::Exists(true)));
        assert_eq!(exists("call"), Ok(KeyValueReply::Exists(false)));
    }
}
