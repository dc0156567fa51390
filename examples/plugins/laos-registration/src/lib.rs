//! Registers people by phone with the district where they live, as the early-warning line of Laos does.
//!
//! A greeting; the provinces of the gazetteer in its order; the districts of the one that was chosen, in its order; a farewell. A province
//! without districts is registered itself. A star goes back to the provinces. `0`, what is in no menu and silence hear the same question again.
//! Who has no number that can be registered hears that at once. Settings: see [`registration::Line`].

use jackfield_guest::{Call, CallError};
use registration::{Choice, Gazetteer, Line, can_be_saved, save};

jackfield_guest::flow!(run);

/// What the prompts' names end with, and people are called in.
const LANGUAGE: &str = "lao";

fn run(call: &Call) -> Result<(), CallError> {
    let line = Line::new(call, "ews_laos_registration", "mp3")?;
    let gazetteer = line.gazetteer()?;
    let can_be_saved = can_be_saved(call)?;
    call.answer()?;
    if !can_be_saved {
        return line.turn_away(LANGUAGE);
    }
    line.play("introduction", LANGUAGE)?;
    let Some(place) = place(&line, &gazetteer)? else {
        return line.give_up(LANGUAGE);
    };
    save(call, &gazetteer, &place, LANGUAGE)?;
    line.play("registration_successful", LANGUAGE)?;
    call.hang_up()
}

/// The code of the district that the caller chose, or of a province without districts; none of who said nothing.
fn place(line: &Line<'_>, gazetteer: &Gazetteer) -> Result<Option<String>, CallError> {
    let provinces = gazetteer.within("");
    loop {
        let province = match line.choose("select_province", LANGUAGE, &provinces)? {
            Choice::Place(province) => province,
            Choice::Back => continue,
            Choice::Silence => return Ok(None),
        };
        let districts = gazetteer.within(&province.code);
        if districts.is_empty() {
            return Ok(Some(province.code.clone()));
        }
        match line.choose(&province.code, LANGUAGE, &districts)? {
            Choice::Place(district) => return Ok(Some(district.code.clone())),
            Choice::Back => {}
            Choice::Silence => return Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use jackfield_guest::{Call, CallError, Rehearsal};

    const GAZETTEER: &str = include_str!("../gazetteer.csv");

    #[test]
    fn the_scripts_have_the_gazetteer_as_it_is() {
        assert!(include_str!("../scripts/calls.toml").contains(GAZETTEER));
    }

    #[test]
    fn without_places_nobody_is_answered() {
        for (caller, told) in [
            (Rehearsal::new(), "the setting `gazetteer` is missing"),
            (
                Rehearsal::new().setting("gazetteer", "14,LA-SL"),
                "does not begin",
            ),
        ] {
            match super::run(&Call::on(caller.clone())) {
                Err(CallError::InvalidArgument(why)) => assert!(why.contains(told), "{why}"),
                other => panic!("{other:?}"),
            }
            assert!(caller.transcript().is_empty());
        }
    }
}
