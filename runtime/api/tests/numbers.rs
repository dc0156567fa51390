//! Applications, numbers and caller IDs over REST.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use serde_json::json;
use store::{
    AccountStore as _, Answer, Author, CallerId, Flow, OperatorEdit, Store as _, VoiceUrl,
    WebhookMethod, random_caller_id_sid,
};
use support::{Api, OTHER_SID, OTHER_TOKEN, SID, TOKEN, request};

fn path(rest: &str) -> String {
    format!("/2010-04-01/Accounts/{SID}/{rest}")
}

fn url(url: &str, method: WebhookMethod) -> VoiceUrl {
    VoiceUrl {
        url: url.to_owned(),
        method,
    }
}

async fn application(api: &Api, form: &str) -> String {
    let made = api.post("Applications.json", form).await;
    assert_eq!(made.status, 201, "{made:?}");
    made.json["sid"].as_str().unwrap().to_owned()
}

/// The number that calls come in on, and what answers it.
fn answer(api: &Api, number: &str) -> Answer {
    let directory = api.store.directory();
    let carrier = store::CarrierId("demo".to_owned());
    directory.answer(directory.number(&carrier, number).unwrap())
}

async fn number_sid(api: &Api, number: &str) -> String {
    let listed = api
        .get(&format!(
            "IncomingPhoneNumbers.json?PhoneNumber=%2B{}",
            &number[1..]
        ))
        .await;
    let found = listed.json["incoming_phone_numbers"][0]["sid"].as_str();
    found.unwrap_or_else(|| panic!("{listed:?}")).to_owned()
}

#[tokio::test]
async fn an_application_is_made_changed_listed_and_deleted() {
    let api = Api::new();
    let form =
        "FriendlyName=menu&VoiceUrl=http://a/voice&VoiceMethod=GET&StatusCallback=http://a/status";
    let sid = application(&api, form).await;
    let one = format!("Applications/{sid}.json");
    let shown = api.get(&one).await.json;
    for (name, expected) in [
        ("friendly_name", "menu"),
        ("voice_url", "http://a/voice"),
        ("voice_method", "GET"),
        ("voice_fallback_url", ""),
        ("status_callback", "http://a/status"),
        ("status_callback_method", "POST"),
        ("account_sid", SID),
    ] {
        assert_eq!(shown[name], expected, "{name}");
    }
    let changed = api.post(&one, "VoiceUrl=http://b/&StatusCallback=").await;
    assert_eq!(
        (&changed.json["voice_url"], &changed.json["voice_method"]),
        (&json!("http://b/"), &json!("GET")),
        "what is not named stays"
    );
    assert_eq!(changed.json["status_callback"], "");
    let listed = api.get("Applications.json?FriendlyName=menu").await;
    assert_eq!(listed.json["applications"], json!([changed.json]));
    for (form, code) in [
        ("VoiceUrl=ftp://a/", 21402),
        ("VoiceMethod=PUT", 21403),
        ("SmsUrl=ftp://a/", 21402),
        ("SmsMethod=PUT", 21403),
        ("VoiceCallerIdLookup=true", 20001),
        ("VoiceFallbackMethod=GET", 20001),
    ] {
        assert_eq!(api.post(&one, form).await.problem(), (400, code), "{form}");
    }
    assert_eq!(api.status("DELETE", &path(&one), (SID, TOKEN)).await, 204);
    assert_eq!(api.get(&one).await.problem(), (404, 20404));
    assert_eq!(api.status("DELETE", &path(&one), (SID, TOKEN)).await, 404);
}

