//! PJSIP calls and is called: another stack than the ones of the other tests, with opinions of its own.

use std::time::Duration;

use jackfield_interop::audio;
use jackfield_interop::pjsip::Pjsip;
use jackfield_interop::server::{Flow, Server, Tenants, prompt};
use jackfield_interop::steady::on_a_steady_machine;

const LIMIT: Duration = Duration::from_secs(60);

#[test]
fn a_menu_is_heard_and_a_key_leads_on() {
    on_a_steady_machine(|| {
        let server = Server::start(&Tenants::with_numbers(vec![(
            "1000",
            Flow::Component("menu"),
        )]));
        let conversation = Pjsip::new(server.sip)
            .dialling("1000")
            .doing("6,k2", LIMIT)
            .start()
            .finish(LIMIT);
        let menu = audio::find(&prompt("menu"), &conversation.heard);
        let support = audio::find(&prompt("support"), &conversation.heard);
        assert!(
            menu.is_heard() && support.is_heard(),
            "{menu:?} {support:?}"
        );
        assert!(support.start > menu.start, "{menu:?} {support:?}");
        server.stop();
    });
}

/// The prompt is coded at 16 kHz, and the phone's own decoder reads it.
#[test]
fn a_menu_is_heard_and_a_key_leads_on_in_g722() {
    on_a_steady_machine(|| {
        let trunk = "sources = [\"127.0.0.1\"]\ncodecs = [\"G722\"]\n";
        let numbers = vec![("1000", Flow::Component("menu"))];
        let server = Server::start(&Tenants::over_trunk(trunk, numbers));
        let conversation = Pjsip::new(server.sip)
            .dialling("1000")
            .in_codec("G722/16000/1")
            .doing("6,k2", LIMIT)
            .start()
            .finish(LIMIT);
        let parts = ["menu", "support"].map(|name| audio::find(&prompt(name), &conversation.heard));
        assert!(parts.iter().all(audio::Found::is_heard), "{parts:?}");
        let log = server.log();
        let mos = log.split_once("rtp.mos=").map(|(_, rest)| &rest[..3]);
        assert!(mos > Some("4.0"), "the record says how it was heard: {log}");
        server.stop();
    });
}

/// PJSIP puts the call on hold and takes it back by re-INVITEs; the caller's words come back before and after.
#[test]
fn audio_returns_after_a_hold() {
    on_a_steady_machine(|| {
        let server = Server::start(&Tenants::with_numbers(vec![(
            "1000",
            Flow::Component("echo"),
        )]));
        // The phone speaks when the echo's prompt is over, and again when the hold is.
        let mut says = vec![0; prompt("echo").len() + 16_000];
        says.extend(prompt("support"));
        says.resize(says.len() + 8 * 8_000, 0);
        says.extend(prompt("sales"));
        let spoken = |samples: usize| samples as f32 / 8_000.0;
        let first = spoken(prompt("echo").len() + 16_000 + prompt("support").len()) + 2.0;
        let rest = spoken(prompt("sales").len()) + 8.0;
        let conversation = Pjsip::new(server.sip)
            .dialling("1000")
            .speaking(&says)
            .doing(&format!("{first},hold,2,resume,{rest},k#"), LIMIT)
            .start()
            .finish(LIMIT);
        let parts = ["support", "sales", "goodbye"]
            .map(|name| audio::find(&prompt(name), &conversation.heard));
        assert!(parts.iter().all(|part| part.is_heard()), "{parts:?}");
        assert!(parts.is_sorted_by_key(|part| part.start), "{parts:?}");
    });
}
