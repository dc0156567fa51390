//! What a story may import, and what answers it: one file for each capability.

mod clocks;
mod conference;
mod conferences;
mod config;
mod control;
mod dial;
mod dial_terms;
mod dialled;
mod files;
mod filesystem;
mod key_value;
mod logging;
mod machine_detection;
mod network;
mod people;
mod pin;
mod process;
mod queue;
mod queues;
mod random;
mod recording;
mod referral;
mod speech_input;
mod streams;
mod transfers;

use wasmtime::component::{HasData, HasSelf, Linker, ResourceTable};
use wasmtime_wasi::filesystem::{WasiFilesystem, WasiFilesystemCtxView};
use wasmtime_wasi::p2::bindings::{
    cli, clocks as wasi_clocks, filesystem as wasi_filesystem, random as wasi_random, sockets,
};
use wasmtime_wasi::sockets::{WasiSockets, WasiSocketsCtxView};
use wasmtime_wasi_io::bindings::wasi::io;

use crate::bindings;
use crate::sandbox::{HasSandbox, Sandbox};
use crate::state::StoryState;

#[allow(unreachable_pub, reason = "the generated bindings re-export it")]
pub use key_value::Bucket;

/// What a `call-flow` may import beside [`SANDBOX_IMPORTS`], without the versions.
pub(crate) const CALL_FLOW_IMPORTS: &[&str] = &[
    "jackfield:types/types",
    "jackfield:call/control",
    "jackfield:call/conference",
    "jackfield:call/queue",
    "jackfield:call/dial",
    "jackfield:call/streams",
    "jackfield:call/machine-detection",
    "jackfield:call/recording",
    "jackfield:call/referral",
    "jackfield:call/speech-input",
    "jackfield:people/people",
    "jackfield:media/files",
    "jackfield:pin/pin",
    "jackfield:rooms/conferences",
    "jackfield:dial/terms",
    "jackfield:transfers/transfers",
    "jackfield:queues/queues",
    "jackfield:dialled/signalling",
    "wasi:keyvalue/store",
    "wasi:keyvalue/atomics",
];

/// What a component of any world may import, without the versions.
pub(crate) const SANDBOX_IMPORTS: &[&str] = &[
    "jackfield:types/attempts",
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

/// What interpreters may import beside that: their standard libraries name it whether or not it is used.
pub(crate) const NETWORK_IMPORTS: &[&str] = &[
    "wasi:sockets/instance-network",
    "wasi:sockets/ip-name-lookup",
    "wasi:sockets/network",
    "wasi:sockets/tcp",
    "wasi:sockets/tcp-create-socket",
    "wasi:sockets/udp",
    "wasi:sockets/udp-create-socket",
];

struct Table;

impl HasData for Table {
    type Data<'a> = &'a mut ResourceTable;
}

impl HasSandbox for StoryState {
    fn sandbox(&mut self) -> &mut Sandbox {
        &mut self.sandbox
    }
}

/// Links everything in [`CALL_FLOW_IMPORTS`] and [`SANDBOX_IMPORTS`].
pub(crate) fn link_call_flow(linker: &mut Linker<StoryState>) -> wasmtime::Result<()> {
    type Own = HasSelf<StoryState>;
    let own: fn(&mut StoryState) -> &mut StoryState = |state| state;

    bindings::types::add_to_linker::<_, Own>(linker, own)?;
    bindings::control::add_to_linker::<_, Own>(linker, own)?;
    bindings::conference::add_to_linker::<_, Own>(linker, own)?;
    bindings::queue::add_to_linker::<_, Own>(linker, own)?;
    bindings::dial::add_to_linker::<_, Own>(linker, own)?;
    bindings::streams::add_to_linker::<_, Own>(linker, own)?;
    bindings::machine_detection::add_to_linker::<_, Own>(linker, own)?;
    bindings::recording::add_to_linker::<_, Own>(linker, own)?;
    bindings::referral::add_to_linker::<_, Own>(linker, own)?;
    bindings::speech_input::add_to_linker::<_, Own>(linker, own)?;
    bindings::people::add_to_linker::<_, Own>(linker, own)?;
    bindings::files::add_to_linker::<_, Own>(linker, own)?;
    bindings::pin::add_to_linker::<_, Own>(linker, own)?;
    bindings::conferences::add_to_linker::<_, Own>(linker, own)?;
    bindings::dial_terms::add_to_linker::<_, Own>(linker, own)?;
    bindings::transfers::add_to_linker::<_, Own>(linker, own)?;
    bindings::queues::add_to_linker::<_, Own>(linker, own)?;
    bindings::dialled::add_to_linker::<_, Own>(linker, own)?;
    bindings::key_value::add_to_linker::<_, Own>(linker, own)?;
    bindings::atomics::add_to_linker::<_, Own>(linker, own)?;
    link_sandbox(linker)
}

/// Links everything in [`SANDBOX_IMPORTS`].
pub(crate) fn link_sandbox<T: HasSandbox>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    type Own = HasSelf<Sandbox>;
    let own: fn(&mut T) -> &mut Sandbox = T::sandbox;
    let files: fn(&mut T) -> WasiFilesystemCtxView<'_> = |data| data.sandbox().no_files();
    let table: fn(&mut T) -> &mut ResourceTable = |data| &mut data.sandbox().table;

    bindings::routing::attempts::add_to_linker::<_, Own>(linker, own)?;
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
    wasi_filesystem::preopens::add_to_linker::<_, WasiFilesystem>(linker, files)?;
    wasi_filesystem::types::add_to_linker::<_, WasiFilesystem>(linker, files)?;
    io::error::add_to_linker::<_, Table>(linker, table)?;
    io::poll::add_to_linker::<_, Table>(linker, table)?;
    io::streams::add_to_linker::<_, Table>(linker, table)
}

/// Links everything in [`NETWORK_IMPORTS`].
pub(crate) fn link_no_network<T: HasSandbox>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    let network: fn(&mut T) -> WasiSocketsCtxView<'_> = |data| data.sandbox().no_network();

    let options = sockets::network::LinkOptions::default();
    sockets::network::add_to_linker::<_, WasiSockets>(linker, &options, network)?;
    sockets::instance_network::add_to_linker::<_, WasiSockets>(linker, network)?;
    sockets::ip_name_lookup::add_to_linker::<_, WasiSockets>(linker, network)?;
    sockets::tcp::add_to_linker::<_, WasiSockets>(linker, network)?;
    sockets::tcp_create_socket::add_to_linker::<_, WasiSockets>(linker, network)?;
    sockets::udp::add_to_linker::<_, WasiSockets>(linker, network)?;
    sockets::udp_create_socket::add_to_linker::<_, WasiSockets>(linker, network)
}
