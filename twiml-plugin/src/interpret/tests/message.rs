use super::*;

const CONNECTOR: &str = "http://sms.example/send";
const NAMES: [&str; 5] = ["Body", "MessageStatus", "ErrorCode", "From", "To"];
const SMS: &str = "<Sms to='+85510000001' from='Clinic'>Come at 9</Sms><Say>Sent</Say>";

/// A call of an account with this connector, which answers with this status.
fn connected(document: &'static str, status: u16) -> Rehearsal {
    let caller = Rehearsal::new()
        .setting("voice-url", VOICE)
        .setting("message-url", CONNECTOR)
        .setting("message-secret", "sms-token");
    caller.server(move |request| {
        Ok(match request.url.as_str() {
            CONNECTOR => answer(request, status, ""),
            "http://app.example/after" => answer(request, 200, "<Say>After</Say>"),
            _ => answer(request, 200, document),
        })
    })
}

#[test]
fn a_text_is_handed_to_the_connector_signed_and_with_the_accounts_secret() {
    let caller = connected(SMS, 200);
    check(&caller, &["answer", "say Sent", "hang up"]);
    assert_eq!(complaints(&caller), [""; 0]);
    let order = &caller.requests()[1];
    assert_eq!((order.url.as_str(), order.sign), (CONNECTOR, true));
    let secret = (
        "Authorization".to_owned(),
        "Bearer {{secret:sms-token}}".to_owned(),
    );
    assert!(order.headers.contains(&secret), "{:?}", order.headers);
    let body = String::from_utf8(order.body.clone()).unwrap();
    for part in [
        "MessageSid=SM",
        "&From=Clinic&To=%2B85510000001&Body=Come+at+9&",
        "&CallSid=",
    ] {
        assert!(body.contains(part), "{body}");
    }
}

#[test]
fn the_action_and_the_callback_hear_what_came_of_it() {
    let document =
        "<Message to='+1' action='/after' statusCallback='/told'>Hello</Message><Say>no</Say>";
    for (status, expected, code) in [(202, "sent", ""), (503, "failed", "&ErrorCode=11200")] {
        let caller = connected(document, status);
        check(&caller, &["answer", "say After", "hang up"]);
        let requests = caller.requests();
        let told: Vec<(&str, String)> = requests[2..]
            .iter()
            .map(|request| {
                let body = String::from_utf8(request.body.clone()).unwrap();
                (request.url.as_str(), body)
            })
            .collect();
        let ending = format!("MessageStatus={expected}&SmsStatus={expected}{code}");
        assert_eq!(told[0].0, "http://app.example/told");
        assert!(
            told[0].1.ends_with(&ending) && !told[0].1.contains("Body"),
            "{told:?}"
        );
        assert_eq!(told[1].0, "http://app.example/after");
        assert!(
            told[1].1.ends_with(&ending) && told[1].1.contains("MessageSid=SM"),
            "{told:?}"
        );
    }
}

#[test]
fn without_a_connector_the_document_goes_on_and_the_log_says_why() {
    let caller = caller(SMS, &[]);
    check(&caller, &["answer", "say Sent", "hang up"]);
    assert_eq!(
        complaints(&caller),
        [
            "warn: 14108 the text is not sent: the account has no connector for texts: set its setting message-url"
        ]
    );
    assert_eq!(asked(&caller, &NAMES).len(), 1, "nobody else is asked");
}
