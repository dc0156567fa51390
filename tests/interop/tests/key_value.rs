//! What a flow keeps in key-value pairs is there for the next call, also when the server was killed between them.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use jackfield_interop::server::{self, ALL_GRANTS, Server, Tenants, Uploads, binary};
use jackfield_interop::sipp::Sipp;

const LIMIT: Duration = Duration::from_secs(60);

/// The example plugin that counts a caller's calls, as its author builds it.
fn returning_caller() -> Vec<u8> {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/plugins");
    let target = binary().with_file_name("plugin-author");
    let built = Command::new(binary())
        .env("CARGO_TARGET_DIR", &target)
        .args(["plugin", "build", "--folder"])
        .arg(examples.join("returning-caller"))
        .output()
        .expect("jackfield can be run");
    assert!(built.status.success(), "{built:?}");
    let component = target.join("wasm32-wasip2/release/returning_caller.wasm");
    std::fs::read(component).expect("it was built")
}

/// Calls, waits until the flow hangs up, and looks for the count in the log.
fn call(server: &Server, count: u32) {
    Sipp::new("uac_wait_bye")
        .dialling("2000")
        .start(server.sip)
        .succeed(LIMIT);
    let words = format!("call number {count} of this caller");
    let log = server.log();
    assert!(log.contains(&words), "`{words}` is not in {log}");
}

#[test]
fn a_count_goes_on_after_kill_9() {
    let mut server = Server::start(&Tenants {
        uploads: Some(Uploads {
            components: vec![("2000", returning_caller())],
            fallback: None,
            grants: ALL_GRANTS,
        }),
        ..Tenants::default()
    });
    call(&server, 1);
    call(&server, 2);
    server.kill_and_start_again();
    call(&server, 3);
    server.stop();
}

#[test]
fn what_is_not_granted_is_not_taken_over() {
    let told = server::refusal(&Tenants {
        uploads: Some(Uploads {
            components: vec![("2000", zoo::animal("key-value-flood"))],
            fallback: None,
            grants: "{ hosts = [\"*\"] }",
        }),
        ..Tenants::default()
    });
    assert!(told.contains("`grants`: key-value = true"), "{told}");
}
