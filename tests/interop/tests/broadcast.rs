//! One message to hundreds, over real SIP: what the far end saw is what the broadcast says, also where it is paused and the server is killed.

use std::time::Duration;

use jackfield_interop::broadcasts::{completed, draft, draft_for, number, progress, results, show};
use jackfield_interop::callees::{Callees, Manner};
use jackfield_interop::command_line::run;
use jackfield_interop::process::eventually;
use jackfield_interop::server::{Flow, Server, Tenants, prompt, prompt_path};
use serde_json::Value;

const LIMIT: Duration = Duration::from_secs(240);

/// The progress without the pace and what it estimates: both move with the clock.
fn counts(row: &Value) -> Value {
    let mut progress = row["progress"].clone();
    let rows = progress.as_object_mut().expect("an object");
    rows.retain(|name, _| !["attempts_per_minute", "time_left_s"].contains(&name.as_str()));
    assert!(rows.contains_key("outcomes"), "{row}");
    progress
}

#[test]
fn everybody_is_called_and_what_came_of_it_is_told() {
    // Two find the line full at first: that costs them nothing of the one attempt that each has.
    let callees = Callees::start(|number, nth| match nth {
        0 => Manner::of(number),
        _ => Manner::Answers,
    });
    let server = Server::start(&Tenants::calling(callees.address));
    let options = ["--max-attempts", "1", "--gap", "60", "--ring-timeout", "3"];
    let sid = draft(&server, 100, &options);
    let row = show(&server, &sid);
    assert_eq!(
        (&row["state"], progress(&row, "waiting")),
        (&"draft".into(), 100)
    );
    assert!(callees.called().is_empty(), "a draft calls nobody");
    run(&server, &["broadcast", "start", &sid]).expect("it starts");
    let watched = run(&server, &["broadcast", "watch", &sid]).expect("it is watched");
    assert!(
        watched.contains("completed [##############################] 100 of 100"),
        "{watched}"
    );

    let called = callees.called();
    assert_eq!(called.len(), 100);
    for (number, times) in &called {
        let is_full = Manner::of(number) == Manner::Refuses(503);
        assert_eq!(times.len(), 1 + usize::from(is_full), "{number}");
    }
    let results = results(&server, &sid);
    for (number, (state, outcome)) in &results {
        let expected = match Manner::of(number) {
            Manner::Answers | Manner::Refuses(503) => ("reached", "reached"),
            Manner::HangsUp => ("given-up", "cut-short"),
            Manner::Rings => ("given-up", "no-answer"),
            Manner::Refuses(486) => ("given-up", "busy"),
            Manner::Refuses(_) => ("given-up", "no-answer"),
        };
        assert_eq!((state.as_str(), outcome.as_str()), expected, "{number}");
    }
    let row = completed(&server, &sid);
    // The end of a call is written down before its BYE is answered.
    eventually("all who were reached heard it", LIMIT, || {
        (callees.heard().len() == 62).then_some(())
    });
    assert_eq!(progress(&row, "reached"), 62);
    assert_eq!(progress(&row, "attempts"), 102);
    assert_eq!(row["progress"]["outcomes"]["congestion"], 2, "{row}");
    let again = run(&server, &["broadcast", "start", &sid]).unwrap_err();
    assert!(again.contains("it is completed"), "{again}");
    server.stop();
}

#[test]
fn a_pause_and_five_kills_lose_nobody_and_call_nobody_twice_within_the_gap() {
    let callees = Callees::start(|number, nth| match (nth, Manner::of(number)) {
        (0, Manner::Refuses(503)) => Manner::Refuses(486),
        (0, manner) => manner,
        _ => Manner::Answers,
    });
    let mut server = Server::start(&Tenants::calling(callees.address));
    let options = ["--max-attempts", "2", "--gap", "60", "--ring-timeout", "3"];
    let sid = draft(&server, 400, &options);
    run(&server, &["broadcast", "start", &sid]).expect("it starts");
    let calls = || callees.called().values().map(Vec::len).sum::<usize>();
    for kill in 0..5 {
        let seen = calls();
        eventually("some more were called", LIMIT, || {
            (calls() >= seen + 20).then_some(())
        });
        server.kill_and_start_again();
        assert_eq!(show(&server, &sid)["state"], "running", "after kill {kill}");
    }
    eventually("a quarter of them was called", LIMIT, || {
        (progress(&show(&server, &sid), "waiting") <= 300).then_some(())
    });
    run(&server, &["broadcast", "pause", &sid]).expect("it pauses");
    let paused = eventually("calls that are up end", LIMIT, || {
        let row = show(&server, &sid);
        (progress(&row, "calling") == 0).then_some(row)
    });
    let seen = calls();
    assert!(
        progress(&paused, "waiting") > 0,
        "nobody is left to be called"
    );
    server.kill_and_start_again();
    let still = show(&server, &sid);
    assert_eq!(
        (&still["state"], calls()),
        (&"paused".into(), seen),
        "also over a kill"
    );
    assert_eq!(counts(&still), counts(&paused));
    run(&server, &["broadcast", "resume", &sid]).expect("it goes on");
    let row = completed(&server, &sid);

    let called = callees.called();
    assert_eq!(called.len(), 400, "nobody is lost");
    for (number, times) in &called {
        assert!(times.len() <= 2, "{number} has two attempts");
        let gaps = times.windows(2).map(|pair| pair[1] - pair[0]);
        assert!(
            gaps.min()
                .is_none_or(|gap| gap >= Duration::from_millis(59_900)),
            "{number}"
        );
    }
    // An attempt is written down before its INVITE leaves, so a kill between the two leaves one that nobody saw. The second attempt is the first
    // one there, and may be in vain.
    let lost = row["progress"]["outcomes"]["lost"].as_u64().unwrap_or(0);
    let unseen = progress(&row, "attempts") - calls();
    assert!(
        unseen as u64 <= lost,
        "{unseen} attempts that nobody saw, {lost} lost"
    );
    let given_up = progress(&row, "given_up");
    assert_eq!(progress(&row, "reached"), 400 - given_up);
    assert!(
        given_up <= unseen,
        "{given_up} given up, {unseen} attempts that nobody saw"
    );
    eprintln!(
        "{} calls, {lost} of them lost, {unseen} of these unseen",
        progress(&row, "attempts")
    );
    server.stop();
}

