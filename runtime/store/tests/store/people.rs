//! People: saved in part, found by what is known of them, bounded, sealed, and seen by nobody else.

use std::collections::BTreeMap;

use jackfield_store::people::{MAX_AREAS, MAX_FIELD_BYTES, MAX_FIELDS, MAX_SAVED_AT_ONCE};
use jackfield_store::{
    DiskStore, PeopleStore as _, Person, PersonChange, PersonFilter, PhoneNumber, Places,
    SavedPeople, Store, StoreError,
};

use crate::support::{TENANTS, clinic, hotline, parse};
use crate::verbs::on_each;

fn number(of: u32) -> PhoneNumber {
    format!("+8562000{of:05}").parse().unwrap()
}

fn change(of: u32, language: &str, areas: &[&str], fields: &[(&str, &str)]) -> PersonChange {
    PersonChange {
        language: Some(language.to_owned()),
        areas: Some(areas.iter().map(|&area| area.to_owned()).collect()),
        fields: pairs(fields),
        ..PersonChange::of(number(of))
    }
}

fn pairs(fields: &[(&str, &str)]) -> BTreeMap<String, String> {
    fields
        .iter()
        .map(|&(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn save(store: &dyn Store, change: PersonChange, at: u64) -> Person {
    store
        .save_person(hotline(store), change, at)
        .wait()
        .unwrap()
}

fn refusal(store: &dyn Store, change: PersonChange) -> String {
    match store.save_person(hotline(store), change, 1).wait() {
        Err(StoreError::NotPossible(why)) => why,
        other => panic!("{other:?}"),
    }
}

fn found(store: &dyn Store, filter: &PersonFilter) -> Vec<PhoneNumber> {
    let page = store.people(hotline(store), filter, None, 100).unwrap();
    assert_eq!(page.next, None);
    page.people.into_iter().map(|one| one.number).collect()
}

#[test]
fn what_is_saved_replaces_what_it_names_and_keeps_the_rest() {
    on_each(|store| {
        let scope = hotline(store);
        let first = save(
            store,
            change(
                1,
                "lo",
                &["1401", "14", "1401"],
                &[("name", "Noy"), ("sex", "f")],
            ),
            5,
        );
        assert_eq!(first.areas, ["14", "1401"], "sorted, none twice");
        let named = PersonChange {
            fields: pairs(&[("name", "Noy S."), ("sex", "")]),
            ..PersonChange::of(number(1))
        };
        let second = save(store, named, 9);
        assert_eq!(
            second,
            Person {
                number: number(1),
                language: Some("lo".to_owned()),
                areas: vec!["14".to_owned(), "1401".to_owned()],
                fields: pairs(&[("name", "Noy S.")]),
                created_unix_ms: 5,
                updated_unix_ms: 9,
            }
        );
        assert_eq!(store.person(scope, &number(1)).unwrap(), Some(second));
        let unknown = PersonChange {
            language: Some(String::new()),
            areas: Some(Vec::new()),
            ..PersonChange::of(number(1))
        };
        let third = save(store, unknown, 10);
        assert_eq!((third.language, third.areas.len()), (None, 0));
        assert_eq!(store.count_people(scope), Ok(1));
        let remove = |scope| store.remove_person(scope, number(1)).wait();
        assert_eq!(remove(clinic(store)), Ok(false));
        assert_eq!(remove(scope), Ok(true));
        assert_eq!(remove(scope), Ok(false));
        assert_eq!(store.person(scope, &number(1)), Ok(None));
        assert_eq!(store.count_people(scope), Ok(0));
    });
}

#[test]
fn people_are_found_by_what_is_known_of_them() {
    on_each(|store| {
        for (at, person) in [
            change(1, "lo", &["1401"], &[("role", "chief")]),
            change(2, "lo", &["16"], &[]),
            change(
                3,
                "khm",
                &["1402", "1601"],
                &[("role", "chief"), ("boat", "yes")],
            ),
            change(4, "khm", &["114"], &[]),
        ]
        .into_iter()
        .enumerate()
        {
            save(store, person, at as u64 * 100);
        }
        let theirs = store.save_person(clinic(store), change(5, "lo", &["14"], &[]), 0);
        theirs.wait().unwrap();
        let all = PersonFilter::default;
        let areas = |codes: &[&str]| codes.iter().map(|&code| code.to_owned()).collect();
        for (filter, expected) in [
            (all(), vec![1, 2, 3, 4]),
            (
                PersonFilter {
                    language: Some("lo".to_owned()),
                    ..all()
                },
                vec![1, 2],
            ),
            (
                PersonFilter {
                    areas: areas(&["14"]),
                    ..all()
                },
                vec![1, 3],
            ),
            (
                PersonFilter {
                    areas: areas(&["16"]),
                    ..all()
                },
                vec![2, 3],
            ),
            (
                PersonFilter {
                    areas: areas(&["1401", "114"]),
                    ..all()
                },
                vec![1, 4],
            ),
            (
                PersonFilter {
                    areas: areas(&["140101"]),
                    ..all()
                },
                vec![],
            ),
            (
                PersonFilter {
                    fields: pairs(&[("role", "chief"), ("boat", "yes")]),
                    ..all()
                },
                vec![3],
            ),
            (
                PersonFilter {
                    fields: pairs(&[("role", "")]),
                    ..all()
                },
                vec![],
            ),
            (
                PersonFilter {
                    created_from_unix_ms: Some(100),
                    ..all()
                },
                vec![2, 3, 4],
            ),
            (
                PersonFilter {
                    created_before_unix_ms: Some(100),
                    ..all()
                },
                vec![1],
            ),
        ] {
            let expected: Vec<_> = expected.into_iter().map(number).collect();
            assert_eq!(found(store, &filter), expected, "{filter:?}");
        }
    });
}

#[test]
fn pages_lead_through_everybody_once_also_where_nobody_fits() {
    on_each(|store| {
        let scope = hotline(store);
        let few = |from: u32| (from..from + 1_000).map(|of| change(of, "lo", &["14"], &[]));
        for from in (0..12_000).step_by(1_000) {
            let saved = store.save_people(scope, few(from).collect(), 1).wait();
            assert_eq!(
                saved,
                Ok(SavedPeople {
                    new: 1_000,
                    known: 0
                })
            );
        }
        let again = store.save_people(scope, few(11_500).collect(), 2).wait();
        assert_eq!(
            again,
            Ok(SavedPeople {
                new: 500,
                known: 500
            })
        );
        assert_eq!(store.count_people(scope), Ok(12_500));
        for (language, expected) in [("lo", 12_500), ("khm", 0)] {
            let filter = PersonFilter {
                language: Some(language.to_owned()),
                ..PersonFilter::default()
            };
            let (mut after, mut seen, mut pages) = (None, Vec::new(), 0);
            loop {
                let page = store.people(scope, &filter, after.as_ref(), 5_000).unwrap();
                seen.extend(page.people.into_iter().map(|one| one.number));
                pages += 1;
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            assert_eq!(seen.len(), expected);
            assert!(seen.is_sorted());
            assert!(pages > 1, "a filter that fits nobody costs a bounded time");
        }
    });
}

#[test]
fn what_is_too_large_or_no_code_is_refused_with_what_would_be_right() {
    on_each(|store| {
        let long = "x".repeat(MAX_FIELD_BYTES + 1);
        let codes: Vec<String> = (0..=MAX_AREAS).map(|code| code.to_string()).collect();
        let codes: Vec<&str> = codes.iter().map(String::as_str).collect();
        for (change, expected) in [
            (change(1, "l o", &[], &[]), "a language is a tag"),
            (change(1, "lo", &["14 01"], &[]), "an area is a code"),
            (change(1, "lo", &[""], &[]), "an area is a code"),
            (change(1, "lo", &codes, &[]), "50 areas at most"),
            (change(1, "lo", &[], &[("a b", "1")]), "a field's name"),
            (
                change(1, "lo", &[], &[("areas", "1")]),
                "`areas` is not a field",
            ),
            (
                change(1, "lo", &[], &[("a", &long)]),
                "`a` has more than 1000 bytes",
            ),
        ] {
            let why = refusal(store, change);
            assert!(why.contains(expected), "{why}");
        }
        let names: Vec<String> = (0..MAX_FIELDS).map(|name| name.to_string()).collect();
        let full: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "1")).collect();
        save(store, change(1, "lo", &[], &full), 1);
        let why = refusal(store, change(1, "lo", &[], &[("more", "1")]));
        assert!(why.contains("would have 51"), "{why}");
        let bad_one = vec![change(2, "lo", &[], &[]), change(3, "l o", &[], &[])];
        let all = store.save_people(hotline(store), bad_one, 1).wait();
        assert!(matches!(all, Err(StoreError::NotPossible(_))), "{all:?}");
        assert_eq!(
            store.person(hotline(store), &number(2)),
            Ok(None),
            "all or none"
        );
        let many = (0..=MAX_SAVED_AT_ONCE as u32).map(|of| PersonChange::of(number(of)));
        let many = store.save_people(hotline(store), many.collect(), 1).wait();
        assert!(matches!(many, Err(StoreError::NotPossible(_))));
    });
}

#[test]
fn people_outlive_their_process_and_lie_sealed() {
    let folder = tempfile::tempdir().unwrap();
    let places = Places::in_folder(folder.path());
    let (store, _) = DiskStore::open(&places, 0).unwrap();
    store.apply(parse(TENANTS)).wait().unwrap();
    let kept = save(
        &store,
        change(1, "lo", &["1401"], &[("note", "canary-note")]),
        5,
    );
    drop(store);
    let bytes = std::fs::read(&places.database).unwrap();
    assert!(!bytes.windows(11).any(|window| window == b"canary-note"));
    let (store, _) = DiskStore::open(&places, 0).unwrap();
    assert_eq!(store.person(hotline(&store), &number(1)), Ok(Some(kept)));
}
