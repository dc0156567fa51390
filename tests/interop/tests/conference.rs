//! Conferences and queues between softphones: who hears whom, and what is heard while waiting.

use std::thread::sleep;
use std::time::{Duration, Instant};

use jackfield_interop::audio;
use jackfield_interop::baresip::Softphone;
use jackfield_interop::server::{Flow, Server, Tenants, prompt};
use jackfield_interop::steady::on_a_steady_machine;
use jackfield_interop::voice_app::{Page, VoiceApp};

const LIMIT: Duration = Duration::from_secs(60);
const PROMPTS: [&str; 4] = ["support", "sales", "goodbye", "welcome"];
/// All are there by then.
const BEGIN: Duration = Duration::from_secs(12);
/// From one who speaks to the next.
const TURN: Duration = Duration::from_secs(6);

/// What one says whose turn is that one, dialling now: silence up to the turn, and a prompt.
fn speech(begun: Instant, turn: u32) -> Vec<i16> {
    let wait = (BEGIN + TURN * turn).saturating_sub(begun.elapsed());
    let mut samples = vec![0; wait.as_millis() as usize * 8];
    samples.extend(prompt(PROMPTS[turn as usize]));
    samples
}

fn conference(attributes: &str) -> Flow {
    Flow::Twiml(format!(
        "<Response><Dial hangupOnStar=\"true\"><Conference beep=\"false\" {attributes}>room</Conference></Dial></Response>"
    ))
}

#[test]
fn each_hears_the_others_and_not_itself_and_the_first_one_hears_music_until_then() {
    on_a_steady_machine(|| {
        let server = Server::start(&Tenants::with_numbers(vec![
            ("1000", conference("")),
            ("1001", conference("muted=\"true\"")),
        ]));
        let begun = Instant::now();
        let first = Softphone::call(server.sip, "1000", "PCMU", &speech(begun, 0));
        sleep(Duration::from_secs(4)); // alone
        let second = Softphone::call(server.sip, "1000", "PCMA", &speech(begun, 1));
        let third = Softphone::call(server.sip, "1000", "PCMU", &speech(begun, 2));
        let muted = Softphone::call(server.sip, "1001", "PCMA", &speech(begun, 3));
        assert!(begun.elapsed() < BEGIN, "the phones were slow");
        sleep((BEGIN + TURN * 4).saturating_sub(begun.elapsed()));

        let mut phones = [first, second, third, muted];
        phones.iter_mut().for_each(|phone| phone.press('*'));
        let heard = phones.map(|phone| phone.finish(LIMIT));
        for (listener, heard) in heard.iter().enumerate() {
            for (speaker, name) in PROMPTS.iter().enumerate() {
                let found = audio::find(&prompt(name), heard);
                let expected = speaker != listener && speaker != 3;
                assert_eq!(found.is_heard(), expected, "{listener}, {name}: {found:?}");
                assert_eq!(
                    found.is_absent(),
                    !expected,
                    "{listener}, {name}: {found:?}"
                );
            }
        }
        let alone = audio::loud_seconds(&heard[0][..3 * 8_000]);
        assert!(alone > 2.0, "{alone} s of music");
        let waited = audio::loud_seconds(&heard[1][..2 * 8_000]);
        assert!(
            waited < 0.5,
            "{waited} s of music in a conference that is under way"
        );
    });
}

#[test]
fn who_waits_in_a_queue_is_served_and_both_hear_each_other() {
    on_a_steady_machine(|| {
        let app = VoiceApp::serve(vec![
            Page::twiml(
                "/wait",
                "<Response><Enqueue action=\"/waited\">support</Enqueue></Response>",
            ),
            Page::twiml("/waited", "<Response><Hangup/></Response>"),
            Page::twiml(
                "/serve",
                "<Response><Dial hangupOnStar=\"true\" action=\"/served\"><Queue>support</Queue></Dial></Response>",
            ),
            Page::twiml("/served", "<Response><Hangup/></Response>"),
        ]);
        let server = Server::start(&Tenants::with_numbers(vec![
            ("1000", Flow::VoiceUrl(app.url("/wait"))),
            ("1001", Flow::VoiceUrl(app.url("/serve"))),
        ]));
        let begun = Instant::now();
        let waits = Softphone::call(server.sip, "1000", "PCMU", &speech(begun, 0));
        sleep(Duration::from_secs(4));
        let mut serves = Softphone::call(server.sip, "1001", "PCMA", &speech(begun, 1));
        sleep((BEGIN + TURN * 2).saturating_sub(begun.elapsed()));
        serves.press('*');
        let heard = [waits, serves].map(|phone| phone.finish(LIMIT));

        for (listener, other) in [(0, 1), (1, 0)] {
            let [theirs, own] = [other, listener]
                .map(|at: usize| audio::find(&prompt(PROMPTS[at]), &heard[listener]));
            assert!(theirs.is_heard(), "{listener}: {theirs:?}");
            assert!(own.is_absent(), "{listener}: {own:?}");
        }
        let music = audio::loud_seconds(&heard[0][..3 * 8_000]);
        assert!(music > 2.0, "{music} s of music");

        let asked = app.asked();
        let of = |path: &str| asked.iter().find(|asked| asked.path == path).unwrap();
        assert_eq!(of("/waited").parameters["QueueResult"], "bridged");
        assert_eq!(of("/served").parameters["DialCallStatus"], "completed");
        assert_eq!(
            of("/served").parameters["DialCallSid"],
            of("/wait").parameters["CallSid"]
        );
        let waited: u32 = of("/waited").parameters["QueueTime"].parse().unwrap();
        assert!((3..10).contains(&waited), "{waited} s");
    });
}
