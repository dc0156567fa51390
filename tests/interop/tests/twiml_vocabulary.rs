//! What the TwiML table is made of is what Twilio's library knows today.

use std::process::Command;

use jackfield_interop::needs;

#[test]
fn the_vocabulary_is_that_of_the_library() {
    let workspace = needs::workspace();
    let printed = Command::new(needs::test_python())
        .arg(workspace.join("tests/interop/python/twiml_vocabulary.py"))
        .output()
        .expect("Python can be run");
    let told = String::from_utf8_lossy(&printed.stderr);
    assert!(printed.status.success(), "{told}");
    let file = workspace.join("tests/vectors/twiml-vocabulary.txt");
    let kept = std::fs::read_to_string(&file).expect("the file is in the repository");
    assert!(kept.lines().count() > 80, "{kept}");
    assert!(
        String::from_utf8_lossy(&printed.stdout) == kept,
        "{} is not what the library knows: write what the script prints into it, then the table anew (`JACKFIELD_TABLE=1`)",
        file.display()
    );
}
