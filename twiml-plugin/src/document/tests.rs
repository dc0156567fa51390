use jackfield_guest::Speech;

use super::*;
use crate::verb::Prompt;

const URL: &str = "http://a/voice";

fn response(status: u16, content_type: Option<&str>, body: &str) -> Response {
    let content_type = content_type.map(|value| ("content-type".to_owned(), value.to_owned()));
    Response {
        status,
        headers: content_type.into_iter().collect(),
        body: body.as_bytes().to_vec(),
        url: URL.to_owned(),
    }
}

fn say(text: &str) -> Verb {
    Verb::Prompt(Prompt::Say {
        speech: Speech::new(text),
        loops: 1,
    })
}

fn play(url: &str) -> Verb {
    Verb::Prompt(Prompt::Play {
        url: url.to_owned(),
        loops: 1,
    })
}

#[track_caller]
fn check(content_type: &str, body: &str, expected: Verb) {
    let document = Document::fetched(&response(200, Some(content_type), body)).unwrap();
    assert_eq!(document.verbs, [expected]);
    assert_eq!(document.url.as_deref(), Some(URL));
}

#[test]
fn the_content_type_says_what_a_response_is() {
    let twiml = "<Response><Say>Hi</Say></Response>";
    for content_type in [
        "text/xml",
        "application/xml",
        "text/html",
        "text/plain",
        "Text/XML; charset=utf-8",
        "application/xml;charset=UTF-8",
    ] {
        check(content_type, twiml, say("Hi"));
    }
    for content_type in [
        "audio/mpeg",
        "audio/wav",
        "audio/x-wav",
        "audio/ogg",
        "AUDIO/MP3",
    ] {
        check(content_type, "not looked into", play(URL));
    }
    check(
        "text/plain",
        "Good\n morning & bye",
        say("Good morning & bye"),
    );
    check("text/plain", "<b>Hi</b>", say("<b>Hi</b>"));
    check(
        "text/plain",
        "<Response><Say>Hi</Response>",
        say("<Response><Say>Hi</Response>"),
    );
}

#[test]
fn what_is_no_document_is_a_fault() {
    let twiml = "<Response/>";
    let check = |status, content_type, body, expected: &str| {
        let fault = Document::fetched(&response(status, content_type, body)).unwrap_err();
        assert_eq!(fault.to_string(), expected);
    };
    let xml = Some("text/xml");
    check(404, xml, twiml, "11200 http://a/voice answered 404");
    check(500, None, "", "11200 http://a/voice answered 500");
    check(304, xml, twiml, "11200 http://a/voice answered 304");
    check(
        200,
        None,
        twiml,
        "12300 http://a/voice: there is no content type",
    );
    check(
        200,
        Some(""),
        twiml,
        "12300 http://a/voice: there is no content type",
    );
    let json = "12300 http://a/voice: the content type application/json is neither TwiML nor audio";
    check(200, Some("application/json"), "{}", json);
    check(200, xml, "", "11770 http://a/voice: the document is empty");
    check(204, xml, "", "11770 http://a/voice: the document is empty");
    check(
        200,
        Some("text/plain"),
        " ",
        "11770 http://a/voice: the document is empty",
    );
    check(
        200,
        xml,
        "<html/>",
        "12102 http://a/voice: the root element is <html>, not <Response>",
    );
    check(
        200,
        xml,
        "<response/>",
        "12102 http://a/voice: the root element is <response>, not <Response>",
    );
    let broken = "12100 http://a/voice: line 1: <Response> is not closed";
    check(200, xml, "<Response>", broken);
}

#[test]
fn an_inline_document_has_no_url() {
    let document = Document::inline(b"<Response><Say>Hi</Say></Response>").unwrap();
    assert_eq!((document.url, document.verbs), (None, vec![say("Hi")]));
    assert_eq!(Document::inline(b"Hi").unwrap_err().code, NOT_XML);
}
