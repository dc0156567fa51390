//! What is said, as a softphone hears it: by eSpeak NG, by Flite, by a service over HTTP, and from recordings.

use std::time::Duration;

use jackfield_interop::baresip::Softphone;
use jackfield_interop::server::{Flow, Place, Server, Tenants, prompt, prompt_path};
use jackfield_interop::steady::on_a_steady_machine;
use jackfield_interop::voice_app::{Page, VoiceApp};
use jackfield_interop::{audio, needs};

const LIMIT: Duration = Duration::from_secs(60);

fn number(number: &'static str, inside: &str) -> (&'static str, Flow) {
    let document = format!("<Response>{inside}</Response>");
    (number, Flow::Twiml(document))
}

/// Calls that number and hears it to the end.
fn hear(server: &Server, number: &str) -> Vec<i16> {
    Softphone::call(server.sip, number, "PCMU", &[]).finish(LIMIT)
}

#[test]
fn languages_that_espeak_speaks_are_heard_and_a_longer_text_for_longer() {
    on_a_steady_machine(|| {
        let _espeak = needs::program("espeak-ng", "espeak-ng");
        for (language, short, long) in [
            (
                "sw-KE",
                "Habari",
                "Habari ya asubuhi, karibu sana kwenye huduma yetu",
            ),
            ("my", "မင်္ဂလာပါ", "မင်္ဂလာပါ ကျေးဇူးတင်ပါတယ် နေကောင်းလား ဘယ်သွားမလဲ"),
            ("am-ET", "ሰላም", "ሰላም እንደምን አደሩ ወደ አገልግሎታችን እንኳን ደህና መጡ"),
            (
                "om",
                "Akkam",
                "Akkam jirta, baga nagaan gara tajaajila keenyaa dhufte",
            ),
            ("th-TH", "สวัสดี", "สวัสดีครับ ยินดีต้อนรับสู่บริการของเรา กรุณากดหนึ่ง"),
        ] {
            // baresip does not tell of the end of a call that took less than a second.
            let say = |text: &str| {
                format!("<Say language=\"{language}\">{text}</Say><Pause length=\"1\"/>")
            };
            let numbers = vec![number("1000", &say(short)), number("1001", &say(long))];
            let server = Server::start(&Tenants::with_numbers(numbers));
            let [short, long] =
                ["1000", "1001"].map(|number| audio::loud_seconds(&hear(&server, number)));
            assert!(
                short > 0.2 && long > 2.0 * short,
                "{language}: {short} s and {long} s"
            );
            server.stop();
        }
    });
}

#[test]
fn a_break_lasts_as_long_as_it_says_and_a_foreign_voice_is_told() {
    on_a_steady_machine(|| {
        let say = |inside: &str| format!("<Say voice=\"Polly.Joanna-Neural\">{inside}</Say>");
        let server = Server::start(&Tenants::with_numbers(vec![
            number("1000", &say("Thank you.<break time=\"3s\"/>Goodbye.")),
            number("1001", &say("Thank you. Goodbye.")),
            number(
                "1002",
                &say("<prosody volume=\"silent\">Thank you. Goodbye.</prosody>"),
            ),
            number(
                "1003",
                &say("<prosody rate=\"50%\">Thank you. Goodbye.</prosody>"),
            ),
        ]));
        let [apart, together, silent, slow] =
            ["1000", "1001", "1002", "1003"].map(|number| hear(&server, number));
        let pauses = [&apart, &together].map(|heard| audio::longest_pause(heard));
        assert!(
            pauses[0] > 3.0 && pauses[0] < 4.0 && pauses[1] < 1.0,
            "{pauses:?}"
        );
        let loud = [&together, &silent, &slow].map(|heard| audio::loud_seconds(heard));
        assert!(
            loud[0] > 0.5 && loud[1] < 0.1 && loud[2] > 1.5 * loud[0],
            "{loud:?}"
        );
        let log = server.log();
        let told = "the voice Polly.Joanna-Neural does not speak here: flite's slt does";
        assert!(log.contains(told), "{log}");
    });
}

#[test]
fn a_service_over_http_speaks_what_nobody_else_does_and_is_asked_once() {
    on_a_steady_machine(|| {
        let service = VoiceApp::serve(vec![Page::prompt("welcome")]);
        let settings = format!(
            "[speech.http.khmer]\nurl = \"{}?text={{text}}&language={{language}}\"\nlanguages = [\"km-KH\"]\n",
            service.url("/welcome.wav")
        );
        let say = "<Say language=\"km\">សួស្តី &amp; ស្វាគមន៍</Say>";
        let server = Server::start_at(
            Place::on_loopback().with_speech(&settings),
            &Tenants::with_numbers(vec![number("1000", say), number("1001", say)]),
        );
        for number in ["1000", "1001"] {
            let welcome = audio::find(&prompt("welcome"), &hear(&server, number));
            assert!(welcome.is_heard(), "{number}: {welcome:?}");
        }
        let asked = service.asked();
        assert_eq!(asked.len(), 1, "{asked:?}");
        assert_eq!(asked[0].parameters["text"], "សួស្តី & ស្វាគមន៍");
        assert_eq!(asked[0].parameters["language"], "km-KH");
    });
}

#[test]
fn an_amount_is_said_with_recordings() {
    on_a_steady_machine(|| {
        let folder = tempfile::tempdir().expect("a folder for recordings");
        for (word, recording) in [("4", "welcome"), ("thousand", "sales"), ("KHR", "goodbye")] {
            let file = folder.path().join(format!("{word}.wav"));
            std::fs::copy(prompt_path(recording), file).expect("a recording can be copied");
        }
        let settings = format!(
            "[speech.recorded.numbers]\nfolder = \"{}\"\nlanguage = \"km\"\n",
            folder.path().display()
        );
        let say =
            "<Say voice=\"numbers\"><say-as interpret-as=\"currency\">KHR 4000</say-as></Say>";
        let server = Server::start_at(
            Place::on_loopback().with_speech(&settings),
            &Tenants::with_numbers(vec![number("1000", say)]),
        );
        let heard = hear(&server, "1000");
        let words = ["welcome", "sales", "goodbye"].map(|name| audio::find(&prompt(name), &heard));
        assert!(
            words.iter().all(audio::Found::is_heard) && words.is_sorted_by_key(|word| word.start),
            "{words:?}"
        );
    });
}
