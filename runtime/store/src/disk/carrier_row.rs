//! A carrier's row on the disk, in every version that was written.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::tables::{decode_row, encode_as, unknown_version, version};
use crate::{Carrier, CarrierId, PhoneNumber, StoreError};

/// The version of the rows written today.
const VERSION: u8 = 3;

pub(super) fn stored(carrier: &Carrier) -> Vec<u8> {
    encode_as(VERSION, carrier)
}

pub(super) fn read(stored: &[u8]) -> Result<Carrier, StoreError> {
    match version("carrier", stored)? {
        (VERSION, row) => decode_row("carrier", row),
        (2, row) => decode_row::<SecondCarrier>("carrier", row).map(Carrier::from),
        (1, row) => decode_row::<FirstCarrier>("carrier", row).map(Carrier::from),
        (version, _) => Err(unknown_version("carrier", version)),
    }
}

/// Version 2: calls per second were a matter of accounts and trunks alone.
#[derive(Deserialize)]
struct SecondCarrier {
    first: FirstCarrier,
    number_pool: BTreeSet<PhoneNumber>,
}

impl From<SecondCarrier> for Carrier {
    fn from(row: SecondCarrier) -> Self {
        Self {
            number_pool: row.number_pool,
            ..Self::from(row.first)
        }
    }
}

/// Version 1: every number has an account.
#[derive(Deserialize)]
struct FirstCarrier {
    id: CarrierId,
    name: String,
    domain: Option<String>,
}

impl From<FirstCarrier> for Carrier {
    fn from(row: FirstCarrier) -> Self {
        Self {
            id: row.id,
            name: row.name,
            domain: row.domain,
            number_pool: BTreeSet::new(),
            calls_per_second: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_earlier_versions_are_read() {
        let carrier = Carrier {
            id: CarrierId("east".to_owned()),
            name: "East".to_owned(),
            domain: None,
            number_pool: BTreeSet::new(),
            calls_per_second: None,
        };
        let mut row = stored(&carrier);
        assert_eq!(read(&row).unwrap(), carrier);
        assert_eq!(row.pop(), Some(0), "no rate");
        row[0] = 2;
        assert_eq!(read(&row).unwrap(), carrier);
        assert_eq!(row.pop(), Some(0), "no pool");
        row[0] = 1;
        assert_eq!(read(&row).unwrap(), carrier);
        row[0] = 4;
        assert!(read(&row).is_err());
    }
}
