//! A script that grants less than everything.

use call::Grants;
use harness::{Script, run, xml};

use crate::TWIML;

#[test]
fn a_host_that_is_not_granted_is_not_asked() {
    let calling = |hosts: &[&str]| {
        let grants = Grants {
            hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
            ..Grants::default()
        };
        Script::new()
            .setting("voice-url", "http://app.example/voice")
            .respond(
                "http://app.example/",
                Ok(xml("<Response><Say>Hello</Say></Response>")),
            )
            .granting(grants)
            .expect_answer()
            .expect_say("Hello")
    };
    run(&TWIML, calling(&["app.example"])).unwrap();
    let unexpected = run(&TWIML, calling(&["other.example"])).unwrap_err();
    let transcript = &unexpected.run.transcript;
    assert!(
        transcript.contains("hosts = [\"app.example\"]"),
        "{transcript}"
    );
}
