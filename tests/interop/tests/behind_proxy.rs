//! Two nodes behind Kamailio, which records two routes a dialog and spreads calls over the nodes.

use std::time::Duration;

use jackfield_interop::kamailio::Kamailio;
use jackfield_interop::process::eventually;
use jackfield_interop::server::{Flow, Server, Tenants};
use jackfield_interop::sipp::Sipp;
use jackfield_interop::steady::on_a_steady_machine;

const LIMIT: Duration = Duration::from_secs(60);
const CALLS: usize = 8;
/// Calls while a node drains, so many a second.
const MANY: u32 = 200;
const PER_SECOND: u32 = 20;

fn node() -> Server {
    Server::start(&Tenants::with_numbers(vec![(
        "1000",
        Flow::Component("menu"),
    )]))
}

/// With room for all calls that go on at a time.
fn large_node() -> Server {
    let trunk = "sources = [\"127.0.0.1\"]\nmax_channels = 200\n";
    let account =
        "outbound = { allow = [\"+1500555\"], max_channels = 200, calls_per_second = 50.0 }\n";
    Server::start(&Tenants {
        account: account.to_owned(),
        ..Tenants::over_trunk(trunk, vec![("1000", Flow::Component("menu"))])
    })
}

fn completed(node: &Server) -> usize {
    let calls = node.rest().calls();
    calls
        .iter()
        .filter(|call| call["status"] == "completed")
        .count()
}

/// INVITE, re-INVITE and BYE of one call reach one node: another one would answer 481, and the scenario would fail.
#[test]
fn every_request_of_a_dialog_reaches_its_node() {
    on_a_steady_machine(|| {
        let nodes = [node(), node()];
        let proxy = Kamailio::spread_over(&[nodes[0].sip, nodes[1].sip]);
        for _ in 0..CALLS {
            let messages = Sipp::new("uac_through_proxy")
                .dialling("1000")
                .start(proxy.front)
                .succeed(LIMIT);
            let recorded = messages.text().lines().filter(|line| {
                line.starts_with("Record-Route:") && line.contains("r2=on") && line.contains(";lr")
            });
            assert!(recorded.count() >= 2, "{}", messages.text());
        }
        for node in &nodes {
            eventually("half the calls are over", Duration::from_secs(10), || {
                (completed(node) == CALLS / 2).then_some(())
            });
        }
        // ACK, re-INVITE, ACK and BYE of each call went by the routes.
        assert_eq!(proxy.count_logged("in dialog: "), 4 * CALLS);
        assert_eq!(proxy.count_logged("next: "), 0);
    });
}

/// A node that is gone: the proxy asks the other one, and no caller notices.
#[test]
fn a_node_that_is_gone_is_passed_over() {
    let nodes = [node(), node()];
    let proxy = Kamailio::spread_over(&[nodes[0].sip, nodes[1].sip]);
    let [stays, goes] = nodes;
    goes.stop();
    for _ in 0..4 {
        let messages = Sipp::new("uac_through_proxy")
            .dialling("1000")
            .start(proxy.front)
            .succeed(LIMIT);
        drop(messages);
    }
    eventually("all calls are over", Duration::from_secs(10), || {
        (completed(&stays) == 4).then_some(())
    });
}

/// A node that drains keeps the calls that it has to their ends, and new ones go to the other: nobody is cut off or turned away.
#[test]
fn a_node_drains_and_no_call_is_lost() {
    let [mut leaves, stays] = [large_node(), large_node()];
    let proxy = Kamailio::spread_over(&[leaves.sip, stays.sip]);
    let calls = Sipp::new("uac_through_proxy")
        .dialling("1000")
        .holding(Duration::from_secs(4))
        .calling(MANY, PER_SECOND)
        .start(proxy.front);
    eventually("tens of calls are up on each", LIMIT, || {
        let up = [&leaves, &stays].map(|node| node.metric("calls"));
        up.iter().all(|up| *up >= 30).then_some(())
    });
    assert_eq!(leaves.metric("draining"), 0);
    leaves.drain();
    assert_eq!(leaves.metric("draining"), 1);
    let begun = leaves.rest().calls().len();
    assert!(leaves.metric("calls") >= 20, "they are still up");
    // It ends by itself, when its last call does.
    leaves.start_again_once_stopped();
    drop(calls.succeed(LIMIT));
    let ended = leaves.rest().calls().len();
    assert_eq!(completed(&leaves), ended, "what was up there ended well");
    // One or two may have been on their way into the list.
    assert!(
        ended <= begun + 2,
        "{ended} calls, {begun} of them when it began to drain"
    );
    eventually("all calls are over", LIMIT, || {
        (completed(&leaves) + completed(&stays) == MANY as usize).then_some(())
    });
}
