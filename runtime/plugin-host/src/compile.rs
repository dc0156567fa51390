//! Compiling what tenants upload, in a process of its own.
//!
//! A compiler that is fed by strangers can be made to compute for ever, to take all memory, or to crash. So the parent
//! starts a child for each component, which limits itself ([`CompileLimits`]) before it reads anything, takes the component on its
//! standard input to the end, and writes an answer to its standard output: [`answer`] makes it, [`code`] reads it. An answer counts
//! only from a child that ended well.

use std::time::Duration;

use crate::class::Class;
use crate::pool::{self, MemoryLayout};
use crate::world::{self, LoadError};

/// First byte of an answer that is code.
const CODE: u8 = 0;
/// First byte of an answer that is a refusal in words.
const REFUSAL: u8 = 1;

/// What compiling one component may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompileLimits {
    /// Address space of the child, in bytes: everything, its own program too.
    pub memory_bytes: u64,
    /// Processor time of the child, in whole seconds.
    pub cpu: Duration,
    /// From its start to its end.
    pub wall: Duration,
    /// Bytes of the answer that are read.
    pub answer_bytes: u64,
}

impl Default for CompileLimits {
    /// For components of a compiled language, of at most 8 MiB.
    fn default() -> Self {
        Self {
            memory_bytes: 1024 * 1024 * 1024,
            cpu: Duration::from_secs(10),
            wall: Duration::from_secs(30),
            answer_bytes: 128 * 1024 * 1024,
        }
    }
}

/// Compiles a component: what the child does between reading and writing.
#[must_use]
pub fn answer(class: Class, layout: MemoryLayout, wasm: &[u8]) -> Vec<u8> {
    let compiled = world::check_kind(wasm).and_then(|()| {
        pool::compiler(class, layout)
            .and_then(|engine| engine.precompile_component(wasm))
            .map_err(|error| LoadError::Invalid(format!("{error:#}")))
    });
    match compiled {
        Ok(code) => tagged(CODE, &code),
        Err(LoadError::Invalid(why)) => tagged(REFUSAL, why.as_bytes()),
        Err(error) => tagged(REFUSAL, error.to_string().as_bytes()),
    }
}

fn tagged(tag: u8, body: &[u8]) -> Vec<u8> {
    let mut answer = Vec::with_capacity(1 + body.len());
    answer.push(tag);
    answer.extend_from_slice(body);
    answer
}

/// The code of an answer, for [`crate::Engine::load_by`].
///
/// # Errors
/// [`LoadError::Invalid`] when it is a refusal, [`LoadError::CompilerCrashed`] when it is no answer.
pub fn code(mut answer: Vec<u8>) -> Result<Vec<u8>, LoadError> {
    match answer.first() {
        Some(&CODE) => Ok(answer.split_off(1)),
        Some(&REFUSAL) => Err(LoadError::Invalid(
            String::from_utf8_lossy(&answer[1..]).into_owned(),
        )),
        _ => Err(LoadError::CompilerCrashed("it gave no answer".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_code_or_a_refusal() {
        let code_of_menu = code(answer(Class::Native, MemoryLayout::Wide, bundled::MENU)).unwrap();
        assert!(code_of_menu.len() > bundled::MENU.len() / 2);
        let broken = &bundled::MENU[..bundled::MENU.len() / 2];
        assert!(matches!(
            code(answer(Class::Native, MemoryLayout::Wide, broken)),
            Err(LoadError::Invalid(_))
        ));
        for nothing in [&b""[..], b"\x07"] {
            assert!(matches!(
                code(nothing.to_vec()),
                Err(LoadError::CompilerCrashed(_))
            ));
        }
    }
}
