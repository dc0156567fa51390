//! Compiled flows that one test's server lends to the next. Each server has a data folder of its own, and would else compile the bundled
//! flows at its start: two seconds of a core, taken from the calls that other tests listen to at that moment.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use crate::server::binary;

/// Compiled code is sealed with a key that comes from the token: they go together.
const TOKEN: &str = "operator.token";
const COMPILED: &str = "compiled";

/// Puts into a new data folder what another server of the same program compiled, if there was one.
pub(crate) fn lend(data: &Path) {
    let kept = kept();
    if !kept.exists() {
        return;
    }
    let mut folder = fs::DirBuilder::new();
    folder.mode(0o700).create(data).expect("a new data folder");
    copy(&kept, data).expect("compiled flows can be lent");
}

/// Keeps what a server that is ready has compiled, for those that come after it.
pub(crate) fn keep(data: &Path) {
    let kept = kept();
    if kept.exists() {
        return;
    }
    let unfinished = kept.with_extension(format!(
        "{}-{:?}",
        std::process::id(),
        std::thread::current().id()
    ));
    fs::create_dir_all(&unfinished).expect("a folder for compiled flows");
    copy(data, &unfinished).expect("compiled flows can be kept");
    if fs::rename(&unfinished, &kept).is_err() {
        // Another test was first.
        fs::remove_dir_all(&unfinished).expect("our own folder can be removed");
    }
}

/// Beside the program, a folder for each build of it.
fn kept() -> PathBuf {
    let program = binary();
    let built = fs::metadata(&program).expect("the program is built");
    program.with_file_name(format!("compiled-flows-{}-{}", built.mtime(), built.size()))
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::copy(from.join(TOKEN), to.join(TOKEN))?;
    fs::create_dir(to.join(COMPILED))?;
    for file in fs::read_dir(from.join(COMPILED))? {
        let file = file?;
        fs::copy(file.path(), to.join(COMPILED).join(file.file_name()))?;
    }
    Ok(())
}
