//! What a write of people does, and how they are sealed.

use std::collections::BTreeMap;

use call::AccountSid;
use numbers::PhoneNumber;
use sha2::{Digest, Sha256};

use crate::people::{MAX_PEOPLE, MAX_SAVED_AT_ONCE};
use crate::rows::Rows;
use crate::seal::Purpose;
use crate::{Account, Directory, Person, PersonChange, SavedPeople, Scope, StoreError};

/// The version byte of a person's row before it is sealed.
const VERSION: u8 = 1;

pub(crate) fn save_person(
    rows: &mut dyn Rows,
    scope: Scope,
    change: PersonChange,
    at_unix_ms: u64,
) -> Result<Person, StoreError> {
    let number = change.number.clone();
    let saved = save(rows, scope, vec![change], at_unix_ms)?;
    let person = saved.1.into_values().find(|row| row.number == number);
    Ok(person.expect("what was given was saved"))
}

pub(crate) fn save_people(
    rows: &mut dyn Rows,
    scope: Scope,
    changes: Vec<PersonChange>,
    at_unix_ms: u64,
) -> Result<SavedPeople, StoreError> {
    if changes.len() > MAX_SAVED_AT_ONCE {
        return Err(StoreError::NotPossible(format!(
            "{MAX_SAVED_AT_ONCE} people at most are saved at once"
        )));
    }
    save(rows, scope, changes, at_unix_ms).map(|(saved, _)| saved)
}

/// Makes all of them, then writes them.
fn save(
    rows: &mut dyn Rows,
    scope: Scope,
    changes: Vec<PersonChange>,
    at_unix_ms: u64,
) -> Result<(SavedPeople, BTreeMap<PhoneNumber, Person>), StoreError> {
    let directory = rows.directory();
    let account = directory.account_of(scope)?;
    let mut saved = SavedPeople::default();
    let mut people: BTreeMap<PhoneNumber, Person> = BTreeMap::new();
    for change in changes {
        change.check().map_err(StoreError::NotPossible)?;
        let before = match people.remove(&change.number) {
            Some(person) => Some(person),
            None => {
                let sealed = rows.person(account.sid, change.number.as_str())?;
                let before = sealed.map(|sealed| open(account, &change.number, &sealed));
                match before {
                    Some(_) => saved.known += 1,
                    None => saved.new += 1,
                }
                before.transpose()?
            }
        };
        let number = change.number.clone();
        let person = change.onto(before, at_unix_ms);
        people.insert(number, person.map_err(StoreError::NotPossible)?);
    }
    let count = rows.people_count(account.sid)? + saved.new as u64;
    if saved.new > 0 && count > MAX_PEOPLE {
        return Err(StoreError::NotPossible(format!(
            "an account has {MAX_PEOPLE} people at most: remove some, or use a second account"
        )));
    }
    for person in people.values() {
        let sealed = seal(account, person);
        rows.put_person(account.sid, person.number.as_str(), Some(&sealed), count)?;
    }
    Ok((saved, people))
}

pub(crate) fn remove_person(
    rows: &mut dyn Rows,
    scope: Scope,
    number: &PhoneNumber,
) -> Result<bool, StoreError> {
    let account = scope.account();
    if rows.person(account, number.as_str())?.is_none() {
        return Ok(false);
    }
    let count = rows.people_count(account)?.saturating_sub(1);
    rows.put_person(account, number.as_str(), None, count)?;
    Ok(true)
}

/// Opens what [`save_person`] sealed.
pub(crate) fn open_person(
    directory: &Directory,
    scope: Scope,
    number: &PhoneNumber,
    sealed: &[u8],
) -> Result<Person, StoreError> {
    open(directory.account_of(scope)?, number, sealed)
}

fn seal(account: &Account, person: &Person) -> Vec<u8> {
    let plain = postcard::to_extend(person, vec![VERSION])
        .expect("a row of texts, numbers and lists always has a form in postcard");
    let bound = bound_to(account.sid, &person.number);
    account.key.seal(Purpose::Person, &bound, &plain)
}

fn open(account: &Account, number: &PhoneNumber, sealed: &[u8]) -> Result<Person, StoreError> {
    let damaged = |why: &str| StoreError::Corrupt(format!("a person of {}: {why}", account.sid));
    let bound = bound_to(account.sid, number);
    let plain = account.key.open(Purpose::Person, &bound, sealed);
    let plain = plain.map_err(|error| damaged(&error.to_string()))?;
    match plain.split_first() {
        Some((&VERSION, row)) => {
            postcard::from_bytes(row).map_err(|error| damaged(&error.to_string()))
        }
        _ => Err(damaged("its version is unknown to this program")),
    }
}

/// A person is bound to the account and the number, so that none opens in another's place.
fn bound_to(account: AccountSid, number: &PhoneNumber) -> [u8; 16] {
    let digest = Sha256::new()
        .chain_update(account.as_bytes())
        .chain_update(number.as_str())
        .finalize();
    *digest
        .first_chunk()
        .expect("a digest of 32 bytes has a first half")
}
