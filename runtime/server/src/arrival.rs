//! What a call's INVITE tells the flow that answers it, beside who calls whom.

use std::collections::BTreeMap;

/// The setting that has it ([`store::ARRIVAL`]); nothing where the INVITE says nothing.
pub(crate) fn setting(incoming: &sip::Incoming, trunk: &store::Trunk) -> BTreeMap<String, String> {
    let parameters = parameters(incoming, trunk);
    let value = store::write_arrival(&parameters);
    BTreeMap::from([(store::ARRIVAL.to_owned(), value)])
}

/// Twilio's parameters, by their names.
fn parameters(incoming: &sip::Incoming, trunk: &store::Trunk) -> Vec<(String, String)> {
    let invite = &incoming.request;
    let forwarded_from = numbers::forwarded_from(invite, trunk.numbers.country);
    let host = invite.request_uri().host();
    let known = [
        (
            "ForwardedFrom",
            forwarded_from.map(|party| party.to_string()),
        ),
        ("CallerName", numbers::caller_name(invite, &trunk.caller_id)),
        ("SipDomain", host.map(ToString::to_string)),
        (
            "SipUsername",
            incoming.user.as_ref().map(|user| user.name.to_string()),
        ),
        (
            "SipSourceIp",
            Some(incoming.source.address.ip().to_canonical().to_string()),
        ),
    ];
    let known = known
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)));
    let fields = invite.own_fields().into_iter();
    let fields = fields.map(|(name, value)| (format!("SipHeader_{name}"), value));
    known.chain(fields).collect()
}
