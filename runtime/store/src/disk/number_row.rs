//! A number's row on the disk, in every version that was written.

use std::collections::BTreeMap;

use call::AccountSid;
use serde::Deserialize;

use super::tables::{decode_row, encode_as, unknown_version, version};
use crate::{CarrierId, Flow, Number, PhoneNumber, StoreError};

/// The version of the rows written today.
const VERSION: u8 = 2;

pub(super) fn stored(number: &Number) -> Vec<u8> {
    encode_as(VERSION, number)
}

pub(super) fn read(stored: &[u8]) -> Result<Number, StoreError> {
    match version("number", stored)? {
        (VERSION, row) => decode_row("number", row),
        (1, row) => decode_row::<FirstNumber>("number", row).map(Number::from),
        (version, _) => Err(unknown_version("number", version)),
    }
}

/// Version 1: nobody is told of its calls.
#[derive(Deserialize)]
struct FirstNumber {
    number: PhoneNumber,
    carrier: CarrierId,
    account: AccountSid,
    flow: Flow,
    settings: BTreeMap<String, String>,
}

impl From<FirstNumber> for Number {
    fn from(row: FirstNumber) -> Self {
        Self {
            number: row.number,
            carrier: row.carrier,
            account: row.account,
            flow: row.flow,
            settings: row.settings,
            status_callback: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_earlier_versions_are_read() {
        let number = Number {
            number: "1294".parse().unwrap(),
            carrier: CarrierId("east".to_owned()),
            account: AccountSid::from_bytes([2; 16]),
            flow: Flow::Component("menu".to_owned()),
            settings: [("a".to_owned(), "b".to_owned())].into(),
            status_callback: None,
        };
        let now = stored(&number);
        assert_eq!(read(&now).unwrap(), number);
        let mut first = now;
        assert_eq!(first.pop(), Some(0), "none stands last");
        first[0] = 1;
        assert_eq!(read(&first).unwrap(), number);
        first[0] = 3;
        assert!(read(&first).is_err());
    }
}
