//! How many cases of the harness one core plays in a second.
//!
//! ```sh
//! cargo run --release -p jackfield-harness --example cases_a_second
//! ```
//!
//! Each kind of case is played for the time given (2 seconds without an argument), one after the other on one thread: a new instance
//! of the component, the call core, the journal and the transcript each time. A case that fails ends the run.

use std::error::Error;
use std::time::{Duration, Instant};

use harness::{Case, read_cases, run};
use plugin_host::{Engine, EngineConfig, Flow};

/// A digit is pressed in a menu: two prompts.
const MENU: &str = r#"
    [[case]]
    name = "menu, one digit"
    steps = [
        { flow = "answers" },
        { flow.plays = "menu.wav" },
        { caller.presses = "1" },
        { flow.plays = "sales.wav" },
        { flow = "hangs-up" },
    ]
"#;

/// Two documents are fetched and digits gathered.
const TWIML: &str = r#"
    [[case]]
    name = "TwiML, Gather with an action"
    steps = [
        { flow = "answers" },
        { flow.says = "Two digits" },
        { caller.presses = "42" },
        { flow.says = "Thanks" },
        { flow = "hangs-up" },
    ]
    [case.world]
    settings.voice-url = "http://app.example/voice"
    [[case.world.http]]
    url = "http://app.example/voice"
    twiml = '<Response><Gather numDigits="2" action="/menu"><Say>Two digits, please</Say></Gather></Response>'
    [[case.world.http]]
    url = "http://app.example/menu"
    twiml = "<Response><Say>Thanks</Say></Response>"
"#;

/// An hour of an echo, which has no more to do than a second of it.
const ECHO: &str = r##"
    [[case]]
    name = "echo, an hour long"
    steps = [
        { flow = "answers" },
        { flow.plays = "echo.wav" },
        { flow.echoes = true },
        { caller.waits = 3600 },
        { caller.presses = "#" },
        { flow.echoes = false },
        { flow.plays = "goodbye.wav" },
        { flow = "hangs-up" },
    ]
"##;

fn main() -> Result<(), Box<dyn Error>> {
    let seconds = std::env::args()
        .nth(1)
        .map_or(Ok(2.0), |text| text.parse())?;
    let engine = Engine::new(EngineConfig {
        max_stories: 1,
        cache: None,
    })?;
    println!("| case | cases a second | µs a case | virtual seconds in one |");
    println!("|---|---|---|---|");
    for (component, script) in [
        (bundled::MENU, MENU),
        (bundled::TWIML, TWIML),
        (bundled::ECHO, ECHO),
    ] {
        let flow = engine.load(component)?;
        for case in read_cases(script)?.calls {
            measure(&flow, &case, Duration::from_secs_f64(seconds))?;
        }
    }
    Ok(())
}

fn measure(flow: &Flow, case: &Case, time: Duration) -> Result<(), Box<dyn Error>> {
    let length = run(flow, case.script.clone())?.duration.as_secs_f64(); // the first one pays for what is made once
    let began = Instant::now();
    let mut played = 0_u32;
    while began.elapsed() < time {
        run(flow, case.script.clone())?;
        played += 1;
    }
    let took = began.elapsed().as_secs_f64();
    let rate = f64::from(played) / took;
    let name = &case.name;
    println!("| {name} | {rate:.0} | {:.0} | {length:.1} |", 1e6 / rate);
    Ok(())
}
