//! Rust for `wit/rooms@0.1.0`, and between its words and those of `call`.

wasmtime::component::bindgen!({
    path: [
        "../../wit/types@0.1.0",
        "../../wit/deps/wasi-logging@0.1.0-draft",
        "../../wit/deps/wasi-config@0.2.0-rc.1",
        "../../wit/deps/wasi-keyvalue@0.2.0-draft",
        "../../wit/call@0.1.0",
        "../../wit/rooms@0.1.0",
    ],
    inline: "package host:rooms; world rooms { import jackfield:rooms/conferences@0.1.0; }",
    world: "host:rooms/rooms",
    imports: { default: async | trappable },
    with: {
        "jackfield:types/types": crate::bindings::jackfield::types::types,
        "jackfield:call/control": crate::bindings::jackfield::call::control,
        "jackfield:call/conference": crate::bindings::jackfield::call::conference,
        "jackfield:call/recording": crate::bindings::jackfield::call::recording,
    },
});

pub(crate) use jackfield::rooms::conferences::*;

impl From<ConferenceTerms> for call::ConferenceTerms {
    fn from(terms: ConferenceTerms) -> Self {
        Self {
            recording: terms.recording.map(Into::into),
            region: None,
        }
    }
}

impl From<ConferenceRecording> for call::ConferenceRecording {
    fn from(recording: ConferenceRecording) -> Self {
        Self {
            trim_silence: recording.trim_silence,
            callback: recording.status_callback.map(Into::into),
        }
    }
}
