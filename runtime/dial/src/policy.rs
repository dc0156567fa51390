//! Whom an account may call, and over which trunk. Default deny.

use call::AccountSid;
use store::{Account, Directory, Trunk, TrunkId};

use crate::destination::Destination;

/// Why a call may not be dialled. The text says what would allow it, in the words of the tenants file.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The account does not exist.
    #[error("no such account: {0}")]
    UnknownAccount(AccountSid),
    /// The caller ID is not a number of the account.
    #[error("`From` {0} is not a number of this account: use one of its own numbers")]
    ForeignCaller(String),
    /// Neither a telephone number nor a SIP URI at an address.
    #[error(
        "`To` {0:?} is neither E.164 with its plus, nor a short code, nor a SIP URI such as sip:1000@192.0.2.1"
    )]
    InvalidDestination(String),
    /// The account may not call there.
    #[error(
        "this account may not call {0}: the operator allows destinations in its `outbound.allow`"
    )]
    NotAllowed(String),
    /// The account's carrier has no way there.
    #[error("no trunk of the carrier leads to {0}: the operator gives a trunk its `target`")]
    NoTrunk(String),
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
            Self::ForeignCaller(_) => 21210,
            Self::InvalidDestination(_) => 21211,
            Self::NotAllowed(_) => 21215,
            Self::NoTrunk(_) => 21214,
            Self::QueueFull => 20429,
        }
    }
}

/// Whether an account may call `to` and show `from` as the caller, and the trunk that would carry the call.
pub fn permit(
    directory: &Directory,
    account: AccountSid,
    from: &str,
    to: &str,
) -> Result<TrunkId, Refusal> {
    let account = directory
        .account(account)
        .ok_or(Refusal::UnknownAccount(account))?;
    let owned = directory
        .number(&account.carrier, from)
        .is_some_and(|number| number.account == account.sid);
    if !owned {
        return Err(Refusal::ForeignCaller(from.to_owned()));
    }
    let destination =
        Destination::parse(to).ok_or_else(|| Refusal::InvalidDestination(to.to_owned()))?;
    if !is_allowed(account, &destination) {
        return Err(Refusal::NotAllowed(to.to_owned()));
    }
    choose_trunk(directory, account, &destination)
        .map(|trunk| trunk.id.clone())
        .ok_or_else(|| Refusal::NoTrunk(to.to_owned()))
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
            Destination::Sip(_) => allowed == "sip:",
        })
}

/// The carrier's first trunk, by id, that takes outbound calls; for a SIP URI the one whose target it names.
fn choose_trunk<'d>(
    directory: &'d Directory,
    account: &Account,
    destination: &Destination,
) -> Option<&'d Trunk> {
    directory
        .trunks()
        .map(|trunk| &**trunk)
        .filter(|trunk| trunk.carrier == account.carrier)
        .find(|trunk| match (destination, trunk.target) {
            (_, None) => false,
            (Destination::Number(_), Some(_)) => true,
            (Destination::Sip(address), Some(target)) => *address == target,
        })
}
