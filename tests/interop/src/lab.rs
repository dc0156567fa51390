//! A network laboratory: hosts, NATs and an internet between them, in network namespaces of this process.
//!
//! A namespace here has no name: it lives as long as this process holds it or a program runs in it, and what it holds goes
//! with it. So two runs never meet, and none leaves anything behind, however it ends. It takes root, also the root of a user
//! namespace.

use std::fs::File;
use std::io::Write;
use std::net::Ipv4Addr;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::sched::{CloneFlags, setns, unshare};

use crate::needs;

const NEEDS: &str = "the NAT laboratory needs network namespaces: run `./test` as root (in a container: with CAP_SYS_ADMIN), \
     or where unprivileged user namespaces are allowed";

/// A host with a network of its own: its loopback, and the interfaces that were plugged in.
#[derive(Debug)]
pub struct Host {
    name: &'static str,
    namespace: File,
}

impl Host {
    /// A host with nothing but its loopback. Panics with what is missing where it cannot be made.
    #[must_use]
    pub fn new(name: &'static str) -> Self {
        // A thread can leave for a namespace of its own alone; the open file keeps that after the thread.
        let namespace = std::thread::spawn(|| {
            unshare(CloneFlags::CLONE_NEWNET).map_err(std::io::Error::from)?;
            File::open("/proc/thread-self/ns/net")
        })
        .join()
        .expect("the thread does not panic")
        .unwrap_or_else(|error| panic!("{NEEDS} ({error})"));
        let host = Self { name, namespace };
        host.ip("link set lo up");
        host
    }

    /// Runs `work` on this host: the sockets it makes and the programs it starts are there, and stay there.
    pub fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        std::thread::scope(|scope| {
            let thread = scope.spawn(|| {
                setns(&self.namespace, CloneFlags::CLONE_NEWNET)
                    .unwrap_or_else(|error| panic!("{NEEDS} ({error})"));
                work()
            });
            thread
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// Plugs one end of a cable into this host and the other into `other`, as `ours` and `theirs`.
    fn plug(&self, ours: &str, other: &Self, theirs: &str) {
        let [near, far] = [self, other].map(Self::path);
        self.ip(&format!(
            "link add {ours} netns {near} type veth peer name {theirs} netns {far}"
        ));
        self.ip(&format!("link set {ours} up"));
        other.ip(&format!("link set {theirs} up"));
    }

    /// Gives an interface its address, in a network of 256.
    fn address(&self, interface: &str, address: Ipv4Addr) {
        self.ip(&format!("address add {address}/24 dev {interface}"));
    }

    /// Sends whatever is not for a neighbour to `gateway`.
    fn default_route(&self, gateway: Ipv4Addr) {
        self.ip(&format!("route add default via {gateway}"));
    }

    /// Passes on what is not for itself.
    fn forward(&self) {
        let switch = Path::new("/proc/sys/net/ipv4/ip_forward");
        self.run(|| std::fs::write(switch, "1")).unwrap_or_else(|error| {
            panic!(
                "{} cannot forward, as {} cannot be written (a container needs it writable): {error}",
                self.name,
                switch.display()
            )
        });
    }

    /// Runs `ip` (iproute2) here.
    fn ip(&self, arguments: &str) {
        let mut command = Command::new(needs::program("ip", "iproute2"));
        command.args(arguments.split(' '));
        self.must(command, "");
    }

    /// Loads rules for `nft` (nftables) here.
    fn nft(&self, rules: &str) {
        let mut command = Command::new(needs::program("nft", "nftables"));
        command.args(["-f", "-"]);
        self.must(command, rules);
    }

    fn must(&self, mut command: Command, input: &str) {
        let output = self.run(|| {
            let mut child = command
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()?;
            let mut stdin = child.stdin.take().expect("it is piped");
            // A program that reads nothing may be gone; its status tells.
            let _ = stdin.write_all(input.as_bytes());
            drop(stdin);
            child.wait_with_output()
        });
        let output = output.unwrap_or_else(|error| panic!("{command:?}: {error}"));
        assert!(
            output.status.success(),
            "on {}: {command:?} with {input:?}: {}\n{NEEDS}, and a kernel with veth, bridges and nftables NAT",
            self.name,
            String::from_utf8_lossy(&output.stderr)
        );
    }

    /// The namespace, as `ip` takes it.
    fn path(&self) -> String {
        format!(
            "/proc/{}/fd/{}",
            std::process::id(),
            self.namespace.as_raw_fd()
        )
    }
}

/// One segment that every public host is on: 198.51.100.0/24. Packets to private addresses end here.
#[derive(Debug)]
pub struct Internet {
    core: Host,
    hosts: std::cell::Cell<u8>,
}

/// The network behind a NAT: 10.0.0.0/24.
#[derive(Debug)]
pub struct Site {
    /// The one host in it.
    pub host: Host,
    /// Where the internet sees it.
    pub outside: Ipv4Addr,
    _router: Host,
}

/// The address of the one host of a [`Site`].
pub const INSIDE: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);

const ROUTER_INSIDE: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const CORE: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 254);

impl Internet {
    /// An internet without hosts.
    #[must_use]
    pub fn new() -> Self {
        let core = Host::new("the internet");
        core.ip("link add segment type bridge");
        core.ip("link set segment up");
        core.address("segment", CORE);
        Self {
            core,
            hosts: 0.into(),
        }
    }

