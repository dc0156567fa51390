//! Components that were built when 0.1.0 was frozen: they load and run for as long as there is a host.

use harness::read_cases;
use plugin_host::Flow;

use crate::ENGINE;

/// Built from `plugins/echo` and `twiml-plugin` on the day of the freeze; never built anew.
const ECHO: &[u8] = include_bytes!("../../../../tests/vectors/components/echo-0.1.0.wasm");
const TWIML: &[u8] = include_bytes!("../../../../tests/vectors/components/twiml-0.1.0.wasm");

const ECHO_CASE: &str = r#"
[[case]]
name = "The hash key ends the echo"
steps = [
    { flow = "answers" },
    { flow.plays = "echo.wav" },
    { flow.echoes = true },
    { caller.presses = "12#" },
    { flow.echoes = false },
    { flow.plays = "goodbye.wav" },
    { flow = "hangs-up" },
]
"#;

const TWIML_CASE: &str = r#"
[[case]]
name = "A document dials, asks and leads on"
world.callees = { "+85512345678" = "busy" }
world.settings.twiml = """<Response><Dial timeout="20">+85512345678</Dial>
    <Gather numDigits="1" action="https://app.example/"><Say>Press one</Say></Gather></Response>"""
world.http = [{ url = "https://app.example/", twiml = "<Response><Say>Goodbye</Say></Response>" }]
sent = [{ url = "https://app.example/", body = "Digits=1" }]
steps = [
    { flow = "answers" },
    { flow.dials = ["+85512345678"] },
    { flow.says = "Press one" },
    { caller.presses = "1" },
    { flow.says = "Goodbye" },
    { flow = "hangs-up" },
]
"#;

fn play(flow: &Flow, cases: &str) {
    for case in read_cases(cases).unwrap().calls {
        let (run, trouble) = case.play(flow, |script| script);
        assert_eq!(trouble, None, "{}: {}", case.name, run.transcript);
    }
}

/// Keeps components of today: for the release of a version, and for nothing else.
const FREEZE: &str = "JACKFIELD_FREEZE";

#[test]
fn what_was_built_for_0_1_0_loads_and_runs() {
    if std::env::var_os(FREEZE).is_some() {
        let folder = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../tests/vectors/components"
        );
        for (name, wasm) in [("echo", bundled::ECHO), ("twiml", bundled::TWIML)] {
            std::fs::write(format!("{folder}/{name}-0.1.0.wasm"), wasm).unwrap();
        }
        return;
    }
    play(&ENGINE.load(ECHO).unwrap(), ECHO_CASE);
    play(&ENGINE.load(TWIML).unwrap(), TWIML_CASE);
}
