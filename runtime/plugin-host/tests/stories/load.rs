//! What is refused before it runs, and in which words.

use plugin_host::{CodeCache, Engine, EngineConfig, LoadError, Outcome};

use crate::guests::{component, encode_with, guest};
use crate::ports::{Obedient, engine, setup};

const CALL_FLOW: &str = "jackfield:call/call-flow@0.1.0";

fn refusal(wasm: &[u8]) -> LoadError {
    engine().load(wasm).expect_err("it is refused")
}

#[test]
fn other_bytes_are_told_apart() {
    let module = wat::parse_str("(module (func (export \"run\")))").unwrap();
    assert_eq!(refusal(&module), LoadError::CoreModule);
    assert_eq!(refusal(b"hello"), LoadError::NotWasm);
    assert_eq!(refusal(b"(component)"), LoadError::Text);

    let whole = guest("", "");
    assert!(matches!(
        refusal(&whole[..whole.len() / 2]),
        LoadError::Invalid(_)
    ));
    let mut huge = whole;
    huge.resize(33 * 1024 * 1024, 0);
    assert!(matches!(refusal(&huge), LoadError::TooLarge { .. }));
}

#[test]
fn bytes_that_were_changed_are_refused_or_run_but_never_break_the_host() {
    let whole = guest(
        "(data (i32.const 4096) \"some data\")",
        "(call $answer (global.get $area))",
    );
    let mut refused = 0;
    for position in (8..whole.len()).step_by(whole.len() / 60) {
        let mut changed = whole.clone();
        changed[position] ^= 0x55;
        refused += u32::from(engine().load(&changed).is_err());
    }
    assert!(refused > 20, "{refused}");
}

#[test]
fn a_component_without_a_story_is_told_what_is_missing() {
    let empty = encode_with(&[], "test:guest/empty", "(module)");
    const WORLDS: &str = "`jackfield:call/story@0.1.0` or `jackfield:routing/policy@0.1.0` or `jackfield:retry/strategy@0.1.0`";
    assert_eq!(
        refusal(&empty).to_string(),
        format!("the component does not export {WORLDS}: it exports nothing")
    );
    let other = encode_with(
        &[],
        "test:guest/storyless",
        r#"(module (func (export "test:guest/other#answer")))"#,
    );
    assert_eq!(
        refusal(&other).to_string(),
        format!("the component does not export {WORLDS}: it exports `test:guest/other`")
    );
    let renamed = encode_with(
        &[("    run: func()", "    tell: func()")],
        CALL_FLOW,
        r#"(module (memory (export "memory") 1) (func (export "jackfield:call/story@0.1.0#tell") (result i32) i32.const 0))"#,
    );
    assert_eq!(
        refusal(&renamed).to_string(),
        "the component does not export `run`: `jackfield:call/story@0.1.0` is there, but without this function"
    );
}

#[test]
fn an_import_that_is_not_there_is_named() {
    let strange = component(
        "test:guest/strange",
        r#"(import "test:guest/other" "answer" (func $other))"#,
        "call $other",
    );
    assert_eq!(
        refusal(&strange),
        LoadError::ImportNotAllowed {
            import: "test:guest/other".to_owned(),
            worlds: "call flows".to_owned(),
            hint: ""
        }
    );
    let networked = component(
        "test:guest/networked",
        r#"(import "wasi:sockets/network@0.2.6" "[resource-drop]network" (func $drop (param i32)))"#,
        "(call $drop (i32.const 0))",
    );
    let text = refusal(&networked).to_string();
    assert!(
        text.contains("`wasi:sockets/network@0.2.6`") && text.contains("send-request"),
        "{text}"
    );
}

#[tokio::test]
async fn compiled_code_is_kept_and_a_damaged_file_is_compiled_anew() {
    let directory = tempfile::tempdir().unwrap();
    let cache = CodeCache::new(directory.path().join("code"), [9; 32]);
    let engine = Engine::new(EngineConfig {
        max_stories: 2,
        cache: Some(cache),
    })
    .unwrap();
    let wasm = guest("", "(call $answer (global.get $area))");
    engine.load(&wasm).unwrap();

    let files: Vec<_> = std::fs::read_dir(directory.path().join("code"))
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    let [file] = files.as_slice() else {
        panic!("{files:?}")
    };
    let kept = std::fs::read(file).unwrap();
    let mut damaged = kept.clone();
    *damaged.last_mut().unwrap() ^= 1;
    for stored in [&kept, &damaged] {
        std::fs::write(file, stored).unwrap();
        let flow = engine.load(&wasm).unwrap();
        assert_eq!(
            flow.start(setup(), Obedient::default()).await.outcome,
            Outcome::Finished(Ok(()))
        );
        assert_eq!(
            std::fs::read(file).unwrap()[32..],
            kept[32..],
            "the file is whole again"
        );
    }
}
