//! The classic menu: 1 for sales, 2 for support. Asks up to three times, then says goodbye.

use std::time::Duration;

use jackfield_guest::{Call, CallError, Digits};

jackfield_guest::flow!(run);

fn run(call: &Call) -> Result<(), CallError> {
    call.answer()?;
    for _ in 0..3 {
        let menu = call.play("prompts/menu.wav")?;
        let choice = menu.gather(Digits::up_to(1), Duration::from_secs(5))?;
        let department = match choice.as_str() {
            "1" => "prompts/sales.wav",
            "2" => "prompts/support.wav",
            _ => continue,
        };
        call.play(department)?.finish()?;
        return call.hang_up();
    }
    call.play("prompts/goodbye.wav")?.finish()?;
    call.hang_up()
}

#[cfg(test)]
mod tests;
