//! Checks a component against the world `jackfield:call/call-flow@0.1.0`, in words for its author.

use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, Linker};

use crate::bindings::{CallFlowPre, control};
use crate::capabilities::CALL_FLOW_IMPORTS;
use crate::state::StoryState;

/// The interface a flow exports, and its one function.
const STORY: &str = "jackfield:call/story@0.1.0";
const RUN: &str = "run";
/// The largest component that is compiled, in bytes.
const MAX_COMPONENT_BYTES: usize = 8 * 1024 * 1024;
/// First bytes of WebAssembly, then version and layer.
const WASM_MAGIC: &[u8] = b"\0asm";
const MODULE: [u8; 4] = [1, 0, 0, 0];
const COMPONENT_LAYER: [u8; 2] = [1, 0];

/// Why some bytes are not a call flow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// Something else altogether.
    #[error("this is not WebAssembly: it does not begin with `\\0asm`")]
    NotWasm,
    /// Source text.
    #[error(
        "this is WebAssembly's text format: assemble it first, for instance with `wasm-tools parse`"
    )]
    Text,
    /// A plain module, as `wasm32-unknown-unknown` and `wasm32-wasip1` give.
    #[error("this is a core module, not a component: build it for the target wasm32-wasip2")]
    CoreModule,
    /// Too large to be compiled here.
    #[error("the component has {bytes} bytes: at most {limit} are taken")]
    TooLarge {
        /// What it has.
        bytes: usize,
        /// What is taken.
        limit: usize,
    },
    /// Damaged, or using a part of WebAssembly that is switched off.
    #[error("the component is not valid: {0}")]
    Invalid(String),
    /// It wants something that call flows do not get.
    #[error("the component imports `{import}`, which call flows do not get{hint}")]
    ImportNotAllowed {
        /// As the component names it.
        import: String,
        /// What to use instead, if there is something.
        hint: &'static str,
    },
    /// It wants something that is here in another shape: a function this version does not have, or other types.
    #[error("the component's imports do not fit this host: {why}")]
    ImportDiffers {
        /// Names the interface, the function and what is wrong with it.
        why: String,
    },
    /// It does not run calls.
    #[error("the component does not export `{missing}`: {found}")]
    ExportMissing {
        /// Interface and function.
        missing: &'static str,
        /// What it does export.
        found: String,
    },
    /// It exports the function in another shape.
    #[error("the component's `run` of `jackfield:call/story@0.1.0` has the wrong type: {why}")]
    ExportDiffers {
        /// What is wrong with it.
        why: String,
    },
}

/// Looks at the first bytes and the size.
pub(crate) fn check_kind(wasm: &[u8]) -> Result<(), LoadError> {
    let Some(rest) = wasm.strip_prefix(WASM_MAGIC) else {
        let is_text = wasm.trim_ascii_start().starts_with(b"(");
        return Err(if is_text {
            LoadError::Text
        } else {
            LoadError::NotWasm
        });
    };
    if rest.starts_with(&MODULE) {
        return Err(LoadError::CoreModule);
    }
    if rest.get(2..4) != Some(&COMPONENT_LAYER) {
        return Err(LoadError::Invalid(
            "its header names neither a module nor a component".to_owned(),
        ));
    }
    if wasm.len() > MAX_COMPONENT_BYTES {
        return Err(LoadError::TooLarge {
            bytes: wasm.len(),
            limit: MAX_COMPONENT_BYTES,
        });
    }
    Ok(())
}

/// Checks imports, then exports, and binds the component to what the host has.
pub(crate) fn check(
    engine: &wasmtime::Engine,
    linker: &Linker<StoryState>,
    component: &Component,
) -> Result<CallFlowPre<StoryState>, LoadError> {
    for (import, _) in component.component_type().imports(engine) {
        if !CALL_FLOW_IMPORTS.contains(&unversioned(import)) {
            return Err(LoadError::ImportNotAllowed {
                import: import.to_owned(),
                hint: hint(import),
            });
        }
    }
    check_story(engine, component)?;
    let bound = linker
        .instantiate_pre(component)
        .map_err(|error| LoadError::ImportDiffers {
            why: format!("{error:#}"),
        })?;
    CallFlowPre::new(bound).map_err(|error| LoadError::ExportDiffers {
        why: format!("{error:#}"),
    })
}

fn check_story(engine: &wasmtime::Engine, component: &Component) -> Result<(), LoadError> {
    let component_type = component.component_type();
    let Some(story) = component_type.get_export(engine, STORY) else {
        let exports: Vec<_> = component_type
            .exports(engine)
            .map(|(name, _)| format!("`{name}`"))
            .collect();
        let found = match exports.as_slice() {
            [] => "it exports nothing".to_owned(),
            names => format!("it exports {}", names.join(", ")),
        };
        return Err(LoadError::ExportMissing {
            missing: STORY,
            found,
        });
    };
    let ComponentItem::ComponentInstance(interface) = story.ty else {
        return Err(LoadError::ExportDiffers {
            why: format!("`{STORY}` is not an interface"),
        });
    };
    match interface.get_export(engine, RUN).map(|export| export.ty) {
        Some(ComponentItem::ComponentFunc(run)) => run
            .typecheck::<(), (Result<(), control::CallError>,)>(&component_type.instance_type())
            .map_err(|error| LoadError::ExportDiffers {
                why: format!("{error:#}"),
            }),
        _ => Err(LoadError::ExportMissing {
            missing: RUN,
            found: format!("`{STORY}` is there, but without this function"),
        }),
    }
}

fn unversioned(import: &str) -> &str {
    import.split_once('@').map_or(import, |(name, _)| name)
}

fn hint(import: &str) -> &'static str {
    if import.starts_with("wasi:http/") || import.starts_with("wasi:sockets/") {
        ": HTTP goes through `send-request` of `jackfield:call/control`"
    } else if import.starts_with("wasi:") {
        ": it has no part in WASI 0.2 as a flow sees it"
    } else {
        ""
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_component_is_told_from_its_first_bytes() {
        for (bytes, error) in [
            (&b""[..], LoadError::NotWasm),
            (b"RIFF....WAVE", LoadError::NotWasm),
            (b"\0as", LoadError::NotWasm),
            (b"  (component)", LoadError::Text),
            (b"\0asm\x01\0\0\0", LoadError::CoreModule),
            (
                b"\0asm",
                LoadError::Invalid("its header names neither a module nor a component".to_owned()),
            ),
        ] {
            assert_eq!(check_kind(bytes), Err(error));
        }
        assert_eq!(check_kind(b"\0asm\x0d\0\x01\0"), Ok(()));
    }
}
