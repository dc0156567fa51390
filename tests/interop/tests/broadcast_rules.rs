//! What a broadcast keeps to, over real SIP: a stop, its hours, more urgent ones before it, whom it is for, a plugin as its message, and a far end
//! that has fewer lines than anybody said.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jackfield_interop::broadcasts::{completed, draft, draft_for, number, progress, show};
use jackfield_interop::callees::{Callees, Manner};
use jackfield_interop::command_line::run;
use jackfield_interop::plugins::succeed;
use jackfield_interop::process::eventually;
use jackfield_interop::server::{Flow, Server, Tenants};

const LIMIT: Duration = Duration::from_secs(240);
/// What an account may do that may also be urgent.
const OUTBOUND: &str = "outbound = { allow = [\"+1500555\"], max_channels = 50, calls_per_second = 50.0, highest_priority = \"emergency\" }";

fn calls(callees: &Callees) -> usize {
    callees.called().values().map(Vec::len).sum()
}

fn all_answer() -> Callees {
    Callees::start(|_, _| Manner::Answers)
}

/// A server whose trunk leads there and has so many channels.
fn server(callees: &Callees, channels: u32) -> Server {
    let trunk = format!(
        "target = \"{}\"\nmax_channels = {channels}\n",
        callees.address
    );
    Server::start(&Tenants::over_trunk(
        &trunk,
        vec![("1000", Flow::Component("menu"))],
    ))
}

#[test]
fn after_a_stop_nobody_is_called_any_more() {
    let callees = all_answer();
    let mut server = server(&callees, 2);
    let sid = draft(&server, 60, &[]);
    run(&server, &["broadcast", "start", &sid]).expect("it starts");
    eventually("some were called", LIMIT, || {
        (calls(&callees) >= 4).then_some(())
    });
    run(&server, &["broadcast", "stop", &sid]).expect("it stops");
    let over = eventually("calls that are up end", LIMIT, || {
        let row = show(&server, &sid);
        let open = ["waiting", "again", "calling"].map(|name| progress(&row, name));
        (open == [0; 3]).then_some(row)
    });
    assert_eq!(over["state"], "stopped");
    let (reached, given_up) = (progress(&over, "reached"), progress(&over, "given_up"));
    assert_eq!(reached + given_up, 60);
    assert_eq!(reached, calls(&callees), "each call that was made is told");
    assert!(reached < 60, "it was stopped in the middle");
    let refused = run(&server, &["broadcast", "resume", &sid]).unwrap_err();
    assert!(refused.contains("stopped"), "{refused}");
    // Another one is sent to the end by a new process, and by then nobody else was called.
    server.kill_and_start_again();
    let other = draft_for(&server, 60..62, &[]);
    run(&server, &["broadcast", "start", &other]).expect("it starts");
    assert_eq!(progress(&completed(&server, &other), "reached"), 2);
    assert_eq!(calls(&callees), reached + 2);
    server.stop();
}

/// A day of the week on which nobody is called while this test runs.
fn another_day() -> &'static str {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let days = now.expect("it is later than 1970").as_secs() / 86_400;
    // The first day of 1970 was a Thursday.
    ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
        [usize::try_from((days + 3) % 7).expect("below seven")]
}

#[test]
fn nobody_is_called_outside_its_hours() {
    let callees = all_answer();
    let server = server(&callees, 10);
    let window = format!("08:00-20:00 {} Etc/UTC", another_day());
    let waits = draft_for(&server, 0..5, &["--window", &window]);
    let goes = draft_for(&server, 5..10, &[]);
    for sid in [&waits, &goes] {
        run(&server, &["broadcast", "start", sid]).expect("it starts");
    }
    assert_eq!(progress(&completed(&server, &goes), "reached"), 5);
    let row = show(&server, &waits);
    assert_eq!(
        (&row["state"], progress(&row, "attempts")),
        (&"running".into(), 0)
    );
    let called: Vec<String> = callees.called().into_keys().collect();
    assert_eq!(called, (5..10).map(number).collect::<Vec<_>>());
    server.stop();
}

