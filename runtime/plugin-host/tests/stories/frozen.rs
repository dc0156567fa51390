//! The interfaces that are frozen: what is in `wit/` under a released version does not change any more.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use plugin_host::{WitFile, wit_files};
use sha2::{Digest, Sha256};

/// Each file of a frozen package with what it hashes to, comments and spacing apart.
const LIST: &str = include_str!("../../../../tests/vectors/frozen-wit.txt");
/// Where it is, for whoever releases a version.
const FILE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../tests/vectors/frozen-wit.txt"
);
/// Writes the list anew: for the release of a version, and for nothing else.
const FREEZE: &str = "JACKFIELD_FREEZE";

#[test]
fn nothing_frozen_has_changed() {
    if std::env::var_os(FREEZE).is_some() {
        let list: String = hashes().into_iter().fold(String::new(), |mut list, row| {
            writeln!(list, "{}  {}", row.1, row.0).unwrap();
            list
        });
        std::fs::write(FILE, list).unwrap();
        return;
    }
    let now = hashes();
    let frozen: BTreeMap<&str, &str> = LIST
        .lines()
        .map(|line| line.split_once("  ").unwrap())
        .map(|(hash, file)| (file, hash))
        .collect();
    assert!(frozen.len() >= 16, "the list is whole: {}", frozen.len());
    for (file, hash) in &frozen {
        let what = match now.get(*file) {
            Some(now) if now == hash => continue,
            Some(_) => "has changed",
            None => "is gone",
        };
        panic!(
            "wit/{file} {what}, and it is frozen: components in use are built for it. Take the change back, and put it into a new version \
             beside it, as decision 32 (docs/adr/0032-frozen.md) says"
        );
    }
    let packages: Vec<&str> = frozen.keys().map(|file| package(file)).collect();
    for file in now.keys() {
        assert!(
            frozen.contains_key(file.as_str()) || !packages.contains(&package(file)),
            "wit/{file} is new in a frozen package: put it into a new version beside it, as decision 32 (docs/adr/0032-frozen.md) says"
        );
    }
}

fn package(file: &str) -> &str {
    file.split('/').next().unwrap_or_default()
}

/// Of each file now, by package and name.
fn hashes() -> BTreeMap<String, String> {
    wit_files()
        .map(
            |WitFile {
                 package,
                 name,
                 text,
             }| {
                let digest = Sha256::digest(essence(text));
                let hash = digest.iter().fold(String::new(), |mut hash, byte| {
                    write!(hash, "{byte:02x}").unwrap();
                    hash
                });
                (format!("{package}/{name}"), hash)
            },
        )
        .collect()
}

/// A text without its comments, with one space where there was any.
fn essence(text: &str) -> String {
    let lines = text
        .lines()
        .map(|line| line.split_once("//").map_or(line, |(code, _)| code));
    let words: Vec<&str> = lines.flat_map(str::split_whitespace).collect();
    words.join(" ")
}

#[test]
fn comments_and_spacing_are_no_change_and_all_else_is() {
    let before = "/// Keys.\npress: func(keys: string); // all of them\n";
    for (after, is_same) in [
        ("press: func(keys: string);", true),
        ("/// Presses.\n\n  press:  func(keys: string);", true),
        ("press: func(key: string);", false),
        ("press: func(keys: string) -> u32;", false),
        ("press: func(keys: string); stop: func();", false),
        ("// press: func(keys: string);", false),
    ] {
        assert_eq!(essence(before) == essence(after), is_same, "{after}");
    }
}

#[test]
fn no_comment_of_another_kind_hides_a_change() {
    for WitFile {
        package,
        name,
        text,
    } in wit_files()
    {
        assert!(
            !text.contains("/*"),
            "{package}/{name}: comments begin with `//`"
        );
    }
}
