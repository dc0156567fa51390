//! What the TwiML table is made of is what Twilio's libraries know today.

use std::process::Command;

use jackfield_interop::needs;

#[test]
fn the_vocabularies_are_those_of_the_libraries() {
    let mut python = Command::new(needs::test_python());
    python.arg(needs::workspace().join("tests/interop/python/twiml_vocabulary.py"));
    check(python, "twiml-vocabulary.txt");
    let mut node = Command::new(needs::program("node", "nodejs"));
    node.arg(needs::workspace().join("tests/interop/node/twiml_vocabulary.mjs"))
        .arg(needs::test_node_modules());
    check(node, "twiml-vocabulary-node.txt");
}

/// What the script prints is what the file has.
fn check(mut script: Command, file: &str) {
    let printed = script.output().expect("the script can be run");
    let told = String::from_utf8_lossy(&printed.stderr);
    assert!(printed.status.success(), "{told}");
    let file = needs::workspace().join("tests/vectors").join(file);
    let kept = std::fs::read_to_string(&file).expect("the file is in the repository");
    assert!(kept.lines().count() > 80, "{kept}");
    assert!(
        String::from_utf8_lossy(&printed.stdout) == kept,
        "{} is not what the library knows: write what the script prints into it, then the table anew (`JACKFIELD_TABLE=1`)",
        file.display()
    );
}
