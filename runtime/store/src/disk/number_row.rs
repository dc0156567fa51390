//! A number's row on the disk, in every version that was written.

use std::collections::BTreeMap;

use call::{AccountSid, ApplicationSid, StatusCallback};
use serde::Deserialize;

use super::tables::{decode_row, encode_as, unknown_version, version};
use crate::{CarrierId, Flow, Number, PhoneNumber, StoreError, VoiceUrl};

/// The version of the rows written today.
const VERSION: u8 = 4;

pub(super) fn stored(number: &Number) -> Vec<u8> {
    encode_as(VERSION, number)
}

pub(super) fn read(stored: &[u8]) -> Result<Number, StoreError> {
    match version("number", stored)? {
        (VERSION, row) => decode_row("number", row),
        (3, row) => decode_row::<ThirdNumber>("number", row).map(Number::from),
        (2, row) => decode_row::<SecondNumber>("number", row).map(Number::from),
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
            flow: row.flow,
            settings: row.settings,
            ..Self::taken(row.number, row.carrier, row.account)
        }
    }
}

/// Version 2: accounts cannot change it.
#[derive(Deserialize)]
struct SecondNumber {
    number: PhoneNumber,
    carrier: CarrierId,
    account: AccountSid,
    flow: Flow,
    settings: BTreeMap<String, String>,
    status_callback: Option<StatusCallback>,
}

impl From<SecondNumber> for Number {
    fn from(row: SecondNumber) -> Self {
        Self {
            flow: row.flow,
            settings: row.settings,
            status_callback: row.status_callback,
            ..Self::taken(row.number, row.carrier, row.account)
        }
    }
}

/// Version 3: nothing is kept that is only shown.
#[derive(Deserialize)]
struct ThirdNumber {
    number: PhoneNumber,
    carrier: CarrierId,
    account: AccountSid,
    flow: Flow,
    settings: BTreeMap<String, String>,
    status_callback: Option<StatusCallback>,
    name: Option<String>,
    fallback: Option<VoiceUrl>,
    application: Option<ApplicationSid>,
    created_unix_ms: u64,
    updated_unix_ms: u64,
}

impl From<ThirdNumber> for Number {
    fn from(row: ThirdNumber) -> Self {
        Self {
            number: row.number,
            carrier: row.carrier,
            account: row.account,
            flow: row.flow,
            settings: row.settings,
            status_callback: row.status_callback,
            name: row.name,
            fallback: row.fallback,
            application: row.application,
            created_unix_ms: row.created_unix_ms,
            updated_unix_ms: row.updated_unix_ms,
            kept: BTreeMap::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_earlier_versions_are_read() {
        let number = Number {
            flow: Flow::Component("menu".to_owned()),
            settings: [("a".to_owned(), "b".to_owned())].into(),
            ..Number::taken(
                "1294".parse().unwrap(),
                CarrierId("east".to_owned()),
                AccountSid::from_bytes([2; 16]),
            )
        };
        let now = stored(&number);
        assert_eq!(read(&now).unwrap(), number);
        let mut before = now;
        assert_eq!(before.pop(), Some(0), "nothing is kept");
        before[0] = 3;
        assert_eq!(read(&before).unwrap(), number);
        // Name, fallback and application are missing, and the times are 0: a byte each.
        assert_eq!(before.split_off(before.len() - 5), [0; 5]);
        before[0] = 2;
        assert_eq!(read(&before).unwrap(), number);
        assert_eq!(before.pop(), Some(0), "nobody is told");
        before[0] = 1;
        assert_eq!(read(&before).unwrap(), number);
        before[0] = 5;
        assert!(read(&before).is_err());
    }
}
