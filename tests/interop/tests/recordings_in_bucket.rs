//! Recordings that are kept in a bucket: sent when they are complete, also by a server that was killed, and however long the bucket is away.

use std::net::SocketAddr;
use std::time::Duration;

use jackfield_interop::bucket::Bucket;
use jackfield_interop::process::eventually;
use jackfield_interop::server::{Place, Server, Tenants};
use jackfield_interop::sipp::{RunningSipp, Sipp};
use jackfield_interop::voice_app::{Page, VoiceApp};

const LIMIT: Duration = Duration::from_secs(60);

fn callee(calls: u32) -> RunningSipp {
    let nobody: SocketAddr = "127.0.0.1:9".parse().expect("an address");
    let callee = Sipp::new("uas_bye").holding(Duration::from_secs(2));
    callee.calling(calls, calls).start(nobody).listening()
}

/// Records a whole call; the recording's SID, once its end is told.
fn record(server: &Server, app: &VoiceApp) -> String {
    let before = app.asked().len();
    let form = format!(
        "To=%2B15005550100&From=1000&Twiml=<Response><Pause length=\"30\"/></Response>&Record=true&RecordingStatusCallback={}",
        app.url("/recorded")
    );
    let (status, call) = server.rest().post("Calls.json", &form);
    assert_eq!(status, 201, "{call}");
    eventually("the end is told", LIMIT, || {
        let told = app.asked();
        let told = told.get(before)?;
        assert_eq!(told.parameters["RecordingStatus"], "completed");
        Some(told.parameters["RecordingSid"].clone())
    })
}

fn key(server: &Server, sid: &str) -> String {
    format!("kept/{}/{sid}.wav", server.rest().account_sid)
}

#[test]
fn a_recording_is_sent_fetched_and_deleted() {
    let (app, bucket) = (
        VoiceApp::serve(vec![Page::twiml("/recorded", "")]),
        Bucket::serve(),
    );
    let callee = callee(1);
    let place = Place::on_loopback().with_recording(&bucket.settings());
    let server = Server::start_at(place, &Tenants::calling(callee.address));
    let sid = record(&server, &app);
    let key = key(&server, &sid);
    let sent = eventually("it is in the bucket", LIMIT, || {
        bucket.objects().get(&key).cloned()
    });
    eventually("its file is gone", LIMIT, || {
        (server.recording_files() == 0).then_some(())
    });
    let rest = server.rest();
    assert_eq!(rest.download(&format!("Recordings/{sid}.wav")), sent);
    assert_eq!(&sent[..4], b"RIFF");
    let mp3 = rest.download(&format!("Recordings/{sid}.mp3"));
    assert!(!mp3.is_empty() && mp3.len() < sent.len() || mp3 == sent);
    callee.succeed(LIMIT);
    // While it cannot be removed there it is not forgotten here.
    bucket.set_down(true);
    let path = format!("Recordings/{sid}.json");
    assert_eq!(rest.delete(&path), 500);
    bucket.set_down(false);
    assert_eq!(rest.get(&path).0, 200);
    assert_eq!(rest.delete(&path), 204);
    assert_eq!(bucket.objects().len(), 0);
    assert_eq!(rest.get(&path).0, 404);
    server.stop();
}

#[test]
fn a_bucket_that_is_away_gets_them_later_also_from_the_next_process() {
    let (app, bucket) = (
        VoiceApp::serve(vec![Page::twiml("/recorded", "")]),
        Bucket::serve(),
    );
    bucket.set_down(true);
    let callee = callee(1);
    let place = Place::on_loopback().with_recording(&bucket.settings());
    let mut server = Server::start_at(place, &Tenants::calling(callee.address));
    let sid = record(&server, &app);
    eventually("it was tried", LIMIT, || {
        (bucket.refused() > 0).then_some(())
    });
    let path = format!("Recordings/{sid}.wav");
    let here = server.rest().download(&path);
    assert_eq!(&here[..4], b"RIFF", "it is fetched from here meanwhile");
    callee.succeed(LIMIT);
    server.kill_and_start_again();
    let refused = bucket.refused();
    eventually("the next process tries too", LIMIT, || {
        (bucket.refused() > refused).then_some(())
    });
    assert_eq!(server.rest().download(&path), here);
    bucket.set_down(false);
    let key = key(&server, &sid);
    let sent = eventually("it is in the bucket", LIMIT, || {
        bucket.objects().get(&key).cloned()
    });
    assert_eq!(sent, here);
    eventually("its file is gone", LIMIT, || {
        (server.recording_files() == 0).then_some(())
    });
    assert_eq!(server.rest().download(&path), here);
    server.stop();
    // Once; a kill between its telling and the note of it tells it again, as the same.
    let told = app.asked();
    let token = "i-twilio-idempotency-token";
    assert!((1..=2).contains(&told.len()), "{told:?}");
    for again in &told {
        assert_eq!(again.headers[token], told[0].headers[token], "{told:?}");
    }
}

