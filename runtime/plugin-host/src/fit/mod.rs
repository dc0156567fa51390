//! In what a component differs from the interfaces of this host, in WIT's words.
//!
//! Whether it fits is the engine's to say; this only says why not.

mod shape;
mod wit;

use wasmtime::component::Component;
use wasmtime::component::types::{ComponentFunc, ComponentInstance, ComponentItem, Type};

use shape::{Difference, Kind, Shape, Signature};

/// Differences that are told of one component.
const MAX_TOLD: usize = 8;

/// What the component imports in another shape than this host has it; empty when it cannot be told.
pub(crate) fn imports(engine: &wasmtime::Engine, component: &Component) -> String {
    let component = component.component_type();
    let mut told = Vec::new();
    for (name, import) in component.imports(engine) {
        if let ComponentItem::ComponentInstance(interface) = import.ty {
            told.extend(differences(engine, name, &interface));
        }
    }
    sentence(told)
}

/// In what an exported interface differs; empty when it cannot be told.
pub(crate) fn export(
    engine: &wasmtime::Engine,
    name: &str,
    interface: &ComponentInstance,
) -> String {
    sentence(differences(engine, name, interface))
}

/// What this host has of the package that an interface belongs to, where it does not have the interface's version: such as
/// `version 0.1.0 of jackfield:call`.
pub(crate) fn other_versions(interface: &str) -> Option<String> {
    let (name, version) = interface.split_once('@')?;
    let package = name.split_once('/').map_or(name, |(package, _)| package);
    let ours = wit::versions(package);
    if ours.is_empty() || ours.iter().any(|ours| compatible(ours, version)) {
        return None;
    }
    let plural = if ours.len() > 1 { "s" } else { "" };
    Some(format!(
        "version{plural} {} of `{package}`",
        ours.join(", ")
    ))
}

/// Whether one version stands for the other: the same but for what may be added without harm.
fn compatible(ours: &str, theirs: &str) -> bool {
    let (Ok(ours), Ok(theirs)) = (semver::Version::parse(ours), semver::Version::parse(theirs))
    else {
        return false;
    };
    if ours.pre.is_empty() != theirs.pre.is_empty() || !ours.pre.is_empty() {
        return ours == theirs;
    }
    match ours.major {
        0 => (ours.major, ours.minor) == (theirs.major, theirs.minor),
        major => major == theirs.major,
    }
}

fn sentence(mut told: Vec<String>) -> String {
    told.dedup();
    let more = told.len().saturating_sub(MAX_TOLD);
    told.truncate(MAX_TOLD);
    if more > 0 {
        told.push(format!("and {more} more"));
    }
    told.join("; ")
}

fn differences(
    engine: &wasmtime::Engine,
    name: &str,
    interface: &ComponentInstance,
) -> Vec<String> {
    let Some(ours) = wit::interface(name) else {
        return Vec::new();
    };
    let names = named_types(engine, interface);
    let mut told = Vec::new();
    for (function, item) in interface.exports(engine) {
        let ComponentItem::ComponentFunc(theirs) = item.ty else {
            continue;
        };
        let theirs = signature(&theirs, &names);
        let Some(ours) = ours.get(function) else {
            told.push(format!(
                "`{name}` has no function `{function}` on this host: the component wants `{theirs}`"
            ));
            continue;
        };
        match ours.difference(&theirs) {
            None => {}
            Some(Difference::Whole) => told.push(format!(
                "`{name}` function `{function}`: the component has `{theirs}`, this host has `{ours}`"
            )),
            Some(Difference::Inside { name: ty, theirs, ours }) => {
                told.push(format!(
                    "`{name}` type `{ty}`: the component has `{theirs}`, this host has `{ours}`"
                ));
            }
        }
    }
    told
}

/// The types that an interface gives names to.
fn named_types(engine: &wasmtime::Engine, interface: &ComponentInstance) -> Vec<(Type, String)> {
    let named = interface.exports(engine);
    named
        .filter_map(|(name, item)| match item.ty {
            ComponentItem::Type(ty) => Some((ty, name.to_owned())),
            _ => None,
        })
        .collect()
}

fn signature(function: &ComponentFunc, names: &[(Type, String)]) -> Signature {
    let parameters = function.params();
    Signature {
        parameters: parameters
            .map(|(name, ty)| (name.to_owned(), shape(&ty, names)))
            .collect(),
        result: function.results().next().map(|ty| shape(&ty, names)),
    }
}

