//! The operator has an account's audio in hand, by the command line and over the API of a running server.

use std::process::Command;

use jackfield_interop::server::{Flow, Server, Tenants, binary, prompt_path};

/// Runs `jackfield media ARGUMENTS` as the operator, for the account of the tests; what it printed, or else its error.
fn media(server: &Server, token: &str, arguments: &[&str]) -> Result<String, String> {
    let rest = server.rest();
    let output = Command::new(binary())
        .arg("media")
        .args(arguments)
        .arg("--operator")
        .env("JF_SERVER", format!("http://{}", rest.address))
        .env("JF_ACCOUNT", &rest.account_sid)
        .env("JF_TOKEN", token)
        .output()
        .expect("jackfield can be run");
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    match output.status.success() {
        true => Ok(text(&output.stdout)),
        false => Err(text(&output.stderr)),
    }
}

#[test]
fn audio_is_pushed_listed_and_removed() {
    let numbers = vec![("1000", Flow::Component("menu"))];
    let server = Server::start(&Tenants::with_numbers(numbers));
    let token = server.operator_token();
    let file = prompt_path("goodbye").display().to_string();
    let pushed = media(&server, &token, &["push", &file, "--name", "flood.wav"]);
    assert!(pushed.expect("it is kept").contains("flood.wav"));
    let listed = media(&server, &token, &["list"]).expect("a list");
    assert!(listed.contains("flood.wav"), "{listed}");
    let wrong = media(&server, "guessed", &["list"]).expect_err("it is refused");
    assert!(wrong.contains("operator key"), "{wrong}");
    let text = file.replace("prompts/goodbye.wav", "../tenants.toml");
    let unfit = media(&server, &token, &["push", &text]).expect_err("no audio");
    assert!(unfit.contains("cannot be played"), "{unfit}");
    media(&server, &token, &["remove", "flood.wav"]).expect("it is removed");
    let gone = media(&server, &token, &["remove", "flood.wav"]).expect_err("it is gone");
    assert!(gone.contains("no such thing"), "{gone}");
    assert_eq!(media(&server, &token, &["list"]).expect("a list"), "");
    server.stop();
}
