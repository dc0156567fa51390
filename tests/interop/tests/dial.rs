//! A story dials somebody: baresip calls, PJSIP or `SIPp` is called, and both hear each other through the bridge.

use std::net::Ipv4Addr;
use std::time::Duration;

use jackfield_interop::audio;
use jackfield_interop::baresip::Softphone;
use jackfield_interop::bridge_tap::{BridgeTap, Side, Stream};
use jackfield_interop::pjsip::{Pjsip, RunningPjsip};
use jackfield_interop::ports;
use jackfield_interop::process::eventually;
use jackfield_interop::server::{Flow, Place, Server, Tenants, prompt};
use jackfield_interop::sipp::{RunningSipp, Sipp};
use jackfield_interop::steady::on_a_steady_machine;
use jackfield_interop::voice_app::{Page, VoiceApp};
use serde_json::Value;

const LIMIT: Duration = Duration::from_secs(60);
/// Where the caller's trunk is; the callee's is reached where it registers.
const CALLER: Ipv4Addr = Ipv4Addr::LOCALHOST;
/// G.711 is quantized twice: 37 dB each (ITU-T G.712 wants 33 of a whole channel).
const LEAST_SNR_DB: f64 = 33.0;
const USER: &str = "gateway-1";
const PASSWORD: &str = "a-password-of-tests";
const REALM: &str = "jackfield";

/// A registered gateway that is called, and a trunk from which `1000` is called, which does as the document says.
fn tenants(document: &str) -> Tenants {
    let trunk = format!(
        "targets = [\"registered\"]\n\
         codecs = [\"PCMU\", \"PCMA\", \"G722\"]\n\
         nat = {{ to_source = true, symmetric_rtp = true }}\n\
         [trunk.login]\nusername = \"{USER}\"\npassword = \"{PASSWORD}\"\nregisters = true\n\
         [trunk.numbers]\ndial_as = \"e164\"\n\
         [[trunk]]\nid = \"with-callers\"\ncarrier = \"interop\"\nsources = [\"{CALLER}\"]\n\
         max_channels = 50\ncalls_per_second = 50.0\n"
    );
    Tenants::over_trunk(&trunk, vec![("1000", Flow::Twiml(document.to_owned()))])
}

/// What went over the wire, and what the caller and the callee heard of each other.
struct Talk {
    caller: Side,
    callee: Side,
    caller_heard: Vec<i16>,
    callee_heard: Vec<i16>,
}

/// Both press a key and speak. The callee hangs up.
fn talk(codecs: (&str, &str), inspect: impl FnOnce(&Server)) -> Talk {
    let first_port = ports::range(200);
    let ports = (first_port, first_port + 199);
    let tap = BridgeTap::on(ports);
    let document = "<Response><Dial>+15005550001</Dial></Response>";
    let place = Place::on_loopback().with_rtp_ports(ports);
    let server = Server::start_at(place, &tenants(document));
    let mut phone = Pjsip::new(server.sip)
        .registered(REALM, USER, PASSWORD)
        .waiting()
        .in_codec(codecs.1)
        .speaking(&in_silence("sales"))
        .doing("1,k7,8", Duration::ZERO)
        .start();
    phone.expect("registered 200", LIMIT);
    let says = in_silence("support");
    let mut caller = Softphone::call_from(CALLER, server.sip, "1000", codecs.0, &says);
    phone.expect("did 1", LIMIT);
    caller.press('5');
    let callee_heard = phone.finish(LIMIT).heard;
    let caller_heard = caller.finish(LIMIT);
    inspect(&server);
    server.stop();
    let mut sides = tap.finish();
    sides.sort_by_key(|side| side.said.keys() != ['5']);
    let [caller, callee] = sides;
    Talk {
        caller,
        callee,
        caller_heard,
        callee_heard,
    }
}

/// A prompt after three seconds, when both are surely there.
fn in_silence(name: &str) -> Vec<i16> {
    let mut says = vec![0; 3 * 8_000];
    says.extend(prompt(name));
    says
}

