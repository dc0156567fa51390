//! People in memory, sealed as they are on a disk.

use std::ops::Bound;

use call::AccountSid;
use numbers::PhoneNumber;

use super::{MemoryRows, MemoryStore};
use crate::people::{PeopleStore, PersonRows};
use crate::{
    Commit, PeoplePage, Person, PersonChange, PersonFilter, SavedPeople, Scope, StoreError, people,
    verbs,
};

impl PeopleStore for MemoryStore {
    fn save_person(&self, scope: Scope, change: PersonChange, at_unix_ms: u64) -> Commit<Person> {
        self.write(|rows| verbs::save_person(rows, scope, change, at_unix_ms))
    }

    fn save_people(
        &self,
        scope: Scope,
        changes: Vec<PersonChange>,
        at_unix_ms: u64,
    ) -> Commit<SavedPeople> {
        self.write(|rows| verbs::save_people(rows, scope, changes, at_unix_ms))
    }

    fn person(&self, scope: Scope, number: &PhoneNumber) -> Result<Option<Person>, StoreError> {
        let rows = self.rows();
        let sealed = PersonRows::person(&*rows, scope.account(), number.as_str())?;
        sealed
            .map(|sealed| verbs::open_person(&rows.directory, scope, number, &sealed))
            .transpose()
    }

    fn remove_person(&self, scope: Scope, number: PhoneNumber) -> Commit<bool> {
        self.write(|rows| verbs::remove_person(rows, scope, &number))
    }

    fn people(
        &self,
        scope: Scope,
        filter: &PersonFilter,
        after: Option<&PhoneNumber>,
        limit: usize,
    ) -> Result<PeoplePage, StoreError> {
        let rows = self.rows();
        let after = after.map_or(Bound::Unbounded, |after| {
            Bound::Excluded(after.as_str().to_owned())
        });
        let own = rows.people.get(&scope.account()).into_iter();
        let own = own.flat_map(|own| own.range((after.clone(), Bound::Unbounded)));
        let own = own.map(|(number, sealed)| {
            let number: PhoneNumber = number.parse().expect("what was kept is a number");
            verbs::open_person(&rows.directory, scope, &number, sealed)
        });
        people::page(own, filter, limit)
    }

    fn count_people(&self, scope: Scope) -> Result<u64, StoreError> {
        self.rows().people_count(scope.account())
    }
}

impl PersonRows for MemoryRows {
    fn person(&self, account: AccountSid, number: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let own = self.people.get(&account);
        Ok(own.and_then(|own| own.get(number).cloned()))
    }

    fn put_person(
        &mut self,
        account: AccountSid,
        number: &str,
        sealed: Option<&[u8]>,
        _count: u64,
    ) -> Result<(), StoreError> {
        let own = self.people.entry(account).or_default();
        match sealed {
            Some(sealed) => own.insert(number.to_owned(), sealed.to_vec()),
            None => own.remove(number),
        };
        Ok(())
    }

    fn people_count(&self, account: AccountSid) -> Result<u64, StoreError> {
        Ok(self.people.get(&account).map_or(0, |own| own.len() as u64))
    }
}
