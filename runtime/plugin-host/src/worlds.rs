//! What a component can do on this host.

use call::Grants;

use crate::flow::Flow;
use crate::retry::Strategy;
use crate::routing::Policy;
use crate::versions::{CALL_FLOW, RETRY_STRATEGY, ROUTING_POLICY};

/// A loaded component under each world that it exports; at least one. Each runs in instances of its own.
#[derive(Debug, Clone, Default)]
pub struct Worlds {
    /// It runs calls.
    pub call_flow: Option<Flow>,
    /// It chooses trunks.
    pub routing_policy: Option<Policy>,
    /// It says when to try again.
    pub retry_strategy: Option<Strategy>,
    /// What it asks for beyond its calls, whichever world it runs.
    pub asks: Grants,
}

impl Worlds {
    /// The names of its worlds, such as `jackfield:call/call-flow@0.1.0`.
    #[must_use]
    pub fn names(&self) -> Vec<&'static str> {
        [
            (self.call_flow.is_some(), &CALL_FLOW),
            (self.routing_policy.is_some(), &ROUTING_POLICY),
            (self.retry_strategy.is_some(), &RETRY_STRATEGY),
        ]
        .into_iter()
        .filter(|(exported, _)| *exported)
        .map(|(_, world)| world.name)
        .collect()
    }
}
