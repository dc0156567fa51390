use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use super::super::pages::tests::{options as web, server};
use super::*;

/// What was written, for a test to look at.
#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn options() -> CallOptions {
    CallOptions {
        source: Source { folder: ".".into() },
        component: None,
        twiml: None,
        url: None,
        get: false,
        http: false,
        web: web(&[]),
        from: None,
        to: None,
        set: Vec::new(),
        outbound: false,
        save: None,
        name: "By hand".to_owned(),
    }
}

fn menu(folder: &Path) -> CallOptions {
    let component = folder.join("menu.wasm");
    fs::write(&component, bundled::MENU).unwrap();
    CallOptions {
        component: Some(component),
        ..options()
    }
}

/// A call with these lines on standard input, and what was shown.
fn typed(
    options: &CallOptions,
    lines: &'static str,
    is_terminal: bool,
) -> (String, anyhow::Result<()>) {
    let paper = Paper::default();
    let console = Console::new(lines.as_bytes(), paper.clone(), is_terminal);
    let result = call_on(options, &console);
    let shown = String::from_utf8(paper.0.lock().unwrap().clone()).unwrap();
    (shown, result)
}

#[test]
fn keys_from_a_pipe_are_pressed_and_the_call_is_shown_once() {
    let folder = tempfile::tempdir().unwrap();
    let (shown, result) = typed(&menu(folder.path()), "\n1\n", false);
    result.unwrap();
    for line in [
        "   0.00 s  story   play prompts/menu.wav\n",
        "   2.00 s  caller  presses 1\n",
        "play prompts/sales.wav\n",
        "The call took 4.0 s; the flow finished.\n",
    ] {
        assert_eq!(shown.matches(line).count(), 1, "{line}\n{shown}");
    }
    assert!(!shown.contains('>'), "{shown}");
}

#[test]
fn somebody_at_a_terminal_is_asked_and_helped() {
    let folder = tempfile::tempdir().unwrap();
    let (shown, result) = typed(&menu(folder.path()), "what\n?\nh\n\n", true);
    result.unwrap();
    for part in [
        "? tells the rest",
        "> \"what\" is nothing that a caller does",
        "caller  hangs up",
        "Save the call as a case?",
    ] {
        assert!(shown.contains(part), "{part}\n{shown}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn calls_are_added_to_a_file_of_scripts_that_plugin_test_plays() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("calls.toml");
    let mut options = menu(folder.path());
    options.save = Some(file.clone());
    for (lines, name) in [
        ("1\n", "By hand"),
        ("\n2\n", "By hand 2"),
        ("h\n", "By hand 3"),
    ] {
        let (shown, result) = typed(&options, lines, false);
        result.unwrap();
        assert!(shown.contains(&format!("\"{name}\" is in ")), "{shown}");
    }
    let test = super::super::TestOptions {
        source: Source { folder: ".".into() },
        component: options.component.clone(),
        scripts: vec![file.clone()],
        playing: super::super::test::Playing::default(),
    };
    let mut out = Vec::new();
    super::super::test::test(&test, &mut out).unwrap();
    let out = String::from_utf8(out).unwrap();
    assert!(out.contains("3 cases, 0 failed"), "{out}");

    fs::write(&file, "no script").unwrap();
    let (_, result) = typed(&options, "h\n", false);
    let error = format!("{:#}", result.unwrap_err());
    assert!(error.contains("it is no file of scripts"), "{error}");
}

#[test]
fn a_twiml_application_is_called_and_its_answers_are_saved() {
    let folder = tempfile::tempdir().unwrap();
    let url = server(
        "<Response><Dial><Number>+1</Number><Number>+2</Number></Dial><Say>Bye</Say></Response>",
    );
    let file = folder.path().join("calls.toml");
    let options = CallOptions {
        url: Some(url),
        web: web(&["127.0.0.1"]),
        save: Some(file.clone()),
        from: Some("+85512345678".to_owned()),
        ..options()
    };
    let (shown, result) = typed(&options, "\ns 2\na +2\ns 7\nx\n", false);
    result.unwrap();
    for part in [
        "other   +2 answers",
        "9.",
        "other   +2 hangs up",
        "say \"Bye\"",
    ] {
        assert!(shown.contains(part), "{part}\n{shown}");
    }
    let saved = fs::read_to_string(&file).unwrap();
    for part in [
        "{ callee.answers = \"+2\" },\n    { caller.waits = 7 },\n    { callee.hangs-up = \"+2\" },",
        "from = \"+85512345678\"",
        "<Number>+2</Number>",
    ] {
        assert!(saved.contains(part), "{part}\n{saved}");
    }
}

#[test]
fn settings_and_documents_that_are_none_are_refused() {
    let mut set = options();
    set.set = vec!["colour".to_owned()];
    set.twiml = Some("nowhere.xml".to_owned());
    let (_, result) = typed(&set, "", false);
    assert_eq!(
        result.unwrap_err().to_string(),
        "--set colour is no NAME=VALUE"
    );
    set.set.clear();
    let (_, result) = typed(&set, "", false);
    let error = result.unwrap_err().to_string();
    assert!(
        error.contains("nowhere.xml is neither a file nor"),
        "{error}"
    );
}
