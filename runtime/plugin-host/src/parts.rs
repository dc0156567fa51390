//! The parts of a component itself: what is nested in it has its own.

use std::ops::Range;

use wasm_encoder::{ComponentSection as _, CustomSection};
use wasmparser::{BinaryReaderError, Parser, Payload};

use crate::world::{self, LoadError};

/// A custom section.
pub(crate) struct Custom<'w> {
    pub(crate) name: &'w str,
    pub(crate) data: &'w [u8],
    /// Where it is, with its header.
    whole: Range<usize>,
}

/// Gives each part of a component to `see`, in their order.
///
/// # Errors
/// [`LoadError`] where the bytes are no component; else the first of `see`.
pub(crate) fn each<'w>(
    wasm: &'w [u8],
    mut see: impl FnMut(Payload<'w>) -> Result<(), LoadError>,
) -> Result<(), LoadError> {
    world::check_kind(wasm)?;
    let mut depth = 0_u32;
    for payload in Parser::new(0).parse_all(wasm) {
        match payload.map_err(invalid)? {
            Payload::Version { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            payload if depth == 1 => see(payload)?,
            _ => {}
        }
    }
    Ok(())
}

/// Damaged, in wasmparser's words.
pub(crate) fn invalid(error: BinaryReaderError) -> LoadError {
    LoadError::Invalid(error.to_string())
}

/// The custom sections whose names `wanted` takes, in their order.
///
/// # Errors
/// [`LoadError`] where the bytes are no component.
pub(crate) fn custom(
    wasm: &[u8],
    wanted: impl Fn(&str) -> bool,
) -> Result<Vec<Custom<'_>>, LoadError> {
    let mut found = Vec::new();
    each(wasm, |payload| {
        if let Payload::CustomSection(section) = payload
            && wanted(section.name())
        {
            let body = section.range();
            // One byte says that it is a custom section, then comes its size.
            let header = 1 + bytes_of_size(body.len());
            found.push(Custom {
                name: section.name(),
                data: section.data(),
                whole: body.start - header..body.end,
            });
        }
        Ok(())
    })?;
    Ok(found)
}

/// The component with these custom sections, names and texts, in place of those that `replaced` takes.
///
/// # Errors
/// [`LoadError`] where the bytes are no component.
pub(crate) fn with_custom<'t>(
    wasm: &[u8],
    replaced: impl Fn(&str) -> bool,
    sections: impl IntoIterator<Item = (String, &'t str)>,
) -> Result<Vec<u8>, LoadError> {
    let mut component = wasm.to_vec();
    for section in custom(wasm, replaced)?.into_iter().rev() {
        component.drain(section.whole);
    }
    for (name, text) in sections {
        let section = CustomSection {
            name: name.into(),
            data: text.as_bytes().into(),
        };
        section.append_to_component(&mut component);
    }
    Ok(component)
}

/// Bytes that a number takes in LEB128: seven bits in each.
fn bytes_of_size(size: usize) -> usize {
    let bits = usize::BITS - size.leading_zeros();
    bits.div_ceil(7).max(1) as usize
}
