//! `jackfield recordings`: what to record, for whoever will speak it.

use std::io::Write;

use anyhow::Context;
use media::PhraseRules;

/// Writes a line for each recording: the name of its file, a tab, what to say.
pub(crate) fn list(rules: &str, out: &mut impl Write) -> anyhow::Result<()> {
    let rules = match PhraseRules::bundled(rules) {
        Some(bundled) => bundled,
        None => {
            let text = std::fs::read_to_string(rules).with_context(|| {
                format!("`{rules}` is neither en, km, lo or so nor a file that can be read")
            })?;
            PhraseRules::parse(&text).with_context(|| format!("`{rules}` is not usable"))?
        }
    };
    for (file, text) in rules.script() {
        writeln!(out, "{file}.wav\t{text}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_names_a_file_and_its_words() {
        let mut out = Vec::new();
        list("km", &mut out).unwrap();
        let out = String::from_utf8(out).unwrap();
        assert!(out.lines().any(|line| line == "KHR.wav\tរៀល"), "{out}");
        let error = list("/nowhere", &mut Vec::new()).unwrap_err().to_string();
        assert!(error.contains("neither en, km, lo or so"), "{error}");
    }
}
