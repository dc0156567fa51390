//! A call that was played by hand, added to a file of scripts.

use std::fs;
use std::path::Path;

use anyhow::Context;
use harness::Run;

/// Adds the case, under this name or the next that is free; returns which.
pub(super) fn save(file: &Path, name: &str, run: &Run) -> anyhow::Result<String> {
    let before = match file.exists() {
        true => fs::read_to_string(file)?,
        false => String::new(),
    };
    let taken = match before.trim() {
        "" => Vec::new(),
        _ => {
            let cases = harness::read_cases(&before);
            cases
                .context("it is no file of scripts that can be added to")?
                .calls
        }
    };
    let is_free = |name: &String| taken.iter().all(|case| case.name != *name);
    let numbered = (2..).map(|number| format!("{name} {number}"));
    let name = std::iter::once(name.to_owned())
        .chain(numbered)
        .find(is_free);
    let name = name.context("there is a number for each case")?;
    let between = if taken.is_empty() { "" } else { "\n" };
    let whole = format!("{before}{between}{}", run.to_case(&name));
    harness::read_cases(&whole).context("the case cannot be added to what is there")?;
    fs::write(file, whole)?;
    Ok(name)
}
