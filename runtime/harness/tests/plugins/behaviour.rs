//! The page of rules that applications notice names a test for each: they are there.

use std::path::Path;

const PAGE: &str = include_str!("../../../../docs/book/behaviour.md");

/// Whether the file has a test of that name, which is not left out.
fn has_test(source: &str, name: &str) -> bool {
    let declared = format!("fn {name}(");
    let mut before = source.split(&declared);
    let Some(before) = before.next().filter(|before| before.len() < source.len()) else {
        return false;
    };
    let lines = before.lines().rev().map(str::trim);
    let attributes = lines
        .skip_while(|line| line.is_empty() || *line == "async" || *line == "pub")
        .take_while(|line| line.starts_with("#[") || line.starts_with("//"));
    let attributes: Vec<&str> = attributes.collect();
    let is = |word: &str| attributes.iter().any(|line| line.starts_with(word));
    (is("#[test]") || is("#[tokio::test")) && !is("#[ignore")
}

#[test]
fn each_rule_names_tests_that_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let (mut rules, mut tests) = (0, 0);
    for row in PAGE.lines().filter(|line| line.starts_with("| ")) {
        let shown_by = row.trim_end_matches(" |").rsplit(" | ").next().unwrap();
        if shown_by == "shown by" {
            continue;
        }
        rules += 1;
        let mut words = shown_by.split('`').skip(1).step_by(2);
        while let Some(file) = words.next() {
            let name = words
                .next()
                .unwrap_or_else(|| panic!("no test in {file}: {row}"));
            let source = std::fs::read_to_string(root.join(file));
            let source = source.unwrap_or_else(|error| panic!("{file}: {error}"));
            assert!(has_test(&source, name), "{file} has no test {name}");
            tests += 1;
        }
    }
    assert!(rules >= 40 && tests > rules, "{rules} rules, {tests} tests");
}

#[test]
fn what_is_no_test_is_found_out() {
    let source = "#[test]\nfn good() {}\n\n#[test]\n#[ignore = \"slow\"]\nfn left_out() {}\n\nfn helper() {}\n\n#[tokio::test(start_paused = true)]\nasync fn waits() {}\n";
    for (name, there) in [
        ("good", true),
        ("waits", true),
        ("left_out", false),
        ("helper", false),
        ("nowhere", false),
    ] {
        assert_eq!(has_test(source, name), there, "{name}");
    }
}
