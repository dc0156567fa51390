//! Values of attributes. What cannot be read is a warning, and the default stands.

use jackfield_guest::HttpMethod;

use super::{MOST_LOOPS, Reading};
use crate::parse::Element;

/// A whole number, 1 or more.
pub(super) fn at_least_one(text: &str) -> Option<u32> {
    text.parse().ok().filter(|number| *number >= 1)
}

pub(super) fn boolean(text: &str) -> Option<bool> {
    match text {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

fn loops(text: &str) -> Option<u32> {
    match text.parse().ok()? {
        0 => Some(MOST_LOOPS),
        number if number <= MOST_LOOPS => Some(number),
        _ => None,
    }
}

pub(super) fn method(text: &str) -> Option<HttpMethod> {
    match text.to_ascii_uppercase().as_str() {
        "GET" => Some(HttpMethod::Get),
        "POST" => Some(HttpMethod::Post),
        _ => None,
    }
}

impl Reading {
    /// The value of an attribute; its default when it is absent, or (with a warning of that code) cannot be read.
    pub(super) fn value<T>(
        &mut self,
        element: &Element,
        name: &str,
        default: T,
        code: u16,
        read: impl Fn(&str) -> Option<T>,
    ) -> T {
        let Some(text) = element.attribute(name) else {
            return default;
        };
        read(text.trim()).unwrap_or_else(|| {
            let verb = &element.name;
            self.warn(
                code,
                format!("{verb}: invalid {name} {text:?}: the default is used"),
            );
            default
        })
    }

    pub(super) fn loops(&mut self, element: &Element, code: u16) -> u32 {
        self.value(element, "loop", 1, code, loops)
    }

    pub(super) fn method(&mut self, element: &Element, code: u16) -> HttpMethod {
        self.method_named(element, "method", code)
    }

    pub(super) fn method_named(&mut self, element: &Element, name: &str, code: u16) -> HttpMethod {
        self.value(element, name, HttpMethod::Post, code, method)
    }
}
