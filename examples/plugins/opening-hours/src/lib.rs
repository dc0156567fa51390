//! Connects callers to an office while it is open, and tells them the hours while it is not.
//!
//! Settings: `hours` (`Mon-Fri 08:00-12:00 13:00-17:00, Sat 08:00-12:00`), `utc-offset` (`+07:00`), `office` (the number that is dialled),
//! `closed` (what callers hear outside the hours).

mod hours;

use std::time::{Duration, SystemTime};

use hours::{Hours, Moment};
use jackfield_guest::{Call, CallError, Dial, DialStatus, error};

jackfield_guest::flow!(run);

const CLOSED: &str = "Our office is closed now. Please call again during opening hours.";
const RING: Duration = Duration::from_secs(25);

fn run(call: &Call) -> Result<(), CallError> {
    call.answer()?;
    match office(call) {
        Ok(Some(office)) => connect(call, office)?,
        Ok(None) => tell_hours(call)?,
        Err(mistake) => {
            error!(call, "{mistake}");
            tell_hours(call)?;
        }
    }
    call.hang_up()
}

/// Who is to be dialled now; nobody outside the hours.
fn office(call: &Call) -> Result<Option<String>, String> {
    let setting = |name: &str| {
        call.setting(name)
            .ok_or(format!("the setting `{name}` is missing"))
    };
    let hours: Hours = setting("hours")?.parse()?;
    let now = Moment::local(SystemTime::now(), &setting("utc-offset")?)?;
    let office = setting("office")?;
    Ok(hours.contain(now).then_some(office))
}

fn connect(call: &Call, office: String) -> Result<(), CallError> {
    call.say("One moment, we connect you.")?.finish()?;
    let talk = call.dial(Dial::to(office).ring_for(RING))?.finish()?;
    if talk.status != DialStatus::Completed {
        call.say("Everybody is busy. Please call again later.")?
            .finish()?;
    }
    Ok(())
}

fn tell_hours(call: &Call) -> Result<(), CallError> {
    let words = call.setting("closed").unwrap_or_else(|| CLOSED.to_owned());
    call.say(words)?.finish()?;
    Ok(())
}
