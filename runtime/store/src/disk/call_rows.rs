//! The rows of calls and their events on the disk, in every version that was written.

use std::collections::BTreeMap;

use call::{AccountSid, CallQuality, CallRecord, CallSid, CallStatus, Direction, StartRecording};
use serde::Deserialize;

use super::tables::{decode_row, encode_as, unknown_version, version};
use crate::{CallEvent, CallEventKind, CallOrders, CallRow, Flow, Leg, QueueTerms, StoreError};

/// The version of the rows written today.
const VERSION: u8 = 8;

/// The version of the events written today.
const EVENT_VERSION: u8 = 5;

pub(super) fn stored_call(row: &CallRow) -> Vec<u8> {
    encode_as(VERSION, row)
}

pub(super) fn stored_event(event: &CallEvent) -> Vec<u8> {
    encode_as(EVENT_VERSION, event)
}

pub(super) fn read_call(stored: &[u8]) -> Result<CallRow, StoreError> {
    match version("call", stored)? {
        (VERSION, row) => decode_row("call", row),
        (7, row) => decode_row::<SeventhCall>("call", row).map(CallRow::from),
        (6, row) => decode_row::<SixthCall>("call", row).map(CallRow::from),
        (5, row) => decode_row::<FifthCall>("call", row).map(CallRow::from),
        (4, row) => decode_row::<FourthCall>("call", row).map(CallRow::from),
        (3, row) => decode_row::<EarlierCall<ThirdRecord>>("call", row).map(CallRow::from),
        (2, row) => decode_row::<EarlierCall<SecondRecord>>("call", row).map(CallRow::from),
        (1, row) => decode_row::<EarlierCall<FirstRecord>>("call", row).map(CallRow::from),
        (version, _) => Err(unknown_version("call", version)),
    }
}

pub(super) fn read_event(stored: &[u8]) -> Result<CallEvent, StoreError> {
    match version("event", stored)? {
        (EVENT_VERSION, row) => decode_row("event", row),
        (4, row) => decode_row::<EarlierEvent<CallRecord>>("event", row).map(CallEvent::from),
        (3, row) => decode_row::<EarlierEvent<ThirdRecord>>("event", row).map(CallEvent::from),
        (2, row) => decode_row::<EarlierEvent<SecondRecord>>("event", row).map(CallEvent::from),
        (1, row) => decode_row::<EarlierEvent<FirstRecord>>("event", row).map(CallEvent::from),
        (version, _) => Err(unknown_version("event", version)),
    }
}

/// Version 7: it was tried over one trunk alone.
#[derive(Deserialize)]
struct SeventhCall {
    call: FourthCall,
    orders: CallOrders,
}

impl From<SeventhCall> for CallRow {
    fn from(row: SeventhCall) -> Self {
        Self {
            orders: row.orders,
            ..Self::from(row.call)
        }
    }
}

/// Version 6: it proved what its trunk does.
#[derive(Deserialize)]
struct SixthCall {
    call: FifthCall,
    queue: QueueTerms,
}

impl From<SixthCall> for CallRow {
    fn from(row: SixthCall) -> Self {
        let before = Self::from(row.call);
        Self {
            orders: CallOrders {
                queue: row.queue,
                ..before.orders
            },
            ..before
        }
    }
}

/// Version 5: it waited as all others did.
#[derive(Deserialize)]
struct FifthCall {
    call: FourthCall,
    time_limit_s: Option<u32>,
    recording: Option<StartRecording>,
    caller_id: Option<String>,
    reason: Option<String>,
}

impl From<FifthCall> for CallRow {
    fn from(row: FifthCall) -> Self {
        Self {
            orders: CallOrders {
                time_limit_s: row.time_limit_s,
                recording: row.recording,
                caller_id: row.caller_id,
                reason: row.reason,
                ..CallOrders::default()
            },
            ..Self::from(row.call)
        }
    }
}

/// Version 4: nothing else was ordered.
#[derive(Deserialize)]
struct FourthCall {
    call: EarlierCall<CallRecord>,
    settings: BTreeMap<String, String>,
}

impl From<FourthCall> for CallRow {
    fn from(row: FourthCall) -> Self {
        Self {
            settings: row.settings,
            ..Self::from(row.call)
        }
    }
}

/// A row of an earlier version: its records were others, and it had no settings.
#[derive(Deserialize)]
struct EarlierCall<R> {
    sid: CallSid,
    account: AccountSid,
    parent: Option<CallSid>,
    direction: Direction,
    from: String,
    to: String,
    flow: Flow,
    ring_timeout_s: Option<u32>,
    status: CallStatus,
    due_unix_ms: Option<u64>,
    attempts: u32,
    leg: Option<Leg>,
    created_unix_ms: u64,
    started_unix_ms: Option<u64>,
    answered_unix_ms: Option<u64>,
    ended_unix_ms: Option<u64>,
    updated_unix_ms: u64,
    record: Option<R>,
    events: u32,
}

