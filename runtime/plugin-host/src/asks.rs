//! What a component asks for: in a section of its own, and by what it imports.

use std::ops::Range;

use call::{Grants, NotGranted};
use wasm_encoder::{ComponentSection, CustomSection};
use wasmparser::{Parser, Payload};

use crate::world::{self, LoadError};

/// The custom section: an author's `plugin.toml`.
const SECTION: &str = "jackfield:asks";
/// Bytes of it, at most.
const SECTION_BYTES: usize = 16 * 1024;
/// What is imported from here has to be granted.
const KEY_VALUE: &str = "wasi:keyvalue/";

/// What a component asks for. One that says nothing asks for what it imports alone.
///
/// # Errors
/// [`LoadError`] where the bytes are no component, or what it says of itself is not understood.
pub fn asks(wasm: &[u8]) -> Result<Grants, LoadError> {
    let said = read(wasm)?;
    let mut asks = match said.section {
        Some((text, _)) => parse(text)?,
        None => Grants::default(),
    };
    asks.key_value |= said.imports_key_values;
    Ok(asks)
}

/// What of all that a component asks for is not granted: nothing, where it may be taken over.
///
/// # Errors
/// As [`asks`].
pub fn check(wasm: &[u8], grants: &Grants) -> Result<Vec<NotGranted>, LoadError> {
    Ok(grants.lacks(&asks(wasm)?))
}

/// Fails where something that is asked for is not granted, and names the lines to add.
///
/// # Errors
/// [`LoadError::NotGranted`].
pub fn require(asks: &Grants, grants: &Grants) -> Result<(), LoadError> {
    let lacking = grants.lacks(asks);
    if lacking.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = lacking.iter().map(ToString::to_string).collect();
    Err(LoadError::NotGranted(lines.join("; ")))
}

/// The component with this text, a `plugin.toml`, in place of what it said of itself before.
///
/// # Errors
/// As [`asks`]; also for a text that is no such file.
pub fn with_asks(wasm: &[u8], text: &str) -> Result<Vec<u8>, LoadError> {
    parse(text.as_bytes())?;
    let mut component = wasm.to_vec();
    if let Some((_, whole)) = read(wasm)?.section {
        component.drain(whole);
    }
    let section = CustomSection {
        name: SECTION.into(),
        data: text.as_bytes().into(),
    };
    section.append_to_component(&mut component);
    Ok(component)
}

fn parse(text: &[u8]) -> Result<Grants, LoadError> {
    let wrong = |why: String| LoadError::Asks(why);
    if text.len() > SECTION_BYTES {
        let bytes = text.len();
        return Err(wrong(format!(
            "{bytes} bytes: at most {SECTION_BYTES} are read"
        )));
    }
    let text = std::str::from_utf8(text).map_err(|error| wrong(error.to_string()))?;
    let asks: Grants = toml::from_str(text).map_err(|error| wrong(error.message().to_owned()))?;
    asks.check_entries().map_err(wrong)?;
    Ok(asks)
}

/// What a component says of itself.
struct Said<'w> {
    /// The text, and where the section is with its header.
    section: Option<(&'w [u8], Range<usize>)>,
    imports_key_values: bool,
}

fn read(wasm: &[u8]) -> Result<Said<'_>, LoadError> {
    world::check_kind(wasm)?;
    let invalid = |error: wasmparser::BinaryReaderError| LoadError::Invalid(error.to_string());
    let mut said = Said {
        section: None,
        imports_key_values: false,
    };
    let mut depth = 0_u32;
    for payload in Parser::new(0).parse_all(wasm) {
        match payload.map_err(invalid)? {
            Payload::Version { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            Payload::CustomSection(section) if depth == 1 && section.name() == SECTION => {
                if said.section.is_some() {
                    let why = format!("there are two sections `{SECTION}`");
                    return Err(LoadError::Asks(why));
                }
                let body = section.range();
                // One byte says that it is a custom section, then comes its size.
                let header = 1 + bytes_of_size(body.len());
                said.section = Some((section.data(), body.start - header..body.end));
            }
            Payload::ComponentImportSection(section) if depth == 1 => {
                for import in section {
                    let name = import.map_err(invalid)?.name.name;
                    said.imports_key_values |= name.starts_with(KEY_VALUE);
                }
            }
            _ => {}
        }
    }
    Ok(said)
}

/// Bytes that a number takes in LEB128: seven bits in each.
fn bytes_of_size(size: usize) -> usize {
    let bits = usize::BITS - size.leading_zeros();
    bits.div_ceil(7).max(1) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASKS: &str = "hosts = [\"api.example.org\"]\ndial = [\"+855\"]\n";

    fn lines(wasm: &[u8], grants: &Grants) -> Vec<String> {
        let lacking = check(wasm, grants).unwrap();
        lacking.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_a_component_says_is_read_and_replaced() {
        assert_eq!(asks(bundled::ECHO), Ok(Grants::default()));
        let asking = with_asks(bundled::ECHO, ASKS).unwrap();
        assert_eq!(
            asking.len(),
            bundled::ECHO.len() + 2 + 1 + SECTION.len() + ASKS.len()
        );
        assert_eq!(
            lines(&asking, &Grants::default()),
            ["hosts = [\"api.example.org\"]", "dial = [\"+855\"]"]
        );
        assert!(lines(&asking, &Grants::everything()).is_empty());
        // A text whose size takes two bytes, and then nothing again.
        let long = format!("{ASKS}# {}\n", "x".repeat(500));
        let longer = with_asks(&asking, &long).unwrap();
        assert_eq!(asks(&longer), asks(&asking));
        assert_eq!(with_asks(&longer, ASKS), Ok(asking));
        let quiet = with_asks(&longer, "").unwrap();
        assert_eq!(asks(&quiet), Ok(Grants::default()));
    }

    #[test]
    fn what_is_not_understood_is_told() {
        for (text, told) in [
            ("host = []", "unknown field `host`"),
            (
                "hosts = [\"https://a.example\"]",
                "`https://a.example` among `hosts`",
            ),
            ("hosts = 1", "invalid type"),
        ] {
            let error = with_asks(bundled::ECHO, text).unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
        }
        let large = "#".repeat(SECTION_BYTES + 1);
        assert!(with_asks(bundled::ECHO, &large).is_err());
        let mut twice = with_asks(bundled::ECHO, ASKS).unwrap();
        let again = CustomSection {
            name: SECTION.into(),
            data: ASKS.as_bytes().into(),
        };
        again.append_to_component(&mut twice);
        let error = asks(&twice).unwrap_err().to_string();
        assert!(error.contains("two sections"), "{error}");
        assert_eq!(asks(b"hello"), Err(LoadError::NotWasm));
    }

    #[test]
    fn what_is_imported_is_asked_for() {
        let keeper = zoo::animal("key-value-flood");
        assert_eq!(lines(&keeper, &Grants::default()), ["key-value = true"]);
        let error = require(&asks(&keeper).unwrap(), &Grants::default()).unwrap_err();
        assert!(error.to_string().contains("key-value = true"), "{error}");
    }
}
