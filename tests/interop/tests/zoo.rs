//! Components that misbehave (`tests/zoo`) as a tenant's flows: whoever calls them hears the fallback or an apology, and another
//! tenant's calls go on.

use std::thread;
use std::time::Duration;

use jackfield_interop::audio::{self, Found};
use jackfield_interop::needs;
use jackfield_interop::rtp_tap::RtpTap;
use jackfield_interop::server::{self, ALL_GRANTS, Flow, Server, Tenants, Uploads, prompt};
use jackfield_interop::sipp::Sipp;
use jackfield_interop::steady::on_a_steady_machine;

const LIMIT: Duration = Duration::from_secs(60);
const FALLBACK: &str = "<Response><Play>prompts/goodbye.wav</Play><Hangup/></Response>";

/// Each has a number, which somebody calls.
const ANIMALS: [(&str, &str); 16] = [
    ("2000", "loop"),
    ("2001", "loop-in-start"),
    ("2002", "loop-in-post-return"),
    ("2003", "recursion"),
    ("2004", "memory-in-a-loop"),
    ("2005", "fill-memory"),
    ("2006", "large-from-the-start"),
    ("2007", "own-handles"),
    ("2008", "log-flood"),
    ("2009", "poll-flood"),
    ("2010", "play-flood"),
    ("2011", "request-flood"),
    ("2012", "unreachable"),
    ("2013", "trap-after-answer"),
    ("2014", "last-words"),
    ("2015", "exit"),
];

/// One account has the bundled menu at 1000, another one the zoo at 2000 and on.
fn tenants(animals: &[(&'static str, &str)], fallback: Option<&'static str>) -> Tenants {
    let components = animals
        .iter()
        .map(|(number, name)| (*number, zoo::animal(name)))
        .collect();
    Tenants {
        uploads: Some(Uploads {
            components,
            fallback,
            grants: ALL_GRANTS,
        }),
        ..Tenants::with_numbers(vec![("1000", Flow::Component("menu"))])
    }
}

/// Calls that number, waits until the flow hangs up, and looks for a sound in what was heard.
fn call(server: &Server, number: &str, sound: &[i16]) -> Found {
    let caller = Sipp::new("uac_wait_bye").dialling(number).start(server.sip);
    let tap = RtpTap::on(caller.media_port);
    caller.succeed(LIMIT);
    audio::find(sound, &tap.finish())
}

fn apology() -> Vec<i16> {
    audio::read_wav(&needs::workspace().join("runtime/server/prompts/apology.wav"))
}

#[test]
fn callers_of_the_zoo_hear_the_fallback_and_others_are_served() {
    on_a_steady_machine(|| {
        let server = Server::start(&tenants(&ANIMALS, Some(FALLBACK)));
        let (goodbye, menu) = (prompt("goodbye"), prompt("menu"));
        thread::scope(|scope| {
            // One who listens to the menu all the while, and others who come and go.
            let listener = scope.spawn(|| {
                let caller = Sipp::new("uac_bye")
                    .holding(Duration::from_secs(5))
                    .dialling("1000")
                    .start(server.sip);
                let tap = RtpTap::on(caller.media_port);
                caller.succeed(LIMIT);
                audio::find(&menu[..12_000], &tap.finish())
            });
            scope.spawn(|| {
                Sipp::new("uac_bye")
                    .calling(20, 4)
                    .dialling("1000")
                    .start(server.sip)
                    .succeed(LIMIT)
            });
            let callers = ANIMALS.map(|(number, name)| {
                let (server, goodbye) = (&server, &goodbye);
                (name, scope.spawn(move || call(server, number, goodbye)))
            });
            for (name, caller) in callers {
                let heard = caller.join().expect("the call ends in order");
                assert!(heard.is_heard(), "{name}: {heard:?}");
            }
            let heard = listener.join().expect("the call ends in order");
            assert!(heard.is_heard(), "the menu, meanwhile: {heard:?}");
        });
        let log = server.log();
        for words in [
            "computed for too long without waiting",
            "made too many host calls without waiting",
            "call stack exhausted",
            "panicked: nobody is there",
            "exited with status 1",
        ] {
            assert!(log.contains(words), "`{words}` is not in {log}");
        }
        server.stop();
    });
}

#[test]
fn without_a_fallback_there_is_an_apology() {
    on_a_steady_machine(|| {
        let animals = [("2000", "loop"), ("2001", "trap-after-answer")];
        let server = Server::start(&tenants(&animals, None));
        let apology = apology();
        for (number, name) in animals {
            let heard = call(&server, number, &apology);
            assert!(heard.is_heard(), "{name}: {heard:?}");
        }
        server.stop();
    });
}

#[test]
fn contradictions_are_a_call_that_ends() {
    let server = Server::start(&tenants(&[("2000", "contradictions")], Some(FALLBACK)));
    let heard = call(&server, "2000", &prompt("goodbye"));
    assert!(heard.is_absent(), "nothing broke: {heard:?}");
    server.stop();
}

#[test]
fn what_breaks_the_compiler_is_refused() {
    let upload = |wasm: Vec<u8>| Tenants {
        uploads: Some(Uploads {
            components: vec![("2000", wasm)],
            fallback: None,
            grants: ALL_GRANTS,
        }),
        ..Tenants::default()
    };
    let told = server::refusal(&upload(zoo::giant::deep_type(1_000_000)));
    assert!(
        told.contains("the compiler ended without an answer (signal 6)"),
        "{told}"
    );
    let told = server::refusal(&upload(zoo::giant::functions(30_000, 0, 7, false)));
    assert!(
        told.contains("functions: at most 20000 are taken"),
        "{told}"
    );
}
