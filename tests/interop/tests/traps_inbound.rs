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
        (server.rest().calls()[0]["status"] == "completed").then_some(())
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
