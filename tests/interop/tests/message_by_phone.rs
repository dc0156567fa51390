//! An official records a message by phone, and those who are called hear what was said.

use std::thread::sleep;
use std::time::Duration;

use jackfield_interop::baresip::Softphone;
use jackfield_interop::callees::{Callees, Manner};
use jackfield_interop::command_line::run;
use jackfield_interop::plugins::plugin_in;
use jackfield_interop::process::eventually;
use jackfield_interop::server::{Server, Tenants};
use jackfield_interop::steady::on_a_steady_machine;
use jackfield_interop::{audio, needs};
use serde_json::Value;

const LIMIT: Duration = Duration::from_secs(90);
const PIN: &str = "24681357";
/// What the recorder calls it where no setting says otherwise.
const FILE: &str = "message.wav";

/// Number 1000 runs the recorder, under the name of a flow that every server has.
fn server(callees: &Callees) -> Server {
    let mut tenants = Tenants::calling(callees.address);
    tenants.account = format!(
        "grants = {{ media = true, secrets = [\"message-pin\"] }}\nsecrets = {{ message-pin = \"{PIN}\" }}"
    );
    let server = Server::start(&tenants);
    let recorder = needs::workspace().join("examples/plugins/message-recorder");
    let (pushed, told) = plugin_in(&recorder, &server, &["push", "--name", "menu"]);
    assert!(pushed, "{told}");
    assert!(told.contains("tested: 20 cases"), "{told}");
    server
}

/// A draft for two people, who hear the file that is not there yet.
fn draft(server: &Server) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let table = folder.path().join("people.csv");
    std::fs::write(
        &table,
        "number,language\n+15005550001,en\n+15005550002,en\n",
    )
    .expect("a file");
    let (table, audio) = (table.display().to_string(), format!("en={FILE}"));
    let mut arguments = vec!["broadcast", "create", "--name", "Flood", "--from", "1000"];
    arguments.extend(["--audio", &audio, "--recipients", &table]);
    let sid = run(server, &arguments).expect("a draft");
    sid.trim().to_owned()
}

/// The one recording.
fn recording(server: &Server) -> Option<Value> {
    let (_, page) = server.rest().get("Recordings.json");
    page["recordings"].get(0).cloned()
}

/// A minute of tones, none of which is like another: what was said when can be told from what is heard.
fn speech() -> Vec<i16> {
    let mut state = 1_u32;
    let mut phase = 0.0_f64;
    let mut samples = Vec::new();
    for _ in 0..600 {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let frequency_hz = f64::from(300 + (state >> 8) % 2_700);
        for _ in 0..800 {
            phase += frequency_hz / 8_000.0 * std::f64::consts::TAU;
            samples.push((phase.sin() * 8_000.0) as i16);
        }
    }
    samples
}

/// Calls, types the PIN, and speaks until a message of some seconds is whole; its length in seconds.
fn record(server: &Server) -> (Softphone, u64) {
    let mut phone = Softphone::call(server.sip, "1000", "PCMU", &speech());
    for key in PIN.chars().chain(['#']) {
        phone.press(key);
        sleep(Duration::from_millis(300)); // as people type
    }
    eventually("it is recorded", LIMIT, || recording(server));
    sleep(Duration::from_secs(5)); // that is said
    phone.press('#');
    let recorded = eventually("the recording is whole", LIMIT, || {
        recording(server).filter(|row| row["status"] == "completed")
    });
    let seconds = recorded["duration"].as_str().and_then(|s| s.parse().ok());
    (phone, seconds.expect("a length"))
}

/// The recording as it is fetched.
fn recorded(server: &Server) -> Vec<i16> {
    let row = recording(server).expect("there is one");
    let sid = row["sid"].as_str().expect("a SID");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("message.wav");
    let bytes = server.rest().download(&format!("Recordings/{sid}.wav"));
    std::fs::write(&file, bytes).expect("a file");
    audio::read_wav(&file)
}

fn completed(server: &Server, broadcast: &str) -> Value {
    eventually("everybody was called", LIMIT, || {
        let shown = run(server, &["broadcast", "show", broadcast, "--json"]).ok()?;
        let row: Value = serde_json::from_str(&shown).ok()?;
        (row["state"] == "completed").then_some(row)
    })
}

