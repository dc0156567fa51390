//! People: whom an account calls, what they speak, where they live.

use std::collections::BTreeMap;

use numbers::PhoneNumber;
use serde::{Deserialize, Serialize};

use crate::{Commit, Scope, StoreError};

/// The most people of one account.
pub const MAX_PEOPLE: u64 = 1_000_000;
/// The most people that one write may save.
pub const MAX_SAVED_AT_ONCE: usize = 1_000;
/// The most areas of one person.
pub const MAX_AREAS: usize = 50;
/// Characters of an area's code.
pub const MAX_AREA_CHARS: usize = 32;
/// The most fields of one person.
pub const MAX_FIELDS: usize = 50;
/// Characters of a field's name.
pub const MAX_FIELD_NAME_CHARS: usize = 64;
/// Bytes of a field's value.
pub const MAX_FIELD_BYTES: usize = 1_000;
/// Bytes of all of a person's fields, names and values.
pub const MAX_FIELDS_BYTES: usize = 8_000;
/// What every person has, which no field is called.
const RESERVED: [&str; 5] = ["number", "language", "areas", "created", "updated"];
/// Characters of a language's tag.
const MAX_LANGUAGE_CHARS: usize = 35;
/// People that one page looks at before it ends early, so that a filter that fits nobody costs a bounded time.
const VISITED: usize = 10_000;

/// Somebody who can be called. One of an account's for each number; times are in milliseconds since the Unix epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Where they are called.
    pub number: PhoneNumber,
    /// What they speak: a tag such as `lo` or `khm`.
    pub language: Option<String>,
    /// Where they live, as codes that say more from left to right: `14` is a province and `1401` a district in it.
    pub areas: Vec<String>,
    /// Whatever else the account knows of them.
    pub fields: BTreeMap<String, String>,
    /// When they were first saved.
    pub created_unix_ms: u64,
    /// When they were last saved.
    pub updated_unix_ms: u64,
}

impl Person {
    /// Whether they live in an area: one of theirs has its code, or lies in it.
    #[must_use]
    pub fn lives_in(&self, area: &str) -> bool {
        self.areas.iter().any(|own| own.starts_with(area))
    }
}

/// What is saved of a person. What it does not name stays as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonChange {
    /// Whose.
    pub number: PhoneNumber,
    /// What they speak from now on; an empty text for unknown.
    pub language: Option<String>,
    /// All of their areas from now on.
    pub areas: Option<Vec<String>>,
    /// Fields that get a value; one with an empty value goes.
    pub fields: BTreeMap<String, String>,
}

impl PersonChange {
    /// Somebody of whom nothing but the number is known.
    #[must_use]
    pub const fn of(number: PhoneNumber) -> Self {
        Self {
            number,
            language: None,
            areas: None,
            fields: BTreeMap::new(),
        }
    }

    /// Checks everything that does not depend on what is kept.
    ///
    /// # Errors
    /// In words for whoever sent it: what is wrong, and what would be right.
    pub fn check(&self) -> Result<(), String> {
        check_language(self.language.as_deref().unwrap_or_default())?;
        let areas = self.areas.as_deref().unwrap_or_default();
        if areas.len() > MAX_AREAS {
            return Err(format!("a person has {MAX_AREAS} areas at most"));
        }
        areas.iter().try_for_each(|area| check_area(area))?;
        for (name, value) in &self.fields {
            check_field_name(name)?;
            if value.len() > MAX_FIELD_BYTES {
                return Err(format!(
                    "the field `{name}` has more than {MAX_FIELD_BYTES} bytes"
                ));
            }
        }
        let kept = || self.fields.iter().filter(|(_, value)| !value.is_empty());
        let bytes: usize = kept().map(|(name, value)| name.len() + value.len()).sum();
        if kept().count() > MAX_FIELDS || bytes > MAX_FIELDS_BYTES {
            return Err(format!(
                "a person has {MAX_FIELDS} fields at most, and {MAX_FIELDS_BYTES} bytes of them"
            ));
        }
        Ok(())
    }

    /// The person as they then are.
    pub(crate) fn onto(self, before: Option<Person>, at_unix_ms: u64) -> Result<Person, String> {
        let mut person = before.unwrap_or_else(|| Person {
            number: self.number.clone(),
            language: None,
            areas: Vec::new(),
            fields: BTreeMap::new(),
            created_unix_ms: at_unix_ms,
            updated_unix_ms: at_unix_ms,
        });
        if let Some(language) = self.language {
            person.language = Some(language).filter(|language| !language.is_empty());
        }
        if let Some(mut areas) = self.areas {
            areas.sort();
            areas.dedup();
            person.areas = areas;
        }
        for (name, value) in self.fields {
            match value.is_empty() {
                true => person.fields.remove(&name),
                false => person.fields.insert(name, value),
            };
        }
        let bytes: usize = person
            .fields
            .iter()
            .map(|(name, value)| name.len() + value.len())
            .sum();
        if person.fields.len() > MAX_FIELDS || bytes > MAX_FIELDS_BYTES {
            return Err(format!(
                "a person has {MAX_FIELDS} fields and {MAX_FIELDS_BYTES} bytes of them at most: {} would have {} and {bytes}",
                person.number,
                person.fields.len()
            ));
        }
        person.updated_unix_ms = at_unix_ms;
        Ok(person)
    }
}

