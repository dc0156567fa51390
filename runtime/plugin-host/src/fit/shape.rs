//! Types of interfaces, without where they come from: compared, and written as WIT has them.

use std::fmt;

/// A type, and its name where it has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) name: Option<String>,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// What WIT writes in one word, such as `u32` or the name of a resource.
    Word(String),
    /// `list`, `option`, `tuple`, `borrow` and the like: what stands in the angle brackets; nothing for `_`.
    Of(&'static str, Vec<Option<Shape>>),
    Record(Vec<(String, Shape)>),
    Variant(Vec<(String, Option<Shape>)>),
    Enum(Vec<String>),
    Flags(Vec<String>),
}

/// A function's type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Signature {
    pub(super) parameters: Vec<(String, Shape)>,
    pub(super) result: Option<Shape>,
}

/// Where two types differ.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Difference<'a> {
    /// Inside of this named type of ours, which is that of theirs.
    Inside {
        name: &'a str,
        theirs: &'a Kind,
        ours: &'a Kind,
    },
    /// As such.
    Whole,
}

impl Shape {
    pub(super) fn word(word: &str) -> Self {
        Self::unnamed(Kind::Word(word.to_owned()))
    }

    pub(super) const fn unnamed(kind: Kind) -> Self {
        Self { name: None, kind }
    }

    /// Where `theirs` differs from this one, if it does. Names are of no account.
    pub(super) fn difference<'a>(&'a self, theirs: &'a Self) -> Option<Difference<'a>> {
        let difference = self.kind.difference(&theirs.kind)?;
        let alike = std::mem::discriminant(&self.kind) == std::mem::discriminant(&theirs.kind);
        Some(match (difference, &self.name) {
            (Difference::Whole, Some(name)) if alike => Difference::Inside {
                name,
                theirs: &theirs.kind,
                ours: &self.kind,
            },
            (difference, _) => difference,
        })
    }
}

impl Kind {
    fn difference<'a>(&'a self, theirs: &'a Self) -> Option<Difference<'a>> {
        match (self, theirs) {
            (Self::Of(word, ours), Self::Of(other, theirs)) if word == other => {
                let pairs = ours.iter().zip(theirs);
                let inside = pairs.map(|(ours, theirs)| optional(ours.as_ref(), theirs.as_ref()));
                first(ours.len() == theirs.len(), inside)
            }
            (Self::Record(ours), Self::Record(theirs)) => {
                let names = |fields: &'a [(String, Shape)]| fields.iter().map(|(name, _)| name);
                let pairs = ours.iter().zip(theirs);
                let inside = pairs.map(|((_, ours), (_, theirs))| ours.difference(theirs));
                first(names(ours).eq(names(theirs)), inside)
            }
            (Self::Variant(ours), Self::Variant(theirs)) => {
                let names =
                    |cases: &'a [(String, Option<Shape>)]| cases.iter().map(|(name, _)| name);
                let pairs = ours.iter().zip(theirs);
                let inside =
                    pairs.map(|((_, ours), (_, theirs))| optional(ours.as_ref(), theirs.as_ref()));
                first(names(ours).eq(names(theirs)), inside)
            }
            (ours, theirs) => (ours != theirs).then_some(Difference::Whole),
        }
    }
}

fn optional<'a>(ours: Option<&'a Shape>, theirs: Option<&'a Shape>) -> Option<Difference<'a>> {
    match (ours, theirs) {
        (Some(ours), Some(theirs)) => ours.difference(theirs),
        (None, None) => None,
        _ => Some(Difference::Whole),
    }
}

/// The first difference of the parts, where the wholes have the same parts.
fn first<'a>(
    same_parts: bool,
    mut inside: impl Iterator<Item = Option<Difference<'a>>>,
) -> Option<Difference<'a>> {
    match same_parts {
        true => inside.find_map(|difference| difference),
        false => Some(Difference::Whole),
    }
}

