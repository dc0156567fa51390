//! Rust for `wit/queues@0.1.0`, and between its words and those of `call`.

wasmtime::component::bindgen!({
    path: [
        "../../wit/types@0.1.0",
        "../../wit/deps/wasi-logging@0.1.0-draft",
        "../../wit/deps/wasi-config@0.2.0-rc.1",
        "../../wit/deps/wasi-keyvalue@0.2.0-draft",
        "../../wit/call@0.1.0",
        "../../wit/queues@0.1.0",
    ],
    inline: "package host:queues; world queues { import jackfield:queues/queues@0.1.0; }",
    world: "host:queues/queues",
    imports: { default: async | trappable },
    with: {
        "jackfield:types/types": crate::bindings::jackfield::types::types,
        "jackfield:call/control": crate::bindings::jackfield::call::control,
        "jackfield:call/machine-detection": crate::bindings::jackfield::call::machine_detection,
        "jackfield:call/dial": crate::bindings::jackfield::call::dial,
    },
});

pub(crate) use jackfield::queues::queues::*;

impl From<&call::QueueExit> for Departure {
    fn from(exit: &call::QueueExit) -> Self {
        Self {
            queue_sid: exit.sid.to_string(),
            waited_s: exit.waited_s,
            was_bridged: exit.outcome == call::QueueOutcome::Bridged,
        }
    }
}
