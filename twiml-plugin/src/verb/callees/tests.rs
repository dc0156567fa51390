use jackfield_guest::{CallTurn, Dial as Whom, HttpMethod, StatusCallback};

use super::super::dial::tests::{dial, usual};
use super::super::tests::{check, check_ignored};
use super::super::{Dial, Verb};
use super::*;

#[test]
fn devices_are_dialled_by_their_names() {
    for noun in [
        "<Client>alice</Client>",
        "<Client> client:alice </Client>",
        "<Client><Identity>alice</Identity></Client>",
    ] {
        let expected = dial(usual(Whom::to("client:alice")));
        check(&format!("<Dial>{noun}</Dial>"), expected, &[]);
    }
    let told = StatusCallback {
        url: "/s".to_owned(),
        method: HttpMethod::Post,
    };
    let alice = Target::new("client:alice?X-who=J%C3%BCrgen%20%26%20co&X-ward=7")
        .status_callback(told, [CallTurn::Completed])
        .whisper(Whisper::voice_url("/w", HttpMethod::Get));
    check(
        "<Dial><Client url='/w' method='GET' statusCallback='/s'><Identity>alice</Identity>\
         <Parameter name='who' value='J&#252;rgen &amp; co'/><Parameter name='ward' value='7'/></Client>\
         <Number>+1</Number></Dial>",
        dial(usual(Whom::to(alice).or_to("+1"))),
        &[],
    );
    check(
        "<Dial><Client><Parameter name='a b' value='1'/><Say>x</Say>alice</Client></Dial>",
        dial(usual(Whom::to("client:alice"))),
        &[
            "12200 Parameter: the field \"X-a b\" is left out: X- and letters, digits, `-`, `_`, `.` make a name, or User-to-User",
            "12200 <Say> in <Client> is ignored",
        ],
    );
    check_ignored(
        "<Dial><Client/></Dial>",
        &[
            "12200 Client: there is no identity in it",
            "13215 Dial: there is nobody in it",
        ],
    );
}

#[test]
fn sip_uris_have_header_fields_and_places_that_are_tried_in_turn() {
    check(
        "<Dial><Sip><Headers><Header name='X-Ward' value='7 b'/><Header name='User-to-User' value='ab'/>\
         <Header name='Route' value='x'/><X/></Headers>sip:a@192.0.2.1</Sip></Dial>",
        dial(usual(Whom::to(
            "sip:a@192.0.2.1?X-Ward=7%20b&User-to-User=ab",
        ))),
        &[
            "12200 Header: the field \"Route\" is left out: X- and letters, digits, `-`, `_`, `.` make a name, or User-to-User",
            "12200 <X> in <Headers> is ignored",
        ],
    );
    check(
        "<Dial><Sip><Uri priority='2'>sip:c@d?X-A=1</Uri><Uri priority='1' weight='1'>sip:b@d</Uri>\
         <Uri priority='1' weight='5' username='u'>sip:a@d</Uri><Headers><Header name='X-B' value='2'/></Headers></Sip></Dial>",
        dial(usual(
            Whom::to("sip:a@d?X-B=2")
                .or_to("sip:b@d?X-B=2")
                .or_to("sip:c@d?X-A=1&X-B=2")
                .in_turn(),
        )),
        &[
            "13249 Uri: username and password are left out: they stand together, with 1 to 255 bytes each",
        ],
    );
    check(
        "<Dial><Sip><Uri>sip:a@d</Uri><Uri>sip:b@d</Uri></Sip><Number>+1</Number></Dial>",
        dial(usual(Whom::to("sip:a@d").or_to("+1"))),
        &["12200 Sip: beside others only the first <Uri> is dialled"],
    );
}

#[test]
fn what_is_no_number_is_warned_of() {
    for (text, element) in [("sales", "Dial"), ("<Number>+855x1</Number>", "Number")] {
        let number = text
            .trim_start_matches("<Number>")
            .trim_end_matches("</Number>");
        let warning = format!(
            "13223 {element}: {number:?} is no telephone number: give digits with a `+` in front, or a short code"
        );
        let expected = dial(usual(Whom::to(number)));
        check(&format!("<Dial>{text}</Dial>"), expected, &[&warning]);
    }
    for number in ["+85510000001", "1294", "*10#", "sip:a@192.0.2.1"] {
        let expected = dial(usual(Whom::to(number)));
        check(&format!("<Dial>{number}</Dial>"), expected, &[]);
    }
}

#[test]
fn what_is_proved_to_a_sip_uri_is_read() {
    let proved = |whom: Whom, terms: Vec<TargetTerms>| {
        let Verb::Dial(dial) = dial(usual(whom)) else {
            unreachable!("it is a dial");
        };
        Verb::Dial(Dial { terms, ..dial })
    };
    check(
        "<Dial><Number>+1</Number><Sip username='u' password='p'>sip:a@b</Sip></Dial>",
        proved(
            Whom::to("+1").or_to("sip:a@b"),
            vec![TargetTerms::default(), TargetTerms::proving("u", "p")],
        ),
        &[],
    );
    check(
        "<Dial><Sip username='u' password='p'><Uri priority='2'>sip:a@b</Uri><Uri priority='1' username='v' password='q'>sip:c@d</Uri></Sip></Dial>",
        proved(
            Whom::to("sip:c@d").or_to("sip:a@b").in_turn(),
            vec![
                TargetTerms::proving("v", "q"),
                TargetTerms::proving("u", "p"),
            ],
        ),
        &[],
    );
    let long = "x".repeat(256);
    for attributes in [
        "username='u'".to_owned(),
        "password='p'".to_owned(),
        "username='' password='p'".to_owned(),
        format!("username='u' password='{long}'"),
    ] {
        check(
            &format!("<Dial><Sip {attributes}>sip:a@b</Sip></Dial>"),
            dial(usual(Whom::to("sip:a@b"))),
            &[
                "13249 Sip: username and password are left out: they stand together, with 1 to 255 bytes each",
            ],
        );
    }
}
