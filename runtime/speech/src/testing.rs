//! What tests of several files need.

use std::fs::write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A shell script in that folder: a program that misbehaves in a given way.
pub(crate) fn script(folder: &Path, name: &str, body: &str) -> PathBuf {
    let (source, path) = (folder.join(format!("{name}.source")), folder.join(name));
    write(&source, format!("#!/bin/sh\n{body}\n")).unwrap();
    // Another process writes the program: a file that this one has open for writing, as processes that other tests start at that
    // moment have it too, cannot be run.
    let mut install = Command::new("install");
    install.args(["-m", "755"]).arg(&source).arg(&path);
    assert!(install.status().unwrap().success());
    path
}

/// A WAV file at 16 kHz.
pub(crate) fn wav(samples: &[i16]) -> Vec<u8> {
    let size = u32::try_from(2 * samples.len()).unwrap();
    let mut file = b"RIFF".to_vec();
    file.extend((36 + size).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    file.extend(16_000_u32.to_le_bytes());
    file.extend(32_000_u32.to_le_bytes());
    file.extend(b"\x02\0\x10\0data");
    file.extend(size.to_le_bytes());
    file.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
    file
}
