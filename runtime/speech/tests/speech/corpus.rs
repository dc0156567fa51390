//! What fuzzing starts from and has found, replayed.

use std::path::PathBuf;

use crate::fuzzed;

#[test]
fn the_corpus_does_no_harm() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/fuzz/corpus/ssml");
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("the folder can be listed").path())
        .collect();
    files.sort();
    assert!(files.len() >= 18, "{} files", files.len());
    let spoken = files.iter().filter(|file| {
        let bytes = std::fs::read(file);
        fuzzed::ssml(&bytes.unwrap_or_else(|error| panic!("{}: {error}", file.display())))
    });
    assert!(spoken.count() >= 8, "most are understood");
}
