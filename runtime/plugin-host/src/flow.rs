//! A component that was compiled and checked: what a tenant's number runs.

use std::future::Future;
use std::sync::Arc;

use call::Grants;

use crate::bindings::CallFlowPre;
use crate::class::Class;
use crate::port::CallPort;
use crate::state::StoryState;
use crate::story::{self, StoryEnd, StorySetup};

/// A loaded component of the world `call-flow`. Cheap to clone; drops its code with the last clone.
#[derive(Clone)]
pub struct Flow(Arc<Loaded>);

struct Loaded {
    engine: wasmtime::Engine,
    class: Class,
    component: CallFlowPre<StoryState>,
    sha256: [u8; 32],
    asks: Grants,
}

impl Flow {
    pub(crate) fn new(
        engine: wasmtime::Engine,
        class: Class,
        component: CallFlowPre<StoryState>,
        sha256: [u8; 32],
        asks: Grants,
    ) -> Self {
        Self(Arc::new(Loaded {
            engine,
            class,
            component,
            sha256,
            asks,
        }))
    }

    /// SHA-256 of the component as it was uploaded.
    #[must_use]
    pub fn sha256(&self) -> &[u8; 32] {
        &self.0.sha256
    }

    /// What its stories cost, and so what they may use: [`Class::limits`].
    #[must_use]
    pub fn class(&self) -> Class {
        self.0.class
    }

    /// What it asks for beyond its call.
    #[must_use]
    pub fn asks(&self) -> &Grants {
        &self.0.asks
    }

    /// Runs one story to its end, in an instance of its own.
    ///
    /// To be polled inside a tokio runtime with time enabled. The future computes for at most 5 ms at a time, then lets
    /// others run; dropping it ends the story without a journal, [`crate::Stop`] ends it with one.
    pub fn start<P: CallPort>(
        &self,
        setup: StorySetup,
        port: P,
    ) -> impl Future<Output = StoryEnd> + Send + use<P> {
        let flow = Arc::clone(&self.0);
        async move {
            story::run(
                &flow.engine,
                &flow.component,
                flow.sha256,
                setup,
                Box::new(port),
            )
            .await
        }
    }
}

impl std::fmt::Debug for Flow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sha256 = self
            .0
            .sha256
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>();
        f.debug_struct("Flow")
            .field("sha256", &sha256)
            .finish_non_exhaustive()
    }
}
