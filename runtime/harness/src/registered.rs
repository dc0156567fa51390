//! Whom a flow must have left among its account's people.

use std::collections::BTreeMap;

use call::{People, Person};
use serde::Deserialize;

/// A person as a script has them, behind their number.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct PersonWords {
    language: Option<String>,
    areas: Vec<String>,
    fields: BTreeMap<String, String>,
}

impl PersonWords {
    pub(crate) fn into_person(self, number: &str) -> Person {
        Person {
            number: number.to_owned(),
            language: self.language,
            areas: self.areas,
            fields: self.fields,
        }
    }
}

/// The first person, in the order of numbers, who is not as they must be; `expected` has all of them.
pub(crate) fn difference(
    expected: &BTreeMap<String, PersonWords>,
    people: &People,
) -> Option<String> {
    let kept: BTreeMap<&str, &Person> = people
        .iter()
        .map(|person| (person.number.as_str(), person))
        .collect();
    let numbers = expected.keys().map(String::as_str);
    let mut numbers: Vec<&str> = numbers.chain(kept.keys().copied()).collect();
    numbers.sort_unstable();
    numbers.into_iter().find_map(|number| {
        let wanted = expected.get(number).cloned();
        let wanted = wanted.map(|words| words.into_person(number));
        let found = kept.get(number).copied();
        let is_same = wanted.as_ref() == found;
        let (wanted, found) = (told(wanted.as_ref()), told(found));
        (!is_same).then(|| format!("the person {number}: expected {wanted}, but there was {found}"))
    })
}

fn told(person: Option<&Person>) -> String {
    person.map_or_else(
        || "nobody".to_owned(),
        |person| {
            let Person {
                language,
                areas,
                fields,
                ..
            } = person;
            let language = language.as_deref().unwrap_or("none");
            format!("language {language}, areas {areas:?}, fields {fields:?}")
        },
    )
}

#[cfg(test)]
mod tests {
    use call::PeopleCommand;

    use super::*;

    fn words(area: &str) -> PersonWords {
        PersonWords {
            areas: vec![area.to_owned()],
            ..PersonWords::default()
        }
    }

    #[test]
    fn every_person_has_to_be_as_written() {
        let mut people = People::default();
        for (number, area) in [("+15550001", "14"), ("+15550002", "16")] {
            let person = words(area).into_person(number);
            people.obey(PeopleCommand::Save(person.into())).unwrap();
        }
        for (expected, told) in [
            (&[("+15550001", "14"), ("+15550002", "16")][..], ""),
            (
                &[("+15550001", "14")],
                "+15550002: expected nobody, but there was",
            ),
            (
                &[("+15550001", "17"), ("+15550002", "16")],
                "expected language none, areas [\"17\"], fields {}, but there was language none, areas [\"14\"], fields {}",
            ),
            (
                &[
                    ("+15550001", "14"),
                    ("+15550002", "16"),
                    ("+15550003", "16"),
                ],
                "but there was nobody",
            ),
        ] {
            let expected = expected.iter();
            let expected = expected.map(|(number, area)| ((*number).to_owned(), words(area)));
            let found = difference(&expected.collect(), &people).unwrap_or_default();
            assert!(found.contains(told), "{found}");
            assert_eq!(found.is_empty(), told.is_empty());
        }
    }
}
