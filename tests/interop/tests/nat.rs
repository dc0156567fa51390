//! Calls through NATs, in a network laboratory of namespaces.

use std::net::{Ipv4Addr, SocketAddr};
use std::thread::sleep;
use std::time::Duration;

use jackfield_interop::audio;
use jackfield_interop::baresip::Softphone;
use jackfield_interop::lab::{Host, INSIDE, Internet};
use jackfield_interop::server::{Flow, Place, Server, Tenants, prompt};
use jackfield_interop::udp_tap::UdpTap;

const LIMIT: Duration = Duration::from_secs(60);

fn echo() -> Tenants {
    Tenants::with_numbers(vec![("1000", Flow::Component("echo"))])
}

/// What a caller at `address` of `host` says to the echo: nothing during its prompt, then the prompt "support".
fn speech() -> Vec<i16> {
    let mut says = vec![0; prompt("echo").len() + 16_000];
    says.extend(prompt("support"));
    says
}

/// Calls the echo, speaks, presses the hash key, and asserts that it was heard and hears: its own words come back between the
/// echo's prompt and the goodbye.
fn talks_both_ways(host: &Host, address: Ipv4Addr, server: SocketAddr) {
    let heard = host.run(|| {
        let says = speech();
        let mut phone = Softphone::call_from(address, server, "1000", "PCMU", &says);
        sleep(Duration::from_millis(says.len() as u64 / 8 + 2_000));
        phone.press('#');
        phone.finish(LIMIT)
    });
    let parts = ["echo", "support", "goodbye"].map(|name| audio::find(&prompt(name), &heard));
    assert!(parts.iter().all(audio::Found::is_heard), "{parts:?}");
    assert!(parts.is_sorted_by_key(|part| part.start), "{parts:?}");
}

#[test]
fn without_symmetric_rtp_nothing_is_sent_to_a_nat() {
    let internet = Internet::new();
    let (public, address) = internet.host("the server", 1);
    let site = internet.behind_masquerade("a softphone", 9);
    let tenants = echo().from_source(site.outside);
    let server = public.run(|| Server::start_at(Place::at(address), &tenants));
    let came = site.host.run(|| {
        let tap = UdpTap::on(INSIDE, |datagram| datagram.rtp().is_some());
        let mut phone = Softphone::call_from(INSIDE, server.sip, "1000", "PCMU", &speech());
        sleep(Duration::from_secs(3));
        phone.hang_up();
        sleep(Duration::from_secs(1));
        tap.finish()
    });
    assert_eq!(came, []);
    let metric = |name| public.run(|| server.metric(name));
    assert!(metric("rtp_packets_sent_total") > 50);
    assert!(metric("rtp_packets_refused_total") > 50);
    assert_eq!(metric("rtp_packets_received_total"), 0);
    server.stop();
}

#[test]
fn a_server_behind_a_one_to_one_nat_takes_calls_where_it_says_it_is() {
    let internet = Internet::new();
    let (public, address) = internet.host("a softphone", 1);
    let site = internet.behind_one_to_one("the server", 20);
    let place = Place::at(INSIDE).known_as(site.outside);
    let tenants = echo().from_source(address);
    let server = site.host.run(|| Server::start_at(place, &tenants));
    let outside = SocketAddr::from((site.outside, server.sip.port()));
    talks_both_ways(&public, address, outside);
    server.stop();
}
