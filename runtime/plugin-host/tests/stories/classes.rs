//! Two classes of components: each has its own room.

use plugin_host::{Class, Engine, EngineConfig, Flow, LoadError, Outcome};

use crate::guests::{component, guest};
use crate::ports::{Deaf, Obedient, engine, setup};

const WAITS: &str = "(call $next-event (i32.const 0) (i32.const 0) (global.get $area))";

/// The component with so much data beside it that it is taken for an interpreter.
fn swollen(mut wasm: Vec<u8>) -> Vec<u8> {
    const DATA: usize = 8 * 1024 * 1024;
    // A custom section: its size in LEB128, a name of one letter, the data.
    let mut size = DATA + 2;
    wasm.push(0);
    while size > 0x7f {
        wasm.push(0x80 | (size & 0x7f) as u8);
        size >>= 7;
    }
    wasm.extend([size as u8, 1, b'd']);
    wasm.resize(wasm.len() + DATA, 0);
    wasm
}

fn engine_with_interpreters(stories: u32) -> Engine {
    Engine::new(EngineConfig {
        max_stories: 1,
        cache: None,
    })
    .and_then(|engine| engine.with_interpreters(stories))
    .unwrap()
}

#[test]
fn an_interpreter_is_refused_where_none_are_taken() {
    let wasm = swollen(guest("", WAITS));
    let error = engine().load(&wasm).unwrap_err();
    assert_eq!(error, LoadError::NoInterpreters { bytes: wasm.len() });
    let words = error.to_string();
    assert!(
        words.contains("above 8388608") && words.contains("max_interpreted"),
        "{words}"
    );
    assert!(engine().layout(Class::Interpreted).is_none());
}

#[test]
fn an_interpreter_has_a_largest_size_too() {
    let mut wasm = guest("", WAITS);
    wasm.resize(33 * 1024 * 1024, 0);
    let error = engine_with_interpreters(1).load(&wasm).unwrap_err();
    assert!(
        matches!(
            error,
            LoadError::TooLarge {
                limit: 33_554_432,
                ..
            }
        ),
        "{error}"
    );
}

#[tokio::test]
async fn neither_class_takes_the_others_room() {
    let engine = engine_with_interpreters(1);
    let native = engine.load(&guest("", WAITS)).unwrap();
    let interpreter = engine.load(&swollen(guest("", WAITS))).unwrap();
    assert_eq!(native.class(), Class::Native);
    assert_eq!(interpreter.class(), Class::Interpreted);

    let waiting = |flow: &Flow| {
        let setup = setup();
        let stop = setup.stop.clone();
        (stop, tokio::spawn(flow.start(setup, Deaf)))
    };
    let both = [waiting(&interpreter), waiting(&native)];
    tokio::task::yield_now().await;
    for flow in [&interpreter, &native] {
        let end = flow.start(setup(), Deaf).await;
        assert_eq!(end.outcome, Outcome::NoRoom);
    }
    for (stop, story) in both {
        stop.stop();
        assert_eq!(story.await.unwrap().outcome, Outcome::Stopped);
    }
}

#[tokio::test]
async fn an_interpreter_may_have_more_memory() {
    const GROWS_TO_200_MIB: &str =
        "(if (i32.eq (memory.grow (i32.const 3200)) (i32.const -1)) (then unreachable))";
    let engine = engine_with_interpreters(1);
    let native = engine.load(&guest("", GROWS_TO_200_MIB)).unwrap();
    let interpreter = engine.load(&swollen(guest("", GROWS_TO_200_MIB))).unwrap();
    let run = async |flow: &Flow| {
        let mut setup = setup();
        setup.limits = flow.class().limits();
        flow.start(setup, Obedient::default()).await
    };
    assert!(matches!(run(&native).await.outcome, Outcome::Trapped(_)));
    let end = run(&interpreter).await;
    assert_eq!(end.outcome, Outcome::Finished(Ok(())));
    assert!(end.memory_bytes > 200 * 1024 * 1024, "{}", end.memory_bytes);
}

/// Asks for a TCP socket and traps unless it is refused with `access-denied`, the first of the error codes that has a meaning.
#[tokio::test]
async fn an_interpreters_sockets_are_there_and_refused() {
    let wasm = component(
        "test:guest/socketed",
        r#"(import "wasi:sockets/tcp-create-socket@0.2.6" "create-tcp-socket" (func $socket (param i32 i32)))"#,
        r"(call $socket (i32.const 0) (global.get $area))
          (if (i32.ne (i32.load8_u (global.get $area)) (i32.const 1)) (then unreachable))
          (if (i32.ne (i32.load8_u offset=4 (global.get $area)) (i32.const 1)) (then unreachable))",
    );
    let engine = engine_with_interpreters(1);
    let refused = engine.load(&wasm).unwrap_err().to_string();
    assert!(refused.contains("send-request"), "{refused}");
    let flow = engine.load(&swollen(wasm)).unwrap();
    let end = flow.start(setup(), Obedient::default()).await;
    assert_eq!(end.outcome, Outcome::Finished(Ok(())));
}