#[derive(Deserialize)]
struct EarlierEvent<R> {
    sequence: u32,
    at_unix_ms: u64,
    kind: EarlierKind<R>,
}

#[derive(Deserialize)]
enum EarlierKind<R> {
    Accepted,
    CameIn(Leg),
    Attempted(Leg),
    Status(CallStatus),
    Ended(R),
}

/// Version 1: without a cause and without a time to wait.
#[derive(Deserialize)]
struct FirstRecord {
    status: CallStatus,
    duration_s: u32,
    sip_status: Option<u16>,
    end_reason: String,
}

/// Version 2: without a quality.
#[derive(Deserialize)]
struct SecondRecord {
    status: CallStatus,
    duration_s: u32,
    sip_status: Option<u16>,
    q850_cause: Option<u16>,
    retry_after_s: Option<u32>,
    end_reason: String,
}

/// Version 3: without who answered.
#[derive(Deserialize)]
struct ThirdRecord {
    status: CallStatus,
    duration_s: u32,
    sip_status: Option<u16>,
    q850_cause: Option<u16>,
    retry_after_s: Option<u32>,
    end_reason: String,
    quality: Option<CallQuality>,
}

impl<R: Into<CallRecord>> From<EarlierCall<R>> for CallRow {
    fn from(row: EarlierCall<R>) -> Self {
        Self {
            sid: row.sid,
            account: row.account,
            parent: row.parent,
            direction: row.direction,
            from: row.from,
            to: row.to,
            flow: row.flow,
            ring_timeout_s: row.ring_timeout_s,
            status: row.status,
            due_unix_ms: row.due_unix_ms,
            attempts: row.attempts,
            leg: row.leg,
            created_unix_ms: row.created_unix_ms,
            started_unix_ms: row.started_unix_ms,
            answered_unix_ms: row.answered_unix_ms,
            ended_unix_ms: row.ended_unix_ms,
            updated_unix_ms: row.updated_unix_ms,
            record: row.record.map(R::into),
            events: row.events,
            settings: BTreeMap::new(),
            orders: CallOrders::default(),
            tried: Vec::new(),
        }
    }
}

impl<R: Into<CallRecord>> From<EarlierEvent<R>> for CallEvent {
    fn from(event: EarlierEvent<R>) -> Self {
        Self {
            sequence: event.sequence,
            at_unix_ms: event.at_unix_ms,
            kind: match event.kind {
                EarlierKind::Accepted => CallEventKind::Accepted,
                EarlierKind::CameIn(leg) => CallEventKind::CameIn(leg),
                EarlierKind::Attempted(leg) => CallEventKind::Attempted(leg),
                EarlierKind::Status(status) => CallEventKind::Status(status),
                EarlierKind::Ended(record) => CallEventKind::Ended(record.into()),
            },
        }
    }
}

impl From<FirstRecord> for CallRecord {
    fn from(record: FirstRecord) -> Self {
        Self {
            duration_s: record.duration_s,
            sip_status: record.sip_status,
            ..Self::new(record.status, record.end_reason)
        }
    }
}

impl From<SecondRecord> for CallRecord {
    fn from(record: SecondRecord) -> Self {
        Self {
            duration_s: record.duration_s,
            sip_status: record.sip_status,
            q850_cause: record.q850_cause,
            retry_after_s: record.retry_after_s,
            ..Self::new(record.status, record.end_reason)
        }
    }
}

