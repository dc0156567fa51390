//! An application's row on the disk, in every version that was written.

use std::collections::BTreeMap;

use call::{AccountSid, ApplicationSid, StatusCallback};
use serde::Deserialize;

use super::tables::{decode_row, encode_as, unknown_version, version};
use crate::{Application, StoreError, VoiceUrl};

/// The version of the rows written today.
const VERSION: u8 = 2;

pub(super) fn stored(application: &Application) -> Vec<u8> {
    encode_as(VERSION, application)
}

pub(super) fn read(stored: &[u8]) -> Result<Application, StoreError> {
    match version("application", stored)? {
        (VERSION, row) => decode_row("application", row),
        (1, row) => decode_row::<FirstApplication>("application", row).map(Application::from),
        (version, _) => Err(unknown_version("application", version)),
    }
}

/// Version 1: nothing is kept that is only shown.
#[derive(Deserialize)]
struct FirstApplication {
    sid: ApplicationSid,
    account: AccountSid,
    name: String,
    voice: Option<VoiceUrl>,
    fallback: Option<VoiceUrl>,
    status_callback: Option<StatusCallback>,
    created_unix_ms: u64,
    updated_unix_ms: u64,
}

impl From<FirstApplication> for Application {
    fn from(row: FirstApplication) -> Self {
        Self {
            sid: row.sid,
            account: row.account,
            name: row.name,
            voice: row.voice,
            fallback: row.fallback,
            status_callback: row.status_callback,
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
        let application = Application {
            sid: ApplicationSid::from_bytes([1; 16]),
            account: AccountSid::from_bytes([2; 16]),
            name: "menu".to_owned(),
            voice: None,
            fallback: None,
            status_callback: None,
            created_unix_ms: 7,
            updated_unix_ms: 8,
            kept: BTreeMap::new(),
        };
        let mut row = stored(&application);
        assert_eq!(read(&row).unwrap(), application);
        assert_eq!(row.pop(), Some(0), "nothing is kept");
        row[0] = 1;
        assert_eq!(read(&row).unwrap(), application);
        row[0] = 3;
        assert!(read(&row).is_err());
    }
}
