//! Sends your audio back to you until you press the hash key.

use jackfield_guest::{Call, CallError};

jackfield_guest::flow!(run);

/// Answers, says what happens next, and is your echo.
fn run(call: &Call) -> Result<(), CallError> {
    call.answer()?;
    call.play("prompts/echo.wav")?.finish()?;

    call.echo(true)?;
    while call.key()? != '#' {}
    call.echo(false)?;

    call.play("prompts/goodbye.wav")?.finish()?;
    call.hang_up()
}

#[cfg(test)]
mod tests;
