//! What is told of media streams, and of who answered.

use call::{AnsweredBy, Detection, HttpMethod, StatusCallback, StreamEnd, StreamError, StreamSid};
use jackfield_store::{
    DiskStore, Places, Store as _, StoreError, StreamNote, StreamTold, StreamTurn,
};

use crate::callbacks::{live_through, outbox};
use crate::support::{TENANTS, hotline, outbound, parse, sid};
use crate::verbs::on_each;

/// A turn of a media stream of the first call.
fn stream_note(turn: StreamTurn) -> StreamNote {
    let to = StatusCallback {
        url: "https://example.org/streams".to_owned(),
        method: HttpMethod::Post,
    };
    StreamNote {
        call: sid(1),
        stream: StreamSid::from_bytes([7; 16]),
        told: StreamTold {
            name: Some("ear".to_owned()),
            to,
        },
        turn,
        at_unix_ms: 1_283_286_988_123,
    }
}

#[test]
fn a_stream_tells_of_its_turns() {
    on_each(|store| {
        let scope = hotline(store);
        let failed = StreamError::TimedOut("10 s".to_owned());
        for turn in [
            StreamTurn::Started,
            StreamTurn::Ended(StreamEnd::Closed),
            StreamTurn::Ended(StreamEnd::Failed(failed)),
        ] {
            store.note_stream(scope, stream_note(turn)).wait().unwrap();
        }
        let rows = outbox(store);
        let turns: Vec<_> = rows
            .iter()
            .map(|row| (row.event.as_str(), row.sequence))
            .collect();
        assert_eq!(
            turns,
            [
                ("stream-started", 0),
                ("stream-stopped", 1),
                ("stream-error", 0)
            ]
        );
        assert_eq!(rows[0].call(), Some(sid(1)));
        for (name, value) in [
            ("StreamName", Some("ear")),
            ("StreamSid", Some("MZ07070707070707070707070707070707")),
            ("StreamEvent", Some("stream-error")),
            ("StreamError", Some("timed out: 10 s")),
            ("Timestamp", Some("2010-08-31T20:36:28.123Z")),
        ] {
            assert_eq!(rows[2].parameter(name), value, "{name}");
        }
        assert_eq!(rows[1].parameter("StreamError"), None);
    });
}

#[test]
fn who_answered_is_told_of_a_call_that_is_there() {
    on_each(|store| {
        let detection = Detection {
            answered_by: AnsweredBy::Human,
            duration_ms: 2_400,
        };
        let told = |call| {
            let to = stream_note(StreamTurn::Started).told.to;
            store.tell_detection(call, to, detection, 3_000).wait()
        };
        assert_eq!(told(sid(1)), Err(StoreError::UnknownCall(sid(1))));
        live_through(store, outbound(1, 1_000));
        told(sid(1)).unwrap();
        let rows = outbox(store);
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].parameter("AnsweredBy"), Some("human"));
        assert_eq!(rows[0].parameter("MachineDetectionDuration"), Some("2400"));
        assert_eq!(rows[0].call(), Some(sid(1)));
    });
}

#[test]
fn the_end_of_a_stream_is_told_by_the_next_process() {
    let folder = tempfile::tempdir().unwrap();
    let places = Places::in_folder(folder.path());
    let (store, _) = DiskStore::open(&places, 0).unwrap();
    store.apply(parse(TENANTS)).wait().unwrap();
    let note = stream_note(StreamTurn::Started);
    store.note_stream(hotline(&store), note).wait().unwrap();
    drop(store);
    for _ in 0..2 {
        let (store, _) = DiskStore::open(&places, 7_000).unwrap();
        let rows = outbox(&store);
        let turns: Vec<_> = rows
            .iter()
            .map(|row| (row.event.as_str(), row.sequence, row.account))
            .collect();
        let account = hotline(&store).account();
        assert_eq!(
            turns,
            [("stream-started", 0, account), ("stream-error", 1, account)]
        );
        let why = rows[1].parameter("StreamError");
        assert_eq!(why, Some("the server stopped"));
    }
}