/// A tag of letters, digits and dashes, or nothing.
fn check_language(language: &str) -> Result<(), String> {
    let fits = language.len() <= MAX_LANGUAGE_CHARS
        && language
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    match fits {
        true => Ok(()),
        false => Err(format!(
            "a language is a tag of at most {MAX_LANGUAGE_CHARS} letters, digits and dashes, such as `lo` or `pt-BR`"
        )),
    }
}

fn check_area(area: &str) -> Result<(), String> {
    let fits = (1..=MAX_AREA_CHARS).contains(&area.len())
        && area
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
    match fits {
        true => Ok(()),
        false => Err(format!(
            "an area is a code of 1 to {MAX_AREA_CHARS} of letters, digits, `-`, `.` and `_`, such as `1401`"
        )),
    }
}

fn check_field_name(name: &str) -> Result<(), String> {
    let fits = (1..=MAX_FIELD_NAME_CHARS).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
    match fits {
        true if RESERVED.contains(&name) => {
            Err(format!("`{name}` is not a field: every person has it"))
        }
        true => Ok(()),
        false => Err(format!(
            "a field's name has 1 to {MAX_FIELD_NAME_CHARS} of letters, digits, `-`, `.` and `_`"
        )),
    }
}

/// Which of an account's people. The default is all of them; who is meant fits everything that is given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonFilter {
    /// Who speak exactly this.
    pub language: Option<String>,
    /// Who live in one of these areas; anywhere if there is none.
    pub areas: Vec<String>,
    /// Who have these fields with exactly these values.
    pub fields: BTreeMap<String, String>,
    /// Who were first saved at this time or later, in milliseconds since the Unix epoch.
    pub created_from_unix_ms: Option<u64>,
    /// Who were first saved before this time, in milliseconds since the Unix epoch.
    pub created_before_unix_ms: Option<u64>,
}

impl PersonFilter {
    /// Whether a person is meant.
    #[must_use]
    pub fn fits(&self, person: &Person) -> bool {
        let created = person.created_unix_ms;
        self.language
            .as_ref()
            .is_none_or(|language| person.language.as_ref() == Some(language))
            && (self.areas.is_empty() || self.areas.iter().any(|area| person.lives_in(area)))
            && self
                .fields
                .iter()
                .all(|(name, value)| person.fields.get(name) == Some(value))
            && self.created_from_unix_ms.is_none_or(|from| from <= created)
            && self
                .created_before_unix_ms
                .is_none_or(|before| created < before)
    }
}

/// A page of people, by their numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeoplePage {
    /// Who fits.
    pub people: Vec<Person>,
    /// The next page begins behind this number, if there may be more. With a filter a page can be short, or empty, and yet have a next.
    pub next: Option<PhoneNumber>,
}

/// Takes the first `limit` who fit out of an account's people, which come by their numbers.
pub(crate) fn page(
    all: impl Iterator<Item = Result<Person, StoreError>>,
    filter: &PersonFilter,
    limit: usize,
) -> Result<PeoplePage, StoreError> {
    let mut people = Vec::new();
    let mut last: Option<PhoneNumber> = None;
    for (visited, person) in all.enumerate() {
        if people.len() == limit || visited == VISITED {
            return Ok(PeoplePage { people, next: last });
        }
        let person = person?;
        last = Some(person.number.clone());
        if filter.fits(&person) {
            people.push(person);
        }
    }
    Ok(PeoplePage { people, next: None })
}

/// How many people a write has saved.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SavedPeople {
    /// Who were not there before.
    pub new: usize,
    /// Who were there.
    pub known: usize,
}

/// An account's people. They lie sealed with its key; their numbers do not.
pub trait PeopleStore: Send + Sync {
    /// Saves one person: what the change names is replaced, what it does not name stays. Fails with [`StoreError::NotPossible`] for
    /// what is too large.
    fn save_person(&self, scope: Scope, change: PersonChange, at_unix_ms: u64) -> Commit<Person>;

    /// Saves at most [`MAX_SAVED_AT_ONCE`] people, all or none of them. Fails as [`Self::save_person`] does.
    fn save_people(
        &self,
        scope: Scope,
        changes: Vec<PersonChange>,
        at_unix_ms: u64,
    ) -> Commit<SavedPeople>;

    /// One person.
    fn person(&self, scope: Scope, number: &PhoneNumber) -> Result<Option<Person>, StoreError>;

    /// Forgets a person; false if there is no such one.
    fn remove_person(&self, scope: Scope, number: PhoneNumber) -> Commit<bool>;

    /// At most `limit` people by their numbers, from behind this one or from the first.
    fn people(
        &self,
        scope: Scope,
        filter: &PersonFilter,
        after: Option<&PhoneNumber>,
        limit: usize,
    ) -> Result<PeoplePage, StoreError>;

    /// How many people the account has.
    fn count_people(&self, scope: Scope) -> Result<u64, StoreError>;
}

/// What the verbs need of a transaction for people.
pub(crate) trait PersonRows {
    /// A person as they are sealed.
    fn person(
        &self,
        account: call::AccountSid,
        number: &str,
    ) -> Result<Option<Vec<u8>>, StoreError>;
    /// Writes a person as they are sealed, or takes them out, and how many the account has from now on.
    fn put_person(
        &mut self,
        account: call::AccountSid,
        number: &str,
        sealed: Option<&[u8]>,
        count: u64,
    ) -> Result<(), StoreError>;
    /// How many people an account has.
    fn people_count(&self, account: call::AccountSid) -> Result<u64, StoreError>;
}
