//! Plugins: numbered versions, which of them run calls, and who did what.

use jackfield_store::{
    AccountStatus, AccountStore as _, Author, Canary, CarrierId, DiskStore, MAX_VERSIONS,
    NewVersion, OPERATOR, OperatorEdit, Places, Plugin, PluginChange, PluginLogLine, PluginOwner,
    PluginPage, SelfTest, Standing, Store, StoreError, UploadedPlugin, VersionUsage,
};

use crate::support::{TENANTS, clinic, hotline, parse};
use crate::verbs::on_each;

fn version(owner: PluginOwner, bytes: &[u8], at_unix_ms: u64) -> NewVersion {
    NewVersion {
        owner,
        name: "survey".to_owned(),
        bytes: bytes.to_vec(),
        worlds: vec!["call-flow".to_owned()],
        self_test: SelfTest::Passed { cases: 1 },
        activate: true,
        by: "somebody".to_owned(),
        at_unix_ms,
    }
}

fn upload(store: &dyn Store, bytes: &[u8], at: u64) -> UploadedPlugin {
    let new = version(hotline(store).into(), bytes, at);
    store.upload_plugin(new).wait().unwrap()
}

fn change(store: &dyn Store, change: PluginChange) -> Result<Standing, StoreError> {
    let owner = hotline(store).into();
    let changed = store.change_plugin(owner, "survey".to_owned(), change, "sok".to_owned(), 99);
    changed.wait().map(|plugin| plugin.standing)
}

fn back() -> PluginChange {
    PluginChange::Rollback {
        from: None,
        why: String::new(),
    }
}

fn standing(active: u32, last_good: Option<u32>) -> Standing {
    Standing {
        active: Some(active),
        last_good,
        canary: None,
    }
}

fn history(store: &dyn Store) -> Vec<String> {
    let events = store
        .plugin_history(&hotline(store).into(), "survey", None, 100)
        .unwrap();
    let told = |event: jackfield_store::PluginEvent| format!("{} {}", event.who, event.deed);
    events.into_iter().rev().map(told).collect()
}

#[test]
fn versions_are_numbered_and_the_same_bytes_are_one_version() {
    on_each(|store| {
        let first = upload(store, b"one", 10);
        assert_eq!((first.version.number, first.is_new), (1, true));
        assert_eq!(first.standing, standing(1, None));
        let second = upload(store, b"two", 20);
        assert_eq!(second.standing, standing(2, Some(1)));
        let again = upload(store, b"one", 30);
        assert_eq!(
            (again.version, again.is_new),
            (first.version.clone(), false)
        );
        assert_eq!(again.standing, standing(1, Some(2)));
        assert_eq!(store.component_bytes(first.version.sha256).unwrap(), b"one");
        assert_eq!(
            history(store),
            [
                "somebody uploaded version 1",
                "somebody activated version 1",
                "somebody uploaded version 2",
                "somebody activated version 2",
                "somebody activated version 1",
            ]
        );
        let foreign = store.plugin_history(&clinic(store).into(), "survey", None, 9);
        assert_eq!(foreign.unwrap(), []);
        let page = store.plugin_history(&hotline(store).into(), "survey", Some(2), 1);
        assert_eq!(page.unwrap()[0].sequence, 1);
    });
}

#[test]
fn a_version_that_failed_its_self_test_is_kept_and_cannot_run() {
    on_each(|store| {
        upload(store, b"good", 0);
        let failed = NewVersion {
            self_test: SelfTest::Failed {
                cases: 3,
                why: "no answer".to_owned(),
            },
            ..version(hotline(store).into(), b"bad", 1)
        };
        for _again in 0..2 {
            let kept = store.upload_plugin(failed.clone()).wait().unwrap();
            assert_eq!(kept.version.number, 2);
            assert_eq!(kept.standing, standing(1, None));
        }
        for wanted in [
            PluginChange::Activate { version: 2 },
            PluginChange::Canary {
                version: 2,
                percent: 5,
            },
        ] {
            let refused = change(store, wanted).unwrap_err().to_string();
            assert!(refused.contains("self-test: no answer"), "{refused}");
        }
    });
}

#[test]
fn a_version_that_has_not_passed_is_tested_again_by_the_next_upload() {
    on_each(|store| {
        let tested = |self_test: SelfTest, activate: bool| {
            let new = NewVersion {
                self_test,
                activate,
                ..version(hotline(store).into(), b"one", 0)
            };
            store.upload_plugin(new).wait().unwrap()
        };
        let could_not = SelfTest::CouldNotRun {
            why: "no room".to_owned(),
        };
        let failed = SelfTest::Failed {
            cases: 2,
            why: "it was slow".to_owned(),
        };
        let passed = SelfTest::Passed { cases: 2 };
        for (result, kept, active) in [
            (&could_not, &could_not, None),
            (&failed, &failed, None),
            (&could_not, &failed, None),
            (&passed, &passed, Some(1)),
            (&failed, &passed, Some(1)),
        ] {
            let is_pass = matches!(result, SelfTest::Passed { .. });
            let uploaded = tested(result.clone(), is_pass);
            assert_eq!(&uploaded.version.self_test, kept);
            assert_eq!(uploaded.standing.active, active);
            let directory = store.directory();
            let plugin = directory.plugin(&hotline(store).into(), "survey").unwrap();
            assert_eq!(&plugin.versions[0].self_test, kept);
        }
    });
}