#[test]
fn packets_of_the_same_codec_go_on_bit_for_bit() {
    on_a_steady_machine(|| {
        for codecs in [("PCMU", "PCMU/8000/1"), ("PCMA", "PCMA/8000/1")] {
            let talk = talk(codecs, |server| {
                assert_eq!(
                    server.metric("rtp_frames_transcoded_total"),
                    0,
                    "{codecs:?}"
                );
                let relayed = server.metric("rtp_packets_relayed_total");
                assert!(relayed > 400, "{codecs:?}: {relayed}");
            });
            for (from, to) in [(&talk.caller, &talk.callee), (&talk.callee, &talk.caller)] {
                let said = from.said.between_silences();
                assert!(said.len() > 50, "{codecs:?}: {} packets", said.len());
                assert!(to.heard.contains(&said), "{codecs:?}");
            }
            both_are_heard(codecs, &talk);
        }
    });
}

#[test]
fn other_codecs_are_heard_but_for_their_noise() {
    on_a_steady_machine(|| {
        for codecs in [("PCMA", "PCMU/8000/1"), ("PCMU", "G722/16000/1")] {
            let talk = talk(codecs, |server| {
                assert_eq!(server.metric("rtp_packets_relayed_total"), 0, "{codecs:?}");
                let transcoded = server.metric("rtp_frames_transcoded_total");
                assert!(transcoded > 400, "{codecs:?}: {transcoded}");
            });
            both_are_heard(codecs, &talk);
            if codecs.1.starts_with("PCMU") {
                for (name, heard) in [
                    ("sales", &talk.caller.heard),
                    ("support", &talk.callee.heard),
                ] {
                    let snr_db = audio::median_snr_db(&prompt(name), &heard.samples());
                    eprintln!("{name}: {snr_db:.1} dB");
                    assert!(snr_db > LEAST_SNR_DB, "{name}: {snr_db:.1} dB");
                }
            }
        }
    });
}

/// Words and keys.
fn both_are_heard(codecs: (&str, &str), talk: &Talk) {
    for (name, heard) in [
        ("sales", &talk.caller_heard),
        ("support", &talk.callee_heard),
    ] {
        let found = audio::find(&prompt(name), heard);
        eprintln!("{codecs:?}, {name}: {found:?}");
        assert!(found.is_heard(), "{codecs:?}, {name}: {found:?}");
    }
    let keys = [&talk.caller.heard, &talk.callee.heard].map(Stream::keys);
    assert_eq!(keys, [['7'], ['5']], "{codecs:?}");
}

/// The calls that were dialled, each as its status and that of its parent.
fn dialled(server: &Server) -> Vec<[String; 2]> {
    let calls = server.rest().calls();
    let status = |call: &Value| call["status"].as_str().unwrap_or_default().to_owned();
    let children = calls
        .iter()
        .filter(|call| call["direction"] == "outbound-dial");
    let mut statuses: Vec<[String; 2]> = children
        .map(|child| {
            let parent = calls
                .iter()
                .find(|call| call["sid"] == child["parent_call_sid"]);
            [status(child), status(parent.expect("a child has a parent"))]
        })
        .collect();
    statuses.sort();
    statuses
}

#[test]
fn a_star_goes_back_to_the_document() {
    on_a_steady_machine(|| {
        let document = "<Response><Dial hangupOnStar=\"true\">+15005550001</Dial><Play>prompts/goodbye.wav</Play></Response>";
        let server = Server::start(&tenants(document));
        let mut phone = waiting(&server);
        let mut caller = Softphone::call_from(CALLER, server.sip, "1000", "PCMU", &[]);
        phone.expect("did 2", LIMIT);
        caller.press('*');
        let callee = phone.finish(LIMIT);
        assert!(callee.log.contains("ended 200"), "{}", callee.log);
        let goodbye = audio::find(&prompt("goodbye"), &caller.finish(LIMIT));
        assert!(goodbye.is_heard(), "{goodbye:?}");
        server.stop();
    });
}

