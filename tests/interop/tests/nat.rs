//! Calls through NATs, and a stranger who would like to have them: in a network laboratory of namespaces.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::thread::sleep;
use std::time::Duration;

use jackfield_interop::audio;
use jackfield_interop::baresip::Softphone;
use jackfield_interop::lab::{Host, INSIDE, Internet};
use jackfield_interop::server::{Flow, Place, Server, Tenants, prompt};
use jackfield_interop::sipp::Sipp;
use jackfield_interop::sprayer::{Sprayer, is_injected};
use jackfield_interop::steady::on_a_steady_machine;
use jackfield_interop::udp_tap::UdpTap;

const LIMIT: Duration = Duration::from_secs(60);
const SYMMETRIC: &str = "symmetric_rtp = true";

fn echo() -> Tenants {
    Tenants::with_numbers(vec![("1000", Flow::Component("echo"))])
}

/// What a caller says to the echo: nothing during its prompt, then the prompt "support".
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
fn a_softphone_behind_a_masquerade_is_heard_and_hears() {
    on_a_steady_machine(|| {
        let internet = Internet::new();
        let (public, address) = internet.host("the server", 1);
        let site = internet.behind_masquerade("a softphone", 9);
        let tenants = echo().from_source(site.outside).with_nat(SYMMETRIC);
        let server = public.run(|| Server::start_at(Place::at(address), &tenants));
        talks_both_ways(&site.host, INSIDE, server.sip);
        server.stop();
    });
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
    on_a_steady_machine(|| {
        let internet = Internet::new();
        let (public, address) = internet.host("a softphone", 1);
        let site = internet.behind_one_to_one("the server", 20);
        let place = Place::at(INSIDE).known_as(site.outside);
        let tenants = echo().from_source(address);
        let server = site.host.run(|| Server::start_at(place, &tenants));
        let outside = SocketAddr::from((site.outside, server.sip.port()));
        talks_both_ways(&public, address, outside);
        server.stop();
    });
}

#[test]
fn a_sprayer_of_every_port_steals_nothing_and_injects_nothing() {
    on_a_steady_machine(|| {
        const CALLS: u32 = 100;
        let internet = Internet::new();
        let (public, address) = internet.host("the server", 1);
        let (strange, elsewhere) = internet.host("an attacker", 66);
        let site = internet.behind_masquerade("callers", 9);
        let tenants = echo().from_source(site.outside).with_nat(SYMMETRIC);
        let server = public.run(|| Server::start_at(Place::at(address), &tenants));

        let stolen = strange.run(|| UdpTap::on(elsewhere, |_| true));
        let heard = site
            .host
            .run(|| UdpTap::on(INSIDE, |datagram| datagram.rtp().is_some()));
        let sprayer = strange.run(|| Sprayer::start(elsewhere, address, 16_384..=32_767));
        site.host.run(|| {
            Sipp::new("uac_talk")
                .playing("g711a.pcap")
                .calling(CALLS, 5)
                .holding(Duration::from_secs(7))
                .from_address("10.0.0.2")
                .dialling("1000")
                .start(server.sip)
                .succeed(2 * LIMIT)
        });
        let sent = sprayer.finish();
        let (stolen, heard) = (stolen.finish(), heard.finish());

        let refused = public.run(|| server.metric("rtp_packets_refused_total"));
        eprintln!(
            "{sent} packets sprayed, {refused} of them at an open port, {} heard",
            heard.len()
        );
        // Each caller's own first two packets are refused too: they are learned from.
        assert!(
            refused > 4 * u64::from(CALLS),
            "only {refused} of {sent} packets met a call"
        );
        assert_eq!(stolen, []);
        let injected = heard
            .iter()
            .filter(|datagram| is_injected(&datagram.payload));
        assert_eq!(injected.count(), 0);
        // The calls were calls: each heard the prompt, and then itself.
        let mut calls: BTreeMap<u16, Vec<i16>> = BTreeMap::new();
        for datagram in &heard {
            let (payload_type, payload) = datagram.rtp().expect("the tap keeps nothing else");
            assert_eq!(
                payload_type, 8,
                "the first codec of the offer that its audio has"
            );
            let samples = payload.iter().copied().map(audio::a_law);
            calls.entry(datagram.port).or_default().extend(samples);
        }
        assert_eq!(calls.len(), CALLS as usize);
        for (port, samples) in &calls {
            let echo = samples.get(prompt("echo").len()..).unwrap_or_default();
            let loud = [samples.as_slice(), echo].map(audio::loud_seconds);
            assert!(
                loud[0] > 2.0 && loud[1] > 1.0,
                "port {port}: {loud:?} s of sound"
            );
        }
        server.stop();
    });
}
