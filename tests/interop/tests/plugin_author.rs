//! A plugin's author, from an empty folder to a component: by the command line alone.

use std::path::Path;
use std::process::{Command, Output};

use jackfield_interop::server::binary;

/// Runs `jackfield plugin ARGUMENTS` in a folder. What it builds lies in the workspace's target folder, so that the SDK is
/// compiled once.
fn plugin(folder: &Path, arguments: &[&str]) -> Output {
    let binary = binary();
    let target = binary.with_file_name("plugin-author");
    Command::new(binary)
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", target)
        .arg("plugin")
        .args(arguments)
        .output()
        .expect("jackfield can be run")
}

fn text(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

#[test]
fn an_empty_folder_becomes_a_tested_component() {
    let folder = tempfile::tempdir().expect("a folder for the plugin");
    let made = plugin(folder.path(), &["new", "head-count"]);
    assert!(made.status.success(), "{}", text(&made));
    assert!(
        text(&made).contains("jackfield plugin test"),
        "{}",
        text(&made)
    );
    let plugin_folder = folder.path().join("head-count");
    // The versions that the rest is tested with.
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    std::fs::copy(
        workspace.join("Cargo.lock"),
        plugin_folder.join("Cargo.lock"),
    )
    .expect("the workspace has a lock file");

    let tested = plugin(&plugin_folder, &["test", "--junit", "junit.xml"]);
    let said = text(&tested);
    assert!(tested.status.success(), "{said}");
    assert!(said.contains("3 cases, 0 failed"), "{said}");
    let report = std::fs::read_to_string(plugin_folder.join("junit.xml")).unwrap_or_default();
    assert_eq!(report.matches("<testcase ").count(), 3, "{report}");

    // A story that says something else.
    let source = plugin_folder.join("src/lib.rs");
    let story = std::fs::read_to_string(&source).expect("there is a story");
    std::fs::write(&source, story.replace("You said", "I heard")).expect("it can be changed");
    let tested = plugin(&plugin_folder, &["test"]);
    let said = text(&tested);
    assert!(!tested.status.success(), "{said}");
    for part in [
        "FAILED  A number is repeated",
        "You said 12",
        "I heard 12",
        "1 of 3 cases failed",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }

    // And one that does not compile.
    std::fs::write(&source, "fn").expect("it can be changed");
    let built = plugin(&plugin_folder, &["build"]);
    let said = text(&built);
    assert!(!built.status.success(), "{said}");
    assert!(said.contains("the plugin does not build"), "{said}");
}

#[test]
fn policies_and_strategies_begin_with_something_that_works() {
    let folder = tempfile::tempdir().expect("a folder for the plugins");
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for (world, runs) in [
        ("routing-policy", "jackfield:routing/routing-policy@0.1.0"),
        ("retry-strategy", "jackfield:retry/retry-strategy@0.1.0"),
    ] {
        let made = plugin(folder.path(), &["new", "--world", world, world]);
        assert!(made.status.success(), "{}", text(&made));
        let plugin_folder = folder.path().join(world);
        std::fs::copy(
            workspace.join("Cargo.lock"),
            plugin_folder.join("Cargo.lock"),
        )
        .expect("the workspace has a lock file");
        let tested = plugin(&plugin_folder, &["test", "-v"]);
        let said = text(&tested);
        assert!(tested.status.success(), "{said}");
        assert!(said.contains(&format!("runs {runs}")), "{said}");
        assert!(said.contains("4 cases, 0 failed"), "{said}");
    }
}

#[test]
fn the_example_plugins_do_what_their_scripts_say() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/plugins");
    for (name, cases) in [
        ("cambodia-registration", 23),
        ("laos-registration", 23),
        ("least-cost-routing", 12),
        ("message-recorder", 18),
        ("office-hours-retry", 14),
        ("opening-hours", 5),
        ("returning-caller", 3),
        ("survey", 3),
        ("verify-number", 4),
        ("voicemail", 4),
    ] {
        let tested = plugin(&examples, &["test", "--folder", name]);
        let said = text(&tested);
        assert!(tested.status.success(), "{said}");
        assert!(said.contains(&format!("{cases} cases, 0 failed")), "{said}");
    }
}
