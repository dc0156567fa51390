//! Pairs that outlive a call.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

use crate::bindings::wasi::keyvalue::{atomics, store};
use crate::{Call, CallError};

/// Bytes of a key, at most.
const KEY_BYTES: usize = 256;
/// Bytes of a value, at most.
const VALUE_BYTES: usize = 64 * 1024;

/// Pairs in a rehearsal.
#[doc(hidden)]
pub type RehearsedPairs = Rc<RefCell<BTreeMap<String, Vec<u8>>>>;

/// The account's pairs: [`Call::key_value`] gives them.
///
/// All calls of an account share them, and they outlive the calls: when [`set`](Self::set) returns, the pair is on disk. A key has 1 to
/// 256 bytes, a value at most 65,536; an account has at most 10,000 pairs, and 16 MiB of keys and values. They can be read and written
/// after the call is over, too.
///
/// ```
/// use jackfield_guest::{Call, CallError, Rehearsal};
///
/// fn greet(call: &Call) -> Result<(), CallError> {
///     let pairs = call.key_value()?;
///     let calls = pairs.increment(&format!("calls/{}", call.info().caller), 1)?;
///     call.answer()?;
///     call.say(format!("This is your call number {calls}."))?.finish()?;
///     call.hang_up()
/// }
///
/// let caller = Rehearsal::new().pair("calls/+15550100", "41");
/// greet(&Call::on(caller.clone()))?;
/// assert_eq!(caller.transcript()[1], "say This is your call number 42.");
/// assert_eq!(caller.pairs()["calls/+15550100"], b"42");
/// # Ok::<(), CallError>(())
/// ```
pub struct KeyValue(Source);

enum Source {
    /// The imports of the component that this crate is linked into.
    Component(store::Bucket),
    Rehearsal(RehearsedPairs),
}

impl Call {
    /// The account's key-value pairs.
    ///
    /// # Errors
    /// [`CallError::NotGranted`] when the account keeps none for this component.
    pub fn key_value(&self) -> Result<KeyValue, CallError> {
        Ok(KeyValue(match self.rehearsed_pairs() {
            Some(pairs) => Source::Rehearsal(pairs),
            None => Source::Component(store::open("").map_err(refused)?),
        }))
    }
}

impl KeyValue {
    /// The value of a key; none if there is no such key.
    ///
    /// # Errors
    /// [`CallError::InvalidArgument`] for a key that none can be; [`CallError::LimitReached`] when the host cannot answer, in its words.
    pub fn get(&self, key: &str) -> Result<Option<Vec<u8>>, CallError> {
        check_key(key)?;
        match &self.0 {
            Source::Component(bucket) => bucket.get(key).map_err(refused),
            Source::Rehearsal(pairs) => Ok(pairs.borrow().get(key).cloned()),
        }
    }

    /// The value of a key as text.
    ///
    /// # Errors
    /// Those of [`get`](Self::get), and [`CallError::InvalidArgument`] for a value that is not UTF-8.
    pub fn text(&self, key: &str) -> Result<Option<String>, CallError> {
        let text = self.get(key)?.map(String::from_utf8).transpose();
        text.map_err(|_| CallError::InvalidArgument(format!("the value of \"{key}\" is no text")))
    }

    /// Whether there is a key.
    ///
    /// # Errors
    /// Those of [`get`](Self::get).
    pub fn exists(&self, key: &str) -> Result<bool, CallError> {
        check_key(key)?;
        match &self.0 {
            Source::Component(bucket) => bucket.exists(key).map_err(refused),
            Source::Rehearsal(pairs) => Ok(pairs.borrow().contains_key(key)),
        }
    }

    /// Keeps a pair, in place of the one that the key has. When this returns, it is on disk.
    ///
    /// # Errors
    /// [`CallError::InvalidArgument`] for a key or value that is too large, [`CallError::LimitReached`] when the account's pairs are too
    /// many or too large, or cannot be kept at present.
    pub fn set(&self, key: &str, value: impl AsRef<[u8]>) -> Result<(), CallError> {
        let value = value.as_ref();
        check_key(key)?;
        if value.len() > VALUE_BYTES {
            let why = format!("a value of {} bytes: at most {VALUE_BYTES}", value.len());
            return Err(CallError::InvalidArgument(why));
        }
        match &self.0 {
            Source::Component(bucket) => bucket.set(key, value).map_err(refused),
            Source::Rehearsal(pairs) => {
                pairs.borrow_mut().insert(key.to_owned(), value.to_vec());
                Ok(())
            }
        }
    }

