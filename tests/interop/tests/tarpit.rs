//! An application that takes every request and answers none: its own callers wait, and nobody else's do.

use std::time::Duration;

use jackfield_interop::process::eventually;
use jackfield_interop::rest::Rest;
use jackfield_interop::server::{Place, Server, Tenants};
use jackfield_interop::sipp::Sipp;
use jackfield_interop::steady::on_a_steady_machine;
use jackfield_interop::{ports, voice_app};
use serde_json::Value;
use voice_app::{Page, VoiceApp};

const LIMIT: Duration = Duration::from_secs(120);
/// Longer than any test lasts.
const NEVER: Duration = Duration::from_secs(3_600);
/// Callers of the silent application who hang up, so that it is to be told of them.
const GONE: u32 = 12;
/// Callers of it who wait for its documents.
const WAITING: u32 = 60;
/// So many requests of an account are on the way at a time.
const ASKED: u32 = 50;
/// Callers of the neighbour.
const CALLS: u32 = 15;
/// From the call's answer to its end it says something, then nothing.
const DOCUMENT: &str = "<Response><Play digits=\"1\"/><Pause length=\"60\"/></Response>";
const NEIGHBOUR_SID: &str = "AC00000000000000000000000000000002";
const NEIGHBOUR_TOKEN: &str = "a-token-that-only-the-neighbour-knows";

/// Two accounts of one carrier and one trunk: 1000 is asked of `silent`, which also is the fallback, 2000 of `prompt`.
fn tenants(silent: &VoiceApp, prompt: &VoiceApp) -> Tenants {
    let trunk = "sources = [\"127.0.0.1\"]\nmax_channels = 150\n";
    let own = format!(
        "outbound = {{ allow = [], max_channels = 100, calls_per_second = 50.0 }}\n\
         \n[[number]]\nnumber = \"1000\"\naccount = \"tests\"\nvoice_url = \"{voice}\"\nstatus_callback = \"{told}\"\n\
         settings = {{ fallback-url = \"{fallback}\" }}\n",
        voice = silent.url("/voice"),
        told = silent.url("/told"),
        fallback = silent.url("/fallback"),
    );
    let neighbour = format!(
        "\n[[account]]\nsid = \"{NEIGHBOUR_SID}\"\ncarrier = \"interop\"\nname = \"neighbour\"\n\
         auth_token = \"{NEIGHBOUR_TOKEN}\"\negress = {{ allow = [\"127.0.0.0/8\"] }}\n\
         outbound = {{ allow = [], max_channels = 50, calls_per_second = 50.0 }}\n\
         \n[[number]]\nnumber = \"2000\"\naccount = \"neighbour\"\nvoice_url = \"{voice}\"\nstatus_callback = \"{told}\"\n",
        voice = prompt.url("/voice"),
        told = prompt.url("/told"),
    );
    Tenants {
        account: format!("{own}{neighbour}"),
        ..Tenants::over_trunk(trunk, Vec::new())
    }
}

/// How often a path was asked.
fn asked(app: &VoiceApp, path: &str) -> u32 {
    let asked = app.asked();
    let asked = asked.iter().filter(|asked| asked.path == path);
    asked.fold(0, |count, _| count + 1)
}

/// How many of the account's calls have one of these statuses.
fn count(rest: &Rest, statuses: &[&str]) -> u32 {
    let (code, page) = rest.get("Calls.json?PageSize=200");
    assert_eq!(code, 200, "{page}");
    let calls = page["calls"].as_array().expect("a list of calls");
    let has_status = |call: &&Value| {
        call["status"]
            .as_str()
            .is_some_and(|own| statuses.contains(&own))
    };
    calls
        .iter()
        .filter(has_status)
        .fold(0, |count, _| count + 1)
}

#[test]
fn an_application_that_never_answers_holds_up_nobody_elses_calls() {
    on_a_steady_machine(|| {
        let silent = ["/voice", "/fallback", "/told"];
        let silent = VoiceApp::serve(silent.map(|path| Page::twiml(path, "").after(NEVER)).into());
        let prompt = VoiceApp::serve(vec![
            Page::twiml("/voice", DOCUMENT),
            Page::twiml("/told", ""),
        ]);
        let first_port = ports::range(400);
        let place = Place::on_loopback().with_rtp_ports((first_port, first_port + 399));
        let server = Server::start_at(place, &tenants(&silent, &prompt));
        let neighbour = Rest {
            address: server.api,
            account_sid: NEIGHBOUR_SID.to_owned(),
            auth_token: NEIGHBOUR_TOKEN.to_owned(),
        };

        Sipp::new("uac_cancel")
            .dialling("1000")
            .calling(GONE, 12)
            .start(server.sip)
            .succeed(LIMIT);
        eventually("it is told of callers who are gone", LIMIT, || {
            (asked(&silent, "/told") > 0).then_some(())
        });
        let waiting = Sipp::new("uac_wait_bye")
            .dialling("1000")
            .calling(WAITING, 30)
            .holding(Duration::from_secs(10))
            .start(server.sip);
        eventually("its callers wait", LIMIT, || {
            (asked(&silent, "/voice") >= ASKED).then_some(())
        });
        Sipp::new("uac_bye")
            .dialling("2000")
            .calling(CALLS, 10)
            .start(server.sip)
            .succeed(LIMIT);
        let still_waiting = count(&server.rest(), &["ringing"]);
        assert!(
            still_waiting > 0,
            "the neighbour was served only afterwards"
        );
        eventually("the neighbour is told of each of its calls", LIMIT, || {
            (asked(&prompt, "/told") >= CALLS).then_some(())
        });
        assert_eq!(count(&neighbour, &["completed"]), CALLS);

        // Those who waited in vain hear the apology.
        waiting.succeed(LIMIT);
        eventually("none of its calls goes on", LIMIT, || {
            let over = count(&server.rest(), &["completed", "no-answer", "canceled"]);
            (over == GONE + WAITING).then_some(())
        });
        server.stop();
        assert_eq!(asked(&prompt, "/voice"), CALLS);
        let told = prompt.asked();
        let told: Vec<_> = told
            .iter()
            .filter(|asked| asked.path == "/told")
            .map(|asked| {
                (
                    &*asked.parameters["CallSid"],
                    &*asked.parameters["CallStatus"],
                )
            })
            .collect();
        let mut calls: Vec<_> = told.iter().map(|(call, _)| call).collect();
        calls.sort_unstable();
        calls.dedup();
        assert_eq!(
            (told.len(), calls.len()),
            (CALLS as usize, CALLS as usize),
            "{told:?}"
        );
        assert!(
            told.iter().all(|(_, status)| *status == "completed"),
            "{told:?}"
        );
    });
}
