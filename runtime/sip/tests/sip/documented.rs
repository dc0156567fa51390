//! Each test that `docs/rfc-coverage.md` names is there.

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
fn each_test_of_the_coverage_page_exists() {
    let top = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let page =
        std::fs::read_to_string(top.join("docs/rfc-coverage.md")).expect("the page is there");
    let names: Vec<_> = page
        .split('`')
        .filter_map(|word| word.split_once(".rs::"))
        .collect();
    assert!(names.len() > 100, "{} tests", names.len());
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