#[test]
fn a_more_urgent_broadcast_goes_first() {
    let callees = all_answer();
    let trunk = format!("target = \"{}\"\nmax_channels = 2\n", callees.address);
    let tenants = Tenants::over_trunk(&trunk, vec![("1000", Flow::Component("menu"))]);
    let server = Server::start(&Tenants {
        account: OUTBOUND.to_owned(),
        ..tenants
    });
    let bulk = draft_for(&server, 0..80, &["--priority", "bulk"]);
    let urgent = draft_for(&server, 80..100, &["--priority", "emergency"]);
    run(&server, &["broadcast", "start", &bulk]).expect("it starts");
    eventually("some were called", LIMIT, || {
        (calls(&callees) >= 3).then_some(())
    });
    run(&server, &["broadcast", "start", &urgent]).expect("it starts");
    assert_eq!(progress(&completed(&server, &urgent), "reached"), 20);
    assert_eq!(progress(&completed(&server, &bulk), "reached"), 80);
    let called = callees.called();
    let times = |numbers: std::ops::Range<usize>| {
        let mut times: Vec<_> = numbers.map(|of| called[&number(of)][0]).collect();
        times.sort();
        times
    };
    let (bulk, urgent) = (times(0..80), times(80..100));
    let between = bulk
        .iter()
        .filter(|at| (urgent[0]..urgent[19]).contains(*at));
    let between = between.count();
    let after = bulk.iter().filter(|at| **at > urgent[19]).count();
    eprintln!("{between} of 80 were called among the 20 urgent ones, {after} after them");
    assert!(between <= 4, "{between} were called among the urgent ones");
    assert!(after >= 20, "{after} were left for afterwards");
    server.stop();
}

#[test]
fn an_area_is_called_with_a_plugin_as_the_message() {
    let callees = all_answer();
    let server = server(&callees, 10);
    let folder = tempfile::tempdir().expect("a folder");
    let bell = zoo::component(
        r#"(module
          (import "jackfield:call/control@0.1.0" "hang-up" (func $hang-up (param i32)))
          (import "jackfield:call/control@0.1.0" "answer" (func $answer (param i32)))
          (memory (export "memory") 1)
          (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 8192))
          (func (export "jackfield:call/story@0.1.0#run") (result i32)
            (call $answer (i32.const 128))
            (call $hang-up (i32.const 128))
            (i32.const 64)))"#,
    );
    let file = folder.path().join("bell.wasm");
    std::fs::write(&file, bell.expect("it is a flow")).expect("a file");
    let file = file.display().to_string();
    succeed(&server, &["push", "--component", &file]);
    let table = folder.path().join("people.csv");
    let rows: String = (0..9)
        .map(|of| format!("{},en,{}\n", number(of), 14 + of % 3))
        .collect();
    std::fs::write(&table, format!("number,language,areas\n{rows}")).expect("a file");
    let table = table.display().to_string();
    run(&server, &["people", "import", &table]).expect("they are known");
    let create = [
        "broadcast",
        "create",
        "--name",
        "Bell",
        "--from",
        "1000",
        "--plugin",
        "bell",
        "--people",
        "--area",
        "14",
    ];
    let sid = run(&server, &create).expect("a draft").trim().to_owned();
    run(&server, &["broadcast", "start", &sid]).expect("it starts");
    let row = completed(&server, &sid);
    let counts = ["recipients", "reached", "attempts"].map(|name| progress(&row, name));
    assert_eq!(counts, [3; 3], "{row}");
    let called: Vec<String> = callees.called().into_keys().collect();
    assert_eq!(called, [0, 3, 6].map(number));
    server.stop();
}

#[test]
fn a_far_end_with_fewer_lines_than_was_said_is_learned() {
    // It answers 503 to whoever comes while four calls are up: that costs nobody the one attempt that each of them has.
    let callees = Callees::with_lines(4);
    let server = server(&callees, 40);
    let options = ["--gap", "60", "--max-attempts", "1"];
    let sid = draft(&server, 40, &options);
    run(&server, &["broadcast", "start", &sid]).expect("it starts");
    let row = completed(&server, &sid);
    assert_eq!(progress(&row, "reached"), 40, "{row}");
    let congested = row["progress"]["outcomes"]["congestion"].as_u64();
    let refused = callees.refused() as u64;
    assert_eq!(congested.unwrap_or(0), refused, "{row}");
    assert!(refused > 0, "nobody said how many lines there are");
    server.stop();
}
