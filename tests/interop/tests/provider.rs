//! Trunks that lead to a provider: we register there, prove a password for each call, and pass over servers that are gone.

use std::net::SocketAddr;
use std::time::Duration;

use jackfield_interop::kamailio::{Customer, Kamailio};
use jackfield_interop::process::eventually;
use jackfield_interop::server::{Flow, Server, Tenants};
use jackfield_interop::sipp::Sipp;

const LIMIT: Duration = Duration::from_secs(60);
const SHORT: &str = r#"<Response><Pause length="1"/></Response>"#;
const NOWHERE: &str = "127.0.0.1:9";

fn at_provider(customer: &Customer<'_>, provider: SocketAddr) -> Tenants {
    let Customer { user, password, .. } = customer;
    let trunk = format!(
        "sources = [\"127.0.0.1\"]\ntargets = [\"sip:{provider}\"]\n\
         [trunk.credentials]\nusername = \"{user}\"\npassword = \"{password}\"\n\
         [trunk.registration]\nregistrar = \"sip:{provider}\"\ncontact_user = \"1000\"\nexpires_s = 60\n"
    );
    Tenants::over_trunk(&trunk, vec![("1000", Flow::Component("menu"))])
}

/// The provider grants five seconds, so that a call after eight shows a registration that was refreshed.
#[test]
fn we_register_at_a_provider_and_calls_go_both_ways() {
    for algorithm in ["MD5", "SHA-256"] {
        let customer = Customer {
            user: "line-1",
            password: "a-password-of-tests",
            algorithm,
        };
        let nowhere = NOWHERE.parse().expect("an address");
        let network = Sipp::new("uas_wait_bye").start(nowhere).listening();
        let provider = Kamailio::provider_of(&customer, network.address);
        let server = Server::start(&at_provider(&customer, provider.front));
        eventually("the registration is refreshed", LIMIT, || {
            (provider.count_logged("registered: line-1") >= 3).then_some(())
        });
        let status = server.status();
        assert!(
            status.contains(
                "peer (carrier interop): 0 of 50 channels in use\n  registration: registered"
            ),
            "{status}"
        );

        let heard = Sipp::new("uac_bye")
            .dialling("line-1")
            .start(provider.front);
        heard.succeed(LIMIT);

        let rest = server.rest();
        let sid = rest.place("1000", "+15005550001", SHORT);
        assert_eq!(
            rest.ended(&sid, LIMIT)["status"],
            "completed",
            "{algorithm}"
        );
        network.succeed(LIMIT);
        // A request that is repeated is logged again.
        assert!(provider.count_logged("proved: line-1 calls +15005550001") >= 1);

        server.stop();
        let gone = Sipp::new("uac_refused").with_status(480).dialling("line-1");
        gone.start(provider.front).succeed(LIMIT);
    }
}
