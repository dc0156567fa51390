//! What reaches a peer is the prompt, sample for sample, but for the codec's noise; and prompts follow each other without a gap.

use std::thread::sleep;
use std::time::Duration;

use jackfield_interop::audio;
use jackfield_interop::baresip::Softphone;
use jackfield_interop::rtp_tap::RtpTap;
use jackfield_interop::server::{Flow, Server, Tenants, prompt};
use jackfield_interop::sipp::Sipp;
use jackfield_interop::steady::on_a_steady_machine;
use jackfield_interop::voice_app::{Page, VoiceApp};

const LIMIT: Duration = Duration::from_secs(60);
/// G.711 quantizes speech of usual levels 37 dB below itself (ITU-T G.712 wants 33 of a whole channel).
const LEAST_SNR_DB: f64 = 33.0;
/// G.722 keeps the lower band to some 20 dB; half a sample of the softphone's delay takes its share.
const LEAST_SNR_DB_WIDE: f64 = 15.0;
/// Samples of 20 ms.
const FRAME: usize = 160;

#[test]
fn prompts_arrive_as_they_are_and_join_without_a_gap() {
    on_a_steady_machine(|| {
        let app = VoiceApp::serve(vec![
            Page::twiml(
                "/voice",
                "<Response><Play>support.wav</Play><Play>goodbye.wav</Play><Hangup/></Response>",
            ),
            Page::prompt("support"),
            Page::prompt("goodbye"),
        ]);
        for codec in ["PCMU", "PCMA"] {
            let trunk = format!("sources = [\"127.0.0.1\"]\ncodecs = [\"{codec}\"]\n");
            let numbers = vec![("1000", Flow::VoiceUrl(app.url("/voice")))];
            let server = Server::start(&Tenants::over_trunk(&trunk, numbers));
            let caller = Sipp::new("uac_wait_bye").dialling("1000").start(server.sip);
            let tap = RtpTap::on(caller.media_port);
            caller.succeed(LIMIT);
            let heard = tap.finish();

            let [first, second] = ["support", "goodbye"].map(|name| {
                let played = prompt(name);
                let found = audio::find(&played, &heard);
                let snr_db = audio::snr_db(&played, &heard[found.start..]);
                assert!(snr_db > LEAST_SNR_DB, "{codec}, {name}: {snr_db:.1} dB");
                eprintln!("{codec}, {name}: {snr_db:.1} dB");
                found.start
            });
            // The last frame of a prompt is filled up with silence.
            let frames = prompt("support").len().div_ceil(FRAME);
            assert_eq!(second - first, frames * FRAME, "{codec}");
            server.stop();
        }
    });
}

/// Decoded by spandsp's G.722, which the softphone has.
#[test]
fn prompts_in_g722_are_heard_as_they_are() {
    on_a_steady_machine(|| {
        let trunk = "sources = [\"127.0.0.1\"]\ncodecs = [\"G722\"]\n";
        let numbers = vec![("1000", Flow::Component("menu"))];
        let server = Server::start(&Tenants::over_trunk(trunk, numbers));
        let mut phone = Softphone::call(server.sip, "1000", "G722", &[]);
        phone.expect("audio encoder: G722", LIMIT);
        sleep(Duration::from_secs(6));
        phone.press('2');
        let heard = phone.finish(LIMIT);
        for name in ["menu", "support"] {
            let found = audio::find(&prompt(name), &heard);
            let snr_db = found.snr_db();
            eprintln!("G722, {name}: {snr_db:.1} dB");
            assert!(
                snr_db > LEAST_SNR_DB_WIDE,
                "{name}: {snr_db:.1} dB, {found:?}"
            );
        }
    });
}
