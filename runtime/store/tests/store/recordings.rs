//! Recordings: kept from their beginning to their end, listed, deleted, and seen by nobody else.

use call::{ConferenceSid, RecordingOf, RecordingSid, RecordingTracks};
use jackfield_store::{
    NewRecording, RecordingEnding, RecordingFilter, RecordingSource, RecordingStatus, Store,
    StoreError,
};

use crate::support::{clinic, hotline, sid};
use crate::verbs::on_each;

fn re(number: u8) -> RecordingSid {
    RecordingSid::from_bytes([number; 16])
}

fn begin(store: &dyn Store, number: u8, of: impl Into<RecordingOf>, at: u64) {
    let new = NewRecording {
        sid: re(number),
        of: of.into(),
        source: RecordingSource::RecordVerb,
        channels: 2,
        rate_hz: 8_000,
        created_unix_ms: at,
        tracks: RecordingTracks::Both,
        callback: None,
        url: String::new(),
    };
    store.begin_recording(hotline(store), new).wait().unwrap();
}

const ENDING: RecordingEnding = RecordingEnding {
    status: RecordingStatus::Completed,
    duration_ms: 4_200,
    file_bytes: 134_444,
};

#[test]
fn a_recording_is_kept_from_its_beginning_to_its_end() {
    on_each(|store| {
        let scope = hotline(store);
        begin(store, 1, sid(9), 1_000);
        let row = store.recording(scope, re(1)).unwrap().unwrap();
        assert_eq!(
            (row.status, row.of, row.channels, row.duration_ms),
            (RecordingStatus::InProgress, sid(9).into(), 2, 0)
        );
        assert_eq!(store.live_recordings().unwrap(), [row]);
        for status in [RecordingStatus::Paused, RecordingStatus::InProgress] {
            store
                .set_recording_status(re(1), status, 2_000)
                .wait()
                .unwrap();
            assert_eq!(
                store.recording(scope, re(1)).unwrap().unwrap().status,
                status
            );
        }
        store.finish_recording(re(1), ENDING, 5_200).wait().unwrap();
        let row = store.recording(scope, re(1)).unwrap().unwrap();
        assert_eq!(
            (row.status, row.duration_ms, row.file_bytes),
            (RecordingStatus::Completed, 4_200, 134_444)
        );
        assert_eq!((row.created_unix_ms, row.updated_unix_ms), (1_000, 5_200));
        assert!(row.has_media());
        assert_eq!(store.live_recordings().unwrap(), []);
    });
}

#[test]
fn a_recording_ends_once_and_is_begun_once() {
    on_each(|store| {
        begin(store, 1, sid(9), 0);
        let again = NewRecording {
            sid: re(1),
            of: sid(9).into(),
            source: RecordingSource::StartCallRecordingApi,
            channels: 1,
            rate_hz: 8_000,
            tracks: RecordingTracks::Both,
            callback: None,
            url: String::new(),
            created_unix_ms: 0,
        };
        let error = store.begin_recording(hotline(store), again).wait();
        assert_eq!(error, Err(StoreError::DuplicateRecording(re(1))));
        store.finish_recording(re(1), ENDING, 1).wait().unwrap();
        let over = Err(StoreError::RecordingOver(re(1)));
        assert_eq!(store.finish_recording(re(1), ENDING, 2).wait(), over);
        let paused = store.set_recording_status(re(1), RecordingStatus::Paused, 2);
        assert_eq!(paused.wait(), over);
        let unknown = Err(StoreError::UnknownRecording(re(2)));
        assert_eq!(store.finish_recording(re(2), ENDING, 2).wait(), unknown);
    });
}

#[test]
fn recordings_are_listed_newest_first_a_page_at_a_time_and_by_call() {
    on_each(|store| {
        let scope = hotline(store);
        for number in 1..=5 {
            begin(store, number, sid(u64::from(number % 2)), number.into());
        }
        let list = |filter: RecordingFilter, from, limit| {
            let page = store.recordings(scope, &filter, from, limit).unwrap();
            let sids: Vec<_> = page.rows.iter().map(|row| row.sid).collect();
            (sids, page.next)
        };
        let all = RecordingFilter::default();
        let (first, next) = list(all, None, 2);
        assert_eq!(first, [re(5), re(4)]);
        let (rest, next) = list(all, next, 9);
        assert_eq!((rest, next), (vec![re(3), re(2), re(1)], None));
        let of_call = RecordingFilter {
            of: Some(sid(1).into()),
            ..all
        };
        assert_eq!(list(of_call, None, 9).0, [re(5), re(3), re(1)]);
        let between = RecordingFilter {
            created_from_unix_ms: Some(2),
            created_before_unix_ms: Some(4),
            ..all
        };
        assert_eq!(list(between, None, 9).0, [re(3), re(2)]);
        let foreign = store.recordings(clinic(store), &of_call, None, 9).unwrap();
        assert_eq!(foreign.rows, []);
    });
}

#[test]
fn recordings_of_a_conference_are_not_those_of_a_call() {
    on_each(|store| {
        let scope = hotline(store);
        // The same bits, which do not come about but here.
        let (call, conference) = (sid(7), ConferenceSid::from_bytes(*sid(7).as_bytes()));
        begin(store, 1, call, 1);
        begin(store, 2, conference, 2);
        let list = |of: RecordingOf| {
            let filter = RecordingFilter {
                of: Some(of),
                ..RecordingFilter::default()
            };
            let page = store.recordings(scope, &filter, None, 9).unwrap();
            page.rows.iter().map(|row| row.sid).collect::<Vec<_>>()
        };
        assert_eq!(list(call.into()), [re(1)]);
        assert_eq!(list(conference.into()), [re(2)]);
        store.finish_recording(re(2), ENDING, 3).wait().unwrap();
        assert_eq!(store.delete_recording(scope, re(2)).wait(), Ok(true));
        assert_eq!(list(conference.into()), []);
        assert_eq!(list(call.into()), [re(1)]);
    });
}

#[test]
fn only_its_account_deletes_a_recording_and_only_when_it_has_ended() {
    on_each(|store| {
        let scope = hotline(store);
        begin(store, 1, sid(9), 0);
        let goes_on = Err(StoreError::RecordingGoesOn(re(1)));
        assert_eq!(store.delete_recording(scope, re(1)).wait(), goes_on);
        store.finish_recording(re(1), ENDING, 1).wait().unwrap();
        assert_eq!(store.recording(clinic(store), re(1)).unwrap(), None);
        assert_eq!(
            store.delete_recording(clinic(store), re(1)).wait(),
            Ok(false)
        );
        assert_eq!(store.delete_recording(scope, re(1)).wait(), Ok(true));
        assert_eq!(store.delete_recording(scope, re(1)).wait(), Ok(false));
        assert_eq!(store.recording(scope, re(1)).unwrap(), None);
        let page = store.recordings(scope, &RecordingFilter::default(), None, 9);
        assert_eq!(page.unwrap().rows, []);
    });
}
