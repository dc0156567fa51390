//! What a component says of itself in its `plugin.toml`: what it asks for, and what the callers of its test find.

use std::collections::BTreeMap;

use call::{Grants, NotGranted};
use serde::Deserialize;
use toml::{Table, Value};
use wasmparser::Payload;

use crate::parts;
use crate::world::LoadError;

/// The custom section: an author's `plugin.toml`.
const SECTION: &str = "jackfield:asks";
/// Bytes of it, at most.
const SECTION_BYTES: usize = 16 * 1024;
/// What is imported from here has to be granted.
const KEY_VALUE: &str = "wasi:keyvalue/";
const PEOPLE: &str = "jackfield:people/";
const MEDIA: &str = "jackfield:media/";
/// The table of `plugin.toml` that is not about what is asked for.
const SELF_TEST: &str = "self-test";

/// A `plugin.toml`.
#[derive(Debug, Default)]
struct Manifest {
    asks: Grants,
    self_test: SelfTest,
}

/// Its table `[self-test]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct SelfTest {
    #[serde(default)]
    settings: BTreeMap<String, String>,
}

/// What a component asks for. One that says nothing asks for what it imports alone.
///
/// # Errors
/// [`LoadError`] where the bytes are no component, or what it says of itself is not understood.
pub fn asks(wasm: &[u8]) -> Result<Grants, LoadError> {
    let mut asks = manifest(wasm)?.asks;
    asks.key_value |= imports(wasm, KEY_VALUE)?;
    asks.people |= imports(wasm, PEOPLE)?;
    asks.media |= imports(wasm, MEDIA)?;
    Ok(asks)
}

/// The settings that the host's own callers and questions find when the component is tested: `[self-test]` of its `plugin.toml`.
///
/// # Errors
/// As [`asks`].
pub fn self_test_settings(wasm: &[u8]) -> Result<BTreeMap<String, String>, LoadError> {
    Ok(manifest(wasm)?.self_test.settings)
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
    // Two of them are nothing to be replaced.
    manifest(wasm)?;
    parts::with_custom(wasm, is_asks, [(SECTION.to_owned(), text)])
}

fn is_asks(name: &str) -> bool {
    name == SECTION
}

fn manifest(wasm: &[u8]) -> Result<Manifest, LoadError> {
    match parts::custom(wasm, is_asks)?.as_slice() {
        [] => Ok(Manifest::default()),
        [section] => parse(section.data),
        _ => {
            let why = format!("there are two sections `{SECTION}`");
            Err(LoadError::Asks(why))
        }
    }
}

fn parse(text: &[u8]) -> Result<Manifest, LoadError> {
    let wrong = |why: String| LoadError::Asks(why);
    let not_toml = |error: toml::de::Error| wrong(error.message().to_owned());
    if text.len() > SECTION_BYTES {
        let bytes = text.len();
        return Err(wrong(format!(
            "{bytes} bytes: at most {SECTION_BYTES} are read"
        )));
    }
    let text = std::str::from_utf8(text).map_err(|error| wrong(error.to_string()))?;
    let mut table: Table = toml::from_str(text).map_err(not_toml)?;
    let self_test = match table.remove(SELF_TEST) {
        Some(value) => value.try_into().map_err(|error: toml::de::Error| {
            wrong(format!("[{SELF_TEST}]: {}", error.message()))
        })?,
        None => SelfTest::default(),
    };
    let asks: Grants = Value::Table(table).try_into().map_err(not_toml)?;
    asks.check_entries().map_err(wrong)?;
    Ok(Manifest { asks, self_test })
}

/// Whether it imports something of which the name begins so.
fn imports(wasm: &[u8], beginning: &str) -> Result<bool, LoadError> {
    let mut imports = false;
    parts::each(wasm, |payload| {
        if let Payload::ComponentImportSection(section) = payload {
            for import in section {
                let name = import.map_err(parts::invalid)?.name.name;
                imports |= name.starts_with(beginning);
            }
        }
        Ok(())
    })?;
    Ok(imports)
}

#[cfg(test)]
mod tests {
    use wasm_encoder::{ComponentSection as _, CustomSection};

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
            (
                "[self-test]\nsetings = {}",
                "[self-test]: unknown field `setings`",
            ),
            (
                "[self-test]\nsettings = { retries = 3 }",
                "[self-test]: invalid type",
            ),
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
    fn settings_of_the_test_are_not_asked_for() {
        let text = format!("{ASKS}[self-test.settings]\ninbox-url = \"https://inbox.example/\"\n");
        let asking = with_asks(bundled::ECHO, &text).unwrap();
        let plain = with_asks(bundled::ECHO, ASKS).unwrap();
        assert_eq!(asks(&asking), asks(&plain));
        let settings = self_test_settings(&asking).unwrap();
        let expected = ("inbox-url".to_owned(), "https://inbox.example/".to_owned());
        assert_eq!(settings, BTreeMap::from([expected]));
        assert_eq!(self_test_settings(&plain), Ok(BTreeMap::new()));
    }

    #[test]
    fn what_is_imported_is_asked_for() {
        let keeper = zoo::animal("key-value-flood");
        assert_eq!(lines(&keeper, &Grants::default()), ["key-value = true"]);
        let error = require(&asks(&keeper).unwrap(), &Grants::default()).unwrap_err();
        assert!(error.to_string().contains("key-value = true"), "{error}");
    }
}
