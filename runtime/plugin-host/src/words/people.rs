//! People of an account in words.

use std::collections::BTreeMap;

use call::{PeopleCommand, PeopleError, PeopleReply, Person};

use super::shortened;

/// What a story asks of its account's people, such as `people: save +85512345678, language khm, areas 1503`.
#[must_use]
pub fn people(command: &PeopleCommand) -> String {
    match command {
        PeopleCommand::Get(number) => format!("people: get {}", shortened(number)),
        PeopleCommand::Save(change) => {
            let change = told(
                &change.number,
                change.language.as_deref(),
                change.areas.as_ref(),
                &change.fields,
            );
            format!("people: save {change}")
        }
        PeopleCommand::Remove(number) => format!("people: remove {}", shortened(number)),
    }
}

/// What it got.
#[must_use]
pub fn people_result(result: &Result<PeopleReply, PeopleError>) -> String {
    match result {
        Ok(PeopleReply::Done) => "done".to_owned(),
        Ok(PeopleReply::Person(None)) => "nobody".to_owned(),
        Ok(PeopleReply::Person(Some(person))) => words(person),
        Err(error) => error.to_string(),
    }
}

fn words(person: &Person) -> String {
    told(
        &person.number,
        person.language.as_deref(),
        Some(&person.areas),
        &person.fields,
    )
}

fn told(
    number: &str,
    language: Option<&str>,
    areas: Option<&Vec<String>>,
    fields: &BTreeMap<String, String>,
) -> String {
    let mut words = number.to_owned();
    if let Some(language) = language {
        words.push_str(&format!(", language {language}"));
    }
    if let Some(areas) = areas {
        words.push_str(&format!(", areas {}", areas.join(" ")));
    }
    for (name, value) in fields {
        words.push_str(&format!(", {name} {value:?}"));
    }
    shortened(&words).into_owned()
}
