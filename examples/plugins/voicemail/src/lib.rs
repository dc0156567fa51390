//! Takes a message, lets the caller record it again, and tells a web server where it is, also when the caller hangs up instead of choosing.
//!
//! Settings: `greeting` (what callers hear first), `inbox-url`, which gets
//! `{"call":"CA…","number":"+855…","recording":"https://…/Recordings/RE…","duration_ms":4200}` as a POST that is signed as a webhook.

use std::time::Duration;

use jackfield_guest::{Call, CallError, Digits, Recorded, RecordingOptions, Request, error};

jackfield_guest::flow!(run);

const GREETING: &str =
    "Nobody can take your call. Leave a message after the beep, and press hash when you are done.";
const ATTEMPTS: usize = 3;
const LONGEST: Duration = Duration::from_secs(180);
const PATIENCE: Duration = Duration::from_secs(5);

fn run(call: &Call) -> Result<(), CallError> {
    call.answer()?;
    let greeting = call
        .setting("greeting")
        .unwrap_or_else(|| GREETING.to_owned());
    call.say(greeting)?.finish()?;
    for _ in 0..ATTEMPTS {
        let message = call.record(
            RecordingOptions::of_message()
                .until_keys("#")
                .at_most(LONGEST),
        )?;
        if !message.heard_voice {
            call.say("We have heard nothing. Please speak after the beep.")?
                .finish()?;
            continue;
        }
        // Whoever hangs up here has left their message.
        let again = wants_to_record_again(call);
        if again == Ok(true) {
            continue;
        }
        deliver(call, &message)?;
        again?;
        call.say("Thank you. Goodbye.")?.finish()?;
        return call.hang_up();
    }
    call.say("Please call again. Goodbye.")?.finish()?;
    call.hang_up()
}

fn wants_to_record_again(call: &Call) -> Result<bool, CallError> {
    let menu =
        call.say("To record it again, press 1. To send it, press any other key or hang up.")?;
    Ok(menu.gather(Digits::exactly(1), PATIENCE)? == "1")
}

fn deliver(call: &Call, message: &Recorded) -> Result<(), CallError> {
    let Some(url) = call.setting("inbox-url") else {
        error!(
            call,
            "the setting `inbox-url` is missing: nobody is told of {}", message.url
        );
        return Ok(());
    };
    let info = call.info();
    let body = serde_json::json!({
        "call": info.call_sid,
        "number": info.caller,
        "recording": message.url,
        "duration_ms": message.duration_ms,
    });
    let request = Request::post(url)
        .header("Content-Type", "application/json")
        .body(body.to_string())
        .signed();
    match call.http(request)? {
        Ok(answer) if answer.is_success() => {}
        Ok(answer) => error!(call, "the web server answered {}: {body}", answer.status),
        Err(cause) => error!(call, "no answer from the web server ({cause}): {body}"),
    }
    Ok(())
}
