//! Whom the SIP endpoint lets in: the trunks' addresses, and their logins.

use sip::digest::Users;
use sip::{PeerRules, PeerSet};
use store::{DEFAULT_REALM, Directory, Trunk};
use tracing::warn;

/// The addresses that trunks' calls come from, and how each trunk's peer is spoken to.
pub(crate) fn peers(directory: &Directory) -> PeerSet {
    directory
        .trunks()
        .flat_map(|trunk| {
            let rules = rules(trunk);
            trunk
                .sources
                .iter()
                .map(move |source| (source.network(), rules))
        })
        .collect()
}

/// Who may call and register from anywhere, with a password.
pub(crate) fn users(directory: &Directory) -> Users {
    let mut users = Users::new(DEFAULT_REALM).expect("the default realm can be a realm");
    for (realm, login, trunk) in directory.logins() {
        let added = users.add(
            realm,
            &login.username,
            login.password.expose(),
            rules(trunk),
        );
        if let Err(error) = added {
            warn!(trunk = %trunk.id, "the login is unusable: {error}");
        }
    }
    users
}

fn rules(trunk: &Trunk) -> PeerRules {
    PeerRules {
        advertised: trunk.nat.advertised_sip,
        force_rport: trunk.nat.force_rport,
        to_source: trunk.nat.to_source,
    }
}
