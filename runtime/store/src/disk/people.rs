//! The tables of people, by account and number.

use call::AccountSid;
use numbers::PhoneNumber;
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction};

use super::DiskStore;
use super::queue::Lane;
use super::rows::DiskRows;
use super::tables::{SidKey, failed};
use crate::people::{PeopleStore, PersonRows};
use crate::{
    AccountStore as _, Commit, Directory, PeoplePage, Person, PersonChange, PersonFilter,
    SavedPeople, Scope, StoreError, people, verbs,
};

/// Account, number → `Person`, sealed with the account's key.
const PEOPLE: TableDefinition<'_, (SidKey, &str), &[u8]> = TableDefinition::new("people");
/// Account → how many people it has.
const PEOPLE_COUNTS: TableDefinition<'_, SidKey, u64> = TableDefinition::new("people_counts");

/// Makes the tables that are not there yet.
pub(super) fn create(transaction: &WriteTransaction) -> Result<(), redb::Error> {
    transaction.open_table(PEOPLE)?;
    transaction.open_table(PEOPLE_COUNTS)?;
    Ok(())
}

impl PeopleStore for DiskStore {
    fn save_person(&self, scope: Scope, change: PersonChange, at_unix_ms: u64) -> Commit<Person> {
        self.write(Lane::New, move |rows| {
            verbs::save_person(rows, scope, change, at_unix_ms)
        })
    }

    fn save_people(
        &self,
        scope: Scope,
        changes: Vec<PersonChange>,
        at_unix_ms: u64,
    ) -> Commit<SavedPeople> {
        self.write(Lane::New, move |rows| {
            verbs::save_people(rows, scope, changes, at_unix_ms)
        })
    }

    fn person(&self, scope: Scope, number: &PhoneNumber) -> Result<Option<Person>, StoreError> {
        let transaction = self.database.begin_read().map_err(failed)?;
        let table = transaction.open_table(PEOPLE).map_err(failed)?;
        let account = scope.account();
        let place = (account.as_bytes(), number.as_str());
        let sealed = table.get(place).map_err(failed)?;
        sealed
            .map(|sealed| verbs::open_person(&self.directory(), scope, number, sealed.value()))
            .transpose()
    }

    fn remove_person(&self, scope: Scope, number: PhoneNumber) -> Commit<bool> {
        self.write(Lane::New, move |rows| {
            verbs::remove_person(rows, scope, &number)
        })
    }

    fn people(
        &self,
        scope: Scope,
        filter: &PersonFilter,
        after: Option<&PhoneNumber>,
        limit: usize,
    ) -> Result<PeoplePage, StoreError> {
        page(
            &self.database,
            &self.directory(),
            scope,
            filter,
            after,
            limit,
        )
    }

    fn count_people(&self, scope: Scope) -> Result<u64, StoreError> {
        let transaction = self.database.begin_read().map_err(failed)?;
        let table = transaction.open_table(PEOPLE_COUNTS).map_err(failed)?;
        let count = table.get(scope.account().as_bytes()).map_err(failed)?;
        Ok(count.map_or(0, |count| count.value()))
    }
}

fn page(
    database: &Database,
    directory: &Directory,
    scope: Scope,
    filter: &PersonFilter,
    after: Option<&PhoneNumber>,
    limit: usize,
) -> Result<PeoplePage, StoreError> {
    let transaction = database.begin_read().map_err(failed)?;
    let table = transaction.open_table(PEOPLE).map_err(failed)?;
    let account = scope.account();
    // No number is empty, so the empty text stands before them all.
    let after = after.map_or("", PhoneNumber::as_str);
    let rows = table
        .range((account.as_bytes(), after)..)
        .map_err(failed)?
        .map(|row| {
            let (key, sealed) = row.map_err(failed)?;
            let (owner, number) = key.value();
            if owner != account.as_bytes() {
                return Ok(None);
            }
            let number: PhoneNumber = number
                .parse()
                .map_err(|error| StoreError::Corrupt(format!("people of {account}: {error}")))?;
            if number.as_str() == after {
                return Ok(Some(None));
            }
            verbs::open_person(directory, scope, &number, sealed.value())
                .map(|person| Some(Some(person)))
        })
        .map_while(Result::transpose)
        .filter_map(Result::transpose);
    people::page(rows, filter, limit)
}

impl PersonRows for DiskRows<'_> {
    fn person(&self, account: AccountSid, number: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let table = self.transaction.open_table(PEOPLE).map_err(failed)?;
        let sealed = table.get((account.as_bytes(), number)).map_err(failed)?;
        Ok(sealed.map(|sealed| sealed.value().to_vec()))
    }

    fn put_person(
        &mut self,
        account: AccountSid,
        number: &str,
        sealed: Option<&[u8]>,
        count: u64,
    ) -> Result<(), StoreError> {
        let mut table = self.transaction.open_table(PEOPLE).map_err(failed)?;
        let place = (account.as_bytes(), number);
        match sealed {
            Some(sealed) => drop(table.insert(place, sealed).map_err(failed)?),
            None => drop(table.remove(place).map_err(failed)?),
        }
        let mut counts = self.transaction.open_table(PEOPLE_COUNTS).map_err(failed)?;
        let counted = counts.insert(account.as_bytes(), count);
        counted.map(drop).map_err(failed)
    }

    fn people_count(&self, account: AccountSid) -> Result<u64, StoreError> {
        let counts = self.transaction.open_table(PEOPLE_COUNTS).map_err(failed)?;
        let count = counts.get(account.as_bytes()).map_err(failed)?;
        Ok(count.map_or(0, |count| count.value()))
    }
}