#[test]
fn a_rollback_ends_the_canary_first_and_then_goes_one_version_back() {
    on_each(|store| {
        for bytes in [b"1", b"2", b"3"] {
            upload(store, bytes, 0);
        }
        let activate = |version| change(store, PluginChange::Activate { version });
        let canary = |version, percent| change(store, PluginChange::Canary { version, percent });
        assert_eq!(activate(2), Ok(standing(2, Some(3))));
        let on_trial = Standing {
            canary: Some(Canary {
                version: 3,
                percent: 10,
            }),
            ..standing(2, Some(3))
        };
        assert_eq!(canary(3, 10), Ok(on_trial));
        assert_eq!(change(store, back()), Ok(standing(2, Some(3))));
        assert_eq!(canary(1, 50).unwrap().canary.unwrap().version, 1);
        assert_eq!(canary(1, 0), Ok(standing(2, Some(3))));
        assert_eq!(change(store, back()), Ok(standing(3, None)));
        for (wanted, why) in [
            (back(), "no version to go back to"),
            (PluginChange::Activate { version: 9 }, "no version 9"),
            (
                PluginChange::Canary {
                    version: 3,
                    percent: 5,
                },
                "is active",
            ),
            (
                PluginChange::Canary {
                    version: 1,
                    percent: 101,
                },
                "0 to 100",
            ),
            (
                PluginChange::Canary {
                    version: 1,
                    percent: 0,
                },
                "not on trial",
            ),
            (
                PluginChange::Rollback {
                    from: Some(2),
                    why: String::new(),
                },
                "runs no new calls",
            ),
        ] {
            let refused = change(store, wanted).unwrap_err().to_string();
            assert!(refused.contains(why), "{refused}");
        }
        assert_eq!(
            history(store)[6..],
            [
                "sok activated version 2",
                "sok gave version 3 10 % of new calls",
                "sok ended the trial of version 3",
                "sok gave version 1 50 % of new calls",
                "sok ended the trial of version 1",
                "sok rolled back from version 2 to version 3",
            ]
        );
    });
}

#[test]
fn versions_without_a_part_to_play_go_and_take_their_bytes_along() {
    on_each(|store| {
        let first = upload(store, b"first", 0).version;
        let second = upload(store, b"second", 0).version;
        // The clinic has the same bytes as the second version.
        let shared = version(clinic(store).into(), b"second", 0);
        store.upload_plugin(shared).wait().unwrap();
        let back_to_first = PluginChange::Activate { version: 1 };
        change(store, back_to_first).unwrap();
        for number in 0..MAX_VERSIONS {
            let idle = NewVersion {
                activate: false,
                ..version(hotline(store).into(), format!("{number}").as_bytes(), 0)
            };
            store.upload_plugin(idle).wait().unwrap();
        }
        let directory = store.directory();
        let plugin = directory.plugin(&hotline(store).into(), "survey").unwrap();
        assert_eq!(plugin.versions.len(), MAX_VERSIONS);
        let numbers = |plugin: &Plugin| {
            plugin
                .versions
                .iter()
                .map(|kept| kept.number)
                .take(3)
                .collect::<Vec<_>>()
        };
        assert_eq!(numbers(plugin), [1, 2, 5], "active and last good stay");
        assert_eq!(store.component_bytes(first.sha256).unwrap(), b"first");
        assert_eq!(store.component_bytes(second.sha256).unwrap(), b"second");
        let gone = jackfield_store::Sha256Digest::of(b"0");
        assert!(store.component_bytes(gone).is_err());
    });
}

#[test]
fn a_plugin_belongs_to_an_owner_who_exists() {
    on_each(|store| {
        let nobody = PluginOwner::Carrier(jackfield_store::CarrierId("nobody".to_owned()));
        let refused = store.upload_plugin(version(nobody, b"x", 0)).wait();
        assert_eq!(refused, Err(StoreError::UnknownPlugin("survey".to_owned())));
        let carrier = PluginOwner::Carrier(jackfield_store::CarrierId("east".to_owned()));
        store
            .upload_plugin(version(carrier.clone(), b"x", 0))
            .wait()
            .unwrap();
        let directory = store.directory();
        let hotline = hotline(store).account();
        let PluginOwner::Carrier(east) = &carrier else {
            unreachable!("it was made so")
        };
        assert!(directory.has_plugin(east, hotline, "survey"));
        assert_eq!(
            directory.plugin(&PluginOwner::Account(hotline), "survey"),
            None
        );
    });
}

