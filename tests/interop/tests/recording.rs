//! What a caller says is in the file, and so is what is said to them; a killed server loses no more than a second of it.

use std::io::{Cursor, Read};
use std::process::Command;
use std::time::Duration;

use jackfield_interop::baresip::Softphone;
use jackfield_interop::process::eventually;
use jackfield_interop::server::{Flow, Server, Tenants, prompt};
use jackfield_interop::steady::on_a_steady_machine;
use jackfield_interop::{audio, helper_library};
use serde_json::Value;

const LIMIT: Duration = Duration::from_secs(60);
/// Every sample but for the codec's noise.
const LEAST_LIKENESS: f64 = 0.97;
/// MP3 leaves out what is not heard.
const LEAST_LIKENESS_OF_MP3: f64 = 0.9;

fn server(twiml: &str) -> Server {
    let numbers = vec![("1000", Flow::Twiml(twiml.to_owned()))];
    Server::start(&Tenants::with_numbers(numbers))
}

/// The one recording, once it has ended.
fn ended(server: &Server) -> Value {
    eventually("the recording has ended", LIMIT, || {
        let (_, page) = server.rest().get("Recordings.json");
        let recording = page["recordings"].get(0)?.clone();
        let is_over = !["in-progress", "processing"].contains(&recording["status"].as_str()?);
        is_over.then_some(recording)
    })
}

/// The channels of a recording's file.
fn channels(server: &Server, recording: &Value) -> Vec<Vec<i16>> {
    let sid = recording["sid"].as_str().expect("a SID");
    let bytes = server.rest().download(&format!("Recordings/{sid}.wav"));
    let mut reader = hound::WavReader::new(bytes.as_slice()).expect("a WAV file");
    let count = usize::from(reader.spec().channels);
    let samples: Vec<i16> = reader
        .samples()
        .map(|sample| sample.expect("16 bits"))
        .collect();
    (0..count)
        .map(|channel| {
            samples
                .iter()
                .skip(channel)
                .step_by(count)
                .copied()
                .collect()
        })
        .collect()
}

/// What is fetched as MP3 with this query, decoded by `lame`.
fn as_mp3(server: &Server, recording: &Value, query: &str) -> hound::WavReader<impl Read> {
    let sid = recording["sid"].as_str().expect("a SID");
    let folder = tempfile::tempdir().expect("a folder");
    let [mp3, wav] = ["a.mp3", "a.wav"].map(|name| folder.path().join(name));
    let bytes = server
        .rest()
        .download(&format!("Recordings/{sid}.mp3{query}"));
    std::fs::write(&mp3, bytes).expect("it can be written");
    let decoded = Command::new("lame")
        .args(["--quiet", "--decode"])
        .args([&mp3, &wav])
        .status()
        .expect("lame can be run");
    assert!(decoded.success());
    let bytes = std::fs::read(wav).expect("it was decoded");
    hound::WavReader::new(Cursor::new(bytes)).expect("a WAV file")
}

#[test]
fn a_message_is_what_the_caller_said() {
    on_a_steady_machine(|| {
        let server = server("<Response><Record playBeep='false' timeout='2'/></Response>");
        let said = prompt("support");
        let phone = Softphone::call(server.sip, "1000", "PCMU", &said);
        let recording = ended(&server);
        drop(phone);
        assert_eq!(recording["status"], "completed", "{recording}");
        let heard = channels(&server, &recording).remove(0);
        let found = audio::find(&said, &heard);
        assert!(found.likeness > LEAST_LIKENESS, "{}", found.likeness);
        let heard = as_mp3(&server, &recording, "").into_samples();
        let heard: Vec<i16> = heard.map(|sample| sample.expect("16 bits")).collect();
        let found = audio::find(&said, &heard);
        assert!(found.likeness > LEAST_LIKENESS_OF_MP3, "{}", found.likeness);
        server.stop();
    });
}

