//! `jackfield plugin new`.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use super::{NewLanguage, NewOptions, NewWorld};

/// Where the SDK was when this program was built.
const SDK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../guest-sdk");

/// What a new plugin is made of. In those in Rust `{name}` and `{sdk}` are filled in.
struct Template {
    files: &'static [(&'static str, &'static str)],
    /// What is where, in words.
    told: &'static str,
}

const CARGO_TOML: (&str, &str) = ("Cargo.toml", include_str!("template/Cargo.toml.txt"));
const GITIGNORE: (&str, &str) = (".gitignore", include_str!("template/gitignore.txt"));

/// A file of `examples/languages`.
macro_rules! example {
    ($file:literal) => {
        include_str!(concat!("../../../../../examples/languages/", $file))
    };
}

/// What is called in the menu that stands in each language.
const MENU_CALLS: (&str, &str) = (
    "scripts/calls.toml",
    include_str!("../../../../../plugins/menu/scripts/calls.toml"),
);

const fn in_rust(world: NewWorld) -> Template {
    match world {
        NewWorld::CallFlow => Template {
            files: &[
                CARGO_TOML,
                GITIGNORE,
                ("plugin.toml", include_str!("template/plugin.toml")),
                ("src/lib.rs", include_str!("template/lib.rs.txt")),
                ("scripts/calls.toml", include_str!("template/calls.toml")),
            ],
            told: "its story is in src/lib.rs, what it asks for in plugin.toml, what callers do in scripts/calls.toml",
        },
        NewWorld::RoutingPolicy => Template {
            files: &[
                CARGO_TOML,
                GITIGNORE,
                ("src/lib.rs", include_str!("template/routing_policy.rs.txt")),
                ("scripts/routes.toml", include_str!("template/routes.toml")),
            ],
            told: "its policy is in src/lib.rs, what is asked of it in scripts/routes.toml",
        },
        NewWorld::RetryStrategy => Template {
            files: &[
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

// The flow of `examples/languages`, in each language.

const IN_C: Template = Template {
    files: &[
        ("flow.c", example!("c/flow.c")),
        ("build.sh", example!("c/build.sh")),
        ("README.md", example!("c/README.md")),
        (".gitignore", example!("c/.gitignore")),
        MENU_CALLS,
    ],
    told: "its story is in flow.c, what callers do in scripts/calls.toml, what it needs in README.md",
};

const IN_JAVASCRIPT: Template = Template {
    files: &[
        ("flow.js", example!("javascript/flow.js")),
        ("build.mjs", example!("javascript/build.mjs")),
        ("build.sh", example!("javascript/build.sh")),
        ("package.json", example!("javascript/package.json")),
        (
            "package-lock.json",
            example!("javascript/package-lock.json"),
        ),
        ("README.md", example!("javascript/README.md")),
        (".gitignore", example!("javascript/.gitignore")),
        MENU_CALLS,
    ],
    told: "its story is in flow.js, what callers do in scripts/calls.toml, what it needs in README.md",
};

const IN_PYTHON: Template = Template {
    files: &[
        ("flow.py", example!("python/flow.py")),
        ("build.sh", example!("python/build.sh")),
        ("requirements.txt", example!("python/requirements.txt")),
        ("README.md", example!("python/README.md")),
        (".gitignore", example!("python/.gitignore")),
        MENU_CALLS,
    ],
    told: "its story is in flow.py, what callers do in scripts/calls.toml, what it needs in README.md",
};

/// Makes the folder.
pub(super) fn new(options: &NewOptions, out: &mut impl Write) -> anyhow::Result<()> {
    let folder = &options.folder;
    let name = name_of(folder)?;
    if folder.exists() {
        bail!("{} exists already: choose another name", folder.display());
    }
    let Template { files, told } = template(options.language, options.world)?;
    let sdk = match options.language {
        NewLanguage::Rust => Some(sdk(options.sdk.as_deref())?.display().to_string()),
        NewLanguage::C | NewLanguage::JavaScript | NewLanguage::Python => None,
    };
    for (file, template) in files {
        let path = folder.join(file);
        let text = match &sdk {
            Some(sdk) => template.replace("{name}", name).replace("{sdk}", sdk),
            None => (*template).to_owned(),
        };
        let parent = path.parent().unwrap_or(folder);
        fs::create_dir_all(parent)
            .and_then(|()| fs::write(&path, text))
            .and_then(|()| permit(&path))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    writeln!(
        out,
        "{folder} is a plugin: {told}.\n\
         Now `cd {folder}`, then\n  jackfield plugin test    builds it and plays the scripts\n  \
         jackfield plugin call    calls it by hand, in text\n  \
         jackfield plugin build   makes the component that `jackfield apply` takes\n  \
         jackfield plugin push    uploads it to a server",
        folder = folder.display()
    )?;
    Ok(())
}

fn template(language: NewLanguage, world: NewWorld) -> anyhow::Result<Template> {
    match language {
        NewLanguage::Rust => Ok(in_rust(world)),
        _ if world != NewWorld::CallFlow => bail!(
            "policies and strategies have a template in Rust alone: leave --language away, or write one for the interface that `jackfield plugin wit --world` gives"
        ),
        NewLanguage::C => Ok(IN_C),
        NewLanguage::JavaScript => Ok(IN_JAVASCRIPT),
        NewLanguage::Python => Ok(IN_PYTHON),
    }
}

/// Scripts can be started.
fn permit(path: &Path) -> std::io::Result<()> {
    if path.extension().is_some_and(|extension| extension == "sh") {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755))?;
    }
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
            language: NewLanguage::Rust,
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
        for (language, world, count) in [
            (NewLanguage::Rust, NewWorld::CallFlow, 3),
            (NewLanguage::Rust, NewWorld::RoutingPolicy, 4),
            (NewLanguage::Rust, NewWorld::RetryStrategy, 4),
            (NewLanguage::C, NewWorld::CallFlow, 4),
            (NewLanguage::JavaScript, NewWorld::CallFlow, 4),
            (NewLanguage::Python, NewWorld::CallFlow, 4),
        ] {
            let files = template(language, world).unwrap().files;
            let scripts = files
                .iter()
                .filter(|(name, _)| name.starts_with("scripts/"));
            let read: usize = scripts
                .map(|(_, scripts)| harness::read_cases(scripts).unwrap())
                .map(|cases| cases.calls.len() + cases.decisions.len())
                .sum();
            assert_eq!(read, count, "{language:?} {world:?}");
        }
    }

    #[test]
    fn other_languages_have_a_script_that_builds() {
        let folder = tempfile::tempdir().unwrap();
        let mut options = NewOptions {
            folder: folder.path().join("flow"),
            world: NewWorld::CallFlow,
            language: NewLanguage::C,
            sdk: None,
        };
        new(&options, &mut Vec::new()).unwrap();
        let script = options.folder.join("build.sh").metadata().unwrap();
        assert_eq!(script.permissions().mode() & 0o111, 0o111);
        assert!(!options.folder.join("Cargo.toml").exists());
        options.folder = folder.path().join("policy");
        options.world = NewWorld::RoutingPolicy;
        let error = new(&options, &mut Vec::new()).unwrap_err().to_string();
        assert!(error.contains("in Rust alone"), "{error}");
        assert!(!options.folder.exists());
    }
}
