//! Asks questions that are answered by a key from 1 to 5, and sends the answers to a web server, also when the caller hangs up before the last.
//!
//! Settings: `questions`, with `|` between them; `results-url`, which gets
//! `{"call":"CA…","number":"+855…","answers":[4,null,5],"complete":true}` as a POST that is signed as a webhook.

use std::time::Duration;

use jackfield_guest::{Call, CallError, Digits, Request, error};

jackfield_guest::flow!(run);

const ATTEMPTS: usize = 2;
const PATIENCE: Duration = Duration::from_secs(6);

fn run(call: &Call) -> Result<(), CallError> {
    call.answer()?;
    let questions = call.setting("questions").unwrap_or_default();
    let mut answers = Vec::new();
    // Whoever hangs up in the middle has still said something.
    let asked = ask(call, &questions, &mut answers);
    send(call, &answers, asked.is_ok())?;
    asked?;
    call.say("Thank you for your answers. Goodbye.")?.finish()?;
    call.hang_up()
}

fn ask(call: &Call, questions: &str, answers: &mut Vec<Option<u32>>) -> Result<(), CallError> {
    for question in questions
        .split('|')
        .map(str::trim)
        .filter(|question| !question.is_empty())
    {
        answers.push(answer(call, question)?);
    }
    Ok(())
}

/// 1 to 5; none from who says nothing to the point.
fn answer(call: &Call, question: &str) -> Result<Option<u32>, CallError> {
    for _ in 0..ATTEMPTS {
        let asked = call.say(format!(
            "{question} Press a key from 1, not at all, to 5, very much."
        ))?;
        let key = asked.gather(Digits::exactly(1), PATIENCE)?;
        let mark = key.parse().ok().filter(|mark| (1..=5).contains(mark));
        if mark.is_some() {
            return Ok(mark);
        }
    }
    Ok(None)
}

fn send(call: &Call, answers: &[Option<u32>], complete: bool) -> Result<(), CallError> {
    let Some(url) = call.setting("results-url") else {
        error!(
            call,
            "the setting `results-url` is missing: the answers are lost"
        );
        return Ok(());
    };
    let info = call.info();
    let body = serde_json::json!({ "call": info.call_sid, "number": info.caller, "answers": answers, "complete": complete });
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
