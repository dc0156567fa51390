//! What fuzzing starts from and has found, replayed.

use std::path::{Path, PathBuf};

use crate::fuzzed;

fn replay(folder: &Path, at_least: usize, check: fn(&[u8])) {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("the folder can be listed").path())
        .collect();
    files.sort();
    assert!(
        files.len() >= at_least,
        "{}: {} files",
        folder.display(),
        files.len()
    );
    for file in files {
        let bytes = std::fs::read(&file);
        check(&bytes.unwrap_or_else(|error| panic!("{}: {error}", file.display())));
    }
}

#[test]
fn the_corpora_do_no_harm() {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let corpora = here.join("../../tests/fuzz/corpus");
    replay(&here.join("testdata"), 8, fuzzed::prompt_file);
    replay(&corpora.join("prompt_file"), 20, fuzzed::prompt_file);
    replay(&corpora.join("codec_payload"), 10, fuzzed::codec_payload);
}
