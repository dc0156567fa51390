//! What a component has to do with the world.

use std::collections::BTreeMap;

use wasmtime::component::Component;
use wasmtime::component::types::ComponentItem;

/// What a component asks for and what it offers: the functions of each interface, by the interface's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interfaces {
    /// What it is given by the host.
    pub imports: BTreeMap<String, Vec<String>>,
    /// What the host may call.
    pub exports: BTreeMap<String, Vec<String>>,
}

impl Interfaces {
    pub(crate) fn of(engine: &wasmtime::Engine, component: &Component) -> Self {
        let component = component.component_type();
        let functions = |item: ComponentItem| match item {
            ComponentItem::ComponentInstance(interface) => interface
                .exports(engine)
                .filter(|(_, export)| matches!(export.ty, ComponentItem::ComponentFunc(_)))
                .map(|(name, _)| name.to_owned())
                .collect(),
            _ => Vec::new(),
        };
        Self {
            imports: component
                .imports(engine)
                .map(|(name, import)| (name.to_owned(), functions(import.ty)))
                .collect(),
            exports: component
                .exports(engine)
                .map(|(name, export)| (name.to_owned(), functions(export.ty)))
                .collect(),
        }
    }
}
