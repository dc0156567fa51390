//! Where SIP is spoken, over which transports, and what peers are told about it.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use anyhow::bail;
use serde::Deserialize;
use sip::Transport;
use sip::locate::Reach;

use super::Addresses;
use super::digest::DigestAlgorithms;

/// The `[sip]` section. Each address setting takes one address or a list; port 0 takes a free one.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Sip {
    /// UDP and TCP.
    pub(crate) bind: Addresses,
    /// What peers are told (Contact, Via) when it differs from `bind`: behind NAT, or bound to every interface. At most one of
    /// each family. The other transports take its IP address where they are not given one of their own.
    pub(crate) advertised: Addresses,
    /// SIP over TLS; needs a certificate.
    pub(crate) tls_bind: Addresses,
    pub(crate) tls_advertised: Addresses,
    /// PEM file: our certificate and what it was issued by. Shown to servers that ask for one, too. Read again when it changes.
    pub(crate) tls_certificate: Option<PathBuf>,
    /// PEM file: the certificate's private key. Read again when it changes.
    pub(crate) tls_key: Option<PathBuf>,
    /// PEM file of authorities: who connects to `tls_bind` must show a certificate of theirs. None asks for none.
    pub(crate) tls_client_ca: Option<PathBuf>,
    /// PEM file of authorities that vouch for the servers we connect to, in place of Mozilla's list.
    pub(crate) tls_roots: Option<PathBuf>,
    /// SIP over WebSocket, in the clear: for a proxy in front that does TLS.
    pub(crate) ws_bind: Addresses,
    pub(crate) ws_advertised: Addresses,
    /// SIP over WebSocket and TLS; needs a certificate.
    pub(crate) wss_bind: Addresses,
    pub(crate) wss_advertised: Addresses,
    /// Connections that others may hold to us at a time, over all transports. Sources that are no trunk's get half at most.
    pub(crate) max_connections: usize,
    /// By which hashes gateways prove their passwords. Some old ones register nowhere where anything but MD5 is offered.
    pub(crate) digest: DigestAlgorithms,
}

impl Default for Sip {
    fn default() -> Self {
        Self {
            bind: SocketAddr::from((Ipv4Addr::LOCALHOST, 5060)).into(),
            advertised: Addresses::default(),
            tls_bind: Addresses::default(),
            tls_advertised: Addresses::default(),
            tls_certificate: None,
            tls_key: None,
            tls_client_ca: None,
            tls_roots: None,
            ws_bind: Addresses::default(),
            ws_advertised: Addresses::default(),
            wss_bind: Addresses::default(),
            wss_advertised: Addresses::default(),
            max_connections: 4_096,
            digest: DigestAlgorithms::default(),
        }
    }
}

/// The addresses that were bound, with the ports that were taken.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bound {
    /// UDP and TCP.
    pub(crate) plain: Addresses,
    pub(crate) tls: Addresses,
    pub(crate) ws: Addresses,
    pub(crate) wss: Addresses,
}

impl Bound {
    /// The addresses of a transport.
    pub(crate) fn of(&self, transport: Transport) -> &Addresses {
        match transport {
            Transport::Udp | Transport::Tcp => &self.plain,
            Transport::Tls => &self.tls,
            Transport::Ws => &self.ws,
            Transport::Wss => &self.wss,
        }
    }

    /// How servers are reached from here, the most preferred way first.
    pub(crate) fn reach(&self) -> Vec<Reach> {
        [Transport::Udp, Transport::Tcp, Transport::Tls]
            .map(|transport| Reach {
                transport,
                ipv4: self.plain.iter().any(SocketAddr::is_ipv4),
                ipv6: self.plain.iter().any(SocketAddr::is_ipv6),
            })
            .to_vec()
    }
}

