//! `wasi:cli`: no environment, no arguments, no input; what is printed goes to the log, line by line.

use bytes::Bytes;
use wasmtime::component::Resource;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::p2::bindings::cli::{
    environment, exit, stderr, stdin, stdout, terminal_input, terminal_output, terminal_stderr,
    terminal_stdin, terminal_stdout,
};
use wasmtime_wasi::p2::pipe::ClosedInputStream;
use wasmtime_wasi::p2::{
    DynInputStream, DynOutputStream, OutputStream, Pollable, StreamError, StreamResult,
};

use crate::log::LogLevel;
use crate::notebook::Notebook;
use crate::sandbox::Sandbox;
use crate::state::Halt;

/// Bytes the guest may print in one call, and of one line before it is written without its end.
const PRINT_BYTES: usize = 4096;

impl environment::Host for Sandbox {
    fn get_environment(&mut self) -> wasmtime::Result<Vec<(String, String)>> {
        self.host_call()?;
        Ok(Vec::new())
    }

    fn get_arguments(&mut self) -> wasmtime::Result<Vec<String>> {
        self.host_call()?;
        Ok(Vec::new())
    }

    fn initial_cwd(&mut self) -> wasmtime::Result<Option<String>> {
        self.host_call()?;
        Ok(None)
    }
}

impl exit::Host for Sandbox {
    fn exit(&mut self, status: Result<(), ()>) -> wasmtime::Result<()> {
        self.exit_with_code(u8::from(status.is_err()))
    }

    fn exit_with_code(&mut self, status: u8) -> wasmtime::Result<()> {
        Err(Halt::Exited(status).into())
    }
}

impl stdin::Host for Sandbox {
    fn get_stdin(&mut self) -> wasmtime::Result<Resource<DynInputStream>> {
        self.host_call()?;
        let stream: DynInputStream = Box::new(ClosedInputStream);
        Ok(self.table.push(stream)?)
    }
}

impl stdout::Host for Sandbox {
    fn get_stdout(&mut self) -> wasmtime::Result<Resource<DynOutputStream>> {
        self.printer(Output::Standard)
    }
}

impl stderr::Host for Sandbox {
    fn get_stderr(&mut self) -> wasmtime::Result<Resource<DynOutputStream>> {
        self.printer(Output::Error)
    }
}

impl Sandbox {
    fn printer(&mut self, output: Output) -> wasmtime::Result<Resource<DynOutputStream>> {
        self.host_call()?;
        let stream: DynOutputStream = Box::new(Printer {
            output,
            notebook: self.notebook.clone(),
            line: Vec::new(),
        });
        Ok(self.table.push(stream)?)
    }
}

#[derive(Debug, Clone, Copy)]
enum Output {
    Standard,
    Error,
}

/// Turns what the guest prints into log lines.
struct Printer {
    output: Output,
    notebook: Notebook,
    line: Vec<u8>,
}

impl Printer {
    fn end_line(&mut self) {
        let bytes = std::mem::take(&mut self.line);
        let line = String::from_utf8_lossy(&bytes);
        let line = line.trim_end();
        if line.is_empty() {
            return;
        }
        match self.output {
            Output::Standard => self.notebook.log(LogLevel::Info, "stdout", line),
            Output::Error => {
                self.notebook.keep_last_words(line);
                self.notebook.log(LogLevel::Warn, "stderr", line);
            }
        }
    }
}

impl OutputStream for Printer {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.notebook
            .host_call()
            .map_err(|halt| StreamError::Trap(halt.into()))?;
        for byte in bytes {
            if byte == b'\n' || self.line.len() == PRINT_BYTES {
                self.end_line();
            }
            if byte != b'\n' {
                self.line.push(byte);
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(PRINT_BYTES)
    }
}

#[async_trait]
impl Pollable for Printer {
    async fn ready(&mut self) {}
}

impl Drop for Printer {
    /// What was printed without an end of line counts too.
    fn drop(&mut self) {
        self.end_line();
    }
}

// No stream of a story is a terminal, so these resources never come to be.

impl terminal_input::Host for Sandbox {}

impl terminal_input::HostTerminalInput for Sandbox {
    fn drop(&mut self, input: Resource<terminal_input::TerminalInput>) -> wasmtime::Result<()> {
        self.table.delete(input)?;
        Ok(())
    }
}

impl terminal_output::Host for Sandbox {}

impl terminal_output::HostTerminalOutput for Sandbox {
    fn drop(&mut self, output: Resource<terminal_output::TerminalOutput>) -> wasmtime::Result<()> {
        self.table.delete(output)?;
        Ok(())
    }
}

impl terminal_stdin::Host for Sandbox {
    fn get_terminal_stdin(
        &mut self,
    ) -> wasmtime::Result<Option<Resource<terminal_input::TerminalInput>>> {
        self.host_call()?;
        Ok(None)
    }
}

impl terminal_stdout::Host for Sandbox {
    fn get_terminal_stdout(
        &mut self,
    ) -> wasmtime::Result<Option<Resource<terminal_output::TerminalOutput>>> {
        self.host_call()?;
        Ok(None)
    }
}

impl terminal_stderr::Host for Sandbox {
    fn get_terminal_stderr(
        &mut self,
    ) -> wasmtime::Result<Option<Resource<terminal_output::TerminalOutput>>> {
        self.host_call()?;
        Ok(None)
    }
}
