//! The worlds that this host runs, and what each of them may import.
//!
//! A later version of a world gets a row of its own here, with bindings of its own; the earlier one stays, so that what was built for it
//! keeps running.

use crate::capabilities::CALL_FLOW_IMPORTS;

/// One version of a world.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct World {
    /// Package, name and version.
    pub(crate) name: &'static str,
    /// The interface by which a component is known to be of it.
    pub(crate) export: &'static str,
    /// That interface's one function.
    pub(crate) function: &'static str,
    /// What may be imported beside what every component gets, without versions.
    pub(crate) imports: &'static [&'static str],
    /// What such components are called.
    pub(crate) plural: &'static str,
}

pub(crate) static CALL_FLOW: World = World {
    name: "jackfield:call/call-flow@0.1.0",
    export: "jackfield:call/story@0.1.0",
    function: "run",
    imports: CALL_FLOW_IMPORTS,
    plural: "call flows",
};

pub(crate) static ROUTING_POLICY: World = World {
    name: "jackfield:routing/routing-policy@0.1.0",
    export: "jackfield:routing/policy@0.1.0",
    function: "route",
    imports: &[],
    plural: "routing policies",
};

pub(crate) static RETRY_STRATEGY: World = World {
    name: "jackfield:retry/retry-strategy@0.1.0",
    export: "jackfield:retry/strategy@0.1.0",
    function: "next",
    imports: &[],
    plural: "retry strategies",
};

/// All of them.
pub(crate) static WORLDS: [&World; 3] = [&CALL_FLOW, &ROUTING_POLICY, &RETRY_STRATEGY];
