//! `jackfield plugin new`.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use super::{NewOptions, NewWorld};

/// Where the SDK was when this program was built.
const SDK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../guest-sdk");

/// What a new plugin of a world is made of. `{name}` and `{sdk}` are filled in.
struct Template {
    files: [(&'static str, &'static str); 4],
    /// What is where, in words.
    told: &'static str,
}

const CARGO_TOML: (&str, &str) = ("Cargo.toml", include_str!("template/Cargo.toml.txt"));
const GITIGNORE: (&str, &str) = (".gitignore", include_str!("template/gitignore.txt"));

const fn template(world: NewWorld) -> Template {
    match world {
        NewWorld::CallFlow => Template {
            files: [
                CARGO_TOML,
                GITIGNORE,
                ("src/lib.rs", include_str!("template/lib.rs.txt")),
                ("scripts/calls.toml", include_str!("template/calls.toml")),
            ],
            told: "its story is in src/lib.rs, what callers do in scripts/calls.toml",
        },
        NewWorld::RoutingPolicy => Template {
            files: [
                CARGO_TOML,
                GITIGNORE,
                ("src/lib.rs", include_str!("template/routing_policy.rs.txt")),
                ("scripts/routes.toml", include_str!("template/routes.toml")),
            ],
            told: "its policy is in src/lib.rs, what is asked of it in scripts/routes.toml",
        },
        NewWorld::RetryStrategy => Template {
            files: [
                CARGO_TOML,
                GITIGNORE,
                ("src/lib.rs", include_str!("template/retry_strategy.rs.txt")),
                (
                    "scripts/retries.toml",
                    include_str!("template/retries.toml"),
                ),
            ],
            told: "its strategy is in src/lib.rs, what is asked of it in scripts/retries.toml",
        },
    }
}

/// Makes the folder.
pub(super) fn new(options: &NewOptions, out: &mut impl Write) -> anyhow::Result<()> {
    let folder = &options.folder;
    let name = name_of(folder)?;
    if folder.exists() {
        bail!("{} exists already: choose another name", folder.display());
    }
    let sdk = sdk(options.sdk.as_deref())?;
    let Template { files, told } = template(options.world);
    for (file, template) in files {
        let path = folder.join(file);
        let text = template
            .replace("{name}", name)
            .replace("{sdk}", &sdk.display().to_string());
        let parent = path.parent().unwrap_or(folder);
        fs::create_dir_all(parent)
            .and_then(|()| fs::write(&path, text))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    writeln!(
        out,
        "{folder} is a plugin: {told}.\n\
         Now `cd {folder}`, then\n  jackfield plugin test    builds it and plays the scripts\n  \
         jackfield plugin build   makes the component that `jackfield apply` takes",
        folder = folder.display()
    )?;
    Ok(())
}

/// A name that cargo takes too.
fn name_of(folder: &Path) -> anyhow::Result<&str> {
    let name = folder.file_name().and_then(|name| name.to_str());
    let fits = |name: &&str| {
        name.starts_with(|first: char| first.is_ascii_lowercase())
            && name
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c))
    };
    name.filter(fits).with_context(|| {
        format!(
            "\"{}\" does not end in a name for a plugin: small letters, digits, - and _, a letter first",
            folder.display()
        )
    })
}

fn sdk(given: Option<&Path>) -> anyhow::Result<PathBuf> {
    let folder = given.unwrap_or(Path::new(SDK));
    let found = folder.join("Cargo.toml").is_file();
    match folder.canonicalize() {
        Ok(folder) if found => Ok(folder),
        _ => bail!(
            "the SDK is not in {}: name the folder `guest-sdk` of Jackfield's sources with --sdk",
            folder.display()
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_cargo_takes() {
        for good in ["flow", "my-flow", "a/b/my_flow2"] {
            assert!(name_of(Path::new(good)).is_ok(), "{good}");
        }
        for bad in ["", "/", "..", "My", "2flow", "my flow", "flöw"] {
            assert!(name_of(Path::new(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_there_is_not_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let options = |folder: PathBuf, sdk| NewOptions {
            folder,
            world: NewWorld::CallFlow,
            sdk,
        };
        let taken = folder.path().join("taken");
        fs::create_dir(&taken).unwrap();
        let error = new(&options(taken, None), &mut Vec::new()).unwrap_err();
        assert!(error.to_string().contains("exists already"), "{error}");
        let nowhere = Some(folder.path().join("nowhere"));
        let free = folder.path().join("free");
        let error = new(&options(free.clone(), nowhere), &mut Vec::new()).unwrap_err();
        assert!(error.to_string().contains("--sdk"), "{error}");
        assert!(!free.exists());
        new(&options(free.clone(), None), &mut Vec::new()).unwrap();
        let manifest = fs::read_to_string(free.join("Cargo.toml")).unwrap();
        assert!(manifest.contains("name = \"free\"") && !manifest.contains("{sdk}"));
        assert!(free.join("src/lib.rs").is_file());
    }

    #[test]
    fn the_scripts_of_the_templates_can_be_read() {
        for (world, count) in [
            (NewWorld::CallFlow, 3),
            (NewWorld::RoutingPolicy, 4),
            (NewWorld::RetryStrategy, 4),
        ] {
            let (_, scripts) = template(world).files[3];
            let cases = harness::read_cases(scripts).unwrap();
            assert_eq!(
                cases.calls.len() + cases.decisions.len(),
                count,
                "{world:?}"
            );
        }
    }
}
