//! Compiles what tenants upload, each component in a process of its own: `jackfield compile-worker`.
//!
//! The child is this program again. It limits itself before it reads anything ([`worker`]); the parent here kills it when it
//! takes too long, and reads no more than an answer may have.

pub(crate) mod jail;
pub(crate) mod process;
pub(crate) mod turns;
pub(crate) mod worker;

use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::ExitStatus;

use plugin_host::compile::{self, CompileLimits};
use plugin_host::{Class, Engine, LoadError, MemoryLayout};
use tracing::warn;
use turns::Turns;

/// Compiles components of both classes, each in its own queue: what takes a minute does not stand before what takes a moment.
pub(crate) struct Compiler {
    native: Lane,
    interpreted: Option<Lane>,
}

impl Compiler {
    /// For the classes that an engine takes.
    pub(crate) fn new(engine: &Engine) -> Self {
        let lane = |class| Some(Lane::new(class, engine.layout(class)?));
        Self {
            native: lane(Class::Native).expect("each engine takes native components"),
            interpreted: lane(Class::Interpreted),
        }
    }

    /// Compiles one component; waits for its turn first. Call it on a thread that may block.
    ///
    /// # Errors
    /// [`LoadError`] in words for whoever uploaded it.
    pub(crate) fn compile(&self, wasm: &[u8]) -> Result<Vec<u8>, LoadError> {
        let lane = match Class::of(wasm) {
            Class::Native => Some(&self.native),
            Class::Interpreted => self.interpreted.as_ref(),
        };
        let bytes = wasm.len();
        lane.ok_or(LoadError::NoInterpreters { bytes })?
            .compile(wasm)
    }
}

/// Starts, watches and kills the processes that compile the components of one class.
struct Lane {
    program: PathBuf,
    arguments: Vec<OsString>,
    limits: CompileLimits,
    turns: Turns,
}

impl Lane {
    fn new(class: Class, layout: MemoryLayout) -> Self {
        let limits = class.compile_limits();
        Self {
            program: process::this_program(),
            arguments: worker::arguments(class, layout, &limits),
            limits,
            turns: Turns::default(),
        }
    }

    fn compile(&self, wasm: &[u8]) -> Result<Vec<u8>, LoadError> {
        let _turn = self.turns.wait().ok_or(LoadError::CompilerBusy)?;
        let CompileLimits {
            wall, answer_bytes, ..
        } = self.limits;
        let end = process::converse(&self.program, &self.arguments, &[wasm], wall, answer_bytes)
            .map_err(|error| LoadError::CompilerCrashed(format!("it does not start: {error}")))?;
        let Some(status) = end.status else {
            return Err(LoadError::CompilerTimedOut);
        };
        if !status.success() {
            let last_words = String::from_utf8_lossy(&end.last_words);
            warn!(%status, "a component broke the compiler: {}", last_words.trim_end());
            return Err(self.failure(status, &last_words));
        }
        compile::code(end.answer)
    }

    fn failure(&self, status: ExitStatus, last_words: &str) -> LoadError {
        match status.signal() {
            Some(process::SIGXCPU) => LoadError::CompilerTimedOut,
            _ if last_words.contains(process::OUT_OF_MEMORY) => LoadError::CompilerOutOfMemory,
            Some(signal) => LoadError::CompilerCrashed(format!("signal {signal}")),
            None => LoadError::CompilerCrashed(status.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// What comes of a child that runs this shell script. One that sleeps is not waited for.
    fn outcome(script: &str) -> Result<Vec<u8>, LoadError> {
        let wall = if script.contains("sleep") {
            Duration::from_millis(50)
        } else {
            Duration::from_secs(60)
        };
        let compiler = Lane {
            program: PathBuf::from("/bin/sh"),
            arguments: vec!["-c".into(), script.into()],
            limits: CompileLimits {
                wall,
                answer_bytes: 1_000,
                ..CompileLimits::default()
            },
            turns: Turns::default(),
        };
        compiler.compile(&vec![7; 200_000])
    }

    #[test]
    fn however_a_child_ends_its_parent_has_words_for_it() {
        let crashed = |why: &str| Err(LoadError::CompilerCrashed(why.to_owned()));
        let invalid = |why: &str| Err(LoadError::Invalid(why.to_owned()));
        for (script, expected) in [
            ("cat >/dev/null; printf '\\000code'", Ok(b"code".to_vec())),
            ("printf '\\000early'", Ok(b"early".to_vec())),
            ("cat >/dev/null; printf '\\001too odd'", invalid("too odd")),
            ("cat >/dev/null", crashed("it gave no answer")),
            ("printf '\\000code'; exit 3", crashed("exit status: 3")),
            ("printf '\\000code'; kill -SEGV $$", crashed("signal 11")),
            ("kill -XCPU $$", Err(LoadError::CompilerTimedOut)),
            (
                "echo memory allocation of 9 bytes failed >&2; kill -ABRT $$",
                Err(LoadError::CompilerOutOfMemory),
            ),
            ("exec sleep 60", Err(LoadError::CompilerTimedOut)),
            ("exec 1>&-; exec sleep 60", Err(LoadError::CompilerTimedOut)),
        ] {
            assert_eq!(outcome(script), expected, "{script}");
        }
    }

    #[test]
    fn an_answer_without_end_is_cut_off() {
        // `yes` ends by the pipe that is closed to it.
        let end = outcome("printf '\\000'; exec yes");
        assert_eq!(end, Err(LoadError::CompilerCrashed("signal 13".to_owned())));
    }

    #[test]
    fn a_program_that_is_not_there_is_named_as_the_hosts_trouble() {
        let compiler = Lane {
            program: PathBuf::from("/nonexistent/jackfield"),
            ..Lane::new(Class::Native, MemoryLayout::Wide)
        };
        let error = compiler.compile(b"").unwrap_err().to_string();
        assert!(error.contains("does not start"), "{error}");
    }
}
