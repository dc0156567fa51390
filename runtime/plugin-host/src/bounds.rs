//! What a component may be made of: counted before anything is compiled, so that what is far too large costs nothing.
//!
//! Only sizes and counts are read here. Types are counted and not looked into: they nest, and whoever reads them follows
//! them down with its own stack. That is the compiler's to do, in its own process.

use wasmparser::{Parser, Payload};

use crate::class::Class;
use crate::world::LoadError;

/// Functions of all modules together; a large component of Rust has some thousands.
const FUNCTIONS: usize = 20_000;
/// Local variables of one function.
const LOCALS: usize = 10_000;
/// Entries of type sections, at all levels.
const TYPES: usize = 20_000;
/// Imports, exports, aliases, instances and adapted functions, at all levels.
const ITEMS: usize = 20_000;
/// Core modules and components inside.
const PARTS: usize = 100;
/// Components in components.
const DEPTH: usize = 16;

/// Counts what is there.
///
/// # Errors
/// [`LoadError::TooMuch`] names what there is too much of; [`LoadError::Invalid`] where the bytes cannot be followed.
pub(crate) fn check(class: Class, wasm: &[u8]) -> Result<(), LoadError> {
    let mut counts = Counts::default();
    let body_bytes = class.bounds().body_bytes;
    for payload in Parser::new(0).parse_all(wasm) {
        let payload = payload.map_err(|error| invalid(&error))?;
        counts.add(&payload, body_bytes)?;
    }
    Ok(())
}

fn invalid(error: &wasmparser::BinaryReaderError) -> LoadError {
    LoadError::Invalid(error.to_string())
}

#[derive(Default)]
struct Counts {
    functions: usize,
    types: usize,
    items: usize,
    parts: usize,
    depth: usize,
}

impl Counts {
    fn add(&mut self, payload: &Payload<'_>, body_bytes: usize) -> Result<(), LoadError> {
        match payload {
            Payload::Version { .. } => {
                self.parts += 1;
                self.depth += 1;
                at_most(self.parts, "modules and components", PARTS)?;
                at_most(self.depth, "levels of components in components", DEPTH)
            }
            Payload::End(_) => {
                self.depth -= 1;
                Ok(())
            }
            Payload::CodeSectionStart { count, .. } => {
                self.functions = sum(self.functions, *count);
                at_most(self.functions, "functions", FUNCTIONS)
            }
            Payload::CodeSectionEntry(body) => {
                at_most(body.range().len(), "bytes in one function", body_bytes)?;
                locals(body)
            }
            Payload::TypeSection(section) => self.types(section.count()),
            Payload::CoreTypeSection(section) => self.types(section.count()),
            Payload::ComponentTypeSection(section) => self.types(section.count()),
            Payload::ImportSection(section) => self.items(section.count()),
            Payload::ExportSection(section) => self.items(section.count()),
            Payload::InstanceSection(section) => self.items(section.count()),
            Payload::ComponentInstanceSection(section) => self.items(section.count()),
            Payload::ComponentAliasSection(section) => self.items(section.count()),
            Payload::ComponentCanonicalSection(section) => self.items(section.count()),
            Payload::ComponentImportSection(section) => self.items(section.count()),
            Payload::ComponentExportSection(section) => self.items(section.count()),
            // Their sizes are bounded by the component's, and what they ask for when it runs by the story's limits.
            _ => Ok(()),
        }
    }

    fn types(&mut self, count: u32) -> Result<(), LoadError> {
        self.types = sum(self.types, count);
        at_most(self.types, "types", TYPES)
    }

    fn items(&mut self, count: u32) -> Result<(), LoadError> {
        self.items = sum(self.items, count);
        at_most(self.items, "imports, exports, aliases and instances", ITEMS)
    }
}

fn sum(so_far: usize, count: u32) -> usize {
    so_far.saturating_add(usize::try_from(count).unwrap_or(usize::MAX))
}

fn locals(body: &wasmparser::FunctionBody<'_>) -> Result<(), LoadError> {
    let reader = body.get_locals_reader().map_err(|error| invalid(&error))?;
    let mut locals: u64 = 0;
    for group in reader {
        let (count, _) = group.map_err(|error| invalid(&error))?;
        locals += u64::from(count);
    }
    let locals = usize::try_from(locals).unwrap_or(usize::MAX);
    at_most(locals, "local variables in one function", LOCALS)
}

fn at_most(found: usize, what: &'static str, limit: usize) -> Result<(), LoadError> {
    if found > limit {
        return Err(LoadError::TooMuch { found, what, limit });
    }
    Ok(())
}