    /// A host with the public address 198.51.100.`last`.
    #[must_use]
    pub fn host(&self, name: &'static str, last: u8) -> (Host, Ipv4Addr) {
        let host = Host::new(name);
        let number = self.hosts.replace(self.hosts.get() + 1);
        let port = format!("port{number}");
        self.core.plug(&port, &host, "outside");
        self.core.ip(&format!("link set {port} master segment"));
        let address = Ipv4Addr::new(198, 51, 100, last);
        host.address("outside", address);
        host.default_route(CORE);
        (host, address)
    }

    /// A host behind a NAT as offices and mobile networks have it: all share the public address 198.51.100.`last`, and each
    /// flow gets a port at random (RFC 4787: address and port-dependent mapping, no port preservation).
    #[must_use]
    pub fn behind_masquerade(&self, name: &'static str, last: u8) -> Site {
        self.site(name, last, |_| {
            "table ip nat {
                chain out {
                    type nat hook postrouting priority srcnat;
                    oifname outside masquerade random
                }
            }"
            .to_owned()
        })
    }

    /// A host behind a NAT as clouds have it: the public address 198.51.100.`last` is its alone, and ports stay as they are.
    #[must_use]
    pub fn behind_one_to_one(&self, name: &'static str, last: u8) -> Site {
        self.site(name, last, |outside| {
            format!(
                "table ip nat {{
                    chain in {{
                        type nat hook prerouting priority dstnat;
                        iifname outside ip daddr {outside} dnat to {INSIDE}
                    }}
                    chain out {{
                        type nat hook postrouting priority srcnat;
                        oifname outside ip saddr {INSIDE} snat to {outside}
                    }}
                }}"
            )
        })
    }

    fn site(&self, name: &'static str, last: u8, rules: impl FnOnce(Ipv4Addr) -> String) -> Site {
        let (router, outside) = self.host("a router", last);
        let host = Host::new(name);
        router.plug("inside", &host, "outside");
        router.address("inside", ROUTER_INSIDE);
        host.address("outside", INSIDE);
        host.default_route(ROUTER_INSIDE);
        router.forward();
        router.nft(&rules(outside));
        Site {
            host,
            outside,
            _router: router,
        }
    }
}

impl Default for Internet {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;
    use std::net::{SocketAddr, UdpSocket};
    use std::time::Duration;

    use super::*;

    fn socket(host: &Host, address: Ipv4Addr, port: u16) -> UdpSocket {
        let socket = host.run(|| UdpSocket::bind((address, port))).unwrap();
        socket
            .set_read_timeout(Some(Duration::from_secs(5)))
            .unwrap();
        socket
    }

    /// Sends a datagram and tells where it seems to come from.
    fn seen(from: &UdpSocket, to: &UdpSocket) -> SocketAddr {
        from.send_to(b"hello", to.local_addr().unwrap()).unwrap();
        to.recv_from(&mut [0; 8]).unwrap().1
    }

    #[test]
    fn a_masquerade_hides_the_address_and_changes_the_port() {
        let internet = Internet::new();
        let (public, address) = internet.host("public", 1);
        let site = internet.behind_masquerade("private", 9);
        let server = socket(&public, address, 5060);
        let mut kept = 0;
        for port in 4_000..4_008 {
            let phone = socket(&site.host, INSIDE, port);
            let source = seen(&phone, &server);
            assert_eq!(source.ip(), site.outside);
            kept += usize::from(source.port() == port);
            server.send_to(b"answer", source).unwrap();
            assert_eq!(phone.recv(&mut [0; 8]).unwrap(), 6);
        }
        assert!(kept < 8, "no port was changed");
    }

    #[test]
    fn a_masquerade_lets_nobody_in_who_was_not_spoken_to() {
        let internet = Internet::new();
        let (public, address) = internet.host("public", 1);
        let (stranger, elsewhere) = internet.host("stranger", 66);
        let site = internet.behind_masquerade("private", 9);
        let server = socket(&public, address, 5060);
        let phone = socket(&site.host, INSIDE, 4_000);
        let source = seen(&phone, &server);
        let stranger = socket(&stranger, elsewhere, 5060);
        stranger.send_to(b"knock", source).unwrap();
        phone
            .set_read_timeout(Some(Duration::from_millis(300)))
            .unwrap();
        let nothing = phone.recv(&mut [0; 8]).unwrap_err().kind();
        assert!(
            [ErrorKind::WouldBlock, ErrorKind::ConnectionRefused].contains(&nothing),
            "{nothing}"
        );
    }

    #[test]
    fn a_one_to_one_nat_keeps_ports_both_ways() {
        let internet = Internet::new();
        let (public, address) = internet.host("public", 1);
        let site = internet.behind_one_to_one("private", 20);
        let peer = socket(&public, address, 7_000);
        let server = socket(&site.host, INSIDE, 5060);
        let outside = SocketAddr::from((site.outside, 5060));
        peer.send_to(b"hello", outside).unwrap();
        assert_eq!(
            server.recv_from(&mut [0; 8]).unwrap().1,
            peer.local_addr().unwrap()
        );
        assert_eq!(seen(&server, &peer), outside);
    }

    #[test]
    fn private_addresses_are_not_reached_from_outside() {
        let internet = Internet::new();
        let (public, address) = internet.host("public", 1);
        let site = internet.behind_masquerade("private", 9);
        let server = socket(&public, address, 5060);
        let phone = socket(&site.host, INSIDE, 4_000);
        // Nobody says so: the network only swallows it, or says later that there is no way.
        let _ = server.send_to(b"lost", (INSIDE, 4_000));
        phone
            .set_read_timeout(Some(Duration::from_millis(300)))
            .unwrap();
        assert!(phone.recv(&mut [0; 8]).is_err());
    }
}
