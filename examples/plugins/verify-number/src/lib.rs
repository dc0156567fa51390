//! Checks that whoever answers a number also sees the web page that asked for it: they type the code that the page shows.
//!
//! Place the call through the API. Settings: `verify-url`, which gets `{"number":"+855…","code":"123456"}` as a POST that is signed as a webhook, and
//! answers 200 (the code is right) or 403 (it is not); `code-length` (6).

use std::time::Duration;

use jackfield_guest::{Call, CallError, Digits, Direction, Request, error};

jackfield_guest::flow!(run);

const ATTEMPTS: usize = 3;
const PATIENCE: Duration = Duration::from_secs(15);

/// What the web server makes of a code.
enum Verdict {
    Right,
    Wrong,
    /// It cannot say.
    Unknown,
}

fn run(call: &Call) -> Result<(), CallError> {
    call.answer()?;
    let length = call
        .setting("code-length")
        .and_then(|digits| digits.parse().ok())
        .unwrap_or(6);
    for _ in 0..ATTEMPTS {
        let question = call.say("Please type the code that you see on the page.")?;
        let code = question.gather(Digits::exactly(length), PATIENCE)?;
        if code.len() < length {
            continue;
        }
        match verdict(call, &code)? {
            Verdict::Right => return leave_with(call, "Thank you. Your number is confirmed."),
            Verdict::Wrong => call.say("That is not the code.")?.finish()?,
            Verdict::Unknown => {
                return leave_with(
                    call,
                    "We cannot check the code now. Please try again later.",
                );
            }
        };
    }
    leave_with(call, "Goodbye.")
}

fn verdict(call: &Call, code: &str) -> Result<Verdict, CallError> {
    let Some(url) = call.setting("verify-url") else {
        error!(call, "the setting `verify-url` is missing");
        return Ok(Verdict::Unknown);
    };
    let body = serde_json::json!({ "number": other_party(call), "code": code });
    let request = Request::post(url)
        .header("Content-Type", "application/json")
        .body(body.to_string())
        .signed();
    Ok(match call.http(request)? {
        Ok(answer) if answer.is_success() => Verdict::Right,
        Ok(answer) if answer.status == 403 => Verdict::Wrong,
        Ok(answer) => {
            error!(call, "the web server answered {}", answer.status);
            Verdict::Unknown
        }
        Err(cause) => {
            error!(call, "no answer from the web server: {cause}");
            Verdict::Unknown
        }
    })
}

fn other_party(call: &Call) -> String {
    let info = call.info();
    match info.direction {
        Direction::Inbound => info.caller,
        Direction::OutboundApi | Direction::OutboundDial => info.callee,
    }
}

fn leave_with(call: &Call, words: &str) -> Result<(), CallError> {
    call.say(words)?.finish()?;
    call.hang_up()
}
