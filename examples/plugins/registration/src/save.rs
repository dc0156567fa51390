//! A person with the place where they live.

use jackfield_guest::{Call, CallError, Direction, PersonChange};

use crate::Gazetteer;

/// Whether who is on the other side has a number that people are known by: neither withheld nor in a form that means nothing elsewhere.
///
/// # Errors
/// Those of [`jackfield_guest::People::get`] but for what is no number.
pub fn can_be_saved(call: &Call) -> Result<bool, CallError> {
    match call.people().get(&number(call)) {
        Ok(_) => Ok(true),
        Err(CallError::InvalidArgument(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Saves who is on the other side, with a place beside those where they registered before, and with its names as fields.
///
/// # Errors
/// Those of [`jackfield_guest::People::save`].
pub fn save(
    call: &Call,
    gazetteer: &Gazetteer,
    code: &str,
    language: &str,
) -> Result<(), CallError> {
    let number = number(call);
    let known = call.people().get(&number)?;
    let mut areas = known.map(|person| person.areas).unwrap_or_default();
    areas.push(code.to_owned());
    let around = gazetteer.around(code);
    let names = |name: fn(&crate::Place) -> &str| {
        let names = around.iter().map(|place| name(place));
        names
            .filter(|name| !name.is_empty())
            .collect::<Vec<_>>()
            .join(", ")
    };
    let iso = around.last().map_or("", |province| &province.iso);
    let change = PersonChange::of(number)
        .language(language)
        .areas(areas)
        .field("iso", iso)
        .field("latest_area", code)
        .field("latest_address_en", names(|place| &place.name_en))
        .field("latest_address_local", names(|place| &place.name_local));
    call.people().save(change)
}

/// The other side's.
fn number(call: &Call) -> String {
    let info = call.info();
    match info.direction {
        Direction::Inbound => info.caller,
        Direction::OutboundApi | Direction::OutboundDial => info.callee,
    }
}
