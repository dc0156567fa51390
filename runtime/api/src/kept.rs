//! What an account may say of texts, which no number here has: kept and shown, because clients set a number up for both at once.

use std::collections::BTreeMap;

use serde_json::Value;
use store::{Directory, Scope};

use crate::applications;
use crate::parameters::{Parameters, is_web};
use crate::problem::Problem;

/// What a parameter may be.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    Url,
    Method,
    Application,
}

/// A parameter, and the property that shows it.
type Named = (&'static str, &'static str, Kind);

/// Those of a number.
pub(crate) const OF_NUMBER: &[Named] = &[
    ("SmsUrl", "sms_url", Kind::Url),
    ("SmsMethod", "sms_method", Kind::Method),
    ("SmsFallbackUrl", "sms_fallback_url", Kind::Url),
    ("SmsFallbackMethod", "sms_fallback_method", Kind::Method),
    (
        "SmsApplicationSid",
        "sms_application_sid",
        Kind::Application,
    ),
];
/// Those of an application.
pub(crate) const OF_APPLICATION: &[Named] = &[
    ("SmsUrl", "sms_url", Kind::Url),
    ("SmsMethod", "sms_method", Kind::Method),
    ("SmsFallbackUrl", "sms_fallback_url", Kind::Url),
    ("SmsFallbackMethod", "sms_fallback_method", Kind::Method),
    ("SmsStatusCallback", "sms_status_callback", Kind::Url),
    (
        "MessageStatusCallback",
        "message_status_callback",
        Kind::Url,
    ),
];

/// What is to be kept anew, by the property that shows it. An empty value takes away what was there.
#[derive(Debug)]
pub(crate) struct Kept(BTreeMap<&'static str, String>);

impl Kept {
    pub(crate) fn read(
        parameters: &Parameters,
        names: &[Named],
        directory: &Directory,
        scope: Scope,
    ) -> Result<Self, Problem> {
        let mut kept = BTreeMap::new();
        for (name, property, kind) in names {
            let Some(value) = parameters.raw(name).map(str::trim) else {
                continue;
            };
            let value = match kind {
                _ if value.is_empty() => String::new(),
                Kind::Url if is_web(value) => value.to_owned(),
                Kind::Url => {
                    let message = format!("`{name}` must begin with http:// or https://");
                    return Err(Problem::bad(21402, message));
                }
                Kind::Method => match &*value.to_ascii_uppercase() {
                    method @ ("GET" | "POST") => method.to_owned(),
                    _ => {
                        let message = format!("`{name}` must be `GET` or `POST`");
                        return Err(Problem::bad(21403, message));
                    }
                },
                Kind::Application => {
                    let application = applications::named(directory, scope, value)?;
                    application.sid.to_string()
                }
            };
            kept.insert(*property, value);
        }
        Ok(Self(kept))
    }

    /// Puts it beside what was kept before.
    pub(crate) fn into(self, before: &mut BTreeMap<String, String>) {
        for (property, value) in self.0 {
            match value.is_empty() {
                true => drop(before.remove(property)),
                false => drop(before.insert(property.to_owned(), value)),
            }
        }
    }
}

/// Shows what is kept in place of what the resource has for nothing.
pub(crate) fn show(kept: &BTreeMap<String, String>, resource: &mut Value) {
    for (property, value) in kept {
        resource[property.as_str()] = value.as_str().into();
    }
}
