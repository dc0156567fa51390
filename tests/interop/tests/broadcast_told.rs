//! Whoever was reached by a broadcast is told of over HTTP: to a webhook, and to `RapidPro`, which starts a flow for them.

use std::collections::BTreeMap;
use std::time::Duration;

use jackfield_interop::broadcasts::{completed, number, show};
use jackfield_interop::callees::{Callees, Manner};
use jackfield_interop::command_line::run;
use jackfield_interop::process::eventually;
use jackfield_interop::server::{Flow, Server, Tenants};
use jackfield_interop::voice_app::{Asked, Page, VoiceApp};
use serde_json::{Value, json};

const LIMIT: Duration = Duration::from_secs(120);
const FLOW: &str = "f5901b62-ba76-4003-9c62-72fdacc1b7b7";
const TOKEN: &str = "0a1b2c3d4e5f-not-for-production";
const FLOW_STARTS: &str = "/api/v2/flow_starts.json";
const OPERATORS: &str =
    "\n[[operator]]\ncountry = \"US\"\nname = \"East\"\nprefixes = [\"+15005550000\"]\n";

/// What was asked of a path.
fn asked(app: &VoiceApp, path: &str) -> Vec<Asked> {
    let all = app.asked().into_iter();
    all.filter(|asked| asked.path == path).collect()
}

/// A draft for three: the first is never reached.
fn draft(server: &Server, app: &VoiceApp) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        let file = folder.path().join(name);
        std::fs::write(&file, text).expect("a file");
        file.display().to_string()
    };
    let rows: Vec<String> = (0..3)
        .map(|of| format!("{},en,N{of}", number(of)))
        .collect();
    let table = write(
        "people.csv",
        &format!("number,language,name\n{}\n", rows.join("\n")),
    );
    let document = write("m.xml", r#"<Response><Pause length="1"/></Response>"#);
    let token = write("token", &format!("{TOKEN}\n"));
    let (webhook, rapidpro) = (app.url("/reached"), app.url("/"));
    let create = [
        "broadcast",
        "create",
        "--name",
        "Floods",
        "--from",
        "1000",
        "--recipients",
        &table,
        "--twiml",
        &document,
        "--max-attempts",
        "2",
        "--webhook",
        &webhook,
    ];
    let sid = run(server, &create).expect("a draft").trim().to_owned();
    let change = [
        "broadcast",
        "change",
        &sid,
        "--name",
        "Flood",
        "--max-attempts",
        "1",
        "--webhook",
        &webhook,
        "--webhook-method",
        "GET",
        "--rapidpro-url",
        &rapidpro,
        "--rapidpro-flow",
        FLOW,
        "--rapidpro-token-file",
        &token,
    ];
    run(server, &change).expect("it is changed");
    let nothing = run(server, &["broadcast", "change", &sid]).expect_err("nothing is said");
    assert!(nothing.contains("say what is to be different"), "{nothing}");
    let row = show(server, &sid);
    assert_eq!(
        [
            &row["name"],
            &row["max_attempts"],
            &row["webhook"]["method"]
        ],
        [&json!("Flood"), &json!(1), &json!("GET")],
        "{row}"
    );
    let server_url = app.url("");
    assert_eq!(row["rapidpro"], json!({ "url": server_url, "flow": FLOW }));
    sid
}

#[test]
fn a_webhook_and_rapidpro_are_told_of_each_person_reached() {
    let callees = Callees::start(|number, _| match number.ends_with('0') {
        true => Manner::Refuses(486),
        false => Manner::Answers,
    });
    let created = r#"{"uuid": "09d23a05-47fe-11e4-bfe9-b8f6b119e9ab", "status": "pending"}"#;
    let app = VoiceApp::serve(vec![
        Page::twiml("/reached", "").refusing(1, "500 Internal Server Error"),
        Page::json(FLOW_STARTS, created)
            .with_status("201 Created")
            .refusing(1, "503 Service Unavailable"),
    ]);
    let trunk = format!("target = \"{}\"\n{OPERATORS}", callees.address);
    let server = Server::start(&Tenants::over_trunk(
        &trunk,
        vec![("1000", Flow::Component("menu"))],
    ));
    let sid = draft(&server, &app);
    run(&server, &["broadcast", "start", &sid]).expect("it starts");
    let watched = run(&server, &["broadcast", "watch", &sid]).expect("it is watched");
    let row = completed(&server, &sid);

    // Two were reached; one request of each kind was refused and came again.
    eventually("all are told of", LIMIT, || {
        (asked(&app, "/reached").len() >= 3 && asked(&app, FLOW_STARTS).len() >= 3).then_some(())
    });
    let token_of = |asked: &Asked| asked.headers["i-twilio-idempotency-token"].clone();
    let hooks = asked(&app, "/reached");
    let mut names = BTreeMap::new();
    for hook in &hooks {
        assert_eq!(hook.method, "GET");
        assert!(hook.headers.contains_key("x-twilio-signature"));
        assert_eq!(hook.parameters["BroadcastSid"], sid);
        assert_eq!(hook.parameters["Event"], "reached");
        names.insert(token_of(hook), hook.parameters["Field.name"].clone());
    }
    let reached = ["N1".to_owned(), "N2".to_owned()];
    let mut told: Vec<_> = names.into_values().collect();
    told.sort();
    assert_eq!(told, reached, "{hooks:?}");

    let starts = asked(&app, FLOW_STARTS);
    let mut urns = BTreeMap::new();
    for start in &starts {
        assert_eq!(start.method, "POST");
        assert_eq!(start.headers["authorization"], format!("Token {TOKEN}"));
        assert_eq!(start.headers["content-type"], "application/json");
        assert!(!start.headers.contains_key("x-twilio-signature"));
        let body: Value = serde_json::from_slice(&start.body).expect("JSON");
        assert_eq!(body["flow"], FLOW);
        let params = &body["params"];
        assert_eq!(
            [&params["broadcast_sid"], &params["broadcast"]],
            [&sid, "Flood"]
        );
        assert_eq!(params["language"], "en");
        let urn = body["urns"][0].as_str().expect("a URN").to_owned();
        assert_eq!(
            urn,
            format!("tel:{}", params["to"].as_str().expect("a number"))
        );
        urns.insert(urn, params["field_name"].clone());
    }
    let expected = [1, 2].map(|of| format!("tel:{}", number(of)));
    assert_eq!(
        urns.keys().cloned().collect::<Vec<_>>(),
        expected,
        "{starts:?}"
    );
    assert_eq!(urns[&expected[0]], "N1");

    // What came of it, by operator: the first of them is the only one of that operator.
    let east = &row["progress"]["by_operator"];
    let east = east.as_object().expect("an object");
    let (name, east) = east
        .iter()
        .find(|(name, _)| name.contains("East"))
        .expect("it is known");
    assert_eq!(
        *east,
        json!({ "recipients": 1, "reached": 0, "given_up": 1, "outcomes": { "busy": 1 } })
    );
    let words = format!("{name}: 0 of 1 reached, 1 given up; calls: 1 busy");
    assert!(watched.contains(&words), "{watched}");
    let listed = run(
        &server,
        &["broadcast", "recipients", &sid, "--state", "reached"],
    );
    assert_eq!(listed.expect("recipients").lines().count(), 2);
    let one = run(
        &server,
        &["broadcast", "recipients", &sid, "--number", &number(0)],
    );
    let one = one.expect("a recipient");
    assert!(one.contains("given-up  1 calls, the last busy; "), "{one}");
    assert!(!server.log().contains(TOKEN));
    server.stop();
}
