//! The people of an account, as its stories reach them. Mirrors `jackfield:people@0.1.0`.
//!
//! They are the account's, as its [key-value pairs](crate::KeyValues) are, and outlive every call: a story's questions go past its call.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Bytes of a language's tag, at most.
const LANGUAGE_BYTES: usize = 35;
/// Bytes of an area's code, at most.
const AREA_BYTES: usize = 32;
/// Bytes of a field's name, at most.
const FIELD_NAME_BYTES: usize = 64;
/// Bytes of a field's value, at most.
const FIELD_BYTES: usize = 1_000;
/// Areas of one person, and fields, at most.
const ENTRIES: usize = 50;
/// What every person has, which no field is called.
const RESERVED: [&str; 5] = ["number", "language", "areas", "created", "updated"];

/// Somebody who registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// In E.164 with `+`, or a short code.
    pub number: String,
    /// What they want to hear, such as `lo`.
    pub language: Option<String>,
    /// Codes of where they live; one is within another if it begins with the other's.
    pub areas: Vec<String>,
    /// What else is known, by name.
    pub fields: BTreeMap<String, String>,
}

/// What is saved of a person. What it does not name stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonChange {
    /// Whose.
    pub number: String,
    /// What they want to hear from now on; an empty text for unknown.
    pub language: Option<String>,
    /// All of their areas from now on.
    pub areas: Option<Vec<String>>,
    /// Fields that get a value; one with an empty value goes.
    pub fields: BTreeMap<String, String>,
}

/// What a story asks of its account's people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum PeopleCommand {
    /// Who has a number.
    Get(String),
    /// Saves what is said of a person. Is durable when it is answered.
    Save(PersonChange),
    /// Forgets who has a number, if there is somebody. Is durable when it is answered.
    Remove(String),
}

/// What comes back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum PeopleReply {
    /// To [`PeopleCommand::Save`] and [`PeopleCommand::Remove`]: it is on disk.
    Done,
    /// To [`PeopleCommand::Get`]; none if nobody is known by that number.
    Person(Option<Person>),
}

/// Why nothing was read or kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[non_exhaustive]
pub enum PeopleError {
    /// The account keeps no people for this story.
    #[error("not granted: people")]
    NotGranted,
    /// What was given is no such thing; says what.
    #[error("{0}")]
    Invalid(String),
    /// A limit; says which.
    #[error("{0}")]
    LimitReached(String),
    /// The people cannot be had at present; says why.
    #[error("the people are out of reach: {0}")]
    Unavailable(String),
}

impl PeopleCommand {
    /// Checks that it can be asked.
    ///
    /// # Errors
    /// [`PeopleError::Invalid`], which says what is wrong.
    pub fn check(&self) -> Result<(), PeopleError> {
        match self {
            Self::Get(number) | Self::Remove(number) => check_number(number),
            Self::Save(change) => change.check(),
        }
    }
}

impl PersonChange {
    /// Checks everything that does not depend on what is kept.
    ///
    /// # Errors
    /// [`PeopleError::Invalid`], which says what is wrong.
    pub fn check(&self) -> Result<(), PeopleError> {
        check_number(&self.number)?;
        if let Some(language) = self.language.as_ref().filter(|tag| !tag.is_empty()) {
            check_code("a language", language, LANGUAGE_BYTES, "-")?;
        }
        let areas = self.areas.as_deref().unwrap_or_default();
        check_count("areas", areas.len())?;
        for area in areas {
            check_code("an area", area, AREA_BYTES, "-._")?;
        }
        check_count("fields", self.fields.len())?;
        for (name, value) in &self.fields {
            check_code("a field's name", name, FIELD_NAME_BYTES, "-._")?;
            if RESERVED.contains(&name.as_str()) {
                let why = format!("`{name}` is not a field: every person has it");
                return Err(PeopleError::Invalid(why));
            }
            check_bytes("a field's value", value, 0, FIELD_BYTES)?;
        }
        Ok(())
    }

    /// The person as they then are.
    fn onto(self, before: Option<Person>) -> Person {
        let mut person = before.unwrap_or_else(|| Person {
            number: self.number,
            language: None,
            areas: Vec::new(),
            fields: BTreeMap::new(),
        });
        if let Some(language) = self.language {
            person.language = Some(language).filter(|language| !language.is_empty());
        }
        if let Some(mut areas) = self.areas {
            areas.sort();
            areas.dedup();
            person.areas = areas;
        }
        person.fields.extend(self.fields);
        person.fields.retain(|_, value| !value.is_empty());
        person
    }
}

impl From<Person> for PersonChange {
    fn from(person: Person) -> Self {
        Self {
            number: person.number,
            language: person.language,
            areas: Some(person.areas),
            fields: person.fields,
        }
    }
}

/// The same numbers as everywhere: E.164 with its plus (5 to 15 digits, not beginning with 0), or a short code (1 to 8 digits).
fn check_number(number: &str) -> Result<(), PeopleError> {
    let (digits, lengths) = match number.strip_prefix('+') {
        Some(digits) => (digits, 5..=15),
        None => (number, 1..=8),
    };
    let is_number = lengths.contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && !number.starts_with("+0");
    if is_number {
        return Ok(());
    }
    Err(PeopleError::Invalid(
        "a person's number is E.164 with its plus, such as `+85620555001`, or a short code of 1 to 8 digits"
            .to_owned(),
    ))
}

