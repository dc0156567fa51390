//! Rust for `wit/retry@0.1.0`, and between its words and those of [`crate::retry`].

use crate::retry as words;

wasmtime::component::bindgen!({
    path: [
        "../../wit/types@0.1.0",
        "../../wit/deps/wasi-logging@0.1.0-draft",
        "../../wit/deps/wasi-config@0.2.0-rc.1",
        "../../wit/retry@0.1.0",
    ],
    world: "jackfield:retry/retry-strategy",
    imports: { default: trappable },
    exports: { default: async },
    with: {
        "jackfield:types/attempts": crate::bindings::routing::jackfield::types::attempts,
        "wasi:config/store": crate::bindings::wasi::config::store,
        "wasi:logging/logging": crate::bindings::wasi::logging::logging,
    },
});

use exports::jackfield::retry::strategy;

impl From<&words::Request> for strategy::Request {
    fn from(request: &words::Request) -> Self {
        Self {
            call: (&request.call).into(),
            attempts: request.attempts.iter().map(Into::into).collect(),
            window: strategy::Window {
                from_unix_ms: request.window.from_unix_ms,
                until_unix_ms: request.window.until_unix_ms,
            },
            max_attempts: request.max_attempts,
            now_unix_ms: request.now_unix_ms,
        }
    }
}

impl From<strategy::Decision> for words::Decision {
    fn from(decision: strategy::Decision) -> Self {
        match decision {
            strategy::Decision::Again(next) => Self::Again(words::NextAttempt {
                at_unix_ms: next.at_unix_ms,
                reason: next.reason,
            }),
            strategy::Decision::Stop(why) => Self::Stop(why),
        }
    }
}
