//! Checks a component against the worlds of this host, in words for its author.

use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, InstancePre, Linker, ResourceType};

use crate::bindings::retry::RetryStrategyPre;
use crate::bindings::retry::exports::jackfield::retry::strategy;
use crate::bindings::routing::RoutingPolicyPre;
use crate::bindings::routing::exports::jackfield::routing::policy;
use crate::bindings::{CallFlowPre, control};
use crate::capabilities::{NETWORK_IMPORTS, SANDBOX_IMPORTS};
use crate::class::Class;
use crate::fit;
use crate::pool::Pool;
use crate::sandbox::Sandbox;
use crate::state::StoryState;
use crate::versions::{CALL_FLOW, ROUTING_POLICY, WORLDS, World};

/// First bytes of WebAssembly, then version and layer.
const WASM_MAGIC: &[u8] = b"\0asm";
const MODULE: [u8; 4] = [1, 0, 0, 0];
const COMPONENT_LAYER: [u8; 2] = [1, 0];

/// Why some bytes are no component that this host runs.
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
    /// It is of the class of interpreters, and none of these are taken.
    #[error(
        "the component has {bytes} bytes: above {} it is taken for an interpreter with a program in it, and this host takes none (`max_interpreted` of its `limits` is 0). Strip it, or ask the operator",
        Class::Native.bounds().component_bytes
    )]
    NoInterpreters {
        /// What it has.
        bytes: usize,
    },
    /// It is made of more than is compiled here.
    #[error("the component has {found} {what}: at most {limit} are taken")]
    TooMuch {
        /// How many there are, or how many were counted until then.
        found: usize,
        /// Of what.
        what: &'static str,
        /// How many are taken.
        limit: usize,
    },
    /// Damaged, or using a part of WebAssembly that is switched off.
    #[error("the component is not valid: {0}")]
    Invalid(String),
    /// What it says that it asks for is not understood.
    #[error("what the component asks for is not understood: {0}; it comes from `plugin.toml`")]
    Asks(String),
    /// The cases that it brings are too many, or none.
    #[error("the cases that the component brings are not usable: {0}")]
    Cases(String),
    /// It asks for more than its account grants; names the lines that would grant it.
    #[error("it asks for what its account does not grant: add to the account's `grants`: {0}")]
    NotGranted(String),
    /// Compiling it takes more time than it may.
    #[error("compiling the component takes too long: give it fewer or smaller functions")]
    CompilerTimedOut,
    /// Compiling it takes more memory than it may.
    #[error("compiling the component takes too much memory: give it fewer or smaller functions")]
    CompilerOutOfMemory,
    /// The compiler's process ended without an answer; says how.
    #[error("the compiler ended without an answer ({0}), so the component is not taken")]
    CompilerCrashed(String),
    /// Too many components wait for the compiler.
    #[error("too many components wait to be compiled: try again in a minute")]
    CompilerBusy,
    /// It wants something that its worlds do not get.
    #[error("the component imports `{import}`, which {worlds} do not get{hint}")]
    ImportNotAllowed {
        /// As the component names it.
        import: String,
        /// What components of its worlds are called.
        worlds: String,
        /// What to use instead, if there is something.
        hint: &'static str,
    },
    /// It was built for a version of an interface that is not here.
    #[error("the component is made for `{interface}`: this host has {ours}")]
    OtherVersion {
        /// As the component names it.
        interface: String,
        /// The versions that are here.
        ours: String,
    },
    /// It wants something that is here in another shape: a function this version does not have, or other types.
    #[error("the component's imports do not fit this host: {why}")]
    ImportDiffers {
        /// Names the interface, the function or type, and both shapes.
        why: String,
    },
    /// It does not do what it is wanted for.
    #[error("the component does not export {missing}: {found}")]
    ExportMissing {
        /// Interface or function.
        missing: String,
        /// What it does export.
        found: String,
    },
    /// It exports the function in another shape.
    #[error("the component's exports do not fit this host: {why}")]
    ExportDiffers {
        /// Names the interface, the function or type, and both shapes.
        why: String,
    },
}

/// What components are bound to.
pub(crate) struct Linkers {
    /// All that a story may call.
    pub(crate) call_flow: Linker<StoryState>,
    /// What every component gets, and nothing else.
    pub(crate) alone: Linker<Sandbox>,
}

