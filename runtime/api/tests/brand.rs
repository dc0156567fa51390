//! What applications are told of where things are begins with their carrier's own host name, where it has one.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use store::AccountStore as _;
use support::routes::request;
use support::things::{Owner, things};
use support::{Api, OTHER_SID, OTHER_TOKEN, RE, SID, TOKEN};

/// Each URL with a host that `hotline` is told, without its path.
async fn hosts(api: &Api, notification: &str) -> Vec<String> {
    let recording = api.get(&format!("Recordings/{RE}.json")).await;
    let list = api.get("Recordings.json").await;
    let of_call = recording.json["call_sid"].as_str().unwrap();
    let of_call = api.get(&format!("Calls/{of_call}/Recordings.json")).await;
    let token = "/v1/AuthTokens/Secondary";
    let token = api.send(request("POST", token, "", (SID, TOKEN))).await;
    assert_eq!(token.status, 201, "{token:?}");
    let told = api.get(&format!("Notifications/{notification}.json")).await;
    let all = api.get("Notifications.json").await;
    let directory = api.store.directory();
    let url = jackfield_api::recording_url(
        &directory,
        SID.parse().unwrap(),
        RE,
        "https://voice.example",
    );
    let media_url = recording.json["media_url"].as_str().unwrap();
    assert_eq!(url, media_url, "what callbacks say and what REST says");
    let urls = [
        &recording.json["media_url"],
        &list.json["recordings"][0]["media_url"],
        &of_call.json["recordings"][0]["media_url"],
        &token.json["url"],
        &told.json["more_info"],
        &all.json["notifications"][0]["more_info"],
    ];
    let host = |url: &str| url.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
    urls.map(|url| host(url.as_str().unwrap())).to_vec()
}

#[tokio::test]
async fn every_url_begins_with_the_carriers_host_name() {
    let api = Api::new();
    let own = things(&api, &Owner::hotline(), "345").await;
    let notification = &own["notification"];
    let (api_host, twilio) = ("https://voice.example", "https://www.twilio.com");
    let before = hosts(&api, notification).await;
    let expected = [api_host, api_host, api_host, api_host, twilio, twilio];
    assert_eq!(before, expected);
    let carrier = "/operator/v1/carriers/demo";
    let domain = r#"{"domain":"voice.laos.example"}"#;
    let changed = api.send(request("PATCH", carrier, domain, ("", ""))).await;
    assert_eq!(changed.status, 200, "{changed:?}");
    let taken_back = "/v1/AuthTokens/Secondary";
    let taken_back = request("DELETE", taken_back, "", (SID, TOKEN));
    assert_eq!(api.send(taken_back).await.status, 204);
    let after = hosts(&api, notification).await;
    assert_eq!(after, ["https://voice.laos.example"; 6]);
    let errors = "/2010-04-01/Accounts/nothing.json";
    let error = api
        .send(request("GET", errors, "", (OTHER_SID, OTHER_TOKEN)))
        .await;
    // Asked by another name, the API answers by that one's pages.
    assert_eq!(error.problem(), (404, 20404));
}
