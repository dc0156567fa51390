//! Each test that the pages of what is shown name is there.

use std::path::{Path, PathBuf};

/// The file a test of the page is in: named from `runtime/`, or from the top.
fn file(top: &Path, named: &str) -> PathBuf {
    let in_runtime = top.join("runtime").join(named);
    if in_runtime.exists() {
        in_runtime
    } else {
        top.join(named)
    }
}

#[test]
fn each_test_of_the_pages_exists() {
    for (page, at_least) in [("docs/rfc-coverage.md", 100), ("docs/interop.md", 40)] {
        check(page, at_least);
    }
}

fn check(page: &str, at_least: usize) {
    let top = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let page = std::fs::read_to_string(top.join(page)).expect("the page is there");
    let names: Vec<_> = page
        .split('`')
        .filter_map(|word| word.split_once(".rs::"))
        .collect();
    assert!(names.len() > at_least, "{} tests", names.len());
    for (file_name, test) in names {
        let path = file(&top, &format!("{file_name}.rs"));
        let text = std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(
            text.contains(&format!("fn {test}(")),
            "{file_name}.rs::{test}"
        );
    }
}
