//! Names of header fields: any case, full or compact (RFC 3261 §7.3, §20).

/// The header fields this crate reads itself; every other is [`Name::Other`] and kept by its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Name {
    Accept,
    Allow,
    Authorization,
    CallId,
    Contact,
    ContentDisposition,
    ContentEncoding,
    ContentLength,
    ContentType,
    CSeq,
    From,
    MaxForwards,
    MinSe,
    ProxyAuthenticate,
    ProxyAuthorization,
    RAck,
    Reason,
    RecordRoute,
    Require,
    RetryAfter,
    Route,
    RSeq,
    SessionExpires,
    Supported,
    To,
    Via,
    WwwAuthenticate,
    Other,
}

const KNOWN: &[(Name, &str)] = &[
    (Name::Accept, "Accept"),
    (Name::Allow, "Allow"),
    (Name::Authorization, "Authorization"),
    (Name::CallId, "Call-ID"),
    (Name::Contact, "Contact"),
    (Name::ContentDisposition, "Content-Disposition"),
    (Name::ContentEncoding, "Content-Encoding"),
    (Name::ContentLength, "Content-Length"),
    (Name::ContentType, "Content-Type"),
    (Name::CSeq, "CSeq"),
    (Name::From, "From"),
    (Name::MaxForwards, "Max-Forwards"),
    (Name::MinSe, "Min-SE"),
    (Name::ProxyAuthenticate, "Proxy-Authenticate"),
    (Name::ProxyAuthorization, "Proxy-Authorization"),
    (Name::RAck, "RAck"),
    (Name::Reason, "Reason"),
    (Name::RecordRoute, "Record-Route"),
    (Name::Require, "Require"),
    (Name::RetryAfter, "Retry-After"),
    (Name::Route, "Route"),
    (Name::RSeq, "RSeq"),
    (Name::SessionExpires, "Session-Expires"),
    (Name::Supported, "Supported"),
    (Name::To, "To"),
    (Name::Via, "Via"),
    (Name::WwwAuthenticate, "WWW-Authenticate"),
];

/// The one-letter forms of the IANA registry.
const COMPACT: [(u8, &str); 19] = [
    (b'a', "Accept-Contact"),
    (b'b', "Referred-By"),
    (b'c', "Content-Type"),
    (b'd', "Request-Disposition"),
    (b'e', "Content-Encoding"),
    (b'f', "From"),
    (b'i', "Call-ID"),
    (b'j', "Reject-Contact"),
    (b'k', "Supported"),
    (b'l', "Content-Length"),
    (b'm', "Contact"),
    (b'o', "Event"),
    (b'r', "Refer-To"),
    (b's', "Subject"),
    (b't', "To"),
    (b'u', "Allow-Events"),
    (b'v', "Via"),
    (b'x', "Session-Expires"),
    (b'y', "Identity"),
];

impl Name {
    /// The field a written name means.
    pub(crate) fn of(written: &[u8]) -> Self {
        let full = full_form(written);
        let known = KNOWN
            .iter()
            .find(|(_, name)| full.eq_ignore_ascii_case(name.as_bytes()));
        known.map_or(Self::Other, |(id, _)| *id)
    }

    /// The full form, as this crate writes it. `Other` has none.
    pub(crate) fn as_str(self) -> &'static str {
        KNOWN
            .iter()
            .find(|(id, _)| *id == self)
            .map_or("", |(_, name)| name)
    }
}

/// The full form of a compact name; any other name as it is.
pub(crate) fn full_form(written: &[u8]) -> &[u8] {
    match written {
        [letter] => COMPACT
            .iter()
            .find(|(compact, _)| compact.eq_ignore_ascii_case(letter))
            .map_or(written, |(_, name)| name.as_bytes()),
        _ => written,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_any_spelling() {
        for (written, expected) in [
            ("Via", Name::Via),
            ("v", Name::Via),
            ("V", Name::Via),
            ("mAX-fORWARDS", Name::MaxForwards),
            ("i", Name::CallId),
            ("Call-Id", Name::CallId),
            ("Callid", Name::Other),
            ("x", Name::SessionExpires),
            ("C%6Fntact", Name::Other),
        ] {
            assert_eq!(Name::of(written.as_bytes()), expected, "{written}");
        }
    }
}
