//! `jackfield plugin wit`.

use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, bail};
use plugin_host::WitFile;

use super::NewWorld;

/// Writes the package of a world into a folder, and all other packages into `deps` below it: what tools of other languages read.
pub(super) fn write(folder: &Path, world: NewWorld, out: &mut impl Write) -> anyhow::Result<()> {
    if folder.exists() {
        bail!(
            "{} exists already: choose another name, or delete it",
            folder.display()
        );
    }
    let package = package(world);
    for WitFile {
        package: of,
        name,
        text,
    } in plugin_host::wit_files()
    {
        let folder = if of.starts_with(package) {
            folder.to_owned()
        } else {
            folder.join("deps").join(of)
        };
        let path = folder.join(name);
        fs::create_dir_all(&folder)
            .and_then(|()| fs::write(&path, text))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    writeln!(
        out,
        "{} has the world {} and what it uses",
        folder.display(),
        name(world)
    )?;
    Ok(())
}

/// What the folder of a world's package begins with.
const fn package(world: NewWorld) -> &'static str {
    match world {
        NewWorld::CallFlow => "call@",
        NewWorld::RoutingPolicy => "routing@",
        NewWorld::RetryStrategy => "retry@",
    }
}

/// As tools ask for it.
const fn name(world: NewWorld) -> &'static str {
    match world {
        NewWorld::CallFlow => "call-flow",
        NewWorld::RoutingPolicy => "routing-policy",
        NewWorld::RetryStrategy => "retry-strategy",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_worlds_package_is_on_top_and_the_others_below() {
        for (world, top, below) in [
            (
                NewWorld::CallFlow,
                "world.wit",
                "deps/types@0.1.0/types.wit",
            ),
            (
                NewWorld::RoutingPolicy,
                "policy.wit",
                "deps/types@0.1.0/attempts.wit",
            ),
            (
                NewWorld::RetryStrategy,
                "strategy.wit",
                "deps/types@0.1.0/attempts.wit",
            ),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let wit = folder.path().join("wit");
            write(&wit, world, &mut Vec::new()).unwrap();
            let text = fs::read_to_string(wit.join(top)).unwrap();
            assert!(
                text.contains(&format!("world {} {{", name(world))),
                "{text}"
            );
            assert!(wit.join(below).is_file(), "{below}");
            let top_files = fs::read_dir(&wit).unwrap().count() - 1;
            let package = package(world);
            let expected = plugin_host::wit_files()
                .filter(|file| file.package.starts_with(package))
                .count();
            assert_eq!(top_files, expected, "beside `deps`");
        }
    }

    #[test]
    fn what_is_there_is_not_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let error = write(folder.path(), NewWorld::CallFlow, &mut Vec::new()).unwrap_err();
        assert!(error.to_string().contains("exists already"), "{error}");
    }
}
