//! The TwiML interpreter, a component like any other.

use jackfield_guest::{Call, CallError};

jackfield_guest::flow!(run);

fn run(call: &Call) -> Result<(), CallError> {
    call.answer()?;
    call.say("An application error has occurred. Goodbye.")?
        .finish()?;
    call.hang_up()
}