/// Who is called hears what the call is about, and the caller ringing until then; a document that hangs up joins nobody.
#[test]
fn a_whisper_is_for_the_callee_alone_and_may_decline() {
    on_a_steady_machine(|| {
        for (after, is_joined) in [("", true), ("<Hangup/>", false)] {
            let whisper = format!("<Response><Play>menu.wav</Play>{after}</Response>");
            let app = VoiceApp::serve(vec![
                Page::twiml("/whisper", &whisper),
                Page::prompt("menu"),
            ]);
            let document = format!(
                "<Response><Dial><Number url=\"{}\">+15005550001</Number></Dial><Play>prompts/goodbye.wav</Play></Response>",
                app.url("/whisper")
            );
            let server = Server::start(&tenants(&document));
            let mut says = vec![0; prompt("menu").len() + 16_000];
            says.extend(prompt("sales"));
            let spoken = says.len() as f32 / 8_000.0 + 1.0;
            let mut phone = Pjsip::new(server.sip)
                .registered(REALM, USER, PASSWORD)
                .waiting()
                .speaking(&says)
                .doing(&spoken.to_string(), Duration::ZERO)
                .start();
            phone.expect("registered 200", LIMIT);
            let caller = Softphone::call_from(CALLER, server.sip, "1000", "PCMU", &[]);
            let callee_heard = phone.finish(LIMIT).heard;
            let caller_heard = caller.finish(LIMIT);
            let whispered =
                [&callee_heard, &caller_heard].map(|heard| audio::find(&prompt("menu"), heard));
            assert!(
                whispered[0].is_heard() && whispered[1].is_absent(),
                "{whispered:?}"
            );
            let said = audio::find(&prompt("sales"), &caller_heard);
            assert_eq!(said.is_heard(), is_joined, "{said:?}");
            let goodbye = audio::find(&prompt("goodbye"), &caller_heard);
            assert!(goodbye.is_heard(), "the document goes on: {goodbye:?}");
            let asked = app.asked();
            assert_eq!(asked[0].parameters["Direction"], "outbound-dial");
            server.stop();
        }
    });
}

#[test]
fn the_end_of_the_caller_ends_the_callee() {
    on_a_steady_machine(|| {
        let server = Server::start(&tenants("<Response><Dial>+15005550001</Dial></Response>"));
        let mut phone = waiting(&server);
        let mut caller = Softphone::call_from(CALLER, server.sip, "1000", "PCMU", &[]);
        phone.expect("media active", LIMIT);
        caller.hang_up();
        let callee = phone.finish(LIMIT);
        assert!(callee.log.contains("ended 200"), "{}", callee.log);
        server.stop();
    });
}

/// A registered phone that takes a call and keeps it.
fn waiting(server: &Server) -> RunningPjsip {
    let mut phone = Pjsip::new(server.sip)
        .registered(REALM, USER, PASSWORD)
        .waiting()
        .doing("2", LIMIT)
        .start();
    phone.expect("registered 200", LIMIT);
    phone
}

/// Calls `1000`, whose document dials the callee, and returns what was heard until the document's last words.
fn caller_of(callee: &RunningSipp, attributes: &str) -> (Server, Vec<i16>) {
    let document = format!(
        "<Response><Dial {attributes}>+15005550001</Dial><Play>prompts/goodbye.wav</Play></Response>"
    );
    let mut tenants = Tenants::calling(callee.address).from_source(CALLER);
    tenants.numbers = vec![("1000", Flow::Twiml(document))];
    let server = Server::start(&tenants);
    let heard = Softphone::call_from(CALLER, server.sip, "1000", "PCMU", &[]).finish(LIMIT);
    (server, heard)
}

/// A `SIPp` that is called, and does as its scenario says.
fn callee(scenario: Sipp) -> RunningSipp {
    scenario.start((CALLER, 9).into()).listening()
}

#[test]
fn the_document_goes_on_when_the_callee_is_busy() {
    on_a_steady_machine(|| {
        let callee = callee(Sipp::new("uas_refuse").with_status(486));
        let (server, heard) = caller_of(&callee, "");
        let goodbye = audio::find(&prompt("goodbye"), &heard);
        assert!(goodbye.is_heard(), "{goodbye:?}");
        callee.succeed(LIMIT);
        eventually("the record is written", LIMIT, || {
            (dialled(&server) == [["busy", "completed"]]).then_some(())
        });
        server.stop();
    });
}

