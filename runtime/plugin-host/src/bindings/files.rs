//! Rust for `wit/media@0.1.0`, and between its words and those of `call`.

wasmtime::component::bindgen!({
    path: "../../wit/media@0.1.0",
    world: "jackfield:media/keeps-audio",
    imports: { default: async | trappable },
});

pub(crate) use jackfield::media::files::*;

impl From<call::AudioError> for FileError {
    fn from(error: call::AudioError) -> Self {
        match error {
            call::AudioError::NotGranted => Self::NotGranted,
            call::AudioError::Invalid(why) => Self::InvalidArgument(why),
            call::AudioError::LimitReached(why) => Self::LimitReached(why),
            call::AudioError::Unavailable(why) => Self::Unavailable(why),
            error => Self::Unavailable(error.to_string()),
        }
    }
}