#[test]
fn what_an_official_says_is_what_is_heard_by_those_who_are_called() {
    on_a_steady_machine(|| {
        let callees = Callees::listening(|_, _| Manner::Answers);
        let server = server(&callees);
        let sid = draft(&server);
        let early = run(&server, &["broadcast", "start", &sid]).unwrap_err();
        assert!(early.contains("no file `message.wav`"), "{early}");

        let (mut phone, seconds) = record(&server);
        sleep(Duration::from_secs(seconds)); // it is heard back
        assert_eq!(run(&server, &["media", "list"]), Ok(String::new()));
        let kept = eventually("it is kept", LIMIT, || {
            phone.press('1');
            let listed = run(&server, &["media", "list"]).ok();
            listed.filter(|list| !list.is_empty())
        });
        assert!(kept.starts_with(FILE), "{kept}");
        assert_eq!(kept.lines().count(), 1, "{kept}");
        let message = recorded(&server);
        assert!(audio::loud_seconds(&message) > 2.0, "five were said");
        let official = audio::find(&message[..8_000], &speech());
        assert!(official.is_heard(), "{official:?}");
        let heard_back = audio::find(&message, &phone.finish(LIMIT));
        assert!(heard_back.is_heard(), "{heard_back:?}");
        assert!(callees.called().is_empty(), "nothing starts by itself");

        run(&server, &["broadcast", "start", &sid]).expect("its message is there");
        let row = completed(&server, &sid);
        assert_eq!(row["progress"]["reached"], 2, "{row}");
        let voices = callees.voices();
        assert_eq!(voices.len(), 2);
        for voice in &voices {
            let found = audio::find(&message, voice);
            assert!(found.is_heard(), "{found:?}");
        }
        assert_silent_about_the_pin(&server);
        server.stop();
    });
}

/// Neither the calls' journals nor the log have the PIN, or its keys one by one.
fn assert_silent_about_the_pin(server: &Server) {
    let rest = server.rest();
    let (_, calls) = rest.get("Calls.json");
    let calls = calls["calls"].as_array().expect("calls");
    let official = calls.iter().find(|call| call["direction"] == "inbound");
    let sid = official.and_then(|call| call["sid"].as_str());
    let sid = sid.expect("the official's call");
    let ended = rest.ended(sid, LIMIT);
    assert_eq!(ended["status"], "completed", "{ended}");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("journal");
    std::fs::write(&file, rest.download(&format!("Calls/{sid}/Journal"))).expect("a file");
    let told = run(server, &["plugin", "journal", &file.display().to_string()]);
    let told = told.expect("it is a journal");
    assert!(told.contains("pin: check message-pin: right"), "{told}");
    let zeros = told.lines().filter(|line| line.ends_with("digit 0"));
    assert_eq!(zeros.count(), PIN.len(), "{told}");
    let log = server.log();
    for (what, text) in [("the journal", &told), ("the log", &log)] {
        assert!(!text.contains(PIN), "{what}: {text}");
    }
    // Nor key by key: of what was pressed the journal has the PIN as zeros, its hash, and what keeps the message.
    let keys = told.lines().filter_map(|line| line.rsplit_once("digit "));
    let keys: String = keys.map(|(_, key)| key).collect();
    assert!(keys.starts_with("00000000#"), "{keys}");
    assert_eq!(keys[9..].trim_matches('1'), "", "{keys}");
    assert!(keys.len() > 9, "{keys}");
    let told_keys = |line: &&str| line.contains("digit") || line.contains("keypad");
    assert_eq!(log.lines().find(told_keys), None, "{log}");
}

#[test]
fn whoever_hangs_up_before_they_confirm_leaves_no_file() {
    let callees = Callees::start(|_, _| Manner::Answers);
    let server = server(&callees);
    let (mut phone, _) = record(&server);
    let are_there = |count| (server.media_files() == count).then_some(());
    eventually("it is heard back", LIMIT, || are_there(1));
    phone.hang_up();
    let (_, calls) = server.rest().get("Calls.json");
    let sid = calls["calls"][0]["sid"].as_str().expect("there is a call");
    let call = server.rest().ended(sid, LIMIT);
    assert_eq!(call["status"], "completed", "{call}");
    eventually("nothing is left of it", LIMIT, || are_there(0));
    server.stop();
}