#[test]
fn the_caller_hears_ringing_until_it_has_rung_for_long_enough() {
    on_a_steady_machine(|| {
        let callee = callee(Sipp::new("uas_cancelled"));
        let (server, heard) = caller_of(&callee, "timeout='3'");
        let goodbye = audio::find(&prompt("goodbye"), &heard);
        assert!(goodbye.is_heard(), "{goodbye:?}");
        let rang = audio::loud_seconds(&heard[..goodbye.start]);
        assert!(rang > 1.5, "{rang} s");
        callee.succeed(LIMIT);
        eventually("the record is written", LIMIT, || {
            (dialled(&server) == [["no-answer", "completed"]]).then_some(())
        });
        server.stop();
    });
}

#[test]
fn of_two_the_first_to_answer_is_taken_and_the_other_cancelled() {
    on_a_steady_machine(|| {
        let quick = callee(Sipp::new("uas_wait_bye").holding(Duration::from_secs(1)));
        let slow = callee(Sipp::new("uas_cancelled"));
        let document = format!(
            "<Response><Dial><Sip>sip:a@{}</Sip><Sip>sip:b@{}</Sip></Dial></Response>",
            slow.address, quick.address
        );
        let trunk = format!(
            "sources = [\"{CALLER}\"]\ntargets = [\"{}\"]\n\
         [[trunk]]\nid = \"second\"\ncarrier = \"interop\"\ntargets = [\"{}\"]\n\
         max_channels = 50\ncalls_per_second = 50.0\n",
            slow.address, quick.address
        );
        let numbers = vec![("1000", Flow::Twiml(document))];
        let server = Server::start(&Tenants::over_trunk(&trunk, numbers));
        let mut caller = Softphone::call_from(CALLER, server.sip, "1000", "PCMU", &[]);
        slow.succeed(LIMIT);
        caller.hang_up();
        quick.succeed(LIMIT);
        eventually("both records are written", LIMIT, || {
            let expected = [["canceled", "completed"], ["completed", "completed"]];
            (dialled(&server) == expected).then_some(())
        });
        server.stop();
    });
}

/// Both sides of a conversation are in the file that the application is told of.
#[test]
fn a_conversation_is_recorded_for_the_application() {
    on_a_steady_machine(|| {
        let document = "<Response><Dial record=\"record-from-answer-dual\" action=\"/done\">+15005550001</Dial></Response>";
        let app = VoiceApp::serve(vec![
            Page::twiml("/voice", document),
            Page::twiml("/done", "<Response><Hangup/></Response>"),
        ]);
        let mut tenants = tenants("");
        tenants.numbers = vec![("1000", Flow::VoiceUrl(app.url("/voice")))];
        let server = Server::start(&tenants);
        let mut phone = Pjsip::new(server.sip)
            .registered(REALM, USER, PASSWORD)
            .waiting()
            .speaking(&in_silence("sales"))
            .doing("8", Duration::ZERO)
            .start();
        phone.expect("registered 200", LIMIT);
        let caller =
            Softphone::call_from(CALLER, server.sip, "1000", "PCMU", &in_silence("support"));
        let callee = phone.finish(LIMIT);
        assert!(callee.log.contains("ended 200"), "{}", callee.log);
        let done = eventually("the action was asked for", LIMIT, || {
            app.asked().into_iter().find(|asked| asked.path == "/done")
        });
        drop(caller);
        let (_, recording) = done.parameters["RecordingUrl"]
            .split_once("/Recordings/")
            .expect("a URL of the API");
        let wav = server
            .rest()
            .download(&format!("Recordings/{recording}.wav"));
        let mut reader = hound::WavReader::new(wav.as_slice()).expect("a WAV file");
        assert_eq!(reader.spec().channels, 2);
        let samples: Vec<i16> = reader
            .samples()
            .map(|sample| sample.expect("16 bits"))
            .collect();
        for (channel, name) in ["support", "sales"].into_iter().enumerate() {
            let side: Vec<i16> = samples.iter().skip(channel).step_by(2).copied().collect();
            let found = audio::find(&prompt(name), &side);
            assert!(found.is_heard(), "{name}: {found:?}");
        }
        server.stop();
    });
}
