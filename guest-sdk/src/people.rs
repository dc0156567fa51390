//! Who registered.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

use crate::{Call, CallError};

/// What `wit-bindgen` makes of `jackfield:people`. Not an interface: use [`People`].
#[doc(hidden)]
#[allow(
    missing_docs,
    unsafe_code,
    unreachable_pub,
    rust_2018_idioms,
    clippy::all
)]
pub mod bindings {
    wit_bindgen::generate!({
        path: "../wit/people@0.1.0",
        world: "jackfield:people/registers-people@0.1.0",
        generate_all,
        additional_derives: [PartialEq, Eq],
    });
}

use bindings::jackfield::people::people;

/// People in a rehearsal.
#[doc(hidden)]
pub type RehearsedPeople = Rc<RefCell<BTreeMap<String, Person>>>;

/// Somebody who registered, and is to be called in an emergency.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Person {
    /// In E.164 with `+`, or a short code: by this a person is known.
    pub number: String,
    /// What they want to hear, such as `lo`.
    pub language: Option<String>,
    /// Codes of where they live. One is within another if it begins with the other's: `1401` is in `14`.
    pub areas: Vec<String>,
    /// What else is known, by name.
    pub fields: BTreeMap<String, String>,
}

/// What is saved of a person: [`People::save`] takes it. What it does not name stays as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonChange(people::Change);

impl PersonChange {
    /// Somebody with this number, in E.164 with `+`, or a short code.
    #[must_use]
    pub fn of(number: impl Into<String>) -> Self {
        Self(people::Change {
            number: number.into(),
            language: None,
            areas: None,
            fields: Vec::new(),
        })
    }

    /// What they want to hear from now on: a tag of letters, digits and dashes. An empty one for unknown.
    #[must_use]
    pub fn language(mut self, tag: impl Into<String>) -> Self {
        self.0.language = Some(tag.into());
        self
    }

    /// All of their areas from now on, at most 50.
    #[must_use]
    pub fn areas(mut self, codes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.0.areas = Some(codes.into_iter().map(Into::into).collect());
        self
    }

    /// A field gets a value, or goes with an empty one.
    #[must_use]
    pub fn field(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.0.fields.push((name.into(), value.into()));
        self
    }
}

/// The account's people: [`Call::people`] gives them.
///
/// All calls of an account share them, and they outlive the calls: when [`save`](Self::save) returns, the person is on disk.
///
/// ```
/// use jackfield_guest::{Call, CallError, PersonChange, Rehearsal};
///
/// fn register(call: &Call) -> Result<(), CallError> {
///     let change = PersonChange::of(call.info().caller);
///     call.people().save(change.language("lo").areas(["1401"]))
/// }
///
/// let caller = Rehearsal::new();
/// register(&Call::on(caller.clone()))?;
/// assert_eq!(caller.people()["+15550100"].areas, ["1401"]);
/// # Ok::<(), CallError>(())
/// ```
pub struct People(Option<RehearsedPeople>);

impl Call {
    /// The account's people.
    #[must_use]
    pub fn people(&self) -> People {
        People(self.rehearsed_people())
    }
}

impl People {
    /// Who has this number; none if nobody is known by it.
    ///
    /// # Errors
    /// [`CallError::NotGranted`] when the account does not grant its people, [`CallError::InvalidArgument`] for what is no number, and
    /// [`CallError::LimitReached`] when the host cannot answer, in its words.
    pub fn get(&self, number: &str) -> Result<Option<Person>, CallError> {
        match &self.0 {
            Some(people) => Ok(people.borrow().get(number).cloned()),
            None => match people::get(number) {
                Ok(person) => Ok(person.map(from_host)),
                Err(error) => Err(refused(error)),
            },
        }
    }

    /// Saves what is said of a person. When this returns, it is on disk.
    ///
    /// # Errors
    /// Those of [`get`](Self::get); [`CallError::InvalidArgument`] also for a language or areas that are none, and for what is too large.
    pub fn save(&self, change: PersonChange) -> Result<(), CallError> {
        let PersonChange(change) = change;
        match &self.0 {
            Some(people) => {
                let mut people = people.borrow_mut();
                let person = people.entry(change.number.clone()).or_default();
                rehearse(person, change);
                Ok(())
            }
            None => people::save(&change).map_err(refused),
        }
    }

    /// Forgets the person with this number, if there is one.
    ///
    /// # Errors
    /// Those of [`get`](Self::get).
    pub fn remove(&self, number: &str) -> Result<(), CallError> {
        match &self.0 {
            Some(people) => {
                people.borrow_mut().remove(number);
                Ok(())
            }
            None => people::remove(number).map_err(refused),
        }
    }
}

impl fmt::Debug for People {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("People").finish_non_exhaustive()
    }
}

fn from_host(person: people::Person) -> Person {
    Person {
        number: person.number,
        language: person.language,
        areas: person.areas,
        fields: person.fields.into_iter().collect(),
    }
}

fn rehearse(person: &mut Person, change: people::Change) {
    person.number = change.number;
    if let Some(language) = change.language {
        person.language = Some(language).filter(|language| !language.is_empty());
    }
    if let Some(mut areas) = change.areas {
        areas.sort();
        areas.dedup();
        person.areas = areas;
    }
    person.fields.extend(change.fields);
    person.fields.retain(|_, value| !value.is_empty());
}

fn refused(error: people::PeopleError) -> CallError {
    match error {
        people::PeopleError::NotGranted => {
            CallError::NotGranted("people: the account's grants do not have them".to_owned())
        }
        people::PeopleError::InvalidArgument(why) => CallError::InvalidArgument(why),
        people::PeopleError::LimitReached(why) | people::PeopleError::Unavailable(why) => {
            CallError::LimitReached(why)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rehearsal;

    #[test]
    fn who_is_known_is_found_changed_and_forgotten() {
        let known = Person {
            number: "+15550100".to_owned(),
            language: Some("lo".to_owned()),
            ..Person::default()
        };
        let caller = Rehearsal::new().person(known.clone());
        let people = Call::on(caller.clone()).people();
        assert_eq!(people.get("+15550100"), Ok(Some(known.clone())));
        let change = PersonChange::of("+15550100").areas(["16", "14", "16"]);
        people
            .save(change.field("name", "Noy").field("role", ""))
            .unwrap();
        let expected = Person {
            areas: vec!["14".to_owned(), "16".to_owned()],
            fields: [("name".to_owned(), "Noy".to_owned())].into(),
            ..known
        };
        assert_eq!(caller.people()["+15550100"], expected);
        let unsaid = PersonChange::of("+15550100").language("");
        people.save(unsaid).unwrap();
        assert_eq!(caller.people()["+15550100"].language, None);
        people.remove("+15550100").unwrap();
        assert_eq!(people.get("+15550100"), Ok(None));
        assert!(caller.people().is_empty());
    }
}
