//! What a REGISTER asks for (RFC 3261 §10.2, RFC 3327).

use std::time::Duration;

use bytes::Bytes;

use super::{Answer, Config};
use crate::field::Name;
use crate::uri_equivalence::equivalent;
use crate::{NameAddr, Request, Scheme, Uri, lex};

/// The longest contact or path that is kept.
const MAX_BYTES: usize = 512;

/// What a REGISTER asks for, within the limits.
#[derive(Debug)]
pub(super) enum Wish {
    /// Nothing is to be changed: the bindings are asked for.
    Fetch,
    /// `Contact: *`
    RemoveAll,
    /// Each contact is bound for that time, or removed where that is none.
    Bind(Vec<(Uri, Duration)>),
}

impl Wish {
    pub(super) fn read(request: &Request, config: &Config) -> Result<Self, Answer> {
        let expires = request.header("Expires").map(|value| seconds(&value));
        let mut wanted: Vec<(Uri, Duration)> = Vec::new();
        let mut all = false;
        for item in request.head.items(Name::Contact) {
            if item == b"*" {
                all = true;
                continue;
            }
            let (contact, own_expires) = read_contact(item)?;
            let expires = granted(own_expires.or(expires), config)?;
            // Twice the same contact: the latter stands.
            wanted.retain(|(other, _)| !equivalent(other, &contact));
            wanted.push((contact, expires));
            // As many as there may be, and as many again that they replace.
            if wanted.len() > 2 * config.max_contacts {
                return Err(Answer::new(400));
            }
        }
        match (all, wanted.is_empty()) {
            (false, true) => Ok(Self::Fetch),
            (false, false) => Ok(Self::Bind(wanted)),
            (true, true) if expires == Some(0) => Ok(Self::RemoveAll),
            (true, _) => Err(Answer::new(400)),
        }
    }
}

/// The contact and what its `expires` says.
fn read_contact(item: &[u8]) -> Result<(Uri, Option<u32>), Answer> {
    // A copy: kept for long, it should not hold its whole message.
    let contact = NameAddr::parse(&Bytes::copy_from_slice(item));
    let contact = contact.map_err(|_| Answer::new(400))?;
    let is_dialable = matches!(contact.uri().scheme(), Scheme::Sip | Scheme::Sips);
    if !is_dialable || item.len() > MAX_BYTES {
        return Err(Answer::new(400));
    }
    let expires = contact.param("expires").map(|value| seconds(&value));
    Ok((contact.uri().clone(), expires))
}

/// What cannot be read is an hour (RFC 3261 §10.2.1.1, §20.10).
fn seconds(value: &str) -> u32 {
    lex::number(value.as_bytes()).unwrap_or(3600)
}

/// The time that is granted (RFC 3261 §10.3, step 7): none is never too short, for it ends the binding.
fn granted(wanted: Option<u32>, config: &Config) -> Result<Duration, Answer> {
    let Some(wanted) = wanted else {
        return Ok(config.default_expires);
    };
    let wanted = Duration::from_secs(wanted.into());
    if wanted > Duration::ZERO && wanted < config.min_expires {
        let min_expires = config.min_expires.as_secs().to_string();
        return Err(Answer::with(423, "Min-Expires", min_expires));
    }
    Ok(wanted.min(config.max_expires))
}

/// The proxies between us and the gateway, where it knows of such: else it has no means to see what a proxy of no right
/// put there (RFC 3327 §5.3).
pub(super) fn path(request: &Request) -> Result<Vec<String>, Answer> {
    let knows_path = request
        .items("Supported")
        .any(|option| option.eq_ignore_ascii_case("path"));
    if !knows_path {
        return Ok(Vec::new());
    }
    let path: Vec<_> = request
        .items("Path")
        .map(|item| item.into_owned())
        .collect();
    let is_uri = |item: &String| NameAddr::parse(&Bytes::copy_from_slice(item.as_bytes())).is_ok();
    let size: usize = path.iter().map(String::len).sum();
    if size > MAX_BYTES || !path.iter().all(is_uri) {
        return Err(Answer::new(400));
    }
    Ok(path)
}

/// Extensions the request insists on and this registrar has not (RFC 3261 §10.3, step 2).
pub(super) fn check_require(request: &Request) -> Result<(), Answer> {
    let mut unknown: Vec<_> = request.items("Require").collect();
    unknown.retain(|option| !option.is_empty() && !option.eq_ignore_ascii_case("path"));
    if unknown.is_empty() {
        return Ok(());
    }
    Err(Answer::with(420, "Unsupported", unknown.join(", ")))
}
