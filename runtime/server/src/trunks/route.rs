//! Where a call over a trunk goes.

use std::net::IpAddr;
use std::sync::Arc;

use dial::SipUri;
use sip::Hop;
use sip::digest::User;
use sip::locate::LocateError;
use sip::registrar::Binding;
use store::{Encryption, Target, Trunk};

use super::Trunks;
use crate::transport::Server;

/// One server, or one contact of a gateway, that a call can be sent to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stop {
    /// Where the messages go.
    pub(crate) hop: Hop,
    /// How it is called; a user part in it is not the one that is called.
    uri: String,
    /// The proxies on the way, the next one first.
    pub(crate) routes: Vec<String>,
}

impl Stop {
    /// A server of this URI.
    fn server(uri: &str, hop: Hop) -> Self {
        Self {
            hop,
            uri: uri.to_owned(),
            routes: Vec::new(),
        }
    }

    /// How it is called where it is a device: a contact has a user part of its own.
    pub(crate) fn uri(&self) -> &str {
        &self.uri
    }

    /// What stands behind the `@` of URIs there: the host, perhaps with port and parameters.
    pub(crate) fn host(&self) -> &str {
        let rest = self.uri.split_once(':').map_or("", |(_, rest)| rest);
        rest.rsplit_once('@').map_or(rest, |(_, host)| host)
    }
}

/// Why a trunk's calls can go nowhere now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoRoute {
    /// The trunk takes no calls.
    #[error("the trunk has no targets")]
    NoTargets,
    /// Its gateway has not registered.
    #[error("the trunk's gateway is not registered")]
    NotRegistered,
    /// It insists on encrypted audio, and keys would travel in the clear.
    #[error(
        "the trunk's `encryption` is \"required\", and none of its targets is reached over TLS"
    )]
    InTheClear,
    /// The host of a SIP URI leads inside.
    #[error(
        "`{host}` is at {address}, {what}: the operator allows it by naming that address, or its block, in the trunk's `sip_hosts`"
    )]
    NotPublic {
        host: String,
        address: IpAddr,
        what: &'static str,
    },
    /// Its servers cannot be found.
    #[error(transparent)]
    NotLocated(LocateError),
}

impl Trunks {
    /// Where a call to `to` over this trunk goes: the servers of the URI that it names, where the trunk calls hosts of others, else its own.
    ///
    /// # Errors
    /// When there is nowhere to send it.
    pub(crate) async fn route_to(
        &self,
        realm: &str,
        trunk: &Trunk,
        to: &str,
    ) -> Result<Vec<Stop>, NoRoute> {
        let Some(uri) = SipUri::over(trunk, to) else {
            return self.route(realm, trunk).await;
        };
        let stops = self.strangers(trunk, &uri).await?;
        let encryption = match uri.is_secure() {
            true => Encryption::Required,
            false => trunk.encryption,
        };
        safe_for_keys(encryption, stops)
    }

    /// Where a call over this trunk goes: the targets in their order, those that do not answer behind the others.
    ///
    /// # Errors
    /// When there is nowhere to send it; then with the reason of the last target.
    async fn route(&self, realm: &str, trunk: &Trunk) -> Result<Vec<Stop>, NoRoute> {
        let mut stops = Vec::new();
        let mut trouble = NoRoute::NoTargets;
        for target in &trunk.targets {
            let found = match target {
                Target::Uri(uri) => self.targets(uri.as_str()).await,
                Target::Registered => self.contacts(realm, trunk).await,
            };
            match found {
                Ok(found) => stops.extend(found),
                Err(error) => trouble = error,
            }
        }
        if stops.is_empty() {
            return Err(trouble);
        }
        let mut stops = safe_for_keys(trunk.encryption, stops)?;
        let down = self.standing(&trunk.id).down;
        stops.sort_by_key(|stop| down.contains(&stop.hop));
        Ok(stops)
    }

    /// The servers of a target.
    async fn targets(&self, uri: &str) -> Result<Vec<Stop>, NoRoute> {
        let hops = self.tools.servers(uri).await;
        let hops = hops.map_err(NoRoute::NotLocated)?;
        Ok(hops.into_iter().map(|hop| Stop::server(uri, hop)).collect())
    }

    /// The servers of a host that is no target of the trunk, those that it may call. Connections to them are for its calls alone.
    async fn strangers(&self, trunk: &Trunk, uri: &SipUri) -> Result<Vec<Stop>, NoRoute> {
        let (address, host) = (uri.server(), uri.host());
        let located = self.tools.resolver.hops(&address).await;
        let located = located.map_err(NoRoute::NotLocated)?;
        let stops = located.hops.iter().map(|hop| Stop::server(&address, *hop));
        let mut stops = listed(trunk, &host, stops.collect())?;
        if !stops.iter().any(|stop| stop.hop.transport.is_reliable()) {
            return Ok(stops);
        }
        let name = located.verify_name.as_ref().map(Arc::clone);
        let server = Server {
            name: name.unwrap_or_else(|| host.into()),
            owner: Some(trunk.id.clone()),
        };
        let server = self.tools.endpoint.expect(server, Vec::new());
        for stop in &mut stops {
            if stop.hop.transport.is_reliable() {
                stop.hop = stop.hop.of(Some(server));
            }
        }
        Ok(stops)
    }

    /// The contacts of the trunk's gateway, what was heard of last first.
    async fn contacts(&self, realm: &str, trunk: &Trunk) -> Result<Vec<Stop>, NoRoute> {
        let bindings = self.gateways(realm, trunk).await;
        let stop = |binding: &Binding| Stop {
            hop: binding.hop,
            uri: binding.contact.to_string(),
            routes: binding.path.clone(),
        };
        if bindings.is_empty() {
            return Err(NoRoute::NotRegistered);
        }
        Ok(bindings.iter().rev().map(stop).collect())
    }

