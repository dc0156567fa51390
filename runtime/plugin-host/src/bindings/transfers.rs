//! Rust for `wit/transfers@0.1.0`, and between its words and those of `call`.

use call::CallSid;

wasmtime::component::bindgen!({
    path: [
        "../../wit/types@0.1.0",
        "../../wit/deps/wasi-logging@0.1.0-draft",
        "../../wit/deps/wasi-config@0.2.0-rc.1",
        "../../wit/deps/wasi-keyvalue@0.2.0-draft",
        "../../wit/call@0.1.0",
        "../../wit/transfers@0.1.0",
    ],
    inline: "package host:transfers; world transfers { import jackfield:transfers/transfers@0.1.0; }",
    world: "host:transfers/transfers",
    imports: { default: async | trappable },
    with: {
        "jackfield:types/types": crate::bindings::jackfield::types::types,
        "jackfield:call/control": crate::bindings::jackfield::call::control,
    },
});

pub(crate) use jackfield::transfers::transfers::*;

impl Transfer {
    /// As the story of the call with this SID is told.
    pub(crate) fn told(transfer: &call::Transfer, own: CallSid) -> Self {
        Self {
            target: transfer.target.clone(),
            fields: transfer.fields.clone(),
            call_sid: transfer.call_sid.unwrap_or(own).to_string(),
        }
    }
}
