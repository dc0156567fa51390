//! Look-ups of host names that take long.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Condvar, Mutex};

use jackfield_egress::{CookieJar, Egress, FetchError, Limits, Resolve, SigningKey};
use support::{EMPTY_200, Raw, get, loopback};

/// Look-ups that one tenant may have under way.
const PER_TENANT: usize = 16;
/// Look-ups that all tenants together may have under way.
const ALL: usize = 128;

/// Answers for `silent.example` when it is told to, for every other name at once.
#[derive(Default)]
struct Silent {
    asked: Mutex<HashMap<String, usize>>,
    speaks: Mutex<bool>,
    changed: Condvar,
}

impl Silent {
    fn asked(&self, host: &str) -> usize {
        self.asked.lock().unwrap().get(host).copied().unwrap_or(0)
    }

    fn speak(&self) {
        *self.speaks.lock().unwrap() = true;
        self.changed.notify_all();
    }
}

impl Resolve for Silent {
    fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        *self
            .asked
            .lock()
            .unwrap()
            .entry(host.to_owned())
            .or_default() += 1;
        if host == "silent.example" {
            let speaks = self.speaks.lock().unwrap();
            let _speaks = self.changed.wait_while(speaks, |speaks| !*speaks).unwrap();
        }
        Ok(vec![Ipv4Addr::LOCALHOST.into()])
    }
}

/// Lets the threads of look-ups end, also where a test fails: the runtime waits for them.
struct SpeaksAtLast(Arc<Silent>);

impl Drop for SpeaksAtLast {
    fn drop(&mut self) {
        self.0.speak();
    }
}

async fn fetch(egress: &Egress, tenant: &str, url: String) -> Result<u16, FetchError> {
    let mut request = get(url);
    request.sign = Some(SigningKey::new("12345"));
    let jar = CookieJar::default();
    let answer = egress.fetch(tenant, &loopback(), request, &jar).await?;
    Ok(answer.status)
}

#[tokio::test]
async fn a_tenant_whose_name_server_is_silent_holds_up_no_other() {
    let silent = Arc::new(Silent::default());
    let _at_last = SpeaksAtLast(Arc::clone(&silent));
    let server = Raw::bind("127.0.0.1:0", EMPTY_200).await.unwrap();
    let port = server.address.port();
    let egress = Arc::new(Egress::with_resolver(
        Limits::default(),
        Arc::clone(&silent) as Arc<dyn Resolve>,
    ));
    let stalled: Vec<_> = (0..2 * ALL)
        .map(|_| {
            let egress = Arc::clone(&egress);
            let url = format!("http://silent.example:{port}/#ct=100&rc=0");
            tokio::spawn(async move { fetch(&egress, "AC1", url).await })
        })
        .collect();
    for one in stalled {
        let error = one.await.unwrap().unwrap_err();
        assert!(matches!(error, FetchError::Unreachable(_)), "{error}");
    }
    // Those who asked have given up; the look-ups have not.
    while silent.asked("silent.example") < PER_TENANT {
        tokio::task::yield_now().await;
    }
    let url = |host: &str| format!("http://{host}:{port}/");
    let other = fetch(&egress, "AC2", url("good.example")).await;
    assert_eq!(other.unwrap(), 200);
    // The account's other hosts wait with it, until the name server speaks.
    let brief = format!("{}#ct=100&rc=0", url("own.example"));
    let own = fetch(&egress, "AC1", brief).await.unwrap_err();
    assert!(matches!(own, FetchError::Unreachable(_)), "{own}");
    assert_eq!(silent.asked("own.example"), 0);
    assert_eq!(silent.asked("silent.example"), PER_TENANT);
    silent.speak();
    let own = fetch(&egress, "AC1", url("own.example")).await;
    assert_eq!(own.unwrap(), 200);
    assert_eq!(server.connections(), 2, "one for each answer");
}
