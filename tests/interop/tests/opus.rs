//! Calls in Opus with a softphone that codes and decodes it by libopus.

use std::thread::sleep;
use std::time::{Duration, Instant};

use jackfield_interop::audio;
use jackfield_interop::baresip::Softphone;
use jackfield_interop::server::{Flow, Server, Tenants, prompt};
use jackfield_interop::steady::on_a_steady_machine;
use jackfield_interop::voice_app::{Page, VoiceApp};

const LIMIT: Duration = Duration::from_secs(60);
/// Peers choose.
const TRUNK: &str = "sources = [\"127.0.0.1\"]\ncodecs = [\"opus\", \"PCMU\", \"PCMA\"]\n";
/// Speech at 28 kbit/s with its copies, of which Opus keeps the sound rather than the wave.
const LEAST_SNR_DB: f64 = 8.0;

/// A phone that dials, once it is known that it speaks this codec. Opus it offers in stereo.
fn call(server: &Server, number: &str, codec: &str, speech: &[i16]) -> Softphone {
    let mut phone = Softphone::call(server.sip, number, codec, speech);
    let in_use = format!("audio encoder: {codec}");
    phone.expect(&in_use, LIMIT);
    phone
}

/// The softphone has telephone events of 8 kHz alone.
#[test]
fn a_menu_is_heard_as_it_is_and_a_key_leads_on() {
    on_a_steady_machine(|| {
        let numbers = vec![("1000", Flow::Component("menu"))];
        let server = Server::start(&Tenants::over_trunk(TRUNK, numbers));
        let mut phone = call(&server, "1000", "opus", &[]);
        sleep(Duration::from_secs(6));
        phone.press('2');
        let heard = phone.finish(LIMIT);
        for name in ["menu", "support"] {
            let found = audio::find(&prompt(name), &heard);
            let snr_db = found.snr_db();
            eprintln!("{name}: {snr_db:.1} dB, {found:?}");
            assert!(snr_db > LEAST_SNR_DB, "{name}: {snr_db:.1} dB, {found:?}");
        }
        assert!(audio::find(&prompt("sales"), &heard).is_absent());
        let log = server.log();
        let mos = log.split_once("rtp.mos=").map(|(_, rest)| &rest[..3]);
        assert!(mos > Some("4.0"), "the record says how it was heard: {log}");
    });
}

/// One waits in a queue and one serves it, each in a codec; what each heard, and the packets that went on as they came.
fn talk(codecs: [&str; 2]) -> ([Vec<i16>; 2], u64) {
    const TURN: Duration = Duration::from_secs(8);
    let app = VoiceApp::serve(vec![
        Page::twiml("/wait", "<Response><Enqueue>support</Enqueue></Response>"),
        Page::twiml(
            "/serve",
            "<Response><Dial hangupOnStar=\"true\"><Queue>support</Queue></Dial></Response>",
        ),
    ]);
    let numbers = vec![
        ("1000", Flow::VoiceUrl(app.url("/wait"))),
        ("1001", Flow::VoiceUrl(app.url("/serve"))),
    ];
    let server = Server::start(&Tenants::over_trunk(TRUNK, numbers));
    let begun = Instant::now();
    let speech = |turn: u32, name: &str| {
        let wait = (TURN * turn).saturating_sub(begun.elapsed());
        [vec![0; wait.as_millis() as usize * 8], prompt(name)].concat()
    };
    let waits = call(&server, "1000", codecs[0], &speech(1, "support"));
    let mut serves = call(&server, "1001", codecs[1], &speech(2, "sales"));
    assert!(begun.elapsed() < TURN, "the phones were slow");
    sleep((TURN * 3).saturating_sub(begun.elapsed()));
    let relayed = server.metric("rtp_packets_relayed_total");
    serves.press('*');
    ([waits, serves].map(|phone| phone.finish(LIMIT)), relayed)
}

#[test]
fn two_hear_each_other_whatever_the_other_one_speaks() {
    on_a_steady_machine(|| {
        for codecs in [["opus", "opus"], ["opus", "PCMU"], ["PCMA", "opus"]] {
            let ([waits, serves], relayed) = talk(codecs);
            for (heard, theirs, own) in [(waits, "sales", "support"), (serves, "support", "sales")]
            {
                let [theirs, own] = [theirs, own].map(|name| audio::find(&prompt(name), &heard));
                assert!(theirs.is_heard(), "{codecs:?}: {theirs:?}");
                assert!(own.is_absent(), "{codecs:?}: {own:?}");
            }
            let is_relayed = relayed > 500;
            assert_eq!(is_relayed, codecs[0] == codecs[1], "{codecs:?}: {relayed}");
        }
    });
}

#[test]
fn a_conference_mixes_it_with_others() {
    on_a_steady_machine(|| {
        let conference = "<Response><Dial hangupOnStar=\"true\"><Conference beep=\"false\">room</Conference></Dial></Response>";
        let numbers = vec![("1000", Flow::Twiml(conference.to_owned()))];
        let server = Server::start(&Tenants::over_trunk(TRUNK, numbers));
        const TURN: Duration = Duration::from_secs(8);
        let names = ["support", "sales", "goodbye"];
        let begun = Instant::now();
        let mut phones = [(0, "opus"), (1, "PCMU"), (2, "opus")].map(|(turn, codec): (u32, _)| {
            let wait = (TURN * (turn + 1)).saturating_sub(begun.elapsed());
            let speech = [
                vec![0; wait.as_millis() as usize * 8],
                prompt(names[turn as usize]),
            ]
            .concat();
            call(&server, "1000", codec, &speech)
        });
        assert!(begun.elapsed() < TURN, "the phones were slow");
        sleep((TURN * 4).saturating_sub(begun.elapsed()));
        phones.iter_mut().for_each(|phone| phone.press('*'));
        let heard = phones.map(|phone| phone.finish(LIMIT));
        for (listener, heard) in heard.iter().enumerate() {
            for (speaker, name) in names.iter().enumerate() {
                let found = audio::find(&prompt(name), heard);
                let is_right = if speaker == listener {
                    found.is_absent()
                } else {
                    found.is_heard()
                };
                assert!(is_right, "{listener}, {name}: {found:?}");
            }
        }
    });
}