impl Sip {
    pub(super) fn check(&self) -> anyhow::Result<()> {
        if self.bind.is_empty() {
            bail!("sip.bind is empty: name at least one address");
        }
        for (name, bind, advertised) in [
            ("", &self.bind, &self.advertised),
            ("tls_", &self.tls_bind, &self.tls_advertised),
            ("ws_", &self.ws_bind, &self.ws_advertised),
            ("wss_", &self.wss_bind, &self.wss_advertised),
        ] {
            self.check_advertised(name, bind, advertised)?;
        }
        let has_tls = !self.tls_bind.is_empty() || !self.wss_bind.is_empty();
        match (&self.tls_certificate, &self.tls_key) {
            (Some(_), None) => {
                bail!(
                    "sip.tls_certificate is there without its private key: name it in sip.tls_key"
                )
            }
            (None, Some(_)) => {
                bail!(
                    "sip.tls_key is there without its certificate: name it in sip.tls_certificate"
                )
            }
            (None, None) if has_tls => bail!(
                "sip.tls_bind and sip.wss_bind need a certificate: name it in sip.tls_certificate and sip.tls_key"
            ),
            _ => {}
        }
        if self.tls_client_ca.is_some() && self.tls_bind.is_empty() {
            bail!("sip.tls_client_ca is for those who connect to sip.tls_bind, which is not there");
        }
        if self.max_connections == 0 {
            bail!("sip.max_connections is 0: nobody could connect");
        }
        Ok(())
    }

    fn check_advertised(
        &self,
        name: &str,
        bind: &Addresses,
        advertised: &Addresses,
    ) -> anyhow::Result<()> {
        for address in bind.iter() {
            let is_told =
                advertised.like(*address).is_some() || self.advertised.like(*address).is_some();
            if address.ip().is_unspecified() && !is_told {
                bail!(
                    "sip.{name}bind is {address}, which no peer can answer to: name the address in sip.{name}advertised"
                );
            }
        }
        if let Some(address) = advertised.iter().find(|told| told.ip().is_unspecified()) {
            bail!("sip.{name}advertised is {address}, which no peer can answer to");
        }
        Ok(())
    }

    /// What the peers of each transport are told.
    pub(crate) fn contacts(&self, bound: &Bound) -> sip::Contacts {
        let first = self.advertised.first().or(bound.plain.first());
        let mut contacts = sip::Contacts::new(*first.expect("at least one address is bound"));
        for transport in Transport::ALL {
            let named = match transport {
                Transport::Udp | Transport::Tcp => &self.advertised,
                Transport::Tls => &self.tls_advertised,
                Transport::Ws => &self.ws_advertised,
                Transport::Wss => &self.wss_advertised,
            };
            // The last one named wins: first what was bound, then what is said about it.
            for address in bound.of(transport).iter().rev() {
                let ip = self.advertised.like(*address).map(|told| told.ip());
                let address = SocketAddr::new(ip.unwrap_or(address.ip()), address.port());
                contacts = contacts.with(transport, address);
            }
            for address in named.iter().rev() {
                contacts = contacts.with(transport, *address);
            }
        }
        contacts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(text: &str) -> Addresses {
        text.split_whitespace()
            .map(|address| address.parse().unwrap())
            .collect()
    }

    #[test]
    fn each_transport_and_family_is_told_where_it_reaches_us() {
        let sip = Sip {
            advertised: addresses("203.0.113.1:5070"),
            wss_advertised: addresses("203.0.113.2:443"),
            ..Sip::default()
        };
        let bound = Bound {
            plain: addresses("10.0.0.1:5060 [2001:db8::1]:5060 10.0.0.2:5060"),
            tls: addresses("10.0.0.1:5061"),
            ws: Addresses::default(),
            wss: addresses("10.0.0.1:8443"),
        };
        let contacts = sip.contacts(&bound);
        for (transport, to, expected) in [
            (Transport::Udp, "198.51.100.9:1", "203.0.113.1:5070"),
            (Transport::Tcp, "[2001:db8::9]:1", "[2001:db8::1]:5060"),
            (Transport::Tls, "198.51.100.9:1", "203.0.113.1:5061"),
            (Transport::Wss, "198.51.100.9:1", "203.0.113.2:443"),
            (Transport::Ws, "198.51.100.9:1", "203.0.113.1:5070"),
        ] {
            let hop = sip::Hop::new(transport, to.parse().unwrap());
            assert_eq!(contacts.towards(hop), expected.parse().unwrap(), "{hop}");
        }
        let plain = Sip::default().contacts(&bound);
        let hop = sip::Hop::udp("198.51.100.9:1".parse().unwrap());
        assert_eq!(plain.towards(hop), "10.0.0.1:5060".parse().unwrap());
    }
}
