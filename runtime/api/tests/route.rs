//! Over which trunk a call would go.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use jackfield_api::{PolicyAnswer, PolicyAttempt, PolicyDecision};
use serde_json::json;
use support::{Api, SID, TENANTS, TOKEN, request};

const SECOND: &str = r#"
[[trunk]]
id = "mobile"
carrier = "demo"
target = "127.0.0.1:5081"
prefixes = ["+85512"]
max_channels = 5
calls_per_second = 1.0
"#;

#[tokio::test]
async fn a_route_is_told_with_its_reasons() {
    let api = Api::with(&format!("{TENANTS}{SECOND}"));
    let ask = async |query: &str| {
        let path = format!("/v1/Accounts/{SID}/Route?{query}");
        api.send(request("GET", &path, "", (SID, TOKEN))).await
    };
    let answer = ask("To=%2B85512345678&From=345").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.json["chosen"], "mobile");
    let trunks = answer.json["trunks"].as_array().unwrap();
    let names: Vec<_> = trunks.iter().map(|trunk| &trunk["trunk"]).collect();
    assert_eq!(names, ["mobile", "gateway"]);
    let reason = "serves numbers that begin with +85512; 0 of 5 channels in use; has room";
    assert_eq!(trunks[0]["reason"], reason);
    assert_eq!(
        [&trunks[0]["own"], &trunks[0]["rank"]],
        [&json!(false), &json!(0)]
    );
    let answer = ask("To=%2B85599345678&From=345").await;
    assert_eq!(answer.json["chosen"], "gateway");
    assert_eq!(answer.json["trunks"].as_array().unwrap().len(), 1);
    for (query, code) in [
        ("From=345", 21201),
        ("To=%2B85512345678", 21213),
        ("To=%2B12025550123&From=345", 21215),
        ("To=%2B85512345678&From=999", 21210),
        ("To=1&From=2&Via=x", 20001),
    ] {
        assert_eq!(ask(query).await.problem(), (400, code), "{query}");
    }
}

/// A trunk that one account has is its first choice, and is not there for others of the carrier.
#[tokio::test]
async fn an_accounts_own_trunk_is_seen_by_nobody_else() {
    let own = SECOND.replace("prefixes = [\"+85512\"]", "account = \"hotline\"");
    let other = "[[account]]\ncarrier = \"demo\"\nname = \"branch\"\nsid = \"AC000000000000000000000000000000aa\"\nauth_token = \"another-long-token\"\n\
                 outbound.allow = [\"+855\"]\n[[number]]\nnumber = \"+85598000001\"\naccount = \"branch\"\nflow = \"menu\"\n";
    let api = Api::with(&format!("{TENANTS}{own}{other}"));
    let ask = async |user: (&str, &str), from: &str| {
        let path = format!(
            "/v1/Accounts/{}/Route?To=%2B85512345678&From={from}",
            user.0
        );
        let answer = api.send(request("GET", &path, "", user)).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let trunks = answer.json["trunks"].as_array().unwrap().iter();
        let names: Vec<_> = trunks
            .map(|one| json!([one["trunk"], one["own"]]))
            .collect();
        json!(names)
    };
    let first = ask((SID, TOKEN), "345").await;
    assert_eq!(first, json!([["mobile", true], ["gateway", false]]));
    let others = ("AC000000000000000000000000000000aa", "another-long-token");
    let second = ask(others, "%2B85598000001").await;
    assert_eq!(second, json!([["gateway", false]]));
}

#[tokio::test]
async fn what_the_accounts_policy_decides_is_what_is_chosen() {
    let api = Api::with(&format!("{TENANTS}{SECOND}"));
    let ask = async |decision: Result<PolicyDecision, String>| {
        *api.live.policy.lock().unwrap() = Some(PolicyAnswer {
            plugin: "cheapest".to_owned(),
            version: 2,
            decision,
        });
        let path = format!("/v1/Accounts/{SID}/Route?To=%2B85512345678&From=345");
        let answer = api.send(request("GET", &path, "", (SID, TOKEN))).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let policy = &answer.json["policy"];
        assert_eq!(
            (&policy["plugin"], &policy["version"]),
            (&json!("cheapest"), &json!(2))
        );
        [
            &answer.json["chosen"],
            &policy["decision"],
            &policy["reason"],
        ]
        .map(Clone::clone)
    };
    let attempt = PolicyAttempt {
        trunk: "gateway".to_owned(),
        dialled: None,
        caller_id: None,
        ring_timeout_s: Some(20),
        reason: "cheap".to_owned(),
    };
    let attempts = Ok(PolicyDecision::Attempts(vec![attempt]));
    assert_eq!(
        ask(attempts).await,
        [json!("gateway"), json!("attempts"), json!(null)]
    );
    let wait = Ok(PolicyDecision::Wait {
        until_unix_ms: Some(0),
        reason: "dear by day".to_owned(),
    });
    assert_eq!(
        ask(wait).await,
        [json!(null), json!("wait"), json!("dear by day")]
    );
    let refuse = Ok(PolicyDecision::Refuse("no".to_owned()));
    assert_eq!(
        ask(refuse).await,
        [json!(null), json!("refuse"), json!("no")]
    );
    let broken = Err("it trapped".to_owned());
    assert_eq!(
        ask(broken).await,
        [json!("mobile"), json!("none"), json!("it trapped")]
    );
}
