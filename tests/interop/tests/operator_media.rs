//! The operator has an account's audio in hand, by the command line and over the API of a running server.

use jackfield_interop::command_line::run_with;
use jackfield_interop::server::{Flow, Server, Tenants, prompt_path};

#[test]
fn audio_is_pushed_listed_and_removed() {
    let numbers = vec![("1000", Flow::Component("menu"))];
    let server = Server::start(&Tenants::with_numbers(numbers));
    let token = server.operator_token();
    let file = prompt_path("goodbye").display().to_string();
    let pushed = run_with(
        &server,
        &token,
        &["media", "push", &file, "--name", "flood.wav", "--operator"],
    );
    assert!(pushed.expect("it is kept").contains("flood.wav"));
    let listed = run_with(&server, &token, &["media", "list", "--operator"]).expect("a list");
    assert!(listed.contains("flood.wav"), "{listed}");
    let wrong =
        run_with(&server, "guessed", &["media", "list", "--operator"]).expect_err("it is refused");
    assert!(wrong.contains("operator key"), "{wrong}");
    let text = file.replace("prompts/goodbye.wav", "../tenants.toml");
    let unfit =
        run_with(&server, &token, &["media", "push", &text, "--operator"]).expect_err("no audio");
    assert!(unfit.contains("cannot be played"), "{unfit}");
    run_with(
        &server,
        &token,
        &["media", "remove", "flood.wav", "--operator"],
    )
    .expect("it is removed");
    let gone = run_with(
        &server,
        &token,
        &["media", "remove", "flood.wav", "--operator"],
    )
    .expect_err("it is gone");
    assert!(gone.contains("no such thing"), "{gone}");
    assert_eq!(
        run_with(&server, &token, &["media", "list", "--operator"]).expect("a list"),
        ""
    );
    server.stop();
}
