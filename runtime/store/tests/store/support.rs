//! Tenants and calls that the tests share.

use std::path::Path;

use call::{AccountSid, CallRecord, CallSid, CallStatus, Direction};
use jackfield_store::tenants::Surroundings;
use jackfield_store::{
    CallRow, CarrierId, Flow, Leg, NewCall, QueuedCall, Scope, Store, Tenants, TrunkId,
};

/// Two carriers with one account each; the second carrier shares the first one's gateway.
pub(crate) const TENANTS: &str = r#"
[[carrier]]
id = "east"

[[carrier]]
id = "west"

[[account]]
carrier = "east"
name = "hotline"
auth_token = "hotline-token-0001"
outbound.allow = ["+855"]

[[account]]
carrier = "west"
name = "clinic"
auth_token = "clinic-token-00002"

[[trunk]]
id = "east-gateway"
carrier = "east"
sources = ["203.0.113.0/24"]
target = "203.0.113.1:5060"
max_channels = 30
calls_per_second = 10.0

[[trunk]]
id = "west-gateway"
carrier = "west"
sources = ["203.0.113.0/25"]
max_channels = 30
calls_per_second = 10.0

[[number]]
number = "+85512345678"
account = "hotline"
flow = "menu"

[[number]]
number = "1294"
account = "clinic"
twiml = "<Response/>"
"#;

pub(crate) fn parse(text: &str) -> Tenants {
    let surroundings = Surroundings {
        folder: Path::new("."),
        bundled: &["menu", "echo"],
        uploaded: &|_, _, _| false,
        check_component: &|_, _| Ok(()),
    };
    Tenants::parse(text, &surroundings).unwrap()
}

pub(crate) fn account(store: &dyn Store, carrier: &str, name: &str) -> AccountSid {
    let carrier = CarrierId(carrier.to_owned());
    store
        .directory()
        .account_by_name(&carrier, name)
        .unwrap()
        .sid
}

/// The view of the account `hotline`.
pub(crate) fn hotline(store: &dyn Store) -> Scope {
    Scope::of_host(account(store, "east", "hotline"))
}

/// The view of the account `clinic`, which owns nothing the tests make.
pub(crate) fn clinic(store: &dyn Store) -> Scope {
    Scope::of_host(account(store, "west", "clinic"))
}

/// The SID whose last bytes are `number`.
pub(crate) fn sid(number: u64) -> CallSid {
    let mut bytes = [0; 16];
    bytes[8..].copy_from_slice(&number.to_be_bytes());
    CallSid::from_bytes(bytes)
}

pub(crate) fn outbound(number: u64, created_unix_ms: u64) -> NewCall {
    NewCall {
        sid: sid(number),
        from: "+85512345678".to_owned(),
        to: "+85598765432".to_owned(),
        direction: Direction::OutboundApi,
        parent: None,
        flow: Flow::Component("menu".to_owned()),
        ring_timeout_s: Some(60),
        settings: [("greeting".to_owned(), "short".to_owned())].into(),
        orders: Default::default(),
        callback: None,
        notification: None,
        created_unix_ms,
    }
}

pub(crate) fn leg(number: u64) -> Leg {
    Leg {
        trunk: TrunkId("east-gateway".to_owned()),
        sip_call_id: format!("{number}@198.51.100.1"),
    }
}

pub(crate) fn record(status: CallStatus) -> CallRecord {
    CallRecord {
        duration_s: 7,
        sip_status: Some(200),
        q850_cause: Some(16),
        retry_after_s: Some(30),
        answered_by: Some(call::AnsweredBy::MachineEndBeep),
        ..CallRecord::new(status, "OK")
    }
}

/// The rows of the calls that wait, in order; what the queue says of each is what its row says.
pub(crate) fn queued(store: &dyn Store) -> Vec<CallRow> {
    let mut waiting = Vec::new();
    store
        .queued(&mut |place, call| waiting.push((place, call)))
        .unwrap();
    let rows = waiting.into_iter().zip(0..).map(|((place, call), nth)| {
        assert_eq!(place, nth);
        let row = store.call(Scope::of_host(call.account), call.call).unwrap();
        let row = row.expect("the queue names calls that are there");
        assert_eq!(call, QueuedCall::of(&row));
        row
    });
    rows.collect()
}
