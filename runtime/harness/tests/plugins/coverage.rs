//! What cases reached.

use harness::{Coverage, Script, run, xml};

use crate::{MENU, TWIML};

fn pressing(key: &str) -> Script {
    Script::new()
        .expect_answer()
        .expect_play("menu.wav")
        .press(key)
}

#[test]
fn what_was_heard_pressed_and_asked_is_counted_and_what_was_not_is_named() {
    let mut coverage = Coverage::new();
    for key in ["1", "1", "7"] {
        coverage.add(&run(&MENU, pressing(key)).unwrap()).unwrap();
    }
    let document = r#"<Response><Gather action="/x?id=1" method="GET"><Say>Your number</Say></Gather></Response>"#;
    let script = Script::new()
        .setting("voice-url", "http://app.example/voice")
        .always_respond("http://app.example/", Ok(xml(document)))
        .expect_answer()
        .expect_say("Your number")
        .press("12#")
        .hang_up();
    coverage.add(&run(&TWIML, script).unwrap()).unwrap();
    let count = |kind: &str, name: &str| coverage.counts()[kind].get(name).copied();
    for (kind, name, expected) in [
        ("plays", "prompts/sales.wav", 2),
        ("keys", "prompts/menu.wav: 1", 2),
        ("keys", "prompts/menu.wav: 7", 1),
        ("says", "Your number", 1),
        ("keys", "Your number: 12#", 1),
        ("asks", "POST http://app.example/voice", 1),
        ("asks", "GET http://app.example/x", 1),
        ("ends", "the other side hung up", 1),
    ] {
        assert_eq!(
            count(kind, name),
            Some(expected),
            "{kind} {name}\n{coverage}"
        );
    }

    let earlier = Coverage::of(coverage.counts().clone());
    let mut later = Coverage::new();
    later.add(&run(&MENU, pressing("1")).unwrap()).unwrap();
    assert_eq!(later.missed().count(), 0);
    later.expect(&earlier);
    later.expect_one("plays", "prompts/never.wav");
    let missed: Vec<_> = later.missed().collect();
    for name in [("plays", "prompts/never.wav"), ("says", "Your number")] {
        assert!(missed.contains(&name), "{missed:?}");
    }
    assert!(
        !missed.contains(&("plays", "prompts/sales.wav")),
        "{missed:?}"
    );
    let told = later.to_string();
    assert!(told.starts_with("In 1 calls:\n"), "{told}");
    assert!(
        told.contains("     1  plays    prompts/menu.wav\n"),
        "{told}"
    );
    assert!(
        told.contains("        plays    prompts/never.wav\n"),
        "{told}"
    );
}
