//! `jackfield plugin inspect`.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use call::Grants;
use clap::Args;
use plugin_host::Class;
use sha2::{Digest, Sha256};

use super::engine;

/// Whose grants what a component asks for is compared with.
#[derive(Debug, Default, Args)]
pub(crate) struct WouldBeGranted {
    /// A tenants file: tells of each thing that the component asks for whether the account there grants it.
    #[arg(long, value_name = "FILE", requires = "account")]
    grants: Option<PathBuf>,
    /// The account in it: its name, or `carrier/name`.
    #[arg(long, value_name = "NAME", requires = "grants")]
    account: Option<String>,
}

/// Tells what a component is. Fails, after that, if it runs none of this host's worlds.
pub(super) fn inspect(
    component: &Path,
    account: &WouldBeGranted,
    out: &mut impl Write,
) -> anyhow::Result<()> {
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
    asks(&plugin_host::asks(&wasm)?, account.read()?.as_ref(), out)?;
    brings(&wasm, out)?;
    let worlds = engine.worlds(&wasm)?;
    writeln!(out, "worlds  {}", worlds.names().join(", "))?;
    Ok(())
}

impl WouldBeGranted {
    fn read(&self) -> anyhow::Result<Option<Grants>> {
        let (Some(file), Some(account)) = (&self.grants, &self.account) else {
            return Ok(None);
        };
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("cannot read {}", file.display()))?;
        let grants = store::tenants::grants_in(&text, account)
            .with_context(|| format!("{} is not usable", file.display()))?;
        let grants =
            grants.with_context(|| format!("{} has no account `{account}`", file.display()))?;
        Ok(Some(grants))
    }
}

/// A line for each thing that is asked for, as it stands in `plugin.toml` and in an account's grants.
fn asks(asks: &Grants, granted: Option<&Grants>, out: &mut impl Write) -> std::io::Result<()> {
    let asked = Grants::default().lacks(asks);
    if asked.is_empty() {
        return writeln!(out, "asks for  nothing");
    }
    writeln!(out, "asks for")?;
    for line in asked {
        match granted.map(|granted| granted.lacks(asks).contains(&line)) {
            None => writeln!(out, "  {line}")?,
            Some(false) => writeln!(out, "  {line}  granted")?,
            Some(true) => writeln!(out, "  {line}  NOT GRANTED")?,
        }
    }
    Ok(())
}

/// What it has for its own test: files of cases, and settings for the host's callers.
fn brings(wasm: &[u8], out: &mut impl Write) -> anyhow::Result<()> {
    for file in plugin_host::cases(wasm)? {
        let cases = harness::read_cases(&file.text)
            .with_context(|| format!("{} is not usable", file.name))?;
        let count = cases.calls.len() + cases.decisions.len();
        writeln!(out, "cases  {count} in {}", file.name)?;
    }
    for (name, value) in plugin_host::self_test_settings(wasm)? {
        writeln!(out, "self-test  {name} = {value:?}")?;
    }
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

    fn inspected(
        name: &str,
        wasm: &[u8],
        account: &WouldBeGranted,
    ) -> (String, anyhow::Result<()>) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(name);
        std::fs::write(&file, wasm).unwrap();
        let mut out = Vec::new();
        let result = inspect(&file, account, &mut out);
        (String::from_utf8(out).unwrap(), result)
    }

    #[test]
    fn a_flow_is_described() {
        let (text, result) = inspected("menu.wasm", bundled::MENU, &WouldBeGranted::default());
        result.unwrap();
        for part in [
            "jackfield:call/control@0.1.0: ",
            "play",
            "jackfield:call/story@0.1.0: run",
            "sha256",
            "class  native",
            "worlds  jackfield:call/call-flow@0.1.0",
            "asks for  nothing",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }

    #[test]
    fn what_would_be_granted_is_told() {
        let asking = plugin_host::with_asks(
            bundled::MENU,
            "hosts = [\"api.example.org\"]\nkey-value = true\n",
        );
        let folder = tempfile::tempdir().unwrap();
        let tenants = folder.path().join("tenants.toml");
        let text = "[[carrier]]\nid = \"demo\"\n[[account]]\ncarrier = \"demo\"\nname = \"hotline\"\n[account.grants]\nhosts = [\"*.example.org\"]\n";
        std::fs::write(&tenants, text).unwrap();
        let of = |account: &str| WouldBeGranted {
            grants: Some(tenants.clone()),
            account: Some(account.to_owned()),
        };
        let asking = asking.unwrap();
        for account in ["hotline", "demo/hotline"] {
            let (text, result) = inspected("menu.wasm", &asking, &of(account));
            result.unwrap();
            assert!(
                text.contains("  hosts = [\"api.example.org\"]  granted\n"),
                "{text}"
            );
            assert!(text.contains("  key-value = true  NOT GRANTED\n"), "{text}");
        }
        let (_, result) = inspected("menu.wasm", &asking, &of("coldline"));
        let error = result.unwrap_err().to_string();
        assert!(error.contains("no account `coldline`"), "{error}");
    }

    #[test]
    fn what_it_brings_for_its_test_is_told() {
        let manifest = "[self-test]\nsettings = { greeting = \"hello\" }\n";
        let files = [plugin_host::CaseFile {
            name: "calls.toml".to_owned(),
            text: "[[case]]\nname = \"one\"\nsteps = []\n".to_owned(),
        }];
        let asking = plugin_host::with_asks(bundled::MENU, manifest).unwrap();
        let bringing = plugin_host::with_cases(&asking, &files).unwrap();
        let (text, result) = inspected("menu.wasm", &bringing, &WouldBeGranted::default());
        result.unwrap();
        for line in [
            "cases  1 in calls.toml\n",
            "self-test  greeting = \"hello\"\n",
        ] {
            assert!(text.contains(line), "{text}");
        }
    }

    #[test]
    fn what_is_no_flow_says_why() {
        let (_, result) = inspected("a.txt", b"hello", &WouldBeGranted::default());
        let error = result.unwrap_err().to_string();
        assert!(error.contains("not WebAssembly"), "{error}");
    }
}