#[test]
fn plugins_and_their_history_are_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let open = || {
        DiskStore::open(&Places::in_folder(folder.path()), 0)
            .unwrap()
            .0
    };
    let store = open();
    store.apply(parse(TENANTS)).wait().unwrap();
    upload(&store, b"one", 10);
    upload(&store, b"two", 20);
    change(&store, back()).unwrap();
    let seen = |store: &DiskStore| {
        let owner = hotline(store).into();
        (
            store.directory().plugin(&owner, "survey").cloned(),
            history(store),
        )
    };
    let before = seen(&store);
    drop(store);
    let store = open();
    assert_eq!(seen(&store), before);
    assert_eq!(upload(&store, b"three", 30).version.number, 3);
}

#[test]
fn a_tenants_file_that_is_applied_again_does_not_undo_an_upload() {
    on_each(|store| {
        let folder = tempfile::tempdir().unwrap();
        let apply = |bytes: &[u8]| {
            std::fs::write(folder.path().join("survey.wasm"), bytes).unwrap();
            let surroundings = jackfield_store::tenants::Surroundings {
                folder: folder.path(),
                bundled: &["menu"],
                uploaded: &|_, _, _| false,
                check_component: &|_, _| Ok(()),
            };
            let text = format!(
                "{TENANTS}\n[[component]]\naccount = \"hotline\"\nname = \"survey\"\nfile = \"survey.wasm\"\n"
            );
            let tenants = jackfield_store::Tenants::parse(&text, &surroundings).unwrap();
            store
                .apply(tenants.applied_by(Author::operator(7)))
                .wait()
                .unwrap();
            let owner = hotline(store).into();
            store.directory().plugin(&owner, "survey").unwrap().standing
        };
        assert_eq!(apply(b"one"), standing(1, None));
        let pushed = upload(store, b"two", 10);
        assert_eq!(pushed.standing, standing(2, Some(1)));
        assert_eq!(apply(b"one"), standing(2, Some(1)), "nothing new");
        assert_eq!(apply(b"three"), standing(3, Some(2)));
        assert_eq!(apply(b"one"), standing(1, Some(3)));
        let told = history(store);
        assert_eq!(told[0], format!("{OPERATOR} uploaded version 1"));
        assert_eq!(
            told.last().unwrap(),
            &format!("{OPERATOR} activated version 1")
        );
    });
}

fn page(owner: PluginOwner, name: &str, calls: u64) -> PluginPage {
    let usage = VersionUsage {
        calls,
        ..VersionUsage::default()
    };
    let line = PluginLogLine {
        at_unix_ms: 7,
        version: 1,
        call: "CA1".to_owned(),
        level: "info".to_owned(),
        message: "pressed 4711".to_owned(),
    };
    PluginPage {
        owner,
        name: name.to_owned(),
        usage: [(1, usage)].into(),
        lines: vec![line],
    }
}

#[test]
fn pages_are_kept_for_plugins_that_are_there() {
    on_each(|store| {
        upload(store, b"one", 1);
        let owner: PluginOwner = hotline(store).into();
        assert_eq!(store.plugin_pages(), Ok(Vec::new()));
        let others = [
            page(clinic(store).into(), "survey", 1),
            page(owner.clone(), "another", 1),
        ];
        for calls in [1, 2] {
            let mut pages = vec![page(owner.clone(), "survey", calls)];
            pages.extend(others.clone());
            store.keep_plugin_pages(pages).wait().unwrap();
            let kept = page(owner.clone(), "survey", calls);
            assert_eq!(store.plugin_pages(), Ok(vec![kept]));
        }
    });
}

#[test]
fn pages_outlive_a_restart_and_lie_sealed() {
    let folder = tempfile::tempdir().unwrap();
    let places = Places::in_folder(folder.path());
    let open = || DiskStore::open(&places, 0).unwrap().0;
    let pages = {
        let store = open();
        store.apply(parse(TENANTS)).wait().unwrap();
        let owners = [
            PluginOwner::Carrier(CarrierId("east".to_owned())),
            hotline(&store).into(),
        ];
        for owner in owners.clone() {
            let new = version(owner, b"one", 1);
            store.upload_plugin(new).wait().unwrap();
        }
        let pages = owners.map(|owner| page(owner, "survey", 3));
        store.keep_plugin_pages(pages.to_vec()).wait().unwrap();
        pages
    };
    let kept = open().plugin_pages().unwrap();
    assert_eq!(kept.len(), 2);
    assert!(pages.iter().all(|page| kept.contains(page)), "{kept:?}");
    let database = std::fs::read(&places.database).unwrap();
    let words = b"pressed 4711";
    assert!(!database.windows(words.len()).any(|bytes| bytes == words));
}

#[test]
fn a_page_goes_with_its_account() {
    on_each(|store| {
        upload(store, b"one", 1);
        let sid = hotline(store).account();
        let kept = page(hotline(store).into(), "survey", 1);
        store.keep_plugin_pages(vec![kept]).wait().unwrap();
        for edit in [
            OperatorEdit::SetStatus(sid, AccountStatus::Closed),
            OperatorEdit::DeleteAccount(sid),
        ] {
            store.administer(edit, Author::operator(9)).wait().unwrap();
        }
        assert_eq!(store.plugin_pages(), Ok(Vec::new()));
    });
}