#[tokio::test]
async fn a_call_and_a_number_take_their_urls_from_an_application() {
    let api = Api::new();
    let form =
        "VoiceUrl=http://a/voice&VoiceFallbackUrl=http://a/other&StatusCallback=http://a/status";
    let sid = application(&api, form).await;
    let call = format!("To=%2B85512345678&From=345&ApplicationSid={sid}");
    let made = api.post("Calls.json", &call).await;
    assert_eq!(made.status, 201, "{made:?}");
    let row = made.json["sid"].as_str().unwrap().parse().unwrap();
    let scope = store::Scope::of_host(SID.parse().unwrap());
    let row = api.store.call(scope, row).unwrap().unwrap();
    assert_eq!(row.flow, url("http://a/voice", WebhookMethod::Post).into());
    assert_eq!(row.settings["fallback-url"], "http://a/other");
    let both = api
        .post("Calls.json", &format!("{call}&Url=http://b/"))
        .await;
    assert_eq!(both.problem(), (400, 20001));

    let number = number_sid(&api, "+85511111111").await;
    let one = format!("IncomingPhoneNumbers/{number}.json");
    let set = api.post(&one, &format!("VoiceApplicationSid={sid}")).await;
    assert_eq!(set.json["voice_application_sid"], sid.as_str(), "{set:?}");
    let answered = answer(&api, "+85511111111");
    assert_eq!(
        answered.flow,
        url("http://a/voice", WebhookMethod::Post).into()
    );
    assert_eq!(answered.status_callback.unwrap().url, "http://a/status");
    assert_eq!(answered.settings["fallback-method"], "POST");

    let foreign = format!("/2010-04-01/Accounts/{OTHER_SID}/Calls.json");
    let form = format!("To=%2B85512345678&From=%2B85522222222&ApplicationSid={sid}");
    let answered = api.send(request("POST", &foreign, &form, (OTHER_SID, OTHER_TOKEN)));
    assert_eq!(answered.await.problem(), (400, 21218), "another account's");

    api.status(
        "DELETE",
        &path(&format!("Applications/{sid}.json")),
        (SID, TOKEN),
    )
    .await;
    let answered = answer(&api, "+85511111111");
    assert_eq!(
        answered.flow,
        Flow::Component("menu".to_owned()),
        "as before"
    );
    let empty = application(&api, "").await;
    let call = format!("To=%2B85512345678&From=345&ApplicationSid={empty}");
    assert_eq!(api.post("Calls.json", &call).await.problem(), (400, 21218));
}

#[tokio::test]
async fn a_number_is_shown_and_told_what_to_do() {
    let api = Api::new();
    let sid = number_sid(&api, "+85511111111").await;
    let one = format!("IncomingPhoneNumbers/{sid}.json");
    let shown = api.get(&one).await.json;
    assert_eq!(shown["phone_number"], "+85511111111");
    assert_eq!(
        (&shown["voice_url"], &shown["flow"]),
        (&json!(""), &json!("menu"))
    );
    let named = api.post(&one, "FriendlyName=desk").await.json;
    assert_eq!(
        (&named["friendly_name"], &named["flow"]),
        (&json!("desk"), &json!("menu"))
    );
    let form = "VoiceUrl=http://a/&VoiceFallbackUrl=http://b/&VoiceFallbackMethod=GET&StatusCallback=http://c/";
    let changed = api.post(&one, form).await.json;
    assert_eq!(changed["voice_url"], "http://a/");
    let answered = answer(&api, "+85511111111");
    assert_eq!(answered.flow, url("http://a/", WebhookMethod::Post).into());
    assert_eq!(answered.settings["fallback-url"], "http://b/");
    assert_eq!(answered.settings["fallback-method"], "GET");
    assert_eq!(answered.status_callback.unwrap().url, "http://c/");
    api.post(&one, "VoiceUrl=").await;
    assert_eq!(answer(&api, "+85511111111").flow, Flow::rejecting());
    for (form, code) in [
        ("VoiceUrl=x", 21402),
        ("VoiceApplicationSid=AP1", 21218),
        ("SmsUrl=ftp://a/", 21402),
        ("SmsMethod=PUT", 21403),
        ("VoiceCallerIdLookup=true", 20001),
        ("PhoneNumber=345", 20001),
    ] {
        assert_eq!(api.post(&one, form).await.problem(), (400, code), "{form}");
    }
    let listed = api.get("IncomingPhoneNumbers.json").await.json;
    assert_eq!(
        listed["incoming_phone_numbers"].as_array().unwrap().len(),
        2
    );
}

