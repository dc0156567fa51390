//! What a story may import, and what answers it: one file for each capability.

mod clocks;
mod conference;
mod config;
mod control;
mod dial;
mod filesystem;
mod logging;
mod machine_detection;
mod process;
mod queue;
mod random;
mod recording;
mod streams;

use wasmtime::component::{HasData, HasSelf, Linker, ResourceTable};
use wasmtime_wasi::filesystem::WasiFilesystem;
use wasmtime_wasi::p2::bindings::{
    cli, clocks as wasi_clocks, filesystem as wasi_filesystem, random as wasi_random,
};
use wasmtime_wasi_io::bindings::wasi::io;

use crate::bindings;
use crate::state::StoryState;

/// The interfaces a `call-flow` may import, without their versions.
pub(crate) const CALL_FLOW_IMPORTS: &[&str] = &[
    "jackfield:types/types",
    "jackfield:call/control",
    "jackfield:call/conference",
    "jackfield:call/queue",
    "jackfield:call/dial",
    "jackfield:call/streams",
    "jackfield:call/machine-detection",
    "jackfield:call/recording",
    "wasi:config/store",
    "wasi:logging/logging",
    "wasi:cli/environment",
    "wasi:cli/exit",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/stderr",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:cli/terminal-stderr",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/wall-clock",
    "wasi:filesystem/preopens",
    "wasi:filesystem/types",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:random/insecure",
    "wasi:random/insecure-seed",
    "wasi:random/random",
];

struct Table;

impl HasData for Table {
    type Data<'a> = &'a mut ResourceTable;
}

/// Links everything in [`CALL_FLOW_IMPORTS`].
pub(crate) fn link_call_flow(linker: &mut Linker<StoryState>) -> wasmtime::Result<()> {
    type Own = HasSelf<StoryState>;
    let own: fn(&mut StoryState) -> &mut StoryState = |state| state;
    let table: fn(&mut StoryState) -> &mut ResourceTable = |state| &mut state.table;

    bindings::types::add_to_linker::<_, Own>(linker, own)?;
    bindings::control::add_to_linker::<_, Own>(linker, own)?;
    bindings::conference::add_to_linker::<_, Own>(linker, own)?;
    bindings::queue::add_to_linker::<_, Own>(linker, own)?;
    bindings::dial::add_to_linker::<_, Own>(linker, own)?;
    bindings::streams::add_to_linker::<_, Own>(linker, own)?;
    bindings::machine_detection::add_to_linker::<_, Own>(linker, own)?;
    bindings::recording::add_to_linker::<_, Own>(linker, own)?;
    bindings::config::add_to_linker::<_, Own>(linker, own)?;
    bindings::logging::add_to_linker::<_, Own>(linker, own)?;

    cli::environment::add_to_linker::<_, Own>(linker, own)?;
    cli::exit::add_to_linker::<_, Own>(linker, own)?;
    cli::stdin::add_to_linker::<_, Own>(linker, own)?;
    cli::stdout::add_to_linker::<_, Own>(linker, own)?;
    cli::stderr::add_to_linker::<_, Own>(linker, own)?;
    cli::terminal_input::add_to_linker::<_, Own>(linker, own)?;
    cli::terminal_output::add_to_linker::<_, Own>(linker, own)?;
    cli::terminal_stdin::add_to_linker::<_, Own>(linker, own)?;
    cli::terminal_stdout::add_to_linker::<_, Own>(linker, own)?;
    cli::terminal_stderr::add_to_linker::<_, Own>(linker, own)?;
    wasi_clocks::monotonic_clock::add_to_linker::<_, Own>(linker, own)?;
    wasi_clocks::wall_clock::add_to_linker::<_, Own>(linker, own)?;
    wasi_random::insecure::add_to_linker::<_, Own>(linker, own)?;
    wasi_random::insecure_seed::add_to_linker::<_, Own>(linker, own)?;
    wasi_random::random::add_to_linker::<_, Own>(linker, own)?;
    wasi_filesystem::preopens::add_to_linker::<_, WasiFilesystem>(linker, StoryState::no_files)?;
    wasi_filesystem::types::add_to_linker::<_, WasiFilesystem>(linker, StoryState::no_files)?;
    io::error::add_to_linker::<_, Table>(linker, table)?;
    io::poll::add_to_linker::<_, Table>(linker, table)?;
    io::streams::add_to_linker::<_, Table>(linker, table)
}