fn shape(ty: &Type, names: &[(Type, String)]) -> Shape {
    let of = |word, parts: &[Option<Type>]| {
        let parts = parts.iter();
        Kind::Of(
            word,
            parts
                .map(|part| part.as_ref().map(|part| shape(part, names)))
                .collect(),
        )
    };
    let words = |names: &mut dyn Iterator<Item = &str>| names.map(str::to_owned).collect();
    let kind = match ty {
        Type::Record(record) => {
            let fields = record.fields();
            Kind::Record(
                fields
                    .map(|field| (field.name.to_owned(), shape(&field.ty, names)))
                    .collect(),
            )
        }
        Type::Variant(variant) => {
            let cases = variant.cases();
            let payload = |ty: Option<Type>| ty.map(|ty| shape(&ty, names));
            Kind::Variant(
                cases
                    .map(|case| (case.name.to_owned(), payload(case.ty)))
                    .collect(),
            )
        }
        Type::Enum(cases) => Kind::Enum(words(&mut cases.names())),
        Type::Flags(flags) => Kind::Flags(words(&mut flags.names())),
        Type::Tuple(tuple) => Kind::Of(
            "tuple",
            tuple
                .types()
                .map(|part| Some(shape(&part, names)))
                .collect(),
        ),
        Type::Option(option) => of("option", &[Some(option.ty())]),
        Type::List(list) => of("list", &[Some(list.ty())]),
        Type::FixedLengthList(list) => of("list", &[Some(list.ty())]),
        Type::Map(map) => of("map", &[Some(map.key()), Some(map.value())]),
        Type::Result(result) => of("result", &[result.ok(), result.err()]),
        Type::Future(future) => of("future", &[future.ty()]),
        Type::Stream(stream) => of("stream", &[stream.ty()]),
        Type::Own(_) => Kind::Word("own".to_owned()),
        Type::Borrow(_) => Kind::Word("borrow".to_owned()),
        Type::Bool => return Shape::word("bool"),
        Type::S8 => return Shape::word("s8"),
        Type::U8 => return Shape::word("u8"),
        Type::S16 => return Shape::word("s16"),
        Type::U16 => return Shape::word("u16"),
        Type::S32 => return Shape::word("s32"),
        Type::U32 => return Shape::word("u32"),
        Type::S64 => return Shape::word("s64"),
        Type::U64 => return Shape::word("u64"),
        Type::Float32 => return Shape::word("f32"),
        Type::Float64 => return Shape::word("f64"),
        Type::Char => return Shape::word("char"),
        Type::String => return Shape::word("string"),
        Type::ErrorContext => return Shape::word("error-context"),
    };
    let name = names.iter().find(|(named, _)| named == ty);
    Shape {
        name: name.map(|(_, name)| name.clone()),
        kind,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_stand_for_each_other_as_cargo_has_it() {
        for (ours, theirs, expected) in [
            ("0.1.0", "0.1.0", true),
            ("0.1.0", "0.1.7", true),
            ("0.1.0", "0.2.0", false),
            ("1.2.0", "1.9.1", true),
            ("1.2.0", "2.0.0", false),
            ("0.2.0-rc.1", "0.2.0-rc.1", true),
            ("0.2.0-rc.1", "0.2.0-draft", false),
            ("0.2.0-rc.1", "0.2.0", false),
            ("0.1.0", "one", false),
        ] {
            assert_eq!(compatible(ours, theirs), expected, "{ours} {theirs}");
        }
    }

    #[test]
    fn another_version_of_a_package_is_told_with_those_that_are_here() {
        for (interface, expected) in [
            (
                "jackfield:call/control@0.2.0",
                Some("version 0.1.0 of `jackfield:call`"),
            ),
            ("jackfield:call/control@0.1.3", None),
            (
                "wasi:config/store@0.2.0-draft",
                Some("version 0.2.0-rc.1 of `wasi:config`"),
            ),
            ("wasi:cli/exit@0.2.6", None),
            ("test:guest/other@9.0.0", None),
        ] {
            assert_eq!(
                other_versions(interface).as_deref(),
                expected,
                "{interface}"
            );
        }
    }
}
