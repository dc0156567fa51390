//! A secret goes to the server that it is for, and is seen nowhere else: a whole call with one.

use std::time::Duration;

use jackfield_interop::plugins::succeed;
use jackfield_interop::process::eventually;
use jackfield_interop::server::{Flow, Server, Tenants};
use jackfield_interop::sipp::Sipp;
use jackfield_interop::voice_app::{Page, VoiceApp};

const LIMIT: Duration = Duration::from_secs(60);
const SECRET: &str = "hush-4711-do-not-tell";
/// As the flow writes it.
const FIELD: &str = "Bearer {{secret:crm-token}}";

/// Answers, asks the URL with the secret, logs, and hangs up two events later.
fn asks(url: &str) -> Vec<u8> {
    let (name, logged) = ("authorization", "it asked");
    let text = format!(
        r#"(module
          (import "jackfield:call/control@0.1.0" "answer" (func $answer (param i32)))
          (import "jackfield:call/control@0.1.0" "send-request"
            (func $send (param i32 i32 i32 i32 i32 i32 i32 i32 i32)))
          (import "jackfield:call/control@0.1.0" "next-event" (func $next-event (param i32 i32 i32)))
          (import "wasi:logging/logging@0.1.0-draft" "log" (func $log (param i32 i32 i32 i32 i32)))
          (memory (export "memory") 1)
          (data (i32.const 4096) "{url}")
          (data (i32.const 5120) "{name}")
          (data (i32.const 5376) "{FIELD}")
          (data (i32.const 5632) "{logged}")
          (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 8192))
          (func (export "jackfield:call/story@0.1.0#run") (result i32)
            (call $answer (i32.const 128))
            (i32.store (i32.const 6144) (i32.const 5120)) (i32.store (i32.const 6148) (i32.const {}))
            (i32.store (i32.const 6152) (i32.const 5376)) (i32.store (i32.const 6156) (i32.const {}))
            (call $send (i32.const 0) (i32.const 4096) (i32.const {}) (i32.const 6144) (i32.const 1)
              (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 256))
            (call $log (i32.const 2) (i32.const 0) (i32.const 0) (i32.const 5632) (i32.const {}))
            (call $next-event (i32.const 1) (i32.const 3000) (i32.const 128))
            (call $next-event (i32.const 1) (i32.const 3000) (i32.const 128))
            (i32.const 64)))"#,
        name.len(),
        FIELD.len(),
        url.len(),
        logged.len()
    );
    zoo::component(&text).expect("the story is a component")
}

#[test]
fn a_secret_is_in_no_journal_no_log_and_no_answer() {
    let crm = VoiceApp::serve(vec![Page::json("/callers", "{}")]);
    let server = Server::start(&Tenants {
        account: format!(
            "grants = {{ hosts = [\"*\"], secrets = [\"crm-token\"] }}\nsecrets = {{ crm-token = \"{SECRET}\" }}"
        ),
        ..Tenants::with_numbers(vec![("1000", Flow::Component("menu"))])
    });
    let folder = tempfile::tempdir().expect("a folder for the component");
    let file = folder.path().join("menu.wasm");
    std::fs::write(&file, asks(&crm.url("/callers"))).expect("it can be written");
    let file = file.to_str().expect("the path is UTF-8");
    let pushed = succeed(&server, &["push", "--component", file]);
    Sipp::new("uac_wait_bye")
        .dialling("1000")
        .start(server.sip)
        .succeed(LIMIT);

    // Who it is for has it.
    let asked = crm.asked();
    assert_eq!(asked.len(), 1, "the test of the upload asks nobody");
    assert_eq!(
        asked[0].headers["authorization"],
        format!("Bearer {SECRET}")
    );

    let rest = server.rest();
    let (_, calls) = rest.get("Calls.json");
    let sid = calls["calls"][0]["sid"].as_str().expect("there is a call");
    let ended = rest.ended(sid, LIMIT);
    let log = eventually("the story's line is logged", LIMIT, || {
        let log = succeed(&server, &["logs", "menu"]);
        log.contains("it asked").then_some(log)
    });
    let journal = rest.download(&format!("Calls/{sid}/Journal"));
    let journal = String::from_utf8_lossy(&journal).into_owned();
    assert!(journal.contains(FIELD), "its name is in the journal");
    for (what, text) in [
        ("the journal", journal),
        ("the plugin's log", log),
        ("the server's log", server.log()),
        ("what the push said", pushed),
        ("the plugin", succeed(&server, &["list", "menu", "--json"])),
        ("its history", succeed(&server, &["history", "menu"])),
        ("the call", ended.to_string()),
        ("the list of calls", calls.to_string()),
        ("the numbers of the process", server.status()),
    ] {
        assert!(!text.contains(SECRET), "{what}: {text}");
    }
    server.stop();
}
