//! A client as `RapidPro` is one, with TLS on both sides: in front of the API, and before its own web server. It makes calls and takes them, and
//! shows its users what became of each.

use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use jackfield_interop::baresip::Softphone;
use jackfield_interop::callees::{Callees, Manner};
use jackfield_interop::certificates::Certificates;
use jackfield_interop::pjsip::Pjsip;
use jackfield_interop::process::Process;
use jackfield_interop::server::{Flow, Place, Server, Tenants, prompt};
use jackfield_interop::steady::on_a_steady_machine;
use jackfield_interop::{needs, ports};
use serde_json::{Value, json};
use tempfile::TempDir;

const LIMIT: Duration = Duration::from_secs(60);
const USER: &str = "gateway-1";
const PASSWORD: &str = "a-password-of-tests";

/// The server with TLS in front of its API, and its client.
struct Channel {
    server: Server,
    client: Process,
    _front: Process,
    _folder: TempDir,
    _certificates: Certificates,
}

/// Starts a script with its output in this folder.
fn script(name: &str, arguments: &[String], folder: &Path) -> Process {
    let mut command = Command::new(needs::test_python());
    command
        .arg(needs::workspace().join("tests/interop/python").join(name))
        .args(arguments);
    let mut process = Process::start(name, &mut command, &folder.join(name));
    process.wait_for_line("ready", LIMIT);
    process
}

impl Channel {
    /// Number 1000 is the client's. `prepare` brings the telephones about before the client does anything.
    fn open<T>(
        tenants: Tenants,
        options: &[&str],
        prepare: impl FnOnce(&Server) -> T,
    ) -> (Self, T) {
        let certificates = Certificates::of("127.0.0.1");
        let [front, app] = [ports::free(), ports::free()];
        let base = format!("https://127.0.0.1:{front}");
        let place = Place::on_loopback()
            .with_api(&format!("public_url = {base:?}"))
            .with_egress(&format!("extra_tls_roots = {:?}", certificates.authority));
        let incoming = format!("https://127.0.0.1:{app}/c/1/incoming");
        let numbers = vec![("1000", Flow::VoiceUrl(incoming))];
        let tenants = Tenants { numbers, ..tenants };
        let tenants = tenants.telling(&format!("https://127.0.0.1:{app}/c/1/status"));
        let server = Server::start_at(place, &tenants);
        let rest = server.rest();
        let prepared = prepare(&server);
        let folder = tempfile::tempdir().expect("a folder for the scripts' output");
        let path = |path: &Path| path.display().to_string();
        let (certificate, key) = (path(&certificates.certificate), path(&certificates.key));
        let arguments = [
            front.to_string(),
            server.api.to_string(),
            certificate.clone(),
            key.clone(),
        ];
        let front = script("tls_front.py", &arguments, folder.path());
        let named = [
            ("--base", base),
            ("--account-sid", rest.account_sid),
            ("--auth-token", rest.auth_token),
            ("--number", "1000".to_owned()),
            ("--authority", path(&certificates.authority)),
            ("--certificate", certificate),
            ("--key", key),
            ("--port", app.to_string()),
        ];
        let named = named
            .into_iter()
            .flat_map(|(name, value)| [name.to_owned(), value]);
        let options = options.iter().map(|&option| option.to_owned());
        let arguments: Vec<_> = named.chain(options).collect();
        let channel = Self {
            server,
            client: script("rapidpro.py", &arguments, folder.path()),
            _front: front,
            _folder: folder,
            _certificates: certificates,
        };
        (channel, prepared)
    }

    /// What happened at the client, in order.
    fn seen(&self, event: &str) -> Vec<Value> {
        let output = self.client.output();
        let lines = output
            .split_inclusive('\n')
            .filter(|line| line.ends_with('\n'));
        let parsed = lines.map(|line| {
            serde_json::from_str::<Value>(line)
                .unwrap_or_else(|error| panic!("{error}: {line:?} in\n{output}"))
        });
        parsed.filter(|line| line["event"] == event).collect()
    }

    /// Panics with what the client wrote where it does not happen.
    fn wait_for(&self, event: &str) -> Value {
        let deadline = Instant::now() + LIMIT;
        loop {
            if let Some(seen) = self.seen(event).pop() {
                return seen;
            }
            let output = self.client.output();
            assert!(Instant::now() < deadline, "no {event}:\n{output}");
            sleep(Duration::from_millis(20));
        }
    }

    /// What was told of each call: with the server gone there is no more of it.
    fn statuses(self) -> Vec<Value> {
        let Self {
            server,
            client,
            _front,
            _folder,
            _certificates,
        } = self;
        server.stop();
        let channel_output = client.output();
        assert!(!channel_output.contains("not signed"), "{channel_output}");
        let lines = channel_output
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
        lines.filter(|line| line["event"] == "status").collect()
    }
}

fn column(rows: &[Value], name: &str) -> Vec<Value> {
    rows.iter().map(|row| row[name].clone()).collect()
}

