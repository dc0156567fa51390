//! Rust for `wit/dial@0.1.0`, and between its words and those of `call`.

wasmtime::component::bindgen!({
    path: [
        "../../wit/types@0.1.0",
        "../../wit/deps/wasi-logging@0.1.0-draft",
        "../../wit/deps/wasi-config@0.2.0-rc.1",
        "../../wit/deps/wasi-keyvalue@0.2.0-draft",
        "../../wit/call@0.1.0",
        "../../wit/dial@0.1.0",
    ],
    inline: "package host:dial; world dial { import jackfield:dial/terms@0.1.0; }",
    world: "host:dial/dial",
    imports: { default: async | trappable },
    with: {
        "jackfield:types/types": crate::bindings::jackfield::types::types,
        "jackfield:call/control": crate::bindings::jackfield::call::control,
        "jackfield:call/machine-detection": crate::bindings::jackfield::call::machine_detection,
        "jackfield:call/dial": crate::bindings::jackfield::call::dial,
    },
});

pub(crate) use jackfield::dial::terms::*;

impl From<TargetTerms> for call::TargetTerms {
    fn from(terms: TargetTerms) -> Self {
        let login = |credentials: Credentials| call::SipLogin {
            username: credentials.username,
            password: call::Password::new(credentials.password),
        };
        Self {
            login: terms.credentials.map(login),
        }
    }
}
