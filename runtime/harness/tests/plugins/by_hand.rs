//! Calls in which somebody decides what the caller does, and the cases that come of them.

use std::time::Duration;

use harness::{Player, Run, Scene, Script, Turn, play, read_cases, run, xml};
use plugin_host::Flow;

use crate::{MENU, TWIML};

const VOICE: &str = "http://app.example/voice";

/// Does one thing after the other, and keeps what it saw before each.
struct Hand {
    turns: std::vec::IntoIter<Turn>,
    saw: std::sync::mpsc::Sender<String>,
}

impl Player for Hand {
    fn turn(&mut self, scene: Scene<'_>) -> Turn {
        let calls = [("rings", scene.ringing), ("talks", scene.talking)];
        let calls = calls.map(|(word, who)| format!("{word}: {}", who.join(" ")));
        let _ = self
            .saw
            .send(format!("{}{}\n", scene.lines, calls.join("; ")));
        self.turns.next().unwrap_or(Turn::Leaves)
    }
}

/// The call, and what the player saw each time it was asked.
fn played(flow: &Flow, script: Script, turns: Vec<Turn>) -> (Run, Vec<String>) {
    let (saw, seen) = std::sync::mpsc::channel();
    let turns = turns.into_iter();
    let run = play(flow, script, Hand { turns, saw });
    (run, seen.try_iter().collect())
}

fn does(script: Script) -> Turn {
    Turn::Does(script)
}

/// The case that comes of a call goes the same way again, without whoever answered outside of it.
fn goes_the_same_way(flow: &Flow, run_by_hand: &Run) {
    let text = run_by_hand.to_case("by hand");
    let cases = read_cases(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let mut cases = cases.calls;
    let again = run(flow, cases.remove(0).script).unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert_eq!(again.transcript, run_by_hand.transcript, "{text}");
}

#[test]
fn the_player_sees_what_happened_and_is_asked_before_time_passes() {
    let keys = does(Script::new().press("1"));
    let (run, seen) = played(&MENU, Script::new(), vec![Turn::Listens, keys]);
    assert!(
        seen[0].contains("   0.00 s  story   play prompts/menu.wav"),
        "{}",
        seen[0]
    );
    assert!(
        seen[1].contains("   2.00 s  call    playback 1 finished"),
        "{}",
        seen[1]
    );
    assert!(!seen[1].contains("menu.wav"), "{}", seen[1]);
    assert!(
        run.transcript.contains("   2.00 s  caller  presses 1"),
        "{}",
        run.transcript
    );
    assert!(run.transcript.contains("sales.wav"), "{}", run.transcript);
    goes_the_same_way(&MENU, &run);
}

#[test]
fn who_leaves_hears_the_call_to_its_end() {
    let (run, seen) = played(&MENU, Script::new(), Vec::new());
    assert_eq!(seen.len(), 1);
    assert!(run.record.is_some(), "{}", run.transcript);
    goes_the_same_way(&MENU, &run);
}

#[test]
fn who_hangs_up_ends_it() {
    let turns = vec![does(
        Script::new().wait(Duration::from_millis(1_500)).hang_up(),
    )];
    let (run, _) = played(&MENU, Script::new(), turns);
    assert!(
        run.transcript.contains("   1.50 s  caller  hangs up"),
        "{}",
        run.transcript
    );
    assert!(
        run.to_case("a")
            .contains("{ caller.waits = 1.5 },\n    { caller = \"hangs-up\" },")
    );
    goes_the_same_way(&MENU, &run);
}

#[test]
fn those_who_are_dialled_ring_until_the_player_says_what_they_do() {
    let document = r#"<Response><Say>Hello "you"</Say><Dial action="/next"><Number>+1</Number><Number>+2</Number></Dial></Response>"#;
    let script = Script::new()
        .with("+85512345678")
        .setting("voice-url", VOICE)
        .web(move |request| {
            Ok(match request.url.as_str() {
                VOICE => xml(document),
                _ => xml("<Response><Record maxLength='5'/></Response>"),
            })
        });
    let turns = vec![
        Turn::Listens,
        Turn::Listens,
        does(
            Script::new()
                .wait(Duration::from_secs(3))
                .callee_answers("+2"),
        ),
        does(
            Script::new()
                .wait(Duration::from_secs(9))
                .callee_hangs_up("+2"),
        ),
        Turn::Listens,
        does(Script::new().speak(Duration::from_secs(3))),
    ];
    let (run, seen) = played(&TWIML, script, turns);
    assert!(seen[2].ends_with("rings: +1 +2; talks: \n"), "{seen:?}");
    assert!(seen[3].ends_with("rings: ; talks: +2\n"), "{seen:?}");
    let told = String::from_utf8(run.requests[1].body.clone()).unwrap();
    assert!(told.contains("DialCallDuration=9"), "{told}");
    goes_the_same_way(&TWIML, &run);
}

#[test]
fn a_server_that_answered_with_a_failure_does_so_in_the_case_too() {
    let script = Script::outbound().setting("voice-url", VOICE).web(|_| {
        Ok(call::HttpResponse {
            status: 500,
            ..xml("")
        })
    });
    let (run, _) = played(&TWIML, script, Vec::new());
    assert!(run.transcript.contains("11200"), "{}", run.transcript);
    assert!(run.to_case("a").contains("outbound = true"));
    goes_the_same_way(&TWIML, &run);
}

#[test]
fn what_cannot_be_is_told_to_the_player_and_the_call_goes_on() {
    let nobody = does(
        Script::new()
            .other_leaves_queue()
            .callee_answers("+1")
            .press("1"),
    );
    let (run, _) = played(&MENU, Script::new(), vec![nobody]);
    for line in [
        "(the story has nobody there who could)",
        "(the story is not calling +1)",
        "sales.wav",
    ] {
        assert!(run.transcript.contains(line), "{line}\n{}", run.transcript);
    }
    assert!(
        !run.to_case("a").contains("other = "),
        "{}",
        run.to_case("a")
    );
}