/// What is compared by its beginning, and written into lists: plain characters alone.
fn check_code(what: &str, code: &str, most: usize, besides: &str) -> Result<(), PeopleError> {
    check_bytes(what, code, 1, most)?;
    if code
        .chars()
        .all(|letter| letter.is_ascii_alphanumeric() || besides.contains(letter))
    {
        return Ok(());
    }
    let why = format!("{what} is letters, digits and any of `{besides}`");
    Err(PeopleError::Invalid(why))
}

fn check_bytes(what: &str, text: &str, least: usize, most: usize) -> Result<(), PeopleError> {
    let bytes = text.len();
    if (least..=most).contains(&bytes) {
        return Ok(());
    }
    let why = format!("{what} has {bytes} bytes: it must have {least} to {most}");
    Err(PeopleError::Invalid(why))
}

fn check_count(what: &str, count: usize) -> Result<(), PeopleError> {
    if count <= ENTRIES {
        return Ok(());
    }
    let why = format!("{count} {what}: a person has at most {ENTRIES}");
    Err(PeopleError::Invalid(why))
}

/// People of one account in memory: for tests and simulation.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct People(BTreeMap<String, Person>);

impl People {
    /// Does what a story asks.
    ///
    /// # Errors
    /// Why nothing was read or kept.
    pub fn obey(&mut self, command: PeopleCommand) -> Result<PeopleReply, PeopleError> {
        command.check()?;
        match command {
            PeopleCommand::Get(number) => {
                return Ok(PeopleReply::Person(self.0.get(&number).cloned()));
            }
            PeopleCommand::Save(change) => {
                let before = self.0.remove(&change.number);
                let person = change.onto(before);
                self.0.insert(person.number.clone(), person)
            }
            PeopleCommand::Remove(number) => self.0.remove(&number),
        };
        Ok(PeopleReply::Done)
    }

    /// All of them, in the order of their numbers.
    pub fn iter(&self) -> impl Iterator<Item = &Person> {
        self.0.values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NUMBER: &str = "+8562012345";

    fn change() -> PersonChange {
        PersonChange {
            number: NUMBER.to_owned(),
            language: None,
            areas: None,
            fields: BTreeMap::new(),
        }
    }

    fn field(name: &str, value: &str) -> BTreeMap<String, String> {
        BTreeMap::from([(name.to_owned(), value.to_owned())])
    }

    #[test]
    fn what_is_saved_is_added_to_what_is_known_until_it_is_removed() {
        let mut people = People::default();
        let mut save = |change| {
            people.obey(PeopleCommand::Save(change)).unwrap();
            let get = PeopleCommand::Get(NUMBER.to_owned());
            match people.obey(get) {
                Ok(PeopleReply::Person(Some(person))) => person,
                other => panic!("{other:?}"),
            }
        };
        let areas = |codes: &[&str]| Some(codes.iter().map(|code| (*code).to_owned()).collect());
        save(PersonChange {
            language: Some("lo".to_owned()),
            fields: field("name", "Noy"),
            ..change()
        });
        let person = save(PersonChange {
            areas: areas(&["1602", "1401", "1602"]),
            fields: field("role", "chief"),
            ..change()
        });
        let told = |person: &Person| {
            format!(
                "{:?} {:?} {:?}",
                person.language, person.areas, person.fields
            )
        };
        assert_eq!(
            told(&person),
            r#"Some("lo") ["1401", "1602"] {"name": "Noy", "role": "chief"}"#
        );
        let person = save(PersonChange {
            language: Some(String::new()),
            areas: areas(&[]),
            fields: field("name", ""),
            ..change()
        });
        assert_eq!(told(&person), r#"None [] {"role": "chief"}"#);
        for _ in 0..2 {
            let remove = PeopleCommand::Remove(NUMBER.to_owned());
            assert_eq!(people.obey(remove), Ok(PeopleReply::Done));
            assert_eq!(people.iter().count(), 0);
        }
    }

    #[test]
    fn what_is_no_person_is_refused_in_words_and_not_kept() {
        let mut people = People::default();
        let mut check = |change: PersonChange, told: &str| {
            let error = people.obey(PeopleCommand::Save(change)).unwrap_err();
            assert!(error.to_string().contains(told), "{error}");
        };
        for number in [
            "",
            "+",
            "anonymous",
            "+85620 12345",
            "+1234567890123456",
            "+1234",
            "+0123456",
            "02055500001",
        ] {
            let number = number.to_owned();
            check(PersonChange { number, ..change() }, "a short code");
        }
        for (language, told) in [("x".repeat(36), "36 bytes"), ("a b".to_owned(), "`-`")] {
            let language = Some(language);
            check(
                PersonChange {
                    language,
                    ..change()
                },
                told,
            );
        }
        for (areas, told) in [
            (vec![String::new()], "0 bytes"),
            (vec!["14 01".to_owned()], "an area is"),
            (vec!["14".to_owned(); 51], "51 areas"),
        ] {
            let areas = Some(areas);
            check(PersonChange { areas, ..change() }, told);
        }
        let numbered = (0..51).map(|number| (format!("f{number}"), String::new()));
        for (fields, told) in [
            (field("", "x"), "a field's name"),
            (field("language", "x"), "is not a field"),
            (field("a", &"x".repeat(FIELD_BYTES + 1)), "1001 bytes"),
            (numbered.collect(), "51 fields"),
        ] {
            check(PersonChange { fields, ..change() }, told);
        }
        assert_eq!(people, People::default());
    }
}
