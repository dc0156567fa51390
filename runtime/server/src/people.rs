//! An account's people, as its stories reach them.

use std::sync::Arc;

use call::{PeopleCommand, PeopleError, PeopleReply};
use store::{PersonChange, PhoneNumber, Scope, Store, StoreError};
use tracing::error;

use crate::clock;

/// One account's people in the store.
#[derive(Clone)]
pub(crate) struct People {
    store: Arc<dyn Store>,
    scope: Scope,
}

impl People {
    pub(crate) fn new(store: Arc<dyn Store>, scope: Scope) -> Self {
        Self { store, scope }
    }

    /// Does what a story asks. A change is on disk when this is over.
    pub(crate) async fn obey(&self, command: PeopleCommand) -> Result<PeopleReply, PeopleError> {
        command.check()?;
        let done = match command {
            PeopleCommand::Get(number) => self.get(read(&number)?).await,
            PeopleCommand::Save(change) => {
                let change = PersonChange {
                    number: read(&change.number)?,
                    language: change.language,
                    areas: change.areas,
                    fields: change.fields,
                };
                let saved = self.store.save_person(self.scope, change, clock::unix_ms());
                saved.await.map(|_| PeopleReply::Done)
            }
            PeopleCommand::Remove(number) => {
                let removed = self.store.remove_person(self.scope, read(&number)?);
                removed.await.map(|_| PeopleReply::Done)
            }
        };
        done.map_err(|error| match error {
            StoreError::NotPossible(why) => PeopleError::LimitReached(why),
            error @ StoreError::Busy => PeopleError::Unavailable(error.to_string()),
            error => {
                error!("cannot reach people: {error}");
                PeopleError::Unavailable("the store is broken".to_owned())
            }
        })
    }

    async fn get(&self, number: PhoneNumber) -> Result<PeopleReply, StoreError> {
        let Self { store, scope } = self.clone();
        // The row may have to come from the disk.
        let reading = tokio::task::spawn_blocking(move || store.person(scope, &number));
        let person = reading
            .await
            .unwrap_or_else(|error| Err(StoreError::Failed(error.to_string())))?;
        Ok(PeopleReply::Person(person.map(|person| call::Person {
            number: person.number.as_str().to_owned(),
            language: person.language,
            areas: person.areas,
            fields: person.fields,
        })))
    }
}

fn read(number: &str) -> Result<PhoneNumber, PeopleError> {
    let number = number.parse();
    number.map_err(|error: numbers::InvalidNumber| PeopleError::Invalid(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A story that a harness lets save somebody can save them here.
    #[test]
    fn what_is_asked_for_is_a_number_by_the_same_rule_as_what_is_kept() {
        let mut outcomes = [0, 0];
        for text in [
            "+8562055500001",
            "+12345",
            "+123456789012345",
            "1",
            "1294",
            "12345678",
            "0345",
            "",
            "+",
            "+1234",
            "+1234567890123456",
            "+0123456",
            "123456789",
            "02055500001",
            "anonymous",
            "+85620 555",
            "１２９４",
        ] {
            let asked = PeopleCommand::Get(text.to_owned()).check();
            assert_eq!(asked.is_ok(), read(text).is_ok(), "{text}");
            outcomes[usize::from(asked.is_ok())] += 1;
        }
        assert_eq!(outcomes, [10, 7]);
    }
}