#[test]
fn what_is_longer_than_a_part_goes_in_parts() {
    let (app, bucket) = (
        VoiceApp::serve(vec![Page::twiml("/recorded", "")]),
        Bucket::serve(),
    );
    let callee = callee(1);
    let settings = format!("{}s3_part_kib = 16\n", bucket.settings());
    let place = Place::on_loopback().with_recording(&settings);
    let server = Server::start_at(place, &Tenants::calling(callee.address));
    let sid = record(&server, &app);
    let key = key(&server, &sid);
    let sent = eventually("it is in the bucket", LIMIT, || {
        bucket.objects().get(&key).cloned()
    });
    let parts = sent.len().div_ceil(16 << 10);
    assert!(parts > 1, "{} bytes", sent.len());
    assert_eq!(bucket.parts(), (parts as u32, 0));
    assert_eq!(&sent[..4], b"RIFF");
    let path = format!("Recordings/{sid}.wav");
    assert_eq!(server.rest().download(&path), sent);
    callee.succeed(LIMIT);
    server.stop();
}

/// A deletion is answered when nothing of the file will ever be in the bucket, also where it comes while the file is sent.
#[test]
fn a_recording_is_deleted_while_it_is_sent() {
    for part in ["", "s3_part_kib = 16\n"] {
        let (app, bucket) = (
            VoiceApp::serve(vec![Page::twiml("/recorded", "")]),
            Bucket::serve(),
        );
        bucket.hold(true);
        let callee = callee(1);
        let settings = format!("{}{part}", bucket.settings());
        let place = Place::on_loopback().with_recording(&settings);
        let server = Server::start_at(place, &Tenants::calling(callee.address));
        let sid = record(&server, &app);
        eventually("it is on its way", LIMIT, || {
            (bucket.waiting() > 0).then_some(())
        });
        callee.succeed(LIMIT);
        let rest = server.rest();
        let path = format!("Recordings/{sid}.json");
        std::thread::scope(|scope| {
            let deleting = scope.spawn(|| rest.delete(&path));
            assert_eq!(rest.get(&path).0, 200, "not before it is gone there");
            bucket.hold(false);
            assert_eq!(deleting.join().expect("it was answered"), 204);
        });
        assert_eq!(rest.get(&path).0, 404);
        assert_eq!(server.recording_files(), 0);
        assert_eq!((bucket.objects().len(), bucket.parts().1), (0, 0), "{part}");
        server.stop();
        assert_eq!(bucket.objects().len(), 0, "{part}");
    }
}

#[test]
fn a_file_that_is_refused_holds_up_no_other() {
    let (app, bucket) = (
        VoiceApp::serve(vec![Page::twiml("/recorded", "")]),
        Bucket::serve(),
    );
    bucket.refuse_one(true);
    let callee = callee(2);
    let place = Place::on_loopback().with_recording(&bucket.settings());
    let server = Server::start_at(place, &Tenants::calling(callee.address));
    let refused = record(&server, &app);
    eventually("it is refused", LIMIT, || {
        bucket.has_refused_one().then_some(())
    });
    let taken = record(&server, &app);
    let other = key(&server, &taken);
    eventually("the other is in the bucket", LIMIT, || {
        bucket.objects().contains_key(&other).then_some(())
    });
    assert_eq!(bucket.objects().len(), 1);
    let path = format!("Recordings/{refused}.wav");
    let here = server.rest().download(&path);
    bucket.refuse_one(false);
    let key = key(&server, &refused);
    let sent = eventually("it is tried again", LIMIT * 3, || {
        bucket.objects().get(&key).cloned()
    });
    assert_eq!(sent, here);
    callee.succeed(LIMIT);
    server.stop();
}
