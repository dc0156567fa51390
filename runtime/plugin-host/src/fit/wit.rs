//! The interfaces that this host has, from its own WIT.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

use wit_parser::{Function, Handle, Resolve, SourceMap, Type, TypeDefKind, TypeId};

use super::shape::{Kind, Shape, Signature};
use crate::wit_files::PACKAGES;

/// All packages, read when a component first does not fit.
static OURS: LazyLock<Resolve> = LazyLock::new(|| {
    let mut resolve = Resolve::default();
    for files in PACKAGES {
        let mut map = SourceMap::new();
        for (path, text) in *files {
            map.push(Path::new(path), *text);
        }
        let package = map.parse().unwrap_or_else(|(_, error)| panic!("{error}"));
        resolve.push_group(package).expect("our own WIT resolves");
    }
    resolve
});

/// The functions of an interface by name, with version; none if this host does not have it.
pub(super) fn interface(name: &str) -> Option<BTreeMap<&'static str, Signature>> {
    let resolve = &*OURS;
    let (_, interface) = resolve
        .interfaces
        .iter()
        .find(|(id, _)| resolve.id_of(*id).as_deref() == Some(name))?;
    let functions = interface.functions.iter();
    Some(
        functions
            .map(|(name, function)| (name.as_str(), signature(function)))
            .collect(),
    )
}

/// The versions of a package that this host has, such as `0.1.0` for `jackfield:call`.
pub(super) fn versions(package: &str) -> Vec<String> {
    let names = OURS.packages.iter().map(|(_, package)| &package.name);
    names
        .filter(|name| format!("{}:{}", name.namespace, name.name) == package)
        .filter_map(|name| Some(name.version.as_ref()?.to_string()))
        .collect()
}

fn signature(function: &Function) -> Signature {
    let parameters = function.params.iter();
    Signature {
        parameters: parameters
            .map(|parameter| (parameter.name.clone(), shape(&parameter.ty)))
            .collect(),
        result: function.result.as_ref().map(shape),
    }
}

fn shape(ty: &Type) -> Shape {
    Shape::word(match ty {
        Type::Bool => "bool",
        Type::U8 => "u8",
        Type::U16 => "u16",
        Type::U32 => "u32",
        Type::U64 => "u64",
        Type::S8 => "s8",
        Type::S16 => "s16",
        Type::S32 => "s32",
        Type::S64 => "s64",
        Type::F32 => "f32",
        Type::F64 => "f64",
        Type::Char => "char",
        Type::String => "string",
        Type::ErrorContext => "error-context",
        Type::Id(id) => return defined(*id),
    })
}

fn defined(id: TypeId) -> Shape {
    let defined = &OURS.types[id];
    let of = |word, parts: &[Option<&Type>]| {
        Kind::Of(word, parts.iter().map(|part| part.map(shape)).collect())
    };
    let kind = match &defined.kind {
        TypeDefKind::Type(alias) => shape(alias).kind,
        TypeDefKind::Record(record) => {
            let fields = record.fields.iter();
            Kind::Record(
                fields
                    .map(|field| (field.name.clone(), shape(&field.ty)))
                    .collect(),
            )
        }
        TypeDefKind::Variant(variant) => {
            let cases = variant.cases.iter();
            Kind::Variant(
                cases
                    .map(|case| (case.name.clone(), case.ty.as_ref().map(shape)))
                    .collect(),
            )
        }
        TypeDefKind::Enum(cases) => {
            Kind::Enum(cases.cases.iter().map(|case| case.name.clone()).collect())
        }
        TypeDefKind::Flags(flags) => {
            Kind::Flags(flags.flags.iter().map(|flag| flag.name.clone()).collect())
        }
        TypeDefKind::Tuple(tuple) => Kind::Of(
            "tuple",
            tuple.types.iter().map(|part| Some(shape(part))).collect(),
        ),
        TypeDefKind::Option(part) => of("option", &[Some(part)]),
        TypeDefKind::List(part) | TypeDefKind::FixedLengthList(part, _) => {
            of("list", &[Some(part)])
        }
        TypeDefKind::Map(key, value) => of("map", &[Some(key), Some(value)]),
        TypeDefKind::Result(result) => of("result", &[result.ok.as_ref(), result.err.as_ref()]),
        TypeDefKind::Future(part) => of("future", &[part.as_ref()]),
        TypeDefKind::Stream(part) => of("stream", &[part.as_ref()]),
        TypeDefKind::Handle(Handle::Own(_)) => Kind::Word("own".to_owned()),
        TypeDefKind::Handle(Handle::Borrow(_)) => Kind::Word("borrow".to_owned()),
        TypeDefKind::Resource | TypeDefKind::Unknown => Kind::Word("resource".to_owned()),
    };
    Shape {
        name: defined.name.clone(),
        kind,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_host_has_is_known() {
        let control = interface("jackfield:call/control@0.1.0").unwrap();
        for (name, expected) in [
            (
                "play",
                "func(source: media-source, loops: u32) -> result<playback-id, call-error>",
            ),
            (
                "next-event",
                "func(timeout-ms: option<u32>) -> option<event>",
            ),
        ] {
            assert_eq!(control[name].to_string(), expected);
        }
        assert!(interface("jackfield:call/control@0.2.0").is_none());
        assert_eq!(versions("jackfield:routing"), ["0.1.0"]);
        assert_eq!(versions("jackfield:nothing"), [""; 0]);
    }
}