/// A component under each world that it exports.
#[derive(Default)]
pub(crate) struct Bound {
    pub(crate) call_flow: Option<CallFlowPre<StoryState>>,
    pub(crate) routing_policy: Option<RoutingPolicyPre<Sandbox>>,
    pub(crate) retry_strategy: Option<RetryStrategyPre<Sandbox>>,
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
    let limit = Class::of(wasm).bounds().component_bytes;
    if wasm.len() > limit {
        return Err(LoadError::TooLarge {
            bytes: wasm.len(),
            limit,
        });
    }
    Ok(())
}

/// Checks what the component exports, then what it imports, and binds it to what the host has. Of several worlds each is bound by itself.
pub(crate) fn check(pool: &Pool, component: &Component) -> Result<Bound, LoadError> {
    let Pool {
        class,
        wasmtime: engine,
        linkers,
        ..
    } = pool;
    let exported = exported(engine, component)?;
    check_imports(*class, engine, component, &exported)?;
    let mut bound = Bound::default();
    for world in exported {
        check_export(engine, component, world)?;
        let trouble = if *world == CALL_FLOW {
            let bind = linkers.call_flow.instantiate_pre(component);
            put(&mut bound.call_flow, bind.and_then(CallFlowPre::new))
        } else {
            let bind = bind_alone(engine, &linkers.alone, component);
            if *world == ROUTING_POLICY {
                put(
                    &mut bound.routing_policy,
                    bind.and_then(RoutingPolicyPre::new),
                )
            } else {
                put(
                    &mut bound.retry_strategy,
                    bind.and_then(RetryStrategyPre::new),
                )
            }
        };
        if let Some(error) = trouble {
            return Err(explain(engine, component, &error));
        }
    }
    Ok(bound)
}

fn put<T>(place: &mut Option<T>, made: wasmtime::Result<T>) -> Option<wasmtime::Error> {
    match made {
        Ok(made) => {
            *place = Some(made);
            None
        }
        Err(error) => Some(error),
    }
}

/// Why a component is not bound.
fn explain(engine: &wasmtime::Engine, component: &Component, error: &wasmtime::Error) -> LoadError {
    let component_type = component.component_type();
    let mut imports = component_type.imports(engine).map(|(name, _)| name);
    if let Some(other) = imports.find(|name| fit::other_versions(name).is_some()) {
        return other_version(other);
    }
    let told = fit::imports(engine, component);
    let why = if told.is_empty() {
        format!("{error:#}")
    } else {
        told
    };
    LoadError::ImportDiffers { why }
}

fn other_version(interface: &str) -> LoadError {
    LoadError::OtherVersion {
        interface: interface.to_owned(),
        ours: fit::other_versions(interface).unwrap_or_else(|| "another version".to_owned()),
    }
}

/// Binds a component that decides alone. What it imports for another world of its own is there, and traps.
fn bind_alone(
    engine: &wasmtime::Engine,
    linker: &Linker<Sandbox>,
    component: &Component,
) -> wasmtime::Result<InstancePre<Sandbox>> {
    let mut linker = linker.clone();
    for (name, import) in component.component_type().imports(engine) {
        let ComponentItem::ComponentInstance(interface) = import.ty else {
            continue;
        };
        if !WORLDS
            .iter()
            .any(|world| world.imports.contains(&unversioned(name)))
        {
            continue;
        }
        let mut stand_in = linker.instance(name)?;
        for (item, export) in interface.exports(engine) {
            match export.ty {
                ComponentItem::ComponentFunc(_) => {
                    let called = format!("`{item}` of `{name}`");
                    stand_in.func_new(item, move |_, _, _, _| {
                        wasmtime::bail!("called {called}: there is no call in a decision")
                    })?;
                }
                ComponentItem::Resource(_) => {
                    stand_in.resource(item, ResourceType::host::<()>(), |_, _| Ok(()))?;
                }
                _ => {}
            }
        }
    }
    linker.instantiate_pre(component)
}

