//! An account's own retry strategy says when a broadcast calls again, over real SIP; one that breaks leaves it to the usual rules.

use std::path::Path;
use std::time::Duration;

use jackfield_interop::broadcasts::{completed, draft, number, progress, results, show};
use jackfield_interop::callees::{Callees, Manner};
use jackfield_interop::command_line::run;
use jackfield_interop::plugins::{breaking, plugin_in, succeed};
use jackfield_interop::process::eventually;
use jackfield_interop::server::{Server, Tenants, binary};
use serde_json::{Value, json};

const LIMIT: Duration = Duration::from_secs(240);
/// From the end of an attempt to the next one, with room for two clocks.
const GAP: Duration = Duration::from_millis(59_900);

/// A server whose account may have these settings read.
fn server(callees: &Callees, settings: &str) -> Server {
    let account = format!("grants = {{ settings = [\"*\"] }}\nsettings = {settings}");
    Server::start(&Tenants {
        account,
        ..Tenants::calling(callees.address)
    })
}

#[test]
fn the_accounts_strategy_says_when_and_how_often() {
    // The first is busy once, the second always.
    let callees = Callees::start(|number, nth| match (number.ends_with('1'), nth) {
        (true, 1) => Manner::Answers,
        _ => Manner::Refuses(486),
    });
    let settings = "{ \"busy-minutes\" = \"1\", attempts = \"2\" }";
    let mut server = server(&callees, settings);
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/plugins");
    let push = ["push", "--folder", "office-hours-retry"];
    let (pushed, told) = plugin_in(&examples, &server, &push);
    assert!(pushed, "{told}");
    // By the usual rules there were three attempts, a quarter of an hour apart.
    let sid = draft(&server, 3, &[]);
    run(&server, &["broadcast", "start", &sid]).expect("it starts");
    eventually("everybody was called once", LIMIT, || {
        (progress(&show(&server, &sid), "attempts") == 3).then_some(())
    });
    server.kill_and_start_again();
    let row = completed(&server, &sid);
    let counts = (progress(&row, "reached"), progress(&row, "attempts"));
    assert_eq!(counts, (1, 6), "{row}");
    for (number, times) in callees.called() {
        assert_eq!(times.len(), 2, "{number}");
        assert!(times[1] - times[0] >= GAP, "{number}");
    }
    let table = run(&server, &["broadcast", "results", &sid]).expect("results");
    let why = "nobody was reached in 2 attempts";
    assert_eq!(table.matches(why).count(), 2, "{table}");

    // In thought it comes to the same; and by the usual rules to three calls each for two of them.
    let component = binary()
        .with_file_name("plugin-author")
        .join("wasm32-wasip2/release/office_hours_retry.wasm");
    let component = component.display().to_string();
    let try_it = ["retry", "try", "--strategy", &component, "--json"];
    let set = ["--set", "busy-minutes=1", "--set", "attempts=2"];
    for which in [
        ["--broadcast", sid.as_str()],
        ["--since", "2026-01-01T00:00:00Z"],
    ] {
        let told =
            run(&server, &[&try_it[..], &set[..], &which[..]].concat()).expect("it is tried");
        let told: Value = serde_json::from_str(&told).expect("JSON");
        let of = |rules: &str| [&told[rules]["reached"], &told[rules]["attempts"]];
        assert_eq!(of("really"), [1, 6], "{told}");
        assert_eq!(of("strategy"), [1, 6], "{told}");
        assert_eq!(of("usual_rules"), [1, 8], "{told}");
        assert_eq!((&told["people"], &told["left_out"]), (&json!(3), &json!(0)));
        assert_eq!(
            (&told["questions"], &told["undecided"]),
            (&json!(5), &json!(0))
        );
    }
    let shown = [&try_it[..4], &set[..], &["--broadcast", sid.as_str()][..]].concat();
    let shown = run(&server, &shown).expect("it is tried");
    assert!(shown.contains("\n3 people, 0 left out"), "{shown}");
    eprintln!("{shown}");
    let nobody = ["--broadcast", "BC00000000000000000000000000000000"];
    let refused = run(&server, &[&try_it[..], &nobody[..]].concat()).unwrap_err();
    assert!(refused.contains("no such thing"), "{refused}");
    server.stop();
}

/// Gives up, but for numbers that end in 1 (traps), 2 (computes for ever), 3 (at once), 4 (in ages) and 5 (an error). All that in numbers that begin
/// with +1, which no test before an upload calls.
fn broken() -> Vec<u8> {
    let text = breaking(
        "jackfield:retry/strategy@0.1.0#next",
        "it is enough",
        r"
        (if (i32.eq (local.get $last) (i32.const 51)) (then
          (i64.store (i32.const 280) (i64.const 7))
          (return (i32.const 264))))
        (if (i32.eq (local.get $last) (i32.const 52)) (then
          (i64.store (i32.const 280) (i64.const -1))
          (return (i32.const 264))))
        (if (i32.eq (local.get $last) (i32.const 53)) (then
          (i32.store8 (i32.const 264) (i32.const 1))
          (i32.store (i32.const 272) (i32.const 512))
          (i32.store (i32.const 276) (i32.const 12))
          (return (i32.const 264))))
        (i32.store8 (i32.const 272) (i32.const 1))
        (i32.store (i32.const 280) (i32.const 512))
        (i32.store (i32.const 284) (i32.const 12))",
    );
    zoo::strategy(&text).expect("it is a strategy")
}

#[test]
fn a_strategy_that_breaks_leaves_it_to_the_usual_rules_and_nobody_is_called_too_soon() {
    let callees = Callees::start(|_, nth| match nth {
        0 => Manner::Refuses(486),
        _ => Manner::Answers,
    });
    let server = server(&callees, "{}");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("hasty.wasm");
    std::fs::write(&file, broken()).expect("a file");
    let file = file.display().to_string();
    succeed(&server, &["push", "--component", &file]);
    let sid = draft(&server, 6, &["--gap", "60"]);
    run(&server, &["broadcast", "start", &sid]).expect("it starts");
    let row = completed(&server, &sid);
    let counts = (progress(&row, "reached"), progress(&row, "attempts"));
    assert_eq!(counts, (5, 11), "{row}");
    let called = callees.called();
    for (number, (state, _)) in results(&server, &sid) {
        let times = &called[&number];
        let gave_up = number == jackfield_interop::broadcasts::number(0);
        let expected = if gave_up {
            ("given-up", 1)
        } else {
            ("reached", 2)
        };
        assert_eq!((state.as_str(), times.len()), expected, "{number}");
        for pair in times.windows(2) {
            assert!(pair[1] - pair[0] >= GAP, "{number}");
        }
    }
    let table = run(&server, &["broadcast", "results", &sid]).expect("results");
    let line = table.lines().find(|line| line.starts_with(&number(0)));
    assert!(
        line.is_some_and(|line| line.contains("it is enough")),
        "{table}"
    );
    let lines = succeed(&server, &["logs", "hasty"]);
    assert!(
        lines.contains("retry strategy `hasty` did not decide about "),
        "{lines}"
    );
    server.stop();
}
