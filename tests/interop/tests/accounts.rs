//! What an account has, through Twilio's official helper libraries for Python and Node, and what the operator sees of it.

use jackfield_interop::helper_library;
use jackfield_interop::rest::Rest;
use jackfield_interop::server::{Flow, Server, Tenants};
use serde_json::{Value, json};

const NUMBER: &str = "+15005550123";

/// What both scripts print, step by step.
fn expected() -> Vec<(&'static str, Value)> {
    let names: Vec<String> = (0..5).map(|n| format!("app {n}")).collect();
    vec![
        ("applications", json!([5, names])),
        ("application", json!(["app 0", "http://b/", "GET"])),
        ("no applications", json!([0])),
        ("a deleted application", json!([404, 20404])),
        ("a wrong URL", json!([400, 21402])),
        ("countries", json!([["US"]])),
        ("country", json!([true])),
        ("free numbers", json!([[NUMBER], [true]])),
        ("free mobile numbers", json!([0, 0])),
        ("numbers of no country", json!([404, 20404])),
        ("number", json!([NUMBER, "http://a/", true])),
        ("changed number", json!(["desk", "http://c/"])),
        ("listed number", json!([[true]])),
        ("a taken number", json!([400, 21422])),
        ("free no more", json!([0])),
        ("released", json!([true])),
        ("a released number", json!([404, 20404])),
        ("caller IDs", json!([1])),
        ("a call without a document", json!([400, 21205])),
        ("a call by nobody", json!([400, 21212])),
        ("an unknown application", json!([400, 21218])),
        ("a wrong callback", json!([400, 21609])),
        ("no such call", json!([404, 20404])),
        ("a stream of no call", json!([404, 20404])),
        ("no such conference", json!([404, 20404])),
        ("no such recording", json!([404, 20404])),
        ("a queue of the same name", json!([409, 20409])),
        ("a queue for nobody", json!([400, 20001])),
        ("unknown usage", json!([400, 20001])),
        ("usage", json!([4, 0])),
        ("calls by key", json!([0])),
        ("keys by key", json!([403, 20006])),
        ("renamed key", json!(["counter"])),
        ("keys", json!([["counter"]])),
        ("a deleted key", json!([401, 20003])),
        ("subaccount", json!(["active", true])),
        ("accounts", json!([["active", "active"]])),
        ("own account", json!([true])),
        ("its calls, by its parent", json!([0])),
        ("its parent, by itself", json!([404, 20404])),
        ("suspended", json!(["suspended"])),
        ("a suspended account", json!([403, 20005])),
        ("promoted", json!([true])),
        ("the old token", json!([401, 20003])),
        ("closed", json!(["closed"])),
    ]
}

fn steps_of(run: fn(&Rest) -> Vec<Value>) {
    let server = Server::start(&Tenants::with_numbers(vec![(
        "1000",
        Flow::Component("menu"),
    )]));
    let pool = format!("number_pool=[{NUMBER:?}]");
    assert!(
        server
            .operate(&["carriers", "update", "interop", &pool])
            .contains(NUMBER)
    );
    let rest = server.rest();
    let account = format!("account={}", rest.account_sid);
    let made = server.operate(&["caller-ids", "create", &account, "number=+15005550199"]);
    assert!(made.contains("+15005550199"), "{made}");

    let seen: Vec<_> = run(&rest)
        .into_iter()
        .map(|line| {
            (
                line["step"].as_str().unwrap_or_default().to_owned(),
                line["values"].clone(),
            )
        })
        .collect();
    let expected: Vec<_> = expected()
        .into_iter()
        .map(|(step, values)| (step.to_owned(), values))
        .collect();
    assert_eq!(seen, expected);

    let listed = server.operate(&["accounts", "list"]);
    assert!(listed.contains("closed"), "{listed}");
    let log = server.operate(&["audit", "-n", "100", "-o", "json"]);
    let log: Value = serde_json::from_str(&log).expect("JSON");
    let count = |deed: &str| {
        let entries = log.as_array().expect("a list").iter();
        entries.filter(|entry| entry["deed"] == deed).count()
    };
    let deeds = [
        "application.create",
        "application.delete",
        "number.create",
        "key.delete",
    ];
    assert_eq!(deeds.map(count), [5, 5, 2, 1], "{log}");
    assert_eq!(count("account.update"), 3, "{log}");
    assert!(
        !server.log().contains(&rest.auth_token),
        "a token is in the log"
    );
    assert!(!log.to_string().contains(&rest.auth_token));
}

#[test]
fn what_an_account_has_is_made_listed_changed_and_deleted_from_python() {
    steps_of(|user| helper_library::run("accounts.py", user, &[NUMBER]));
}

#[test]
fn what_an_account_has_is_made_listed_changed_and_deleted_from_node() {
    steps_of(|user| helper_library::run_in_node("accounts.mjs", user, &[NUMBER]));
}