/// The worlds that the component exports, at least one.
fn exported(
    engine: &wasmtime::Engine,
    component: &Component,
) -> Result<Vec<&'static World>, LoadError> {
    let component = component.component_type();
    let exports: Vec<&str> = component.exports(engine).map(|(name, _)| name).collect();
    let worlds: Vec<_> = WORLDS
        .into_iter()
        .filter(|world| exports.contains(&world.export))
        .collect();
    if worlds.is_empty() {
        let known = |name: &&&str| {
            let mut worlds = WORLDS.iter();
            worlds.any(|world| unversioned(world.export) == unversioned(name))
        };
        if let Some(other) = exports.iter().find(known) {
            return Err(other_version(other));
        }
        let wanted: Vec<_> = WORLDS
            .iter()
            .map(|world| format!("`{}`", world.export))
            .collect();
        return Err(LoadError::ExportMissing {
            missing: wanted.join(" or "),
            found: found(&exports),
        });
    }
    Ok(worlds)
}

/// A component of other worlds is asked to run calls.
pub(crate) fn no_call_flow(engine: &wasmtime::Engine, component: &Component) -> LoadError {
    let component = component.component_type();
    let exports: Vec<&str> = component.exports(engine).map(|(name, _)| name).collect();
    LoadError::ExportMissing {
        missing: format!("`{}`", CALL_FLOW.export),
        found: found(&exports),
    }
}

fn found(exports: &[&str]) -> String {
    match exports {
        [] => "it exports nothing".to_owned(),
        names => format!("it exports `{}`", names.join("`, `")),
    }
}

/// Each import has to be one that the component's worlds get.
fn check_imports(
    class: Class,
    engine: &wasmtime::Engine,
    component: &Component,
    worlds: &[&World],
) -> Result<(), LoadError> {
    for (import, _) in component.component_type().imports(engine) {
        let name = unversioned(import);
        let granted = SANDBOX_IMPORTS.contains(&name)
            || class == Class::Interpreted && NETWORK_IMPORTS.contains(&name)
            || worlds.iter().any(|world| world.imports.contains(&name));
        if !granted {
            let plurals: Vec<_> = worlds.iter().map(|world| world.plural).collect();
            return Err(LoadError::ImportNotAllowed {
                import: import.to_owned(),
                worlds: plurals.join(" and "),
                hint: hint(import),
            });
        }
    }
    Ok(())
}

/// The world's function has to be there, in its shape.
fn check_export(
    engine: &wasmtime::Engine,
    component: &Component,
    world: &World,
) -> Result<(), LoadError> {
    let World {
        export, function, ..
    } = *world;
    let component_type = component.component_type();
    let item = component_type
        .get_export(engine, export)
        .map(|export| export.ty);
    let Some(ComponentItem::ComponentInstance(interface)) = item else {
        return Err(LoadError::ExportDiffers {
            why: format!("`{export}` is not an interface"),
        });
    };
    let Some(ComponentItem::ComponentFunc(exported)) = interface
        .get_export(engine, function)
        .map(|export| export.ty)
    else {
        return Err(LoadError::ExportMissing {
            missing: format!("`{function}`"),
            found: format!("`{export}` is there, but without this function"),
        });
    };
    let instance = component_type.instance_type();
    let checked = if *world == CALL_FLOW {
        exported.typecheck::<(), (Result<(), control::CallError>,)>(&instance)
    } else if *world == ROUTING_POLICY {
        exported.typecheck::<(policy::Request, Vec<policy::Trunk>), (Result<policy::Decision, String>,)>(&instance)
    } else {
        exported.typecheck::<(strategy::Request,), (Result<strategy::Decision, String>,)>(&instance)
    };
    checked.map_err(|error| {
        let told = fit::export(engine, export, &interface);
        let why = if told.is_empty() {
            format!("`{export}`: {error:#}")
        } else {
            told
        };
        LoadError::ExportDiffers { why }
    })
}

fn unversioned(import: &str) -> &str {
    import.split_once('@').map_or(import, |(name, _)| name)
}

fn hint(import: &str) -> &'static str {
    if import.starts_with("wasi:http/") || import.starts_with("wasi:sockets/") {
        ": HTTP goes through `send-request` of `jackfield:call/control`, in call flows alone"
    } else if import.starts_with("wasi:") {
        ": it has no part in WASI 0.2 as a component sees it here"
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
