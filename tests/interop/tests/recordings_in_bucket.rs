//! Recordings that are kept in a bucket: sent when they are complete, also by a server that was killed, and however long the bucket is away.

use std::net::SocketAddr;
use std::time::Duration;

use jackfield_interop::bucket::Bucket;
use jackfield_interop::process::eventually;
use jackfield_interop::server::{Place, Server, Tenants};
use jackfield_interop::sipp::{RunningSipp, Sipp};
use jackfield_interop::voice_app::{Page, VoiceApp};

const LIMIT: Duration = Duration::from_secs(60);

fn callee() -> RunningSipp {
    let nobody: SocketAddr = "127.0.0.1:9".parse().expect("an address");
    let callee = Sipp::new("uas_bye").holding(Duration::from_secs(2));
    callee.start(nobody).listening()
}

/// Records a whole call; the recording's SID, once its end is told.
fn record(server: &Server, app: &VoiceApp) -> String {
    let form = format!(
        "To=%2B15005550100&From=1000&Twiml=<Response><Pause length=\"30\"/></Response>&Record=true&RecordingStatusCallback={}",
        app.url("/recorded")
    );
    let (status, call) = server.rest().post("Calls.json", &form);
    assert_eq!(status, 201, "{call}");
    eventually("the end is told", LIMIT, || {
        let told = app.asked();
        let told = told.last()?;
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
    let callee = callee();
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
    let callee = callee();
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
    assert_eq!(app.asked().len(), 1, "told once");
}
