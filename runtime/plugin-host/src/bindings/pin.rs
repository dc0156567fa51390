//! Rust for `wit/pin@0.1.0`, and between its words and those of `call`.

wasmtime::component::bindgen!({
    path: "../../wit/pin@0.1.0",
    world: "jackfield:pin/asks-for-pin",
    imports: { default: async | trappable },
});

pub(crate) use jackfield::pin::pin::*;

impl From<call::PinVerdict> for Verdict {
    fn from(verdict: call::PinVerdict) -> Self {
        match verdict {
            call::PinVerdict::Right => Self::Right,
            call::PinVerdict::Wrong => Self::Wrong,
            call::PinVerdict::Locked { seconds } => Self::Locked(seconds),
        }
    }
}

impl From<call::PinError> for PinError {
    fn from(error: call::PinError) -> Self {
        match error {
            call::PinError::NotGranted => Self::NotGranted,
            call::PinError::Unavailable(why) => Self::Unavailable(why),
            error => Self::Unavailable(error.to_string()),
        }
    }
}
