//! Whole INVITEs, as far as they name people, and the numbers of the countries where early-warning lines are.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

use jackfield_numbers::{
    Callee, Caller, CallerIdRules, Form, IdentityHeader, NumberKind, NumberRules, Party,
    PhoneNumber, Presenter, normalise, write,
};

/// The lines of an INVITE that a line with a short code sends to a number of a country.
fn invite(code: &str, country: &str, callee: &str, form: Form, is_hidden: bool) -> Vec<String> {
    let numbers = NumberRules {
        country: Some(country.parse().unwrap()),
        dial_as: form,
        ..NumberRules::default()
    };
    let caller_id = CallerIdRules {
        dial_as: form,
        headers: vec![IdentityHeader::From, IdentityHeader::PAssertedIdentity],
        ..CallerIdRules::default()
    };
    let presenter = Presenter {
        numbers: &numbers,
        caller_id: &caller_id,
        peer: "sbc.example.org",
        own: "203.0.113.1:5060",
        account: None,
    };
    let (number, callee): (PhoneNumber, PhoneNumber) =
        (code.parse().unwrap(), callee.parse().unwrap());
    let caller = Caller {
        number: &number,
        is_hidden,
    };
    let said = presenter.present(caller, Callee::Number(&callee));
    let mut lines = vec![
        format!("INVITE {}", said.request_uri),
        format!("From: <{}>", said.from),
        format!("To: <{}>", said.to),
    ];
    let fields = said.headers.iter();
    lines.extend(fields.map(|(name, value)| format!("{name}: {value}")));
    lines
}

/// The short code of a line is shown as it is, whatever form the trunk wants numbers in: 1294 in Cambodia, 345 in Somalia.
#[test]
fn a_short_code_calls() {
    for (code, country, callee, [e164, plus, national, international]) in [
        (
            "1294",
            "KH",
            "+85512345678",
            ["85512345678", "+85512345678", "012345678", "0085512345678"],
        ),
        (
            "345",
            "SO",
            "+252611234567",
            [
                "252611234567",
                "+252611234567",
                "0611234567",
                "00252611234567",
            ],
        ),
    ] {
        for (form, dialled) in [
            (Form::E164, e164),
            (Form::Plus, plus),
            (Form::National, national),
            (Form::International, international),
        ] {
            let golden = [
                format!("INVITE sip:{dialled}@sbc.example.org"),
                format!("From: <sip:{code}@203.0.113.1:5060>"),
                format!("To: <sip:{dialled}@sbc.example.org>"),
                format!("P-Asserted-Identity: <sip:{code}@203.0.113.1:5060>"),
            ];
            assert_eq!(invite(code, country, callee, form, false), golden);
        }
        let hidden = invite(code, country, callee, Form::Plus, true);
        assert_eq!(
            hidden[1..],
            [
                "From: <sip:anonymous@anonymous.invalid>".to_owned(),
                format!("To: <sip:{plus}@sbc.example.org>"),
                format!("P-Asserted-Identity: <sip:{code}@203.0.113.1:5060>"),
                "Privacy: id".to_owned(),
            ]
        );
    }
}

/// A mobile of each country, as it is dialled at home and abroad: all of these are the same number, which is written back in each form.
#[test]
fn numbers_of_each_country() {
    for (country, number, national, international) in [
        ("KH", "+85512345678", "012345678", "0085512345678"),
        ("SO", "+252611234567", "0611234567", "00252611234567"),
        ("LA", "+8562055512345", "02055512345", "008562055512345"),
        ("ZM", "+260971234567", "0971234567", "00260971234567"),
        ("SL", "+23276123456", "076123456", "0023276123456"),
    ] {
        let e164: PhoneNumber = number.parse().unwrap();
        let home = Some(country.parse().unwrap());
        for written in [number, &number[1..], national, international] {
            let read = normalise(written, home);
            assert_eq!(read, Party::E164(e164.clone()), "{written} in {country}");
        }
        for (form, written) in [
            (Form::National, national),
            (Form::International, international),
            (Form::Plus, number),
            (Form::E164, &number[1..]),
        ] {
            assert_eq!(write(&e164, form, home), written, "{form:?} in {country}");
        }
        let (found, kind) = e164.home().unwrap();
        assert_eq!(
            (found.to_string().as_str(), kind),
            (country, NumberKind::Mobile)
        );
        // The codes of lines are no numbers of anybody's.
        for code in ["1294", "345"] {
            let short: PhoneNumber = code.parse().unwrap();
            assert_eq!(write(&short, Form::National, home), code);
            assert!(short.is_short_code() && short.home().is_none());
        }
    }
}
