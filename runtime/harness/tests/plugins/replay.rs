//! Each run's journal replays to the same commands.

use std::time::Duration;

use call::Command;
use harness::{Run, Script, perform, xml};
use plugin_host::journal::Journal;
use plugin_host::{Flow, replay};

use crate::{ECHO, MENU, TWIML};

async fn played(flow: &Flow, script: Script) -> Run {
    perform(flow, script).await.unwrap()
}

#[tokio::test]
async fn the_bundled_components_replay_from_their_journals() {
    let menu = Script::new()
        .expect_answer()
        .expect_play("menu.wav")
        .wait(Duration::from_secs(3))
        .press("1");
    let document = r#"<Response><Gather action="/x"><Say>Say</Say></Gather></Response>"#;
    let twiml = Script::new()
        .setting("voice-url", "http://app.example/voice")
        .respond("http://app.example/voice", Ok(xml(document)))
        .respond(
            "http://app.example/x",
            Ok(xml("<Response><Say>Bye</Say></Response>")),
        )
        .expect_answer()
        .expect_say("Say")
        .press("5");
    for (flow, script) in [
        (&*ECHO, Script::new()),
        (&*MENU, Script::new()),
        (&*MENU, menu),
        (&*TWIML, twiml),
    ] {
        let run = played(flow, script).await;
        let journal = Journal::read(&run.end.journal).unwrap();
        assert!(journal.commands().eq(&run.commands), "{}", run.transcript);
        let again = replay(flow, &run.end.journal).await.unwrap();
        assert!(again.same_component);
        assert_eq!(again.outcome, run.end.outcome);
        assert_eq!(again.log, run.log);
    }
}

#[tokio::test]
async fn another_component_shows_the_first_difference() {
    let run = played(&MENU, Script::new()).await;
    let error = replay(&ECHO, &run.end.journal).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "after 1 equal steps the journal has `play prompts/menu.wav`, the component `play prompts/echo.wav`"
    );
}

#[tokio::test]
async fn a_journal_has_no_password_and_replays_without_it() {
    const PASSWORD: &str = "hush-4711";
    let document = format!(
        r#"<Response><Dial><Sip username="ward" password="{PASSWORD}">sip:a@b.example</Sip></Dial></Response>"#
    );
    let of_a_server = Script::new()
        .setting("voice-url", "http://app.example/voice")
        .respond("http://app.example/voice", Ok(xml(&document)));
    let of_a_setting = Script::new().setting("twiml", &document);
    for script in [of_a_server, of_a_setting] {
        let script = script.expect_answer().expect_dial(&["sip:a@b.example"]);
        let run = played(&TWIML, script).await;
        let proved = run.commands.iter().filter_map(|command| match command {
            Command::DialWith { terms, .. } => terms[0].login.as_ref(),
            _ => None,
        });
        let proved: Vec<&str> = proved.map(|login| login.password.expose()).collect();
        assert_eq!(proved, [PASSWORD], "{}", run.transcript);
        let text = String::from_utf8_lossy(&run.end.journal);
        assert!(
            !text.contains(PASSWORD) && text.contains("********"),
            "{text}"
        );
        let again = replay(&TWIML, &run.end.journal).await.unwrap();
        assert_eq!(again.outcome, run.end.outcome);
    }
}
