//! Knows who has called before: counts their calls, asks once for the number of their village, and greets them with it from then on.
//!
//! Keeps `calls/NUMBER` and `village/NUMBER` in the account's key-value pairs.

use std::time::Duration;

use jackfield_guest::{Call, CallError, Digits, info};

jackfield_guest::flow!(run);

const PATIENCE: Duration = Duration::from_secs(5);

fn run(call: &Call) -> Result<(), CallError> {
    let pairs = call.key_value()?;
    let caller = call.info().caller;
    // Two calls of the same number at once are two: nobody else's write comes between.
    let calls = pairs.increment(&format!("calls/{caller}"), 1)?;
    info!(call, "call number {calls} of this caller");
    call.answer()?;
    let village = format!("village/{caller}");
    if let Some(known) = pairs.text(&village)? {
        call.say(format!(
            "Welcome back to call number {calls}. Here is the forecast for village {known}."
        ))?
        .finish()?;
        return call.hang_up();
    }
    let question = call.say("Welcome. Please type the number of your village, then press hash.")?;
    let typed = question.gather(Digits::any().until('#'), PATIENCE)?;
    if typed.is_empty() {
        call.say("Please call again. Goodbye.")?.finish()?;
    } else {
        pairs.set(&village, &typed)?;
        call.say(format!("Thank you. We will remember village {typed}."))?
            .finish()?;
    }
    call.hang_up()
}

#[cfg(test)]
mod tests {
    use jackfield_guest::{Call, Rehearsal};

    #[test]
    fn a_village_is_remembered() {
        let caller = Rehearsal::new().press(1.0, "12#");
        super::run(&Call::on(caller.clone())).unwrap();
        let pairs = caller.pairs();
        assert_eq!(pairs["calls/+15550100"], b"1");
        assert_eq!(pairs["village/+15550100"], b"12");
    }
}
