//! `wasi:filesystem`: there is none. It is linked because the standard libraries of most languages name it.

use wasmtime_wasi::filesystem::WasiFilesystemCtxView;

use crate::sandbox::Sandbox;

impl Sandbox {
    /// A view in which no directory is open, and so nothing can be.
    pub(crate) fn no_files(&mut self) -> WasiFilesystemCtxView<'_> {
        WasiFilesystemCtxView {
            ctx: &mut self.filesystem,
            table: &mut self.table,
        }
    }
}
