//! A broadcast's row.

use super::tables::{decode_row, encode_as, unknown_version, version};
use crate::{Broadcast, StoreError};

/// The version that is written today.
const VERSION: u8 = 2;
/// What a row of version 1 has not: no flow, and nothing counted by operators. Both are its last fields.
const OF_VERSION_2: [u8; 2] = [0, 0];

pub(super) fn encode(row: &Broadcast) -> Vec<u8> {
    encode_as(VERSION, row)
}

pub(super) fn decode(stored: &[u8]) -> Result<Broadcast, StoreError> {
    match version("broadcast", stored)? {
        (1, row) => decode_row("broadcast", &[row, &OF_VERSION_2].concat()),
        (VERSION, row) => decode_row("broadcast", row),
        (version, _) => Err(unknown_version("broadcast", version)),
    }
}

#[cfg(test)]
mod tests {
    use call::{AccountSid, BroadcastSid};

    use super::*;
    use crate::{BroadcastCounts, BroadcastRules, BroadcastState, Message};

    #[test]
    fn a_broadcast_of_the_first_version_starts_no_flow() {
        let row = Broadcast {
            sid: BroadcastSid::from_bytes([1; 16]),
            account: AccountSid::from_bytes([2; 16]),
            name: "Flood".to_owned(),
            from: "1294".to_owned(),
            message: Message::Twiml("<Response/>".to_owned()),
            rules: BroadcastRules::default(),
            state: BroadcastState::Running,
            counts: BroadcastCounts::default(),
            created_unix_ms: 1,
            started_unix_ms: Some(2),
            ended_unix_ms: None,
            updated_unix_ms: 300,
            flow_start: None,
            by_operator: Default::default(),
        };
        let second = encode(&row);
        assert_eq!(decode(&second).unwrap(), row);
        // As the first version wrote it: all but the last two fields.
        let Broadcast {
            sid,
            account,
            name,
            from,
            message,
            rules,
            state,
            counts,
            created_unix_ms,
            started_unix_ms,
            ended_unix_ms,
            updated_unix_ms,
            ..
        } = row.clone();
        let head = (sid, account, name, from, message, rules);
        let times = (
            created_unix_ms,
            started_unix_ms,
            ended_unix_ms,
            updated_unix_ms,
        );
        let first = encode_as(1, &(head, (state, counts), times));
        assert_eq!(decode(&first).unwrap(), row);
        assert!(decode(&encode_as(3, &row)).is_err());
    }
}
