//! Steps of cases in which somebody else acts: those who are dialled, in a conference or at a queue, and the API.

use harness::{Run, Script, Unexpected, read_cases, run, xml};

use crate::TWIML;

/// Plays the steps of a case against a document; `world` is what its `[case.world]` has beside.
fn play(twiml: &str, world: &str, steps: &str) -> Result<Run, Box<Unexpected>> {
    let text = format!(
        "[[case]]\nname = 'a'\nsteps = [{{ flow = 'answers' }}, {steps}]\n[case.world]\n{world}\n\
         settings = {{ voice-url = 'http://app.example/voice' }}\n\
         [[case.world.http]]\nurl = 'http://app.example/voice'\ntwiml = \"\"\"<Response>{twiml}</Response>\"\"\"\n\
         [[case.world.http]]\nurl = 'http://app.example/next'\ntwiml = '<Response><Say>Next</Say></Response>'\nalways = true"
    );
    let mut cases = read_cases(&text).unwrap().calls;
    run(&TWIML, cases.remove(0).script).map_err(Box::new)
}

/// What the last request told, as `name=value&…&`.
fn told(run: &Run) -> String {
    let request = run.requests.last().unwrap();
    String::from_utf8(request.body.clone()).unwrap() + "&"
}

const DIAL: &str = "<Dial action='/next'><Number>+1</Number><Number>+2</Number></Dial>";

#[test]
fn who_is_dialled_acts_when_the_script_says_so() {
    let dials = "{ flow.dials = ['+1', '+2'] }, { caller.waits = 4 }";
    let next = "{ flow.says = 'Next' }, { flow = 'hangs-up' }";
    for (world, steps, expected) in [
        (
            "",
            "{ callee.answers = '+2' }, { caller.waits = 20 }, { callee.hangs-up = '+2' }",
            ["DialCallStatus=completed", "DialCallDuration=20"],
        ),
        (
            "callees = { '+1' = 'rings' }",
            "{ callee.is-busy = '+1' }, { caller.waits = 1 }, { callee.is-busy = '+2' }",
            ["DialCallStatus=busy", "DialBridged=false"],
        ),
        (
            "callees = { '+1' = { answers = 60 } }",
            "{ callee.answers = '+1' }, { caller.waits = 1 }, { callee.hangs-up = '+1' }",
            ["DialCallStatus=completed", "DialCallDuration=1"],
        ),
    ] {
        let run = play(DIAL, world, &format!("{dials}, {steps}, {next}")).unwrap();
        for part in expected {
            assert!(
                told(&run).contains(&format!("{part}&")),
                "{part}\n{}",
                run.transcript
            );
        }
    }
}

#[test]
fn others_come_and_go_in_a_conference() {
    let steps = "{ flow.joins = 'weekly' }, { other = 'leaves-conference' }, { other = 'joins-conference' }, \
        { other = 'joins-conference' }, { caller.waits = 60 }, { other = 'ends-conference' }, { flow.says = 'Bye' }";
    let twiml = "<Dial><Conference>weekly</Conference></Dial><Say>Bye</Say>";
    let run = play(twiml, "others-in-conference = 20", steps).unwrap();
    for line in [
        "joined as participant 21",
        "other   leaves the conference",
        "other   ends the conference",
        "the conference ended",
    ] {
        assert!(run.transcript.contains(line), "{line}\n{}", run.transcript);
    }
}

#[test]
fn those_ahead_in_a_queue_are_served_or_give_up_first() {
    let steps = "{ flow.waits-in-queue = 'help' }, { caller.waits = 10 }, { other = 'comes-to-queue' }, \
        { caller.waits = 10 }, { other = 'gives-up-in-queue' }, { caller.waits = 10 }, { other = 'comes-to-queue' }, \
        { caller.waits = 5 }, { other = 'hangs-up' }, { flow.says = 'Next' }";
    let twiml = "<Enqueue action='/next'>help</Enqueue>";
    let run = play(twiml, "others-in-queue = 2", steps).unwrap();
    for line in [
        "waits as 3 of 3",
        "waits as 2 of 2",
        "waits as 1 of 1",
        "after 30 s",
    ] {
        assert!(run.transcript.contains(line), "{line}\n{}", run.transcript);
    }
    assert!(
        told(&run).contains("QueueResult=bridged&"),
        "{}",
        told(&run)
    );
}

#[test]
fn the_far_end_of_a_stream_closes_it() {
    let world = "streams = [{ url = 'wss://ear.example', does = 'closes', after = 30 }]";
    let steps = "{ flow.streams = 'ear.example/' }, { flow.says = 'Next' }";
    let twiml = "<Connect action='/next'><Stream url='wss://ear.example/'/></Connect>";
    let run = play(twiml, world, steps).unwrap();
    assert!(
        run.transcript.contains("stream 1 closed"),
        "{}",
        run.transcript
    );
}

#[test]
fn the_api_ends_a_call() {
    let steps = "{ flow.says = 'Hello' }, { api = 'hangs-up' }";
    let run = play("<Say>Hello</Say>", "", steps).unwrap();
    assert!(
        run.transcript.contains("the API hangs up"),
        "{}",
        run.transcript
    );
    assert!(
        run.transcript.contains("hung up (api)"),
        "{}",
        run.transcript
    );
}

#[test]
fn who_is_not_there_cannot_act() {
    for (twiml, steps, why) in [
        (
            DIAL,
            "{ flow.dials = ['+1', '+2'] }, { callee.answers = '+3' }",
            "step 3: the script has `+3 answers`, the story is not calling +3",
        ),
        (
            DIAL,
            "{ flow.dials = ['+1', '+2'] }, { callee.is-busy = '+2' }, { callee.hangs-up = '+2' }",
            "step 4: the script has `+2 hangs up`, the story is not talking to +2",
        ),
        (
            "<Say>Hello</Say>",
            "{ flow.says = 'Hello' }, { other = 'hangs-up' }",
            "step 3: the script has `somebody hangs up on the caller`, the story has nobody there who could",
        ),
        (
            "<Dial><Conference>weekly</Conference></Dial>",
            "{ flow.joins = 'weekly' }, { other = 'leaves-conference' }",
            "step 3: the script has `somebody leaves the conference`, the story has nobody there who could",
        ),
    ] {
        let unexpected = play(twiml, "callees = { '+1' = 'never-answers' }", steps).unwrap_err();
        assert_eq!(unexpected.why, why, "{}", unexpected.run.transcript);
    }
}

#[test]
fn a_flow_knows_who_calls_whom() {
    let world = "from = '+85512345678'\nto = '1294'";
    let run = play("<Hangup/>", world, "{ flow = 'hangs-up' }").unwrap();
    let told = told(&run);
    assert!(told.contains("From=%2B85512345678&To=1294&"), "{told}");
}

#[test]
fn a_web_server_outside_of_the_script_answers_what_the_script_does_not() {
    let script = |document: &'static str| {
        Script::new()
            .setting("voice-url", "http://app.example/voice")
            .web(move |request| {
                assert_eq!(request.url, "http://app.example/voice");
                Ok(xml(document))
            })
            .expect_answer()
    };
    let heard = script("<Response><Say>Real</Say></Response>").expect_say("Real");
    run(&TWIML, heard).unwrap();
    let faked = script("<Response><Say>Real</Say></Response>")
        .respond(
            "http://app.example/",
            Ok(xml("<Response><Say>Fake</Say></Response>")),
        )
        .expect_say("Fake");
    run(&TWIML, faked).unwrap();
}
