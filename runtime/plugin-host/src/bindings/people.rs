//! Rust for `wit/people@0.1.0`, and between its words and those of `call`.

wasmtime::component::bindgen!({
    path: "../../wit/people@0.1.0",
    world: "jackfield:people/registers-people",
    imports: { default: async | trappable },
});

pub(crate) use jackfield::people::people::*;

impl From<Change> for call::PersonChange {
    fn from(change: Change) -> Self {
        Self {
            number: change.number,
            language: change.language,
            areas: change.areas,
            fields: change.fields.into_iter().collect(),
        }
    }
}

impl From<call::Person> for Person {
    fn from(person: call::Person) -> Self {
        Self {
            number: person.number,
            language: person.language,
            areas: person.areas,
            fields: person.fields.into_iter().collect(),
        }
    }
}

impl From<call::PeopleError> for PeopleError {
    fn from(error: call::PeopleError) -> Self {
        match error {
            call::PeopleError::NotGranted => Self::NotGranted,
            call::PeopleError::Invalid(why) => Self::InvalidArgument(why),
            call::PeopleError::LimitReached(why) => Self::LimitReached(why),
            call::PeopleError::Unavailable(why) => Self::Unavailable(why),
            error => Self::Unavailable(error.to_string()),
        }
    }
}
