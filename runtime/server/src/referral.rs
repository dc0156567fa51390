//! Whom the other side of a call may be asked to call, and how that is said to it.

use bytes::Bytes;
use numbers::{PhoneNumber, Presenter};
use store::{Account, Directory, TrunkId};

/// The other side of a call.
#[derive(Debug, Clone)]
pub(crate) struct Peer {
    /// Whose numbers it writes as that trunk does.
    pub(crate) trunk: TrunkId,
    /// The host, perhaps with a port, that numbers are at for it.
    pub(crate) host: String,
}

/// The URI that the other side is to call, where the account may have it do so. Else in words why not.
pub(crate) fn uri(
    directory: &Directory,
    account: &Account,
    peer: &Peer,
    target: &str,
) -> Result<String, String> {
    dial::permit_referral(directory, account.sid, target).map_err(|why| why.to_string())?;
    let uri = match target.parse::<PhoneNumber>() {
        Ok(number) => called(directory, peer, &number)?,
        Err(_) => target.to_owned(),
    };
    match sip::Uri::parse(&Bytes::copy_from_slice(uri.as_bytes())) {
        Ok(_) => Ok(uri),
        Err(_) => Err(format!("{uri:?} is no SIP URI")),
    }
}

fn called(directory: &Directory, peer: &Peer, number: &PhoneNumber) -> Result<String, String> {
    let trunk = directory.trunk(&peer.trunk).ok_or("the trunk is gone")?;
    let presenter = Presenter {
        numbers: &trunk.numbers,
        caller_id: &trunk.caller_id,
        peer: &peer.host,
        own: &peer.host,
        account: None,
    };
    Ok(presenter.called(number))
}