impl Signature {
    /// Where `theirs` differs from this one, if it does.
    pub(super) fn difference<'a>(&'a self, theirs: &'a Self) -> Option<Difference<'a>> {
        let names = |signature: &'a Self| signature.parameters.iter().map(|(name, _)| name);
        let pairs = self.parameters.iter().zip(&theirs.parameters);
        let parameters = pairs.map(|((_, ours), (_, theirs))| ours.difference(theirs));
        let result = optional(self.result.as_ref(), theirs.result.as_ref());
        first(
            names(self).eq(names(theirs)),
            parameters.chain(std::iter::once(result)),
        )
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => f.write_str(name),
            None => self.kind.fmt(f),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(word) => f.write_str(word),
            Self::Of(word, parts) if parts.iter().all(Option::is_none) => f.write_str(word),
            Self::Of(word, parts) => {
                let written: Vec<_> = parts
                    .iter()
                    .map(|part| part.as_ref().map_or("_".to_owned(), Shape::to_string))
                    .collect();
                let end = match written.as_slice() {
                    [ok, error] if *word == "result" && error == "_" => ok.clone(),
                    all => all.join(", "),
                };
                write!(f, "{word}<{end}>")
            }
            Self::Record(fields) => {
                let fields: Vec<_> = fields
                    .iter()
                    .map(|(name, shape)| format!("{name}: {shape}"))
                    .collect();
                write!(f, "record {{ {} }}", fields.join(", "))
            }
            Self::Variant(cases) => {
                let cases: Vec<_> = cases
                    .iter()
                    .map(|(name, shape)| match shape {
                        Some(shape) => format!("{name}({shape})"),
                        None => name.clone(),
                    })
                    .collect();
                write!(f, "variant {{ {} }}", cases.join(", "))
            }
            Self::Enum(names) => write!(f, "enum {{ {} }}", names.join(", ")),
            Self::Flags(names) => write!(f, "flags {{ {} }}", names.join(", ")),
        }
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parameters: Vec<_> = self
            .parameters
            .iter()
            .map(|(name, shape)| format!("{name}: {shape}"))
            .collect();
        write!(f, "func({})", parameters.join(", "))?;
        match &self.result {
            Some(result) => write!(f, " -> {result}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str, kind: Kind) -> Shape {
        Shape {
            name: Some(name.to_owned()),
            kind,
        }
    }

    fn source(cases: &[&str]) -> Shape {
        let string = || Some(Shape::word("string"));
        named(
            "source",
            Kind::Variant(
                cases
                    .iter()
                    .map(|case| ((*case).to_owned(), string()))
                    .collect(),
            ),
        )
    }

    fn function(parameters: &[(&str, Shape)], result: Option<Shape>) -> Signature {
        let parameters = parameters.iter();
        Signature {
            parameters: parameters
                .map(|(name, shape)| ((*name).to_owned(), shape.clone()))
                .collect(),
            result,
        }
    }

    fn result_of(ok: Option<Shape>, error: Option<Shape>) -> Shape {
        Shape::unnamed(Kind::Of("result", vec![ok, error]))
    }

    #[test]
    fn functions_are_written_as_in_wit() {
        let id = named("playback-id", Kind::Word("u32".to_owned()));
        let sources = Shape::unnamed(Kind::Of("list", vec![Some(source(&["url"]))]));
        for (signature, expected) in [
            (function(&[], None), "func()"),
            (function(&[("a", Shape::word("u32"))], None), "func(a: u32)"),
            (
                function(
                    &[("from", sources)],
                    Some(result_of(Some(id), Some(Shape::word("string")))),
                ),
                "func(from: list<source>) -> result<playback-id, string>",
            ),
            (
                function(&[], Some(result_of(None, None))),
                "func() -> result",
            ),
            (
                function(&[], Some(result_of(Some(Shape::word("u8")), None))),
                "func() -> result<u8>",
            ),
            (
                function(&[], Some(result_of(None, Some(Shape::word("u8"))))),
                "func() -> result<_, u8>",
            ),
        ] {
            assert_eq!(signature.to_string(), expected);
        }
        assert_eq!(
            source(&["url", "file"]).kind.to_string(),
            "variant { url(string), file(string) }"
        );
    }

    #[test]
    fn the_innermost_named_type_is_told() {
        let play = |source: Shape| function(&[("source", source)], None);
        let (one, two) = (source(&["url"]), source(&["url", "file"]));
        let inside = |one, two| Difference::Inside {
            name: "source",
            theirs: one,
            ours: two,
        };
        let (ours, theirs) = (play(two.clone()), play(one.clone()));
        assert_eq!(ours.difference(&theirs), Some(inside(&one.kind, &two.kind)));

        let request = |source: Shape| {
            play(named(
                "request",
                Kind::Record(vec![("source".to_owned(), source)]),
            ))
        };
        let (ours, theirs) = (request(two.clone()), request(one.clone()));
        assert_eq!(ours.difference(&theirs), Some(inside(&one.kind, &two.kind)));
    }

    #[test]
    fn other_parameters_are_a_difference_of_the_function() {
        let ours = function(&[("source", source(&["url"]))], None);
        for theirs in [
            function(&[], None),
            function(&[("from", source(&["url"]))], None),
            function(&[("source", Shape::word("u32"))], None),
            function(&[("source", source(&["url"]))], Some(Shape::word("u32"))),
        ] {
            assert_eq!(
                ours.difference(&theirs),
                Some(Difference::Whole),
                "{theirs}"
            );
        }
        let renamed = Shape {
            name: None,
            ..source(&["url"])
        };
        assert_eq!(
            ours.difference(&function(&[("source", renamed)], None)),
            None
        );
    }
}
