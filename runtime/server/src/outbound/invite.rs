//! The INVITE of a call: whom it is for and who calls, as its trunk writes them.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use dial::SipUri;
use numbers::{Callee, Caller, Presentation, Presenter};
use store::{CALLER_DISPLAY_NAME, CallRow, PhoneNumber, Trunk};

use crate::services::Services;
use crate::trunks::{self, Stop};

/// How long an outbound call rings when its request does not say.
const RING_TIMEOUT: Duration = Duration::from_secs(60);
/// How long a target may be silent, without even a 100, before the next is tried.
const ANSWER_WITHIN: Duration = Duration::from_secs(4);

/// The INVITE of a call over a trunk, to each of its servers in turn. `dialled`: the number as it is dialled, where a routing policy says it.
///
/// # Errors
/// When the trunk has no server, the caller no number, or what is to be proved cannot be opened.
pub(super) fn invite(
    services: &Services,
    account: &store::Account,
    trunk: &Trunk,
    stops: &[Stop],
    row: &CallRow,
    dialled: Option<&str>,
) -> anyhow::Result<sip::OutgoingInvite> {
    let first = stops.first().context("the trunk's calls go nowhere")?;
    let own = own_host(services, trunk, first);
    let shown = row.orders.caller_id.as_ref().unwrap_or(&row.from);
    let caller: PhoneNumber = shown.parse().context("the caller has no number")?;
    let stranger = SipUri::over(trunk, &row.to).map(|uri| uri.request_uri());
    let (party, fields) = dial::header_fields(&row.to);
    let party = stranger.as_deref().unwrap_or(party);
    let device = party.strip_prefix("client:");
    let dialled = dialled.map(|dialled| dialled.replace('#', "%23"));
    let called: Option<PhoneNumber> = party.parse().ok();
    let called_uri = match (&dialled, device) {
        (Some(dialled), _) => format!("sip:{dialled}@{}", first.host()),
        (None, Some(name)) => format!("sip:{name}@{own}"),
        (None, None) => party.to_owned(),
    };
    let parties = Parties {
        trunk,
        own: &own,
        caller: &caller,
        callee: match (&called, &dialled) {
            (Some(number), None) => Callee::Number(number),
            _ => Callee::Uri(&called_uri),
        },
        is_device: device.is_some(),
        dialled: dialled.as_deref(),
        is_stranger: stranger.is_some(),
    };
    let said = parties.as_told_to(first);
    let request_uri = parties.request_uri(first);
    // RFC 3261 section 20.36.
    let subject = row.orders.reason.clone();
    let subject = subject.map(|reason| ("Subject".to_owned(), reason));
    let headers = said.headers.into_iter();
    let headers = headers.map(|(name, value)| (name.to_owned(), value));
    Ok(sip::OutgoingInvite {
        targets: stops.iter().map(|stop| parties.target(stop)).collect(),
        advertised: trunk.nat.advertised_sip,
        contact_user: trunk
            .registration
            .as_ref()
            .map(|registration| registration.contact_user.clone()),
        from_name: from_name(said.from_name, row),
        headers: headers.chain(subject).chain(fields).collect(),
        credentials: to_prove(account, trunk, row, stranger.is_some())?,
        answer_within: ANSWER_WITHIN,
        ring_timeout: row
            .ring_timeout_s
            .map_or(RING_TIMEOUT, |seconds| Duration::from_secs(seconds.into())),
        ..sip::OutgoingInvite::new(first.hop, request_uri, said.from, said.to)
    })
}

/// The display name of `From`: as the call was ordered, unless nobody is shown there.
fn from_name(nobody: Option<&str>, row: &CallRow) -> Option<String> {
    match nobody {
        Some(nobody) => Some(nobody.to_owned()),
        None => row.settings.get(CALLER_DISPLAY_NAME).cloned(),
    }
}

/// Who calls whom over a trunk.
struct Parties<'a> {
    trunk: &'a Trunk,
    /// The host that the caller is at.
    own: &'a str,
    caller: &'a PhoneNumber,
    callee: Callee<'a>,
    /// Whether a device is called, which has a URI of its own.
    is_device: bool,
    /// The number as it is dialled, where a routing policy says it; escaped.
    dialled: Option<&'a str>,
    /// It is a host that the operator lets accounts call, and no target of the trunk: what it says of where it is leads nowhere else.
    is_stranger: bool,
}

impl Parties<'_> {
    /// How this server is told of them.
    fn as_told_to(&self, stop: &Stop) -> Presentation {
        let credentials = self.trunk.credentials.as_ref();
        let presenter = Presenter {
            numbers: &self.trunk.numbers,
            caller_id: &self.trunk.caller_id,
            peer: stop.host(),
            own: self.own,
            account: credentials.map(|credentials| credentials.username.as_str()),
        };
        let caller = Caller {
            number: self.caller,
            is_hidden: false,
        };
        presenter.present(caller, self.callee)
    }

    fn request_uri(&self, stop: &Stop) -> String {
        match self.dialled {
            _ if self.is_device => stop.uri().to_owned(),
            Some(dialled) => format!("sip:{dialled}@{}", stop.host()),
            None => self.as_told_to(stop).request_uri,
        }
    }

    fn target(&self, stop: &Stop) -> sip::InviteTarget {
        sip::InviteTarget {
            hop: stop.hop,
            request_uri: self.request_uri(stop),
            routes: stop.routes.clone(),
            to_source: self.is_stranger
                || self.trunk.nat.to_source
                || stop.hop.transport.is_reliable(),
        }
    }
}

/// The host, perhaps with a port, that callers over this trunk are at: the domain that we are registered in, or ours.
fn own_host(services: &Services, trunk: &Trunk, first: &Stop) -> String {
    let ours = trunk.nat.advertised_sip;
    match &trunk.registration {
        Some(registration) => registration.registrar.host(),
        None => ours
            .unwrap_or_else(|| services.contacts.towards(first.hop))
            .to_string(),
    }
}

/// What is proved to the far end: the call's own before the trunk's, which is for its targets alone.
fn to_prove(
    account: &store::Account,
    trunk: &Trunk,
    row: &CallRow,
    is_stranger: bool,
) -> anyhow::Result<Option<Arc<sip::digest::Credentials>>> {
    let Some(own) = &row.orders.credentials else {
        return Ok((!is_stranger).then(|| trunks::credentials(trunk)).flatten());
    };
    let password = account.open_credentials(row.sid, own)?;
    let own = sip::digest::Credentials::new(own.username.as_str(), password.expose(), None);
    Ok(Some(Arc::new(own.context("unusable credentials")?)))
}