#[test]
fn what_becomes_of_a_call_is_told_once_and_mapped() {
    let callees = Callees::start(|number, _| Manner::of(number));
    let tenants = Tenants::calling(callees.address);
    let numbers = [
        "+15005550106",
        "+15005550108",
        "+15005550149",
        "+15005550109",
        "+15005550105",
    ];
    let mut options: Vec<_> = numbers
        .iter()
        .flat_map(|number| ["--call", number])
        .collect();
    options.push("--hang-up");
    let (channel, ()) = Channel::open(tenants, &options, |_| ());
    channel.wait_for("done");
    channel.wait_for("hung up"); // another thread of the channel's asked for it
    let requested = channel.seen("requested");
    assert_eq!(column(&requested, "to"), numbers);
    assert_eq!(column(&requested, "http"), [201; 5]);
    assert_eq!(column(&requested, "failed"), [false; 5]);
    assert_eq!(column(&channel.seen("hung up"), "http"), [200]);
    let statuses = channel.statuses();
    assert_eq!(
        column(&statuses, "told"),
        ["busy", "no-answer", "failed", "completed", "completed"]
    );
    assert_eq!(
        column(&statuses, "status"),
        ["errored", "errored", "errored", "completed", "completed"]
    );
    assert_eq!(
        column(&statuses, "reason"),
        ["busy", "no-answer", "provider", "", ""]
    );
    assert_eq!(column(&statuses, "has_duration"), [true; 5]);
}

/// Says so much, when it is called with machine detection; what the client saw of it.
fn called_with_detection(says: &[i16]) -> (Value, Vec<Value>, Vec<Value>) {
    let trunk = format!(
        "targets = [\"registered\"]\nnat = {{ to_source = true, symmetric_rtp = true }}\n\
         [trunk.login]\nusername = \"{USER}\"\npassword = \"{PASSWORD}\"\nregisters = true\n\
         [trunk.numbers]\ndial_as = \"e164\"\n"
    );
    let options = [
        "--call",
        "+15005550101",
        "--machine-detection",
        "--gather-timeout",
        "1",
    ];
    let tenants = Tenants::over_trunk(&trunk, Vec::new());
    let (channel, phone) = Channel::open(tenants, &options, |server| {
        let phone = Pjsip::new(server.sip).registered("jackfield", USER, PASSWORD);
        let mut phone = phone.speaking(says).waiting().doing("", LIMIT).start();
        phone.expect("registered 200", LIMIT);
        phone
    });
    channel.wait_for("done");
    let _ = phone.finish(LIMIT);
    let (started, resumed) = (channel.wait_for("started"), channel.seen("resumed"));
    assert_eq!(channel.seen("started").len(), 1);
    (started, resumed, channel.statuses())
}

#[test]
fn somebody_who_answers_hears_the_menu_and_its_time_runs_out() {
    on_a_steady_machine(|| {
        let speech = prompt("support");
        let begin = speech.iter().position(|sample| sample.abs() > 1_000);
        let begin = begin.expect("somebody speaks");
        let hello = [
            vec![0; 3_200],
            speech[begin..begin + 5_600].to_vec(),
            vec![0; 240_000],
        ];
        let (started, resumed, statuses) = called_with_detection(&hello.concat());
        assert_eq!(started["answered_by"], "human");
        assert_eq!(column(&resumed, "input"), [""], "nobody pressed a key");
        assert_eq!(column(&statuses, "status"), ["completed"]);
    });
}

#[test]
fn a_machine_that_answers_hears_nothing() {
    on_a_steady_machine(|| {
        let parts = ["welcome", "menu", "support"].map(prompt);
        let greeting = [vec![0; 3_200], parts.concat(), vec![0; 160_000]];
        let (started, resumed, statuses) = called_with_detection(&greeting.concat());
        assert_eq!(started["answered_by"], "machine_start");
        assert_eq!(resumed, [] as [Value; 0]);
        assert_eq!(column(&statuses, "status"), ["completed"]);
    });
}

#[test]
fn a_call_is_taken_and_its_message_fetched() {
    on_a_steady_machine(|| {
        let (channel, ()) = Channel::open(Tenants::default(), &[], |_| ());
        let said = prompt("support").repeat(4);
        let mut phone = Softphone::call(channel.server.sip, "1000", "PCMU", &said);
        channel.wait_for("started");
        phone.press('1');
        assert_eq!(channel.wait_for("resumed")["input"], "1");
        let media = channel.wait_for("media");
        assert_eq!(
            (&media["http"], &media["type"], &media["is_mp3"]),
            (&json!(200), &json!("audio/mpeg"), &json!(true)),
            "{media}"
        );
        let url = media["url"].as_str().expect("a URL");
        assert!(
            url.starts_with("https://127.0.0.1:") && url.ends_with(".mp3"),
            "{url}"
        );
        let heard = phone.finish(LIMIT);
        assert!(!heard.is_empty(), "the menu was heard");
        let statuses = channel.statuses();
        assert_eq!(column(&statuses, "status"), ["completed"]);
    });
}
