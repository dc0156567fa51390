//! Whom an account may call, and over which trunk. Default deny.

#[cfg(test)]
mod tests;

use std::cmp::Reverse;

use call::AccountSid;
use numbers::{PhoneNumber, is_emergency};
use store::{Account, Directory, SipHost, Trunk, TrunkId};

use crate::destination::Destination;

/// Why a call may not be dialled. The text says what would allow it, in the words of the tenants file.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The account does not exist.
    #[error("no such account: {0}")]
    UnknownAccount(AccountSid),
    /// The account, or its parent, is suspended or closed.
    #[error("account {0} is not active")]
    NotActive(AccountSid),
    /// The caller ID is not a number of the account.
    #[error(
        "`From` {0} is not a number of this account: use one of its own numbers, or of its caller IDs"
    )]
    ForeignCaller(String),
    /// Neither a telephone number nor a SIP URI.
    #[error(
        "`To` {0:?} is neither E.164 with its plus, nor a short code, nor a SIP URI such as sip:1000@192.0.2.1 or \
         sip:desk@pbx.example.net;transport=tls (`transport` udp, tcp or tls, and `secure=true`, are all its parameters), nor a device \
         such as client:alice; behind a `?` may be X- fields and User-to-User"
    )]
    InvalidDestination(String),
    /// Nobody whom the other side of a call could be asked to call.
    #[error(
        "{0:?} is neither E.164 with its plus, nor a short code, nor a SIP URI such as sip:desk@pbx.example.net, with X- fields and \
         User-to-User behind its `?`"
    )]
    InvalidReferral(String),
    /// The account may not call there.
    #[error(
        "this account may not call {0}: the operator allows destinations in its `outbound.allow`"
    )]
    NotAllowed(String),
    /// The number calls the police, the fire brigade or an ambulance.
    #[error(
        "{0} is an emergency number: a machine calls it only for an account whose `outbound.allow` names exactly \"{0}\""
    )]
    Emergency(PhoneNumber),
    /// The account's carrier has no way there.
    #[error(
        "no trunk of the carrier leads to {0}: the operator gives a trunk its `targets`, to that of a device its `login`, and to one for \
         SIP URIs of others their hosts in `sip_hosts`"
    )]
    NoTrunk(String),
    /// It failed over every trunk that leads there.
    #[error("no trunk is left over which {0} was not tried in vain")]
    NoOtherTrunk(String),
    /// Too many calls wait already, of this account or in all.
    #[error("too many calls are waiting: try again later")]
    QueueFull,
}

impl Refusal {
    /// The code that Twilio's API gives in this case.
    #[must_use]
    pub const fn twilio_code(&self) -> u32 {
        match self {
            Self::UnknownAccount(_) => 20404,
            Self::NotActive(_) => 20005,
            Self::ForeignCaller(_) => 21210,
            Self::InvalidDestination(_) | Self::InvalidReferral(_) => 21211,
            Self::NotAllowed(_) => 21215,
            Self::Emergency(_) => 21216,
            Self::NoTrunk(_) | Self::NoOtherTrunk(_) => 21214,
            Self::QueueFull => 20429,
        }
    }
}

/// Whether an account may call `to` and show `from` as the caller, and the trunk that would carry the call.
///
/// An emergency number of any country that the carrier's trunks lead to is not called unless the account's `outbound.allow` names it.
pub fn permit(
    directory: &Directory,
    account: AccountSid,
    from: &str,
    to: &str,
) -> Result<TrunkId, Refusal> {
    let route = route(directory, account, from, to)?;
    let first = route.into_iter().next();
    first
        .map(|candidate| candidate.trunk)
        .ok_or_else(|| Refusal::NoTrunk(to.to_owned()))
}

/// All trunks over which a call that [`permit`] allows may go, the first choice of the built-in order in front. Never empty.
///
/// # Errors
/// Why the call may not be made.
pub fn serving(
    directory: &Directory,
    account: AccountSid,
    from: &str,
    to: &str,
) -> Result<Vec<TrunkId>, Refusal> {
    let route = route(directory, account, from, to)?;
    Ok(route.into_iter().map(|candidate| candidate.trunk).collect())
}

/// A trunk that may carry a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Candidate {
    /// The trunk.
    pub(crate) trunk: TrunkId,
    /// Which of its prefixes the number begins with, the longest; none where it serves all numbers, or is named by a SIP URI.
    pub(crate) prefix: Option<String>,
    /// It is the account's alone.
    pub(crate) is_own: bool,
    /// As in [`Trunk::rank`].
    pub(crate) rank: u32,
}

impl Candidate {
    /// Those of the lowest go first; those of the same are alike.
    pub(crate) fn place(&self) -> impl Ord + use<> {
        let length = self.prefix.as_ref().map(String::len);
        (Reverse(length), self.rank, !self.is_own)
    }
}

