//! The cases that a component brings with it: files of scripts, each in a custom section of its own.
//!
//! The section is called `jackfield:cases/` and the file's name; its content is the file as it is. What cases are is not known here: a
//! server hands them to a process that plays them before calls begin with the component.

use crate::parts;
use crate::world::LoadError;

/// Begins the sections' names.
const PREFIX: &str = "jackfield:cases/";
/// Files, at most.
const MAX_FILES: usize = 64;
/// Bytes of all of them, at most.
const MAX_BYTES: usize = 256 * 1024;
/// Bytes of a file's name, at most.
const MAX_NAME_BYTES: usize = 100;

/// A file of cases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseFile {
    /// Without a folder, such as `calls.toml`; each in a component has another.
    pub name: String,
    /// The file, TOML.
    pub text: String,
}

/// The files of cases that a component brings, in their order: at most 64, with 256 KiB together.
///
/// # Errors
/// [`LoadError`] where the bytes are no component, or there is more or something else in these sections.
pub fn cases(wasm: &[u8]) -> Result<Vec<CaseFile>, LoadError> {
    let sections = parts::custom(wasm, is_cases)?;
    let bytes = sections.iter().map(|section| section.data.len()).sum();
    check_amount(sections.len(), bytes)?;
    let mut files: Vec<CaseFile> = Vec::new();
    for section in sections {
        let name = section.name.strip_prefix(PREFIX).unwrap_or_default();
        check_name(name)?;
        if files.iter().any(|file| file.name == name) {
            return Err(LoadError::Cases(format!("there are two files `{name}`")));
        }
        let text = std::str::from_utf8(section.data)
            .map_err(|error| LoadError::Cases(format!("`{name}` is no text: {error}")))?;
        files.push(CaseFile {
            name: name.to_owned(),
            text: text.to_owned(),
        });
    }
    Ok(files)
}

/// The component with these files in place of those that it had.
///
/// # Errors
/// As [`cases`], for the component and for the files.
pub fn with_cases(wasm: &[u8], files: &[CaseFile]) -> Result<Vec<u8>, LoadError> {
    let sections = files
        .iter()
        .map(|file| (format!("{PREFIX}{}", file.name), file.text.as_str()));
    let component = parts::with_custom(wasm, is_cases, sections)?;
    // What would be refused later is not made.
    cases(&component)?;
    Ok(component)
}

fn is_cases(name: &str) -> bool {
    name.starts_with(PREFIX)
}

fn check_amount(files: usize, bytes: usize) -> Result<(), LoadError> {
    if files > MAX_FILES {
        return Err(LoadError::Cases(format!(
            "{files} files: at most {MAX_FILES} are taken, so put more cases into each"
        )));
    }
    if bytes > MAX_BYTES {
        return Err(LoadError::Cases(format!(
            "the files have {bytes} bytes: at most {MAX_BYTES} are taken together"
        )));
    }
    Ok(())
}

fn check_name(name: &str) -> Result<(), LoadError> {
    let plain =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b' ');
    if !name.is_empty() && name.len() <= MAX_NAME_BYTES && name.bytes().all(plain) {
        return Ok(());
    }
    Err(LoadError::Cases(format!(
        "`{}` is no name of a file: it has 1 to {MAX_NAME_BYTES} letters, digits, dots, hyphens, underscores and spaces",
        name.escape_debug()
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, text: &str) -> CaseFile {
        CaseFile {
            name: name.to_owned(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn what_a_component_brings_is_read_and_replaced() {
        assert_eq!(cases(bundled::ECHO), Ok(Vec::new()));
        let two = [file("calls.toml", "[[case]]"), file("late.toml", "# ប\n")];
        let bringing = with_cases(bundled::ECHO, &two).unwrap();
        assert_eq!(cases(&bringing).as_deref(), Ok(&two[..]));
        let asking = crate::with_asks(&bringing, "key-value = true\n").unwrap();
        assert_eq!(cases(&asking).as_deref(), Ok(&two[..]));
        // What it asks for stays when its cases change, and nothing else is left of them.
        let one = [file("calls.toml", &"#".repeat(500))];
        let other = with_cases(&asking, &one).unwrap();
        assert_eq!(cases(&other).as_deref(), Ok(&one[..]));
        assert!(crate::asks(&other).unwrap().key_value);
        assert_eq!(
            with_cases(&bringing, &[]).as_deref(),
            Ok(bundled::ECHO),
            "nothing is left"
        );
    }

    #[test]
    fn what_is_too_much_or_no_file_is_refused_with_what_to_do() {
        let many: Vec<CaseFile> = (0..=MAX_FILES)
            .map(|number| file(&number.to_string(), ""))
            .collect();
        let large = file("a.toml", &"#".repeat(MAX_BYTES / 2 + 1));
        let long_name = "n".repeat(MAX_NAME_BYTES + 1);
        for (files, told) in [
            (many, "65 files: at most 64"),
            (
                vec![large.clone(), file("b.toml", &large.text)],
                "262146 bytes: at most 262144",
            ),
            (vec![file("a", ""), file("a", "#")], "two files `a`"),
            (vec![file("", "")], "`` is no name"),
            (vec![file("a/b.toml", "")], "`a/b.toml` is no name"),
            (vec![file("a\nb", "")], "`a\\nb` is no name"),
            (vec![file(&long_name, "")], "is no name"),
        ] {
            let error = with_cases(bundled::ECHO, &files).unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
        }
        let exactly = file("a.toml", &"#".repeat(MAX_BYTES));
        assert!(with_cases(bundled::ECHO, &[exactly]).is_ok());
    }
}