    /// Forgets a pair, if it is there.
    ///
    /// # Errors
    /// Those of [`set`](Self::set).
    pub fn delete(&self, key: &str) -> Result<(), CallError> {
        check_key(key)?;
        match &self.0 {
            Source::Component(bucket) => bucket.delete(key).map_err(refused),
            Source::Rehearsal(pairs) => {
                pairs.borrow_mut().remove(key);
                Ok(())
            }
        }
    }

    /// Adds to a value that is a number in decimal digits, and returns the sum; a pair that is not there counts as 0. No other call's write
    /// comes between, so that two calls at once count two.
    ///
    /// # Errors
    /// Those of [`set`](Self::set), and [`CallError::LimitReached`] for a value that is no such number or would get too large.
    pub fn increment(&self, key: &str, delta: u64) -> Result<u64, CallError> {
        check_key(key)?;
        let pairs = match &self.0 {
            Source::Component(bucket) => {
                return atomics::increment(bucket, key, delta).map_err(refused);
            }
            Source::Rehearsal(pairs) => pairs,
        };
        let mut pairs = pairs.borrow_mut();
        let value = pairs
            .get(key)
            .map_or("0".into(), |value| String::from_utf8_lossy(value));
        let sum = value.parse::<u64>().ok();
        let sum = sum.and_then(|number| number.checked_add(delta));
        let sum = sum.ok_or_else(|| {
            CallError::LimitReached(format!("nothing can be added to the value of \"{key}\""))
        })?;
        pairs.insert(key.to_owned(), sum.to_string().into_bytes());
        Ok(sum)
    }

    /// All keys, in the order of their bytes.
    ///
    /// # Errors
    /// Those of [`get`](Self::get).
    pub fn keys(&self) -> Result<Vec<String>, CallError> {
        let bucket = match &self.0 {
            Source::Component(bucket) => bucket,
            Source::Rehearsal(pairs) => return Ok(pairs.borrow().keys().cloned().collect()),
        };
        let mut keys = Vec::new();
        let mut cursor = None;
        loop {
            let page = bucket.list_keys(cursor).map_err(refused)?;
            keys.extend(page.keys);
            match page.cursor {
                None => return Ok(keys),
                more => cursor = more,
            }
        }
    }
}

impl fmt::Debug for KeyValue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("KeyValue").finish_non_exhaustive()
    }
}

fn check_key(key: &str) -> Result<(), CallError> {
    if (1..=KEY_BYTES).contains(&key.len()) {
        return Ok(());
    }
    let why = format!("a key of {} bytes: 1 to {KEY_BYTES}", key.len());
    Err(CallError::InvalidArgument(why))
}

fn refused(error: store::Error) -> CallError {
    match error {
        store::Error::NoSuchStore | store::Error::AccessDenied => {
            CallError::NotGranted("key-value: the account's grants do not have it".to_owned())
        }
        store::Error::Other(why) => CallError::LimitReached(why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rehearsal;

    fn rehearsed(rehearsal: &Rehearsal) -> KeyValue {
        Call::on(rehearsal.clone()).key_value().unwrap()
    }

    #[test]
    fn pairs_are_kept_changed_listed_and_forgotten() {
        let caller = Rehearsal::new().pair("b", "2");
        let pairs = rehearsed(&caller);
        pairs.set("a", "one").unwrap();
        assert_eq!(pairs.text("a"), Ok(Some("one".to_owned())));
        assert_eq!(pairs.increment("b", 3), Ok(5));
        assert_eq!(pairs.increment("c", 1), Ok(1));
        assert_eq!(pairs.keys().unwrap(), ["a", "b", "c"]);
        pairs.delete("a").unwrap();
        assert_eq!(
            (pairs.exists("a"), pairs.exists("b")),
            (Ok(false), Ok(true))
        );
        assert_eq!(caller.pairs().len(), 2);
        // Another call finds what this one left.
        assert_eq!(rehearsed(&caller).get("b"), Ok(Some(b"5".to_vec())));
    }

    #[test]
    fn what_cannot_be_kept_is_refused() {
        let pairs = rehearsed(&Rehearsal::new().pair("word", "x"));
        let invalid = |result| matches!(result, Err(CallError::InvalidArgument(_)));
        assert!(invalid(pairs.set("", "x")));
        assert!(invalid(pairs.set(&"k".repeat(KEY_BYTES + 1), "x")));
        assert!(invalid(pairs.set("a", vec![0; VALUE_BYTES + 1])));
        let added = pairs.increment("word", 1);
        assert!(
            matches!(added, Err(CallError::LimitReached(_))),
            "{added:?}"
        );
        assert_eq!(pairs.set("a", vec![255; VALUE_BYTES]), Ok(()));
        assert!(invalid(pairs.text("a").map(drop)));
    }
}