#[tokio::test]
async fn numbers_come_out_of_the_carriers_pool_and_go_back() {
    let api = Api::new();
    let create = "IncomingPhoneNumbers.json";
    let form = "PhoneNumber=%2B85533333333&VoiceUrl=http://a/";
    for (form, code) in [
        ("", 21421),
        ("PhoneNumber=x", 21421),
        ("PhoneNumber=%2B85544444444", 21422),
        ("PhoneNumber=%2B85522222222", 21422),
        ("PhoneNumber=%2B85533333333&VoiceUrl=x", 21402),
    ] {
        assert_eq!(
            api.post(create, form).await.problem(),
            (400, code),
            "{form}"
        );
    }
    let made = api.post(create, form).await;
    assert_eq!(made.status, 201, "{made:?}");
    assert_eq!(made.json["voice_url"], "http://a/");
    let other = format!("/2010-04-01/Accounts/{OTHER_SID}/{create}");
    let again = api.send(request("POST", &other, form, (OTHER_SID, OTHER_TOKEN)));
    assert_eq!(again.await.problem(), (400, 21422), "it has an account");
    let sid = made.json["sid"].as_str().unwrap();
    let one = path(&format!("IncomingPhoneNumbers/{sid}.json"));
    assert_eq!(api.status("DELETE", &one, (SID, TOKEN)).await, 204);
    assert_eq!(api.status("DELETE", &one, (SID, TOKEN)).await, 404);
    let again = api.send(request("POST", &other, form, (OTHER_SID, OTHER_TOKEN)));
    let again = again.await;
    assert_eq!(again.status, 201);
    assert_ne!(again.json["sid"], sid, "another account's is another");
}

#[tokio::test]
async fn a_caller_id_that_the_operator_made_is_shown_as_the_caller() {
    let api = Api::new();
    let form = "To=%2B85512345678&From=%2B85599999999&Twiml=x";
    assert_eq!(api.post("Calls.json", form).await.problem(), (400, 21210));
    let sid = random_caller_id_sid();
    let caller_id = CallerId {
        sid,
        account: SID.parse().unwrap(),
        number: "+85599999999".parse().unwrap(),
        name: "desk".to_owned(),
        created_unix_ms: 1,
        updated_unix_ms: 1,
    };
    let make = OperatorEdit::MakeCallerId(caller_id);
    api.store
        .administer(make, Author::operator(1))
        .wait()
        .unwrap();
    assert_eq!(api.post("Calls.json", form).await.status, 201);
    let one = format!("OutgoingCallerIds/{sid}.json");
    let shown = api.post(&one, "FriendlyName=counter").await.json;
    assert_eq!(
        (&shown["friendly_name"], &shown["phone_number"]),
        (&json!("counter"), &json!("+85599999999"))
    );
    let listed = api.get("OutgoingCallerIds.json").await.json;
    assert_eq!(listed["outgoing_caller_ids"], json!([shown]));
    let refused = api.post("OutgoingCallerIds.json", "PhoneNumber=1").await;
    assert_eq!(refused.problem(), (400, 20001));
    assert_eq!(api.status("DELETE", &path(&one), (SID, TOKEN)).await, 204);
    assert_eq!(api.post("Calls.json", form).await.problem(), (400, 21210));
}

/// A client that sets a number up for calls and texts at once gets what it has said back; nothing is done with it.
#[tokio::test]
async fn what_is_said_of_texts_is_kept_and_shown() {
    let api = Api::new();
    let application = application(&api, "SmsUrl=http://a/&MessageStatusCallback=http://b/").await;
    let number = number_sid(&api, "+85511111111").await;
    let one = format!("IncomingPhoneNumbers/{number}.json");
    let form = format!(
        "SmsUrl=http://a/&SmsMethod=get&SmsFallbackUrl=http://b/&SmsApplicationSid={application}&VoiceReceiveMode=voice&ApiVersion=2010-04-01"
    );
    assert_eq!(api.post(&one, &form).await.status, 200);
    let shown = api.get(&one).await.json;
    for (name, expected) in [
        ("sms_url", "http://a/"),
        ("sms_method", "GET"),
        ("sms_fallback_url", "http://b/"),
        ("sms_fallback_method", "POST"),
        ("sms_application_sid", &application),
    ] {
        assert_eq!(shown[name], expected, "{name}");
    }
    api.post(&one, "SmsFallbackUrl=&SmsApplicationSid=").await;
    let shown = api.get(&one).await.json;
    assert_eq!(
        (&shown["sms_url"], &shown["sms_fallback_url"]),
        (&json!("http://a/"), &json!(""))
    );
    assert_eq!(shown["sms_application_sid"], json!(null));
    assert_eq!(shown["flow"], "menu", "and its calls go on as they did");
    let foreign = "SmsApplicationSid=AP00000000000000000000000000000000";
    assert_eq!(api.post(&one, foreign).await.problem(), (400, 21218));

    let shown = api
        .get(&format!("Applications/{application}.json"))
        .await
        .json;
    let texts = ["sms_url", "message_status_callback", "sms_method"];
    assert_eq!(
        texts.map(|name| shown[name].clone()),
        [json!("http://a/"), json!("http://b/"), json!(null)]
    );
}