/// The trunks that may carry a call, the first choice in front: those with the longest prefix of the number before those that serve all
/// numbers, then those of the lowest rank, then the account's own, and by their ids among those that are alike. Never empty. What [`permit`]
/// refuses has none.
///
/// # Errors
/// Why the call may not be made.
pub(crate) fn route(
    directory: &Directory,
    account: AccountSid,
    from: &str,
    to: &str,
) -> Result<Vec<Candidate>, Refusal> {
    let account = directory
        .account(account)
        .ok_or(Refusal::UnknownAccount(account))?;
    if !directory.is_active(account.sid) {
        return Err(Refusal::NotActive(account.sid));
    }
    if !directory.may_show(account.sid, from) {
        return Err(Refusal::ForeignCaller(from.to_owned()));
    }
    let destination =
        Destination::parse(to).ok_or_else(|| Refusal::InvalidDestination(to.to_owned()))?;
    if let Some(number) = emergency_number(directory, account, &destination) {
        return Err(Refusal::Emergency(number));
    }
    if !is_allowed(account, &destination) {
        return Err(Refusal::NotAllowed(to.to_owned()));
    }
    let candidates = candidates(directory, account, &destination);
    match candidates.is_empty() {
        true => Err(Refusal::NoTrunk(to.to_owned())),
        false => Ok(candidates),
    }
}

/// Whether an account may have the other side of a call sent on to `to`: a number, or any SIP URI where it may call SIP URIs. Who is
/// sent on calls there himself, so that no trunk of ours has to lead there.
pub fn permit_referral(
    directory: &Directory,
    account: AccountSid,
    to: &str,
) -> Result<(), Refusal> {
    let account = directory
        .account(account)
        .ok_or(Refusal::UnknownAccount(account))?;
    if !directory.is_active(account.sid) {
        return Err(Refusal::NotActive(account.sid));
    }
    let destination =
        Destination::parse_referral(to).ok_or_else(|| Refusal::InvalidReferral(to.to_owned()))?;
    match emergency_number(directory, account, &destination) {
        Some(number) => Err(Refusal::Emergency(number)),
        None if is_allowed(account, &destination) => Ok(()),
        None => Err(Refusal::NotAllowed(to.to_owned())),
    }
}

/// E.164 numbers are allowed by their beginnings, short codes only whole: they mean something else in each network.
fn is_allowed(account: &Account, destination: &Destination) -> bool {
    account
        .outbound
        .allow
        .iter()
        .any(|allowed| match destination {
            Destination::Number(number) if number.is_short_code() => number.as_str() == allowed,
            Destination::Number(number) => {
                allowed.starts_with('+') && number.as_str().starts_with(allowed.as_str())
            }
            Destination::Sip(uri) => match allowed.strip_prefix("sip:") {
                Some("") => true,
                Some(host) => host.parse().is_ok_and(|host: SipHost| uri.is_at(&host)),
                None => false,
            },
            Destination::Elsewhere { .. } => allowed == "sip:",
            Destination::Client { name } => allowed
                .strip_prefix("client:")
                .is_some_and(|allowed| allowed.is_empty() || allowed == name),
        })
}

/// The emergency number that would be called, unless the account may call exactly that.
fn emergency_number(
    directory: &Directory,
    account: &Account,
    destination: &Destination,
) -> Option<PhoneNumber> {
    trunks_of(directory, account)
        .filter(|trunk| trunk.is_for(account))
        .filter(|trunk| trunk.is_outbound() || !trunk.sip_hosts.is_empty())
        .filter_map(|trunk| {
            let country = trunk.numbers.country;
            let number = destination.number(country)?;
            is_emergency(&number, country).then_some(number)
        })
        .find(|number| {
            let mut allowed = account.outbound.allow.iter();
            !allowed.any(|allowed| allowed == number.as_str())
        })
}

/// The carrier's trunks that the account has, that take outbound calls and serve the number; for a SIP URI those that have it as a target, or where none
/// has those that may call its host; for a device the one that it registers as.
fn candidates(
    directory: &Directory,
    account: &Account,
    destination: &Destination,
) -> Vec<Candidate> {
    let is_target = match destination {
        Destination::Sip(uri) => trunks_of(directory, account)
            .any(|trunk| trunk.is_for(account) && uri.is_target_of(trunk)),
        _ => false,
    };
    let mut candidates: Vec<Candidate> = trunks_of(directory, account)
        .filter(|trunk| trunk.is_for(account))
        .filter_map(|trunk| {
            let prefix = match destination {
                Destination::Number(number) if trunk.is_outbound() => served(trunk, number)?,
                Destination::Sip(uri) if is_target => uri.is_target_of(trunk).then_some(None)?,
                Destination::Sip(uri) => trunk.has_sip_host(&uri.host()).then_some(None)?,
                Destination::Client { name } if trunk.is_outbound() => {
                    let login = trunk.login.as_ref();
                    let is_device =
                        login.is_some_and(|login| login.registers && login.username == *name);
                    is_device.then_some(None)?
                }
                _ => return None,
            };
            Some(Candidate {
                trunk: trunk.id.clone(),
                prefix,
                is_own: trunk.is_own(account),
                rank: trunk.rank,
            })
        })
        .collect();
    candidates.sort_by_key(Candidate::place);
    candidates
}

/// The longest of a trunk's prefixes that the number begins with; none inside where it serves all numbers.
fn served(trunk: &Trunk, number: &PhoneNumber) -> Option<Option<String>> {
    if trunk.prefixes.is_empty() {
        return Some(None);
    }
    let prefixes = trunk.prefixes.iter();
    let fitting = prefixes.filter(|prefix| number.as_str().starts_with(prefix.as_str()));
    fitting
        .max_by_key(|prefix| prefix.len())
        .map(|prefix| Some(prefix.clone()))
}

/// The trunks of the account's carrier, by id.
fn trunks_of<'d>(directory: &'d Directory, account: &Account) -> impl Iterator<Item = &'d Trunk> {
    directory
        .trunks()
        .map(|trunk| &**trunk)
        .filter(|trunk| trunk.carrier == account.carrier)
}
