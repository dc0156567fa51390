//! Rust for `wit/dialled@0.1.0`, and between its words and those of `call`.

wasmtime::component::bindgen!({
    path: ["../../wit/dialled@0.1.0"],
    inline: "package host:dialled; world dialled { import jackfield:dialled/signalling@0.1.0; }",
    world: "host:dialled/dialled",
    imports: { default: async | trappable },
});

pub(crate) use jackfield::dialled::signalling::*;

impl From<&call::Signalled> for Signals {
    fn from(signalled: &call::Signalled) -> Self {
        Self {
            sip_call_id: signalled.sip_call_id.clone(),
            fields: signalled.fields.clone(),
        }
    }
}
