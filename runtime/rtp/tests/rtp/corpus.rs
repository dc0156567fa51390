//! What fuzzing starts from and has found, replayed.

use std::path::PathBuf;

use crate::fuzzed;

/// Runs every file of a target's corpus, of which there are so many at least.
fn replay(target: &str, at_least: usize, check: fn(&[u8])) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/fuzz/corpus")
        .join(target);
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("the folder can be listed").path())
        .collect();
    files.sort();
    assert!(files.len() >= at_least, "{target}: {} files", files.len());
    for file in files {
        let bytes = std::fs::read(&file);
        check(&bytes.unwrap_or_else(|error| panic!("{}: {error}", file.display())));
    }
}

#[test]
fn the_corpora_do_no_harm() {
    replay("rtp", 14, fuzzed::rtp);
    replay("rtcp", 14, fuzzed::rtcp);
    replay("telephone_event", 8, fuzzed::telephone_event);
    replay("srtp", 8, fuzzed::srtp);
}
