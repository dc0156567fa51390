//! What a decision has beside its question.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::str::FromStr;

use crate::Level;
use crate::bindings::wasi::{config, logging};

/// What a decision ([`routing`](crate::routing), [`retry`](crate::retry)) has beside its question: settings, and the account's log.
///
/// A native test makes one with the settings that it wants, and looks at what was logged:
///
/// ```
/// use jackfield_guest::{Context, warn};
///
/// let context = Context::new().with_setting("pause-minutes", "15");
/// assert_eq!(context.number("pause-minutes", 10), Ok(15));
/// warn!(context, "{} is not served", "+1");
/// assert_eq!(context.logged(), ["+1 is not served"]);
/// ```
#[derive(Debug, Clone, Default)]
pub struct Context(Source);

#[derive(Debug, Clone)]
enum Source {
    /// The imports of the component that this crate is linked into.
    Component,
    Test {
        settings: BTreeMap<String, String>,
        lines: Rc<RefCell<Vec<String>>>,
    },
}

impl Default for Source {
    fn default() -> Self {
        Self::Test {
            settings: BTreeMap::new(),
            lines: Rc::default(),
        }
    }
}

impl Context {
    /// For a native test: without settings.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// That of the component. What the macros use; natively there is no host to ask.
    #[doc(hidden)]
    #[must_use]
    pub const fn of_component() -> Self {
        Self(Source::Component)
    }

    /// For a native test: with this setting too.
    #[must_use]
    pub fn with_setting(mut self, name: &str, value: &str) -> Self {
        if let Source::Test { settings, .. } = &mut self.0 {
            settings.insert(name.to_owned(), value.to_owned());
        }
        self
    }

    /// A setting of the component, as its account wrote it.
    #[must_use]
    pub fn setting(&self, name: &str) -> Option<String> {
        match &self.0 {
            Source::Test { settings, .. } => settings.get(name).cloned(),
            Source::Component => config::store::get(name).unwrap_or_else(|error| {
                self.log(
                    Level::Error,
                    &format!("the setting {name} cannot be read: {error}"),
                );
                None
            }),
        }
    }

    /// A setting that is a number, or `otherwise` where it is not set.
    ///
    /// # Errors
    /// In words for the account, when it is set to something else.
    pub fn number<T: FromStr>(&self, name: &str, otherwise: T) -> Result<T, String> {
        let Some(text) = self.setting(name) else {
            return Ok(otherwise);
        };
        let number = text.trim().parse();
        number.map_err(|_| format!("the setting `{name}` is \"{text}\", and has to be a number"))
    }

    /// Writes a line to the account's log. The macros [`info!`](crate::info), [`warn!`](crate::warn) and so on format it too.
    pub fn log(&self, level: Level, message: &str) {
        match &self.0 {
            Source::Component => logging::logging::log(level, "", message),
            Source::Test { lines, .. } => lines.borrow_mut().push(message.to_owned()),
        }
    }

    /// For a native test: the lines that were logged.
    #[must_use]
    pub fn logged(&self) -> Vec<String> {
        match &self.0 {
            Source::Component => Vec::new(),
            Source::Test { lines, .. } => lines.borrow().clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_is_none_is_named() {
        let context = Context::new()
            .with_setting("a", " 7 ")
            .with_setting("b", "seven");
        assert_eq!(context.number("a", 1), Ok(7));
        assert_eq!(context.number("missing", 1), Ok(1));
        let told = context.number("b", 1).unwrap_err();
        assert_eq!(told, "the setting `b` is \"seven\", and has to be a number");
    }
}
