//! What peers are known to send when they call, each played by a `SIPp` scenario that also checks the answers.

use std::time::Duration;

use jackfield_interop::process::eventually;
use jackfield_interop::server::{Flow, Server, Tenants};
use jackfield_interop::sipp::{Messages, Sipp};

const LIMIT: Duration = Duration::from_secs(60);

fn server() -> Server {
    Server::start(&Tenants::with_numbers(vec![(
        "1000",
        Flow::Component("menu"),
    )]))
}

fn play(server: &Server, scenario: Sipp) -> Messages {
    scenario.dialling("1000").start(server.sip).succeed(LIMIT)
}

#[test]
fn a_caller_behind_a_nat_is_told_where_it_is() {
    play(&server(), Sipp::new("traps/uac_private_via"));
}

/// The flow hangs up, so that the scenario sees where our BYE goes.
fn hanging_up() -> Tenants {
    let flow = Flow::Twiml(r#"<Response><Pause length="1"/></Response>"#.to_owned());
    Tenants::with_numbers(vec![("1000", flow)])
}

#[test]
fn a_private_contact_is_reached_where_it_speaks_from() {
    let server = Server::start(&hanging_up().with_nat("to_source = true"));
    play(&server, Sipp::new("traps/uac_private_contact"));
}

#[test]
fn a_strict_router_gets_its_own_uri() {
    let server = Server::start(&hanging_up());
    play(&server, Sipp::new("traps/uac_strict_router"));
}

#[test]
fn a_second_bye_finds_no_call() {
    play(&server(), Sipp::new("traps/uac_bye_twice"));
}

#[test]
fn a_call_of_no_time_has_one_record() {
    let server = server();
    play(&server, Sipp::new("uac_bye").holding(Duration::ZERO));
    eventually("the call is over", LIMIT, || {
        (server.rest().calls().first()?["status"] == "completed").then_some(())
    });
    assert_eq!(server.rest().calls().len(), 1);
}

#[test]
fn holds_are_mirrored() {
    play(&server(), Sipp::new("traps/uac_hold"));
}

#[test]
fn a_reinvite_may_ask_for_our_offer() {
    play(&server(), Sipp::new("traps/uac_reinvite_without_sdp"));
}

#[test]
fn a_reinvite_that_overtakes_the_ack_is_put_off() {
    play(&server(), Sipp::new("traps/uac_reinvite_before_ack"));
}

#[test]
fn odd_offers_are_answered_with_what_fits() {
    play(&server(), Sipp::new("traps/uac_odd_offer"));
}

#[test]
fn a_trusted_carrier_says_who_calls() {
    let trunk = "sources = [\"127.0.0.1\"]\nnumbers = { country = \"KH\" }\ncaller_id = { trusted = true }\n";
    let menu = ("1000", Flow::Component("menu"));
    let server = Server::start(&Tenants::over_trunk(trunk, vec![menu]));
    play(&server, Sipp::new("traps/uac_asserted_identity"));
    assert_eq!(server.rest().newest_call()["from"], "+85512345678");
}

#[test]
fn requests_that_change_nothing_have_their_answers() {
    play(&server(), Sipp::new("traps/uac_in_dialog").with_status(603));
}

#[test]
fn a_key_may_come_as_info() {
    let server = server();
    play(&server, Sipp::new("traps/uac_info_digit"));
    // The menu's second choice hangs up by itself, so the scenario ended by our BYE.
    eventually("the call is over", LIMIT, || {
        (server.rest().newest_call()["status"] == "completed").then_some(())
    });
}

#[test]
fn a_fax_is_refused_and_the_audio_goes_on() {
    play(&server(), Sipp::new("traps/uac_fax"));
}

#[test]
fn session_timers_are_answered_and_refreshed() {
    play(&server(), Sipp::new("traps/uac_session_timer"));
}

#[test]
fn a_session_timer_that_is_too_short_is_told_the_least() {
    play(&server(), Sipp::new("traps/uac_short_timer"));
}

#[test]
fn what_nobody_here_has_is_refused_by_name() {
    play(&server(), Sipp::new("traps/uac_requires"));
}
