//! Changes beside tenants files, and what the next file says of them.

use call::{CallRecord, CallStatus};
use jackfield_store::{
    AccountStatus, Author, CarrierId, Edit, Number, OperatorEdit, Scope, Store, StoreError,
    TrunkId, UsageCategory, UsageOfDay,
};

use super::support::{TENANTS, account, leg, outbound, parse, record};
use super::verbs::on_each;

fn hotline(store: &dyn Store) -> Scope {
    Scope::of_host(account(store, "east", "hotline"))
}

/// One of the hotline's numbers.
fn number(store: &dyn Store) -> Number {
    let directory = store.directory();
    let mut numbers = directory.numbers(hotline(store).account());
    Number::clone(numbers.next().unwrap())
}

fn author() -> Author {
    Author::operator(77)
}

fn rename(store: &dyn Store, name: &str) {
    let name = name.to_owned();
    let patch = Box::new(|number: &mut Number| number.name = Some(name));
    let edit = Edit::ChangeNumber(number(store).sid(), patch);
    store.edit(hotline(store), edit, author()).wait().unwrap();
}

#[test]
fn what_was_edited_stays_until_a_file_says_something_new_of_it() {
    on_each(|store| {
        rename(store, "desk");
        let again = store.apply(parse(TENANTS)).wait().unwrap();
        assert_eq!((again.kept.len(), again.changed.len()), (1, 0), "{again:?}");
        assert_eq!(number(store).name.as_deref(), Some("desk"));

        let first = number(store).number;
        let line = format!("number = \"{first}\"");
        let other = TENANTS.replace(&line, &format!("{line}\nsettings = {{ new = \"1\" }}"));
        assert_ne!(other, TENANTS);
        let new = store.apply(parse(&other)).wait().unwrap();
        assert_eq!(
            (new.changed.len(), new.overwritten.len()),
            (1, 1),
            "{new:?}"
        );
        assert_eq!(number(store).name, None);
        let quiet = store.apply(parse(&other)).wait().unwrap();
        assert_eq!(quiet.changed.len() + quiet.kept.len(), 0);

        rename(store, "desk");
        let forced = store.apply(parse(&other).overwriting(true)).wait().unwrap();
        assert_eq!((forced.changed.len(), forced.overwritten.len()), (1, 1));
        assert_eq!(number(store).name, None);
    });
}

#[test]
fn what_was_deleted_stays_deleted_until_a_file_says_something_new_of_it() {
    on_each(|store| {
        let gone = number(store);
        let edit = Edit::ReleaseNumber(gone.sid());
        store.edit(hotline(store), edit, author()).wait().unwrap();
        let again = store.apply(parse(TENANTS)).wait().unwrap();
        assert_eq!((again.kept.len(), again.created.len()), (1, 0), "{again:?}");
        assert_eq!(
            store.directory().number_of(hotline(store), gone.sid()),
            None
        );
        let forced = store
            .apply(parse(TENANTS).overwriting(true))
            .wait()
            .unwrap();
        assert_eq!((forced.created.len(), forced.overwritten.len()), (1, 1));
        assert!(
            store
                .directory()
                .number_of(hotline(store), gone.sid())
                .is_some()
        );
    });
}

#[test]
fn an_edit_of_another_accounts_thing_finds_nothing_and_is_not_written_down() {
    on_each(|store| {
        let foreign = Scope::of_host(account(store, "west", "clinic"));
        let entries = store.audit(None, 100).unwrap();
        let edit = Edit::ReleaseNumber(number(store).sid());
        let refused = store.edit(foreign, edit, author()).wait();
        assert_eq!(refused.unwrap_err(), StoreError::NotThere);
        assert_eq!(store.audit(None, 100).unwrap(), entries);
        rename(store, "desk");
        let newest = &store.audit(None, 1).unwrap()[0];
        assert_eq!((&*newest.deed, newest.at_unix_ms), ("number.update", 77));
        let before = store.audit(Some(newest.id), 100).unwrap();
        assert_eq!(before, entries);
    });
}

#[test]
fn an_account_goes_only_when_it_is_closed_and_a_carrier_when_it_is_empty() {
    on_each(|store| {
        let sid = hotline(store).account();
        let administer = |edit| store.administer(edit, author()).wait();
        let is_refused = |edit| matches!(administer(edit), Err(StoreError::NotPossible(_)));
        let east = CarrierId("east".to_owned());
        assert!(is_refused(OperatorEdit::DeleteCarrier(east)));
        assert!(is_refused(OperatorEdit::DeleteAccount(sid)));
        let had = store.directory().numbers(sid).count();
        assert!(had > 0);
        let own = "\n[[trunk]]\nid = \"own\"\ncarrier = \"east\"\naccount = \"east/hotline\"\nsources = [\"198.51.100.99\"]\nmax_channels = 1\n";
        store
            .apply(parse(&format!("{TENANTS}{own}")))
            .wait()
            .unwrap();
        administer(OperatorEdit::SetStatus(sid, AccountStatus::Closed)).unwrap();
        assert_eq!(store.directory().numbers(sid).count(), 0);
        assert!(is_refused(OperatorEdit::SetStatus(
            sid,
            AccountStatus::Active
        )));
        assert!(
            is_refused(OperatorEdit::DeleteAccount(sid)),
            "it has a trunk"
        );
        administer(OperatorEdit::DeleteTrunk(TrunkId("own".to_owned()))).unwrap();
        administer(OperatorEdit::DeleteAccount(sid)).unwrap();
        assert!(store.directory().account(sid).is_none());
        let again = store.apply(parse(TENANTS)).wait().unwrap();
        assert_eq!(again.kept.len(), had + 1, "the account and its numbers");
    });
}

#[test]
fn calls_and_recordings_are_counted_on_the_day_of_their_end() {
    on_each(|store| {
        let scope = hotline(store);
        let day = 86_400_000;
        for (number, created, duration_s, answered) in
            [(1, 0, 61, true), (2, day, 60, true), (3, day, 0, false)]
        {
            let call = outbound(number, created);
            let sid = call.sid;
            store.accept_call(scope, call).wait().unwrap();
            store
                .begin_attempt(sid, leg(number).into(), created)
                .wait()
                .unwrap();
            if answered {
                let up = CallStatus::InProgress;
                store.set_status(sid, up, created).wait().unwrap();
            }
            let ended = CallRecord {
                duration_s,
                ..record(CallStatus::Completed)
            };
            store
                .finish_call(sid, ended, created + 5, None)
                .wait()
                .unwrap();
        }
        let row = |day, category, count, minutes| UsageOfDay {
            day,
            category,
            count,
            minutes,
        };
        let expected = [
            row(0, UsageCategory::Calls, 1, 2),
            row(0, UsageCategory::CallsOutbound, 1, 2),
            row(1, UsageCategory::Calls, 1, 1),
            row(1, UsageCategory::CallsOutbound, 1, 1),
        ];
        assert_eq!(store.usage(scope, 0, 9).unwrap(), expected);
        assert_eq!(store.usage(scope, 1, 1).unwrap(), expected[2..]);
        assert_eq!(store.usage(scope, 2, 1).unwrap(), []);
        let foreign = Scope::of_host(account(store, "west", "clinic"));
        assert_eq!(store.usage(foreign, 0, 9).unwrap(), []);
    });
}