    /// Where the trunk's gateway registered, what was heard of longest ago first.
    pub(crate) async fn gateways(&self, realm: &str, trunk: &Trunk) -> Vec<Binding> {
        match &trunk.login {
            Some(login) if login.registers => {
                let user = User {
                    realm: realm.into(),
                    name: login.username.as_str().into(),
                };
                self.tools.endpoint.bindings(user).await
            }
            _ => Vec::new(),
        }
    }
}

/// The stops of a host of others that are public, or whose address the operator names.
fn listed(trunk: &Trunk, host: &str, stops: Vec<Stop>) -> Result<Vec<Stop>, NoRoute> {
    let mut inside = None;
    let is_listed = |stop: &Stop| {
        let address = stop.hop.address.ip();
        let what = egress::special(address).filter(|_| !trunk.has_sip_address(address));
        if let Some(what) = what {
            inside = Some((address, what));
        }
        what.is_none()
    };
    let kept: Vec<Stop> = stops.into_iter().filter(is_listed).collect();
    match inside {
        Some((address, what)) if kept.is_empty() => Err(NoRoute::NotPublic {
            host: host.to_owned(),
            address,
            what,
        }),
        _ => Ok(kept),
    }
}

/// The stops that a call may be sent to: where its audio has to be encrypted, those over TLS.
fn safe_for_keys(encryption: Encryption, mut stops: Vec<Stop>) -> Result<Vec<Stop>, NoRoute> {
    if encryption == Encryption::Required {
        stops.retain(|stop| stop.hop.transport.is_secure());
        if stops.is_empty() {
            return Err(NoRoute::InTheClear);
        }
    }
    Ok(stops)
}

#[cfg(test)]
mod tests {
    use sip::Transport;

    use super::*;
    use crate::trunks::testing::calling;

    #[test]
    fn keys_go_over_tls_only() {
        use Encryption::{Off, Optional, Required};
        use Transport::{Tcp, Tls, Udp, Wss};
        for (encryption, transports, expected) in [
            (Off, &[Udp, Tls][..], Some(&[Udp, Tls][..])),
            (Optional, &[Udp, Tls], Some(&[Udp, Tls])),
            (Required, &[Udp, Tls, Tcp, Wss], Some(&[Tls, Wss])),
            (Required, &[Udp, Tcp], None),
        ] {
            let stops = transports.iter().map(|transport| Stop {
                hop: Hop::new(*transport, "192.0.2.1:5060".parse().unwrap()),
                uri: "sip:192.0.2.1".to_owned(),
                routes: Vec::new(),
            });
            let kept = safe_for_keys(encryption, stops.collect()).map(|stops| {
                let transports = stops.iter().map(|stop| stop.hop.transport);
                transports.collect::<Vec<_>>()
            });
            let expected = expected.map(<[_]>::to_vec).ok_or(NoRoute::InTheClear);
            assert_eq!(kept, expected, "{encryption:?} {transports:?}");
        }
    }

    #[test]
    fn a_host_of_others_leads_inside_only_where_that_address_is_named() {
        for (hosts, addresses, expected) in [
            (
                "[\"pbx.example.net\"]",
                &["1.1.1.1"][..],
                Ok(&["1.1.1.1"][..]),
            ),
            (
                "[\"pbx.example.net\"]",
                &["10.0.0.7", "1.1.1.1"],
                Ok(&["1.1.1.1"]),
            ),
            ("[\"pbx.example.net\"]", &["10.0.0.7"], Err("10.0.0.7")),
            ("[\"pbx.example.net\"]", &["127.0.0.1", "::1"], Err("::1")),
            (
                "[\"pbx.example.net\"]",
                &["::ffff:10.0.0.7"],
                Err("::ffff:10.0.0.7"),
            ),
            (
                "[\"pbx.example.net\", \"10.0.0.0/8\"]",
                &["10.0.0.7"],
                Ok(&["10.0.0.7"]),
            ),
            (
                "[\"pbx.example.net\", \"10.0.0.8\"]",
                &["10.0.0.7"],
                Err("10.0.0.7"),
            ),
        ] {
            let stops = addresses.iter().map(|address| Stop {
                hop: Hop::udp((address.parse::<IpAddr>().unwrap(), 5060).into()),
                uri: "sip:pbx.example.net".to_owned(),
                routes: Vec::new(),
            });
            let kept = listed(&calling(hosts), "pbx.example.net", stops.collect());
            match (kept, expected) {
                (Ok(kept), Ok(expected)) => {
                    let kept: Vec<String> = kept
                        .iter()
                        .map(|stop| stop.hop.address.ip().to_string())
                        .collect();
                    assert_eq!(kept, expected, "{hosts}");
                }
                (Err(NoRoute::NotPublic { address, .. }), Err(expected)) => {
                    assert_eq!(address.to_string(), expected, "{hosts}");
                }
                (kept, _) => panic!("{hosts} {addresses:?}: {kept:?}"),
            }
        }
    }

    #[test]
    fn the_host_of_a_stop() {
        for (uri, expected) in [
            ("sip:gw.example", "gw.example"),
            (
                "sip:192.0.2.1:5070;transport=tcp",
                "192.0.2.1:5070;transport=tcp",
            ),
            ("sips:[2001:db8::1]", "[2001:db8::1]"),
            ("sip:gw1@10.0.0.7:5060;ob", "10.0.0.7:5060;ob"),
        ] {
            let stop = Stop {
                hop: Hop::udp("192.0.2.1:5060".parse().unwrap()),
                uri: uri.to_owned(),
                routes: Vec::new(),
            };
            assert_eq!(stop.host(), expected);
        }
    }
}