#[test]
fn both_sides_of_a_call_are_in_their_channels() {
    on_a_steady_machine(|| {
        let server = server(
            "<Response><Play>prompts/menu.wav</Play><Play>prompts/goodbye.wav</Play><Pause length='20'/></Response>",
        );
        let said = prompt("support");
        let mut phone = Softphone::call(server.sip, "1000", "PCMU", &said);
        let call = eventually("the call is up", LIMIT, || {
            let call = server.rest().calls().first()?.clone();
            (call["status"] == "in-progress").then_some(call)
        });
        let path = format!("Calls/{}/Recordings", call["sid"].as_str().expect("a SID"));
        let (status, begun) = server
            .rest()
            .post(&format!("{path}.json"), "RecordingChannels=dual");
        assert_eq!(status, 201, "{begun}");
        std::thread::sleep(Duration::from_secs(8));
        phone.hang_up();
        let recording = ended(&server);
        let [left, right] =
            <[_; 2]>::try_from(channels(&server, &recording)).expect("two channels");
        let played = prompt("goodbye");
        let found = audio::find(&played, &right);
        // A round that a busy machine left out is silence in the file, as it was for the caller: a likeness, and no ratio to noise.
        assert!(found.likeness > LEAST_LIKENESS, "{}", found.likeness);
        assert!(
            audio::find(&played, &left).likeness < 0.5,
            "the caller said nothing of it"
        );
        for (query, channels) in [
            ("", 2),
            ("?RequestedChannels=2", 2),
            ("?RequestedChannels=1", 1),
        ] {
            let mp3 = as_mp3(&server, &recording, query);
            assert_eq!(mp3.spec().channels, channels, "{query}");
        }
        server.stop();
    });
}

#[test]
fn a_pause_leaves_out_what_is_said_in_it() {
    on_a_steady_machine(|| {
        let server =
            server("<Response><Play>prompts/menu.wav</Play><Pause length='20'/></Response>");
        let mut phone = Softphone::call(server.sip, "1000", "PCMU", &[]);
        let call = eventually("the call is up", LIMIT, || {
            let call = server.rest().calls().first()?.clone();
            (call["status"] == "in-progress").then_some(call)
        });
        let path = format!("Calls/{}/Recordings", call["sid"].as_str().expect("a SID"));
        let rest = server.rest();
        assert_eq!(rest.post(&format!("{path}.json"), "").0, 201);
        let current = format!("{path}/Twilio.CURRENT.json");
        let (status, paused) = rest.post(&current, "Status=paused&PauseBehavior=skip");
        assert_eq!(status, 200, "{paused}");
        std::thread::sleep(Duration::from_secs(3));
        assert_eq!(rest.post(&current, "Status=in-progress").0, 200);
        std::thread::sleep(Duration::from_secs(1));
        assert_eq!(rest.post(&current, "Status=stopped").0, 200);
        let recording = ended(&server);
        phone.hang_up();
        let seconds = channels(&server, &recording)[0].len() as f64 / 8_000.0;
        assert!(
            (0.5..3.0).contains(&seconds),
            "{seconds} s of more than four"
        );
        server.stop();
    });
}

#[test]
fn a_killed_server_loses_less_than_a_second() {
    on_a_steady_machine(|| {
        let mut server = server(
            "<Response><Record playBeep='false' trim='do-not-trim' timeout='0'/></Response>",
        );
        let phone = Softphone::call(server.sip, "1000", "PCMU", &prompt("support"));
        let begun = eventually("it is recorded", LIMIT, || {
            let (_, page) = server.rest().get("Recordings.json");
            page["recordings"].get(0).cloned()
        });
        assert_eq!(begun["status"], "in-progress");
        let began = std::time::Instant::now();
        std::thread::sleep(Duration::from_secs(4));
        let at_least = began.elapsed() - Duration::from_secs(1);
        server.kill_and_start_again();
        drop(phone);
        let recording = ended(&server);
        assert_eq!(recording["status"], "completed", "{recording}");
        let samples = channels(&server, &recording)[0].len();
        let kept = Duration::from_secs_f64(samples as f64 / 8_000.0);
        assert!(kept >= at_least, "{kept:?} of {at_least:?} and a second");
        server.stop();
    });
}

#[test]
fn twilios_helper_library_lists_fetches_and_deletes() {
    let server = server("<Response><Record playBeep='false' timeout='2'/></Response>");
    let phone = Softphone::call(server.sip, "1000", "PCMU", &prompt("support"));
    let recording = ended(&server);
    drop(phone);
    let lines = helper_library::run("recordings.py", &server.rest(), &[]);
    assert_eq!(lines[0]["sid"], recording["sid"], "{lines:?}");
    assert_eq!(lines[0]["status"], "completed");
    assert_eq!(lines[0]["source"], "RecordVerb");
    assert_eq!(lines[1]["deleted"], true, "{lines:?}");
    assert_eq!(lines[2]["left"], 0, "{lines:?}");
    server.stop();
}
