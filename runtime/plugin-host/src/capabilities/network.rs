//! `wasi:sockets`: there are none. They are linked for interpreters, whose standard libraries name them.

use wasmtime_wasi::sockets::WasiSocketsCtxView;

use crate::sandbox::Sandbox;

impl Sandbox {
    /// A view in which each socket and each look-up of a name is refused, with `access-denied`.
    pub(crate) fn no_network(&mut self) -> WasiSocketsCtxView<'_> {
        WasiSocketsCtxView {
            ctx: &mut self.network,
            table: &mut self.table,
        }
    }
}
