//! What a component is by its cost: of a compiled language, or an interpreter with a program in it.

use std::time::Duration;

use crate::compile::CompileLimits;
use crate::story::Limits;

const MIB: usize = 1024 * 1024;

/// What a component costs. Each class has a pool of instances, limits, and a queue for the compiler of its own, so that the dear one takes
/// nothing from the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Of a compiled language: kilobytes of code, a story in some tens of KiB.
    Native,
    /// An interpreter with a program in it, as the tools for JavaScript and Python make them: megabytes of code, seconds to compile, a
    /// story in megabytes.
    Interpreted,
}

/// What bounds the components of a class.
#[derive(Debug)]
pub(crate) struct ClassBounds {
    /// The largest component that is compiled.
    pub(crate) component_bytes: usize,
    /// Bytes of one function's code. The loop that is an interpreter has several hundred KiB.
    pub(crate) body_bytes: usize,
    /// The largest linear memory that a slot of the pool holds. A story's own limit may be lower.
    pub(crate) slot_bytes: usize,
    /// Elements of one table; a large Rust component has some thousands of functions in it.
    pub(crate) table_elements: usize,
    /// Tables a story has when its component comes from an ordinary toolchain, with one to spare.
    pub(crate) tables_a_story: u32,
    /// Core instances of such a component, with some to spare.
    pub(crate) instances_a_story: u32,
    /// Wasm code may use this much of a fiber's stack; the rest is for host functions.
    pub(crate) wasm_stack_bytes: usize,
    pub(crate) fiber_stack_bytes: usize,
    /// Slots for command modules, beside the stories'.
    pub(crate) spare_slots: u32,
}

const NATIVE: ClassBounds = ClassBounds {
    component_bytes: 8 * MIB,
    body_bytes: 256 * 1024,
    // A speech synthesizer with its voices inside has 17 MB of data to begin with.
    slot_bytes: 64 * MIB,
    table_elements: 10_000,
    tables_a_story: 3,
    instances_a_story: 6,
    wasm_stack_bytes: 512 * 1024,
    fiber_stack_bytes: MIB,
    spare_slots: 16,
};

const INTERPRETED: ClassBounds = ClassBounds {
    component_bytes: 32 * MIB,
    body_bytes: MIB,
    slot_bytes: 256 * MIB,
    table_elements: 20_000,
    tables_a_story: 4,
    instances_a_story: 20,
    wasm_stack_bytes: 2 * MIB,
    fiber_stack_bytes: 3 * MIB,
    spare_slots: 0,
};

impl Class {
    /// Told by the size alone, so that nothing of a component is read before it waits in the right queue.
    #[must_use]
    pub const fn of(wasm: &[u8]) -> Self {
        if wasm.len() > NATIVE.component_bytes {
            Self::Interpreted
        } else {
            Self::Native
        }
    }

    /// What a story of this class may use.
    #[must_use]
    pub fn limits(self) -> Limits {
        match self {
            Self::Native => Limits::default(),
            Self::Interpreted => Limits {
                memory_bytes: INTERPRETED.slot_bytes as u64,
                cpu: Duration::from_millis(200),
                cpu_in_all: Duration::from_secs(4),
                ..Limits::default()
            },
        }
    }

    /// What compiling a component of this class may take.
    #[must_use]
    pub fn compile_limits(self) -> CompileLimits {
        match self {
            Self::Native => CompileLimits::default(),
            Self::Interpreted => CompileLimits {
                memory_bytes: 4 * 1024 * 1024 * 1024,
                cpu: Duration::from_mins(1),
                wall: Duration::from_mins(3),
                answer_bytes: 256 * 1024 * 1024,
            },
        }
    }

    pub(crate) const fn bounds(self) -> &'static ClassBounds {
        match self {
            Self::Native => &NATIVE,
            Self::Interpreted => &INTERPRETED,
        }
    }
}

impl std::fmt::Display for Class {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Native => "native",
            Self::Interpreted => "interpreted",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_class_is_told_by_the_size() {
        for (bytes, class) in [
            (0, Class::Native),
            (8 * MIB, Class::Native),
            (8 * MIB + 1, Class::Interpreted),
            (33 * MIB, Class::Interpreted),
        ] {
            assert_eq!(Class::of(&vec![0; bytes]), class, "{bytes}");
        }
    }
}
