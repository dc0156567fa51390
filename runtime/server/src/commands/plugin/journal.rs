//! `jackfield plugin journal`.

use std::io::Write;
use std::path::Path;

use anyhow::{Context, bail};
use plugin_host::journal::{Journal, bundle, unbundle};

/// Tells all that is in it, redacted if that is wished; writes it to `copy` too.
pub(super) fn show(
    file: &Path,
    redact: bool,
    copy: Option<&Path>,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let mut journals = read(file)?;
    if redact {
        for journal in &mut journals {
            *journal = Journal::read(journal)?.redacted().to_bytes();
        }
    }
    if let Some(copy) = copy {
        std::fs::write(copy, bundle(&journals))
            .with_context(|| format!("cannot write {}", copy.display()))?;
    }
    for (number, journal) in journals.iter().enumerate() {
        let journal = Journal::read(journal)?;
        let info = &journal.header.info;
        let (number, count) = (number + 1, journals.len());
        writeln!(
            out,
            "story {number} of {count}: call {}, from {} to {}",
            info.call_sid, info.caller, info.callee
        )?;
        for line in journal.lines() {
            writeln!(out, "{line}")?;
        }
    }
    Ok(())
}

/// The journals of one call's stories.
pub(super) fn read(file: &Path) -> anyhow::Result<Vec<Vec<u8>>> {
    let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let journals =
        unbundle(&bytes).with_context(|| format!("{} is no journal of a call", file.display()))?;
    if journals.is_empty() {
        bail!("{} is empty: the call had no story", file.display());
    }
    Ok(journals.into_iter().map(<[u8]>::to_vec).collect())
}
