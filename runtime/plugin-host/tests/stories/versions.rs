//! Components that were built for other interfaces than this host's: what they are told.

use plugin_host::LoadError;

use crate::guests::encode_with;
use crate::ports::engine;

const CALL_FLOW: &str = "jackfield:call/call-flow@0.1.0";
const PLAY: &str =
    "    play: func(source: media-source, loops: u32) -> result<playback-id, call-error>";

/// A story that imports `function` of `control` in the shape that these changes of the interface give it.
fn story(changes: &[(&str, &str)], world: &str, function: &str, core: &str) -> Vec<u8> {
    let (control, story) = match world.ends_with("0.2.0") {
        true => ("jackfield:call/control@0.2.0", "jackfield:call/story@0.2.0"),
        false => ("jackfield:call/control@0.1.0", "jackfield:call/story@0.1.0"),
    };
    let module = format!(
        r#"(module (import "{control}" "{function}" (func {core})) (memory (export "memory") 1)
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) i32.const 0)
            (func (export "{story}#run") (result i32) i32.const 64))"#
    );
    encode_with(changes, world, &module)
}

#[track_caller]
fn check(component: &[u8], expected: &str) -> LoadError {
    let error = engine().worlds(component).expect_err("it does not fit");
    assert_eq!(error.to_string(), expected);
    error
}

#[test]
fn functions_and_types_that_differ_are_named() {
    const CONTROL: &str =
        "the component's imports do not fit this host: `jackfield:call/control@0.1.0`";
    for (changes, function, core, expected) in [
        (
            [(PLAY, "    play: func(a: u32)")].as_slice(),
            "play",
            "(param i32)",
            "function `play`: the component has `func(a: u32)`, this host has \
             `func(source: media-source, loops: u32) -> result<playback-id, call-error>`",
        ),
        (
            &[("    echo: func(on: bool)", "    echo: func(on: u32)")],
            "echo",
            "(param i32 i32)",
            "function `echo`: the component has `func(on: u32) -> result<_, call-error>`, this host has \
             `func(on: bool) -> result<_, call-error>`",
        ),
        (
            &[(
                PLAY,
                "    transfer: func(to: string);\n    play: func(source: media-source, loops: u32) -> result<playback-id, call-error>",
            )],
            "transfer",
            "(param i32 i32)",
            "has no function `transfer` on this host: the component wants `func(to: string)`",
        ),
    ] {
        let component = story(changes, CALL_FLOW, function, core);
        check(&component, &format!("{CONTROL} {expected}"));
    }
}

#[test]
fn a_type_that_has_changed_is_shown_and_not_every_function_with_it() {
    let changes = [(
        "    enum reject-reason {",
        "    enum reject-reason {\n        tired,",
    )];
    let component = story(&changes, CALL_FLOW, "reject", "(param i32 i32)");
    let LoadError::ImportDiffers { why } =
        engine().worlds(&component).expect_err("it does not fit")
    else {
        panic!("another error")
    };
    assert!(
        why.starts_with("`jackfield:call/control@0.1.0` type `reject-reason`: the component has `enum { tired, busy, ")
            && why.contains("`, this host has `enum { busy, "),
        "{why}"
    );
}

#[test]
fn an_export_of_another_shape_is_shown() {
    let story = encode_with(
        &[(
            "    run: func() -> result<_, call-error>",
            "    run: func() -> u32",
        )],
        CALL_FLOW,
        r#"(module (func (export "jackfield:call/story@0.1.0#run") (result i32) i32.const 0))"#,
    );
    check(
        &story,
        "the component's exports do not fit this host: `jackfield:call/story@0.1.0` function `run`: \
         the component has `func() -> u32`, this host has `func() -> result<_, call-error>`",
    );

    let policy = encode_with(
        &[("        refuse(string),", "        refuse(u32),")],
        "jackfield:routing/routing-policy@0.1.0",
        r#"(module (memory (export "memory") 1)
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) i32.const 0)
            (func (export "jackfield:routing/policy@0.1.0#route") (param i32) (result i32) i32.const 0))"#,
    );
    check(
        &policy,
        "the component's exports do not fit this host: `jackfield:routing/policy@0.1.0` type `decision`: \
         the component has `variant { attempts(list<planned-attempt>), wait(pause), refuse(u32) }`, \
         this host has `variant { attempts(list<planned-attempt>), wait(pause), refuse(string) }`",
    );
}

#[test]
fn another_version_is_told_with_those_that_are_here() {
    let later = [
        ("jackfield:call@0.1.0", "jackfield:call@0.2.0"),
        (
            "jackfield:call/call-flow@0.1.0",
            "jackfield:call/call-flow@0.2.0",
        ),
        (
            "jackfield:call/control@0.1.0",
            "jackfield:call/control@0.2.0",
        ),
    ];
    let component = story(
        &later,
        "jackfield:call/call-flow@0.2.0",
        "answer",
        "(param i32)",
    );
    check(
        &component,
        "the component is made for `jackfield:call/story@0.2.0`: this host has version 0.1.0 of `jackfield:call`",
    );

    let setting = |version: &str| {
        let module = format!(
            r#"(module (import "wasi:config/store@{version}" "get" (func (param i32 i32 i32))) (memory (export "memory") 1)
                (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) i32.const 0)
                (func (export "jackfield:call/story@0.1.0#run") (result i32) i32.const 64))"#
        );
        let config = format!("wasi:config@{version}");
        let store = format!("wasi:config/store@{version}");
        let changes = [
            ("wasi:config@0.2.0-rc.1", config.as_str()),
            ("wasi:config/store@0.2.0-rc.1", store.as_str()),
        ];
        encode_with(&changes, CALL_FLOW, &module)
    };
    check(
        &setting("0.2.0-draft"),
        "the component is made for `wasi:config/store@0.2.0-draft`: this host has version 0.2.0-rc.1 of `wasi:config`",
    );
    assert!(engine().worlds(&setting("0.2.0-rc.1")).is_ok());
}

#[test]
fn what_was_built_for_an_earlier_draft_with_less_in_it_still_runs() {
    // No `press` and no machine detection yet.
    let earlier = [
        (
            "    press: func(keys: string) -> result<playback-id, call-error>;",
            "",
        ),
        ("    import machine-detection;", ""),
    ];
    let component = story(&earlier, CALL_FLOW, "answer", "(param i32)");
    let worlds = engine().worlds(&component).unwrap();
    assert_eq!(worlds.names(), [CALL_FLOW]);
}
