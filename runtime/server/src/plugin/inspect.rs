//! `jackfield plugin inspect`.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use anyhow::Context;
use plugin_host::Class;
use sha2::{Digest, Sha256};

use super::engine;

/// Tells what a component is. Fails, after that, if it runs none of this host's worlds.
pub(super) fn inspect(component: &Path, out: &mut impl Write) -> anyhow::Result<()> {
    let wasm =
        std::fs::read(component).with_context(|| format!("cannot read {}", component.display()))?;
    let engine = engine()?;
    let interfaces = engine.inspect(&wasm)?;
    writeln!(out, "size  {} bytes", wasm.len())?;
    writeln!(out, "class  {}", Class::of(&wasm))?;
    list(out, "imports", &interfaces.imports)?;
    list(out, "exports", &interfaces.exports)?;
    let sha256 = Sha256::digest(&wasm);
    let sha256: String = sha256.iter().map(|byte| format!("{byte:02x}")).collect();
    writeln!(out, "sha256  {sha256}")?;
    let worlds = engine.worlds(&wasm)?;
    writeln!(out, "worlds  {}", worlds.names().join(", "))?;
    Ok(())
}

fn list(
    out: &mut impl Write,
    what: &str,
    interfaces: &BTreeMap<String, Vec<String>>,
) -> std::io::Result<()> {
    let nothing = interfaces.is_empty().then_some("nothing");
    writeln!(
        out,
        "{}",
        format!("{what}  {}", nothing.unwrap_or_default()).trim_end()
    )?;
    for (name, functions) in interfaces {
        match functions.as_slice() {
            [] => writeln!(out, "  {name}")?,
            functions => writeln!(out, "  {name}: {}", functions.join(", "))?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inspected(name: &str, wasm: &[u8]) -> (String, anyhow::Result<()>) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(name);
        std::fs::write(&file, wasm).unwrap();
        let mut out = Vec::new();
        let result = inspect(&file, &mut out);
        (String::from_utf8(out).unwrap(), result)
    }

    #[test]
    fn a_flow_is_described() {
        let (text, result) = inspected("menu.wasm", bundled::MENU);
        result.unwrap();
        for part in [
            "jackfield:call/control@0.1.0: ",
            "play",
            "jackfield:call/story@0.1.0: run",
            "sha256",
            "class  native",
            "worlds  jackfield:call/call-flow@0.1.0",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }

    #[test]
    fn what_is_no_flow_says_why() {
        let (_, result) = inspected("a.txt", b"hello");
        let error = result.unwrap_err().to_string();
        assert!(error.contains("not WebAssembly"), "{error}");
    }
}