impl From<ThirdRecord> for CallRecord {
    fn from(record: ThirdRecord) -> Self {
        Self {
            duration_s: record.duration_s,
            sip_status: record.sip_status,
            q850_cause: record.q850_cause,
            retry_after_s: record.retry_after_s,
            quality: record.quality,
            ..Self::new(record.status, record.end_reason)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> CallRecord {
        CallRecord {
            sip_status: Some(486),
            ..CallRecord::new(CallStatus::Busy, "Busy Here")
        }
    }

    fn row() -> CallRow {
        CallRow {
            sid: CallSid::from_bytes([1; 16]),
            account: AccountSid::from_bytes([2; 16]),
            parent: None,
            direction: Direction::OutboundApi,
            from: "1294".to_owned(),
            to: "+85512345678".to_owned(),
            flow: Flow::Component("menu".to_owned()),
            ring_timeout_s: Some(60),
            status: CallStatus::Busy,
            due_unix_ms: None,
            attempts: 1,
            leg: None,
            created_unix_ms: 1,
            started_unix_ms: Some(2),
            answered_unix_ms: None,
            ended_unix_ms: Some(3),
            updated_unix_ms: 3,
            record: Some(record()),
            events: 3,
            settings: BTreeMap::new(),
            orders: CallOrders::default(),
            tried: Vec::new(),
        }
    }

    /// A row as an earlier version wrote it: without who answered, which is absent, in the second without the absent quality before it
    /// behind the reason, and in the first without the two absences between the code and the reason. A reader minds nothing behind the
    /// row, so the settings stay.
    fn as_version(version: u8, mut stored: Vec<u8>) -> Vec<u8> {
        let needle = b"\x01\xe6\x03\x00\x00\x09Busy Here\x00\x00"; // some 486, none, none, nine bytes, none, none
        let place = stored
            .windows(needle.len())
            .position(|window| window == needle);
        let place = place.expect("a record lies in the row");
        stored.remove(place + needle.len() - 1);
        if version < 3 {
            stored.remove(place + needle.len() - 2);
        }
        if version == 1 {
            stored.drain(place + 3..place + 5);
        }
        stored[0] = version;
        stored
    }

    #[test]
    fn rows_of_earlier_versions_are_read() {
        for version in [1, 2, 3] {
            let stored = as_version(version, stored_call(&row()));
            assert_eq!(read_call(&stored).unwrap(), row());
            let waiting = CallRow {
                record: None,
                due_unix_ms: Some(9),
                ..row()
            };
            let mut stored = stored_call(&waiting);
            stored[0] = version;
            assert_eq!(read_call(&stored).unwrap(), waiting);

            let event = CallEvent {
                sequence: 2,
                at_unix_ms: 3,
                kind: CallEventKind::Ended(record()),
            };
            let stored = as_version(version, stored_event(&event));
            assert_eq!(read_event(&stored).unwrap(), event);
            let leg = Leg {
                trunk: crate::TrunkId("gateway".to_owned()),
                sip_call_id: "1@h".to_owned(),
            };
            for kind in [
                CallEventKind::Accepted,
                CallEventKind::CameIn(leg.clone()),
                CallEventKind::Attempted(leg),
                CallEventKind::Status(CallStatus::Ringing),
            ] {
                let event = CallEvent { kind, ..event };
                let mut stored = stored_event(&event);
                stored[0] = version;
                assert_eq!(read_event(&stored).unwrap(), event);
            }
        }
    }

    #[test]
    fn the_settings_of_the_fourth_version_stay() {
        let row = CallRow {
            settings: [("a".to_owned(), "b".to_owned())].into(),
            ..row()
        };
        let mut stored = stored_call(&row);
        assert_eq!(stored.split_off(stored.len() - 10), AS_OTHERS, "no orders");
        stored[0] = 4;
        assert_eq!(read_call(&stored).unwrap(), row);
    }

    /// Nothing ordered: four absences, the class of most calls, four absences; and tried nowhere.
    const AS_OTHERS: [u8; 10] = [0, 0, 0, 0, 1, 0, 0, 0, 0, 0];

    #[test]
    fn the_orders_of_the_fifth_version_stay() {
        let row = CallRow {
            orders: CallOrders {
                time_limit_s: Some(60),
                caller_id: Some("1294".to_owned()),
                reason: Some("flood".to_owned()),
                ..CallOrders::default()
            },
            ..row()
        };
        let mut stored = stored_call(&row);
        assert_eq!(stored.split_off(stored.len() - 6), AS_OTHERS[4..]);
        stored[0] = 5;
        assert_eq!(read_call(&stored).unwrap(), row);
    }

    #[test]
    fn the_terms_of_the_seventh_version_stay() {
        let mut row = row();
        row.orders.queue.not_before_unix_ms = Some(7);
        let mut stored = stored_call(&row);
        assert_eq!(stored.pop(), Some(0), "tried nowhere");
        stored[0] = 7;
        assert_eq!(read_call(&stored).unwrap(), row);
    }

    #[test]
    fn where_a_call_was_tried_is_kept() {
        let row = CallRow {
            tried: vec![crate::TrunkId("north".to_owned())],
            ..row()
        };
        assert_eq!(read_call(&stored_call(&row)).unwrap(), row);
    }

    #[test]
    fn the_terms_of_a_wait_are_kept() {
        let row = CallRow {
            orders: CallOrders {
                queue: QueueTerms {
                    priority: crate::Priority::Bulk,
                    not_before_unix_ms: Some(5),
                    expires_unix_ms: Some(6),
                    window: Some("08:00-20:00 mon-fri Asia/Phnom_Penh".parse().unwrap()),
                },
                ..CallOrders::default()
            },
            ..row()
        };
        assert_eq!(read_call(&stored_call(&row)).unwrap(), row);
        let mut stored = stored_call(&row);
        assert_eq!(stored.pop(), Some(0), "tried nowhere");
        assert_eq!(
            stored.pop(),
            Some(0),
            "without credentials it is a row of version 6"
        );
        stored[0] = 6;
        assert_eq!(read_call(&stored).unwrap(), row);
    }

    #[test]
    fn a_later_version_is_not_guessed_at() {
        assert!(read_call(&[9, 0]).is_err());
        assert!(read_event(&[0, 0]).is_err());
    }
}
