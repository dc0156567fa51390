//! What a flow must have left in its account's key-value pairs.

use std::collections::BTreeMap;

use call::KeyValues;

/// The first pair, in the order of keys, that is not as it must be; `expected` has all of them.
pub(crate) fn difference(expected: &BTreeMap<String, String>, pairs: &KeyValues) -> Option<String> {
    let kept: BTreeMap<&str, &[u8]> = pairs.iter().collect();
    let keys = expected.keys().map(String::as_str);
    let mut keys: Vec<&str> = keys.chain(kept.keys().copied()).collect();
    keys.sort_unstable();
    keys.into_iter().find_map(|key| {
        let (wanted, found) = (expected.get(key), kept.get(key));
        let is_same = wanted.map(String::as_bytes) == found.copied();
        let wanted = wanted.map_or_else(|| "none".to_owned(), |value| format!("{value:?}"));
        let found = found.map_or_else(
            || "none".to_owned(),
            |value| format!("{:?}", String::from_utf8_lossy(value)),
        );
        (!is_same).then(|| {
            format!("the key-value pair {key:?}: expected {wanted}, but there was {found}")
        })
    })
}

#[cfg(test)]
mod tests {
    use call::KeyValueWrite;

    use super::*;

    #[test]
    fn every_pair_has_to_be_as_written() {
        let mut pairs = KeyValues::default();
        for (key, value) in [("a", "1"), ("b", "2")] {
            let (key, value) = (key.to_owned(), value.into());
            pairs.write(KeyValueWrite::Set { key, value }).unwrap();
        }
        for (expected, told) in [
            (&[("a", "1"), ("b", "2")][..], ""),
            (&[("a", "1")], "\"b\": expected none, but there was \"2\""),
            (
                &[("a", "x"), ("b", "2")],
                "\"a\": expected \"x\", but there was \"1\"",
            ),
            (
                &[("a", "1"), ("b", "2"), ("c", "")],
                "\"c\": expected \"\", but there was none",
            ),
        ] {
            let expected = expected.iter();
            let expected = expected.map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
            let found = difference(&expected.collect(), &pairs).unwrap_or_default();
            assert!(found.ends_with(told), "{found}");
            assert_eq!(found.is_empty(), told.is_empty());
        }
    }
}
