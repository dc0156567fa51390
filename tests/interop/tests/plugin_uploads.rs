//! Uploads with their cases, and uploads of policies, on a running server.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jackfield_interop::plugins::{json, plugin_in, succeed};
use jackfield_interop::server::{ALL_GRANTS, Flow, Server, Tenants};
use jackfield_interop::sipp::Sipp;
use serde_json::json;

const LIMIT: Duration = Duration::from_secs(90);

/// Under the name of what 1000 runs.
const SURVEY: [&str; 4] = ["--folder", "survey", "--name", "menu"];

fn server() -> Server {
    Server::start(&Tenants {
        account: format!("grants = {ALL_GRANTS}"),
        ..Tenants::with_numbers(vec![("1000", Flow::Component("menu"))])
    })
}

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/plugins")
}

/// `jackfield plugin push`, of an example.
fn push(server: &Server, arguments: &[&str]) -> (bool, String) {
    plugin_in(&examples(), server, &[&["push"], arguments].concat())
}

#[test]
fn a_version_whose_own_case_fails_runs_no_calls() {
    let server = server();
    let (pushed, told) = push(&server, &SURVEY);
    assert!(pushed, "{told}");
    // Two callers of the host's, and three cases of its own.
    assert!(
        told.contains("tested: 5 cases\nactive as version 1\n"),
        "{told}"
    );
    let (pushed, told) = push(&server, &SURVEY);
    assert!(pushed, "{told}");
    assert!(told.contains("these bytes are version 1 already"), "{told}");

    // The same flow under a case that it does not play.
    let target = jackfield_interop::server::binary()
        .with_file_name("plugin-author")
        .join("wasm32-wasip2/release/survey.wasm");
    let folder = tempfile::tempdir().expect("a folder for the version");
    let write = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), text).expect("it can be written");
    };
    std::fs::create_dir(folder.path().join("scripts")).expect("it can be made");
    write(
        "build.sh",
        &format!(
            "mkdir -p build && cp '{}' build/component.wasm",
            target.display()
        ),
    );
    let case = "[[case]]\nname = \"It sings\"\nsteps = [{ flow = \"answers\" }, { flow.plays = \"song.wav\" }]\n";
    write("scripts/songs.toml", case);
    let (pushed, told) = plugin_in(folder.path(), &server, &["push", "--name", "menu"]);
    assert!(!pushed, "{told}");
    for part in [
        "test failed: case \"It sings\" of songs.toml: step 2: ",
        "song.wav",
        "inactive as version 2\n",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let listed = json(&server, &["list", "menu"]);
    assert_eq!(listed["active"], 1);
    assert_eq!(listed["versions"][0]["self_test"]["result"], "failed");
    assert_eq!(listed["versions"][0]["self_test"]["cases"], 3);
    Sipp::new("uac_wait_bye")
        .dialling("1000")
        .start(server.sip)
        .succeed(LIMIT);
    let listed = json(&server, &["list", "menu"]);
    assert_eq!(listed["versions"][1]["usage"]["calls"], 1, "{listed}");
    server.stop();
}

#[test]
fn policies_and_strategies_are_uploaded_with_their_questions() {
    let server = server();
    for (name, world, cases) in [
        (
            "least-cost-routing",
            "jackfield:routing/routing-policy@0.1.0",
            1 + 12,
        ),
        (
            "office-hours-retry",
            "jackfield:retry/retry-strategy@0.1.0",
            1 + 14,
        ),
    ] {
        let (pushed, told) = push(&server, &["--folder", name]);
        assert!(pushed, "{told}");
        let end = format!("compiled: runs {world}\ntested: {cases} cases\nactive as version 1\n");
        assert!(told.contains(&end), "{told}");
        let listed = json(&server, &["list", name]);
        assert_eq!(listed["versions"][0]["worlds"], json!([world]));
    }
    // What runs calls under a name goes on to.
    let (pushed, told) = push(&server, &SURVEY);
    assert!(pushed, "{told}");
    let (pushed, told) = push(
        &server,
        &["--folder", "least-cost-routing", "--name", "menu"],
    );
    assert!(!pushed, "{told}");
    assert!(
        told.contains("runs jackfield:call/call-flow@0.1.0, and this one does not"),
        "{told}"
    );
    let listed = json(&server, &["list", "menu"]);
    assert_eq!(listed["versions"].as_array().map(Vec::len), Some(1));
    succeed(&server, &["activate", "office-hours-retry", "1"]);
    server.stop();
}
