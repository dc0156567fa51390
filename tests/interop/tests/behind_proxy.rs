//! Two nodes behind Kamailio, which records two routes a dialog and spreads calls over the nodes.

use std::time::Duration;

use jackfield_interop::kamailio::Kamailio;
use jackfield_interop::process::eventually;
use jackfield_interop::server::{Flow, Server, Tenants};
use jackfield_interop::sipp::Sipp;
use jackfield_interop::steady::on_a_steady_machine;

const LIMIT: Duration = Duration::from_secs(60);
const CALLS: usize = 8;

fn node() -> Server {
    Server::start(&Tenants::with_numbers(vec![(
        "1000",
        Flow::Component("menu"),
    )]))
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