#[test]
fn who_was_not_reached_is_called_again_after_the_gap() {
    let callees = Callees::start(|_, nth| match nth {
        0 => Manner::Refuses(486),
        _ => Manner::Answers,
    });
    let mut server = Server::start(&Tenants::calling(callees.address));
    let sid = draft(&server, 20, &["--gap", "60"]);
    run(&server, &["broadcast", "start", &sid]).expect("it starts");
    eventually("everybody was called once", LIMIT, || {
        (progress(&show(&server, &sid), "again") == 20).then_some(())
    });
    server.kill_and_start_again();
    let row = completed(&server, &sid);
    assert_eq!(
        (progress(&row, "reached"), progress(&row, "attempts")),
        (20, 40)
    );
    assert_eq!(
        row["progress"]["outcomes"],
        serde_json::json!({"busy": 20, "reached": 20})
    );
    for (number, times) in callees.called() {
        assert_eq!(times.len(), 2, "{number}");
        // The end of an attempt comes after its beginning, and its clock is another one.
        assert!(
            times[1] - times[0] >= Duration::from_millis(59_900),
            "{number}"
        );
    }
    server.stop();
}

#[test]
fn an_uploaded_message_is_heard_in_full() {
    let callees = Callees::start(|_, _| Manner::Answers);
    let server = Server::start(&Tenants::calling(callees.address));
    let file = prompt_path("goodbye");
    let pushed = file.display().to_string();
    let push = ["media", "push", &pushed, "--name", "flood.wav"];
    let folder = tempfile::tempdir().expect("a folder");
    let table = folder.path().join("people.csv");
    let rows = format!(
        "number,language\n{},en\n{},en\n{},lo\n",
        number(1),
        number(2),
        number(3)
    );
    std::fs::write(&table, rows).expect("a file");
    let table = table.display().to_string();
    let create = [
        "broadcast",
        "create",
        "--name",
        "Flood",
        "--from",
        "1000",
        "--audio",
        "en=flood.wav",
        "--recipients",
        &table,
    ];
    let sid = run(&server, &create).expect("a draft").trim().to_owned();
    let early = run(&server, &["broadcast", "start", &sid]).unwrap_err();
    assert!(early.contains("no file `flood.wav`"), "{early}");
    run(&server, &push).expect("it is audio");
    let dry = run(&server, &["broadcast", "dry-run", &sid]).expect("a dry run");
    assert!(dry.starts_with("2 of 3 can be called"), "{dry}");
    run(&server, &["broadcast", "start", &sid]).expect("it starts");
    let row = completed(&server, &sid);
    assert_eq!(
        (progress(&row, "reached"), progress(&row, "given_up")),
        (2, 1)
    );
    eventually("both heard it", LIMIT, || {
        (callees.heard().len() == 2).then_some(())
    });
    let table = run(&server, &["broadcast", "results", &sid]).expect("results");
    let json = run(&server, &["broadcast", "results", &sid, "--json"]).expect("results");
    let of_json = |line: &str| serde_json::from_str::<Value>(line).expect("a line of JSON");
    let numbers: Vec<_> = json
        .lines()
        .map(|line| of_json(line)["number"].clone())
        .collect();
    assert_eq!(numbers.len(), table.lines().count() - 1, "{json}");
    assert!(numbers.iter().all(Value::is_string), "{json}");
    let seconds = prompt("goodbye").len() / 8_000;
    for line in table.lines().filter(|line| line.contains(",reached,")) {
        let duration = line
            .split(',')
            .nth(7)
            .and_then(|cell| cell.parse::<usize>().ok());
        assert!(
            duration.is_some_and(|heard| heard >= seconds),
            "{line}: {seconds} s"
        );
    }
    server.stop();
}

/// One operator has a single line, on which nobody answers; those of the other are called all the same.
#[test]
fn an_operator_whose_line_is_full_holds_up_no_other() {
    const SLOW: &str = "+15005550";
    let callees = Callees::start(|number, _| match number.starts_with(SLOW) {
        true => Manner::Rings,
        false => Manner::Answers,
    });
    let trunk = format!(
        "target = \"{}\"\nchannels_by_prefix = {{ \"{SLOW}\" = 1 }}\n",
        callees.address
    );
    let numbers = vec![("1000", Flow::Component("menu"))];
    let server = Server::start(&Tenants::over_trunk(&trunk, numbers));
    let recipients = (0..400).chain(1_000..1_100);
    let sid = draft_for(&server, recipients, &["--ring-timeout", "5"]);
    run(&server, &["broadcast", "start", &sid]).expect("it starts");
    let row = eventually("those of the other are reached", LIMIT, || {
        let row = show(&server, &sid);
        (progress(&row, "reached") == 100).then_some(row)
    });
    assert!(progress(&row, "waiting") > 300, "{row}");
    run(&server, &["broadcast", "stop", &sid]).expect("it stops");
    eventually("nobody is called any more", LIMIT, || {
        (progress(&show(&server, &sid), "calling") == 0).then_some(())
    });
    server.stop();
}
