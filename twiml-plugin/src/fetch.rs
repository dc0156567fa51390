//! Requests as Twilio's proxy sends them, and what their failures are called.

use fault_codes::{
    INVALID_URL, RETRIEVAL_FAILED, TOO_LARGE, TOO_MANY_REDIRECTS, of_protocol, of_unreachable,
};
use jackfield_guest::{CallInfo, Direction, HttpError, HttpMethod, Request};

use crate::fault::Fault;
use crate::reference::with_query;

/// A parameter of a request.
pub(crate) type Parameter = (&'static str, String);

/// Where the call stands when a request is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CallStatus {
    Ringing,
    InProgress,
    /// The call is over: nobody waits for what the request brings.
    Completed,
}

/// What every voice request tells of its call.
pub(crate) fn parameters_of(info: CallInfo, status: CallStatus) -> Vec<Parameter> {
    let status = match status {
        CallStatus::Ringing => "ringing",
        CallStatus::InProgress => "in-progress",
        CallStatus::Completed => "completed",
    };
    let direction = match info.direction {
        Direction::Inbound => "inbound",
        Direction::OutboundApi => "outbound-api",
        Direction::OutboundDial => "outbound-dial",
    };
    let mut parameters = vec![
        ("CallSid", info.call_sid),
        ("AccountSid", info.account_sid),
        ("From", info.caller.clone()),
        ("To", info.callee.clone()),
        ("Caller", info.caller),
        ("Called", info.callee),
        ("CallStatus", status.to_owned()),
        ("Direction", direction.to_owned()),
        ("ApiVersion", "2010-04-01".to_owned()),
    ];
    parameters.extend(info.parent_call_sid.map(|sid| ("ParentCallSid", sid)));
    parameters.push(("SipCallId", info.sip_call_id));
    parameters
}

/// The request for a document: parameters in the query of a GET, in the form of a POST.
pub(crate) fn request(method: HttpMethod, url: &str, form: &str) -> Request {
    let request = match method {
        HttpMethod::Get => Request::get(with_query(url, form)),
        _ => Request::post(url)
            .header(
                "Content-Type",
                "application/x-www-form-urlencoded; charset=UTF-8",
            )
            .body(form),
    };
    request
        .header("User-Agent", "TwilioProxy/1.1")
        .header("Accept", "*/*")
        .signed()
}

/// `application/x-www-form-urlencoded`, as the URL standard serialises it.
pub(crate) fn form(parameters: &[Parameter]) -> String {
    let mut form = String::new();
    for (name, value) in parameters {
        append(name, value, &mut form);
    }
    form
}

/// One more pair for such a form.
pub(crate) fn append(name: &str, value: &str, form: &mut String) {
    if !form.is_empty() {
        form.push('&');
    }
    encode(name, form);
    form.push('=');
    encode(value, form);
}

fn encode(value: &str, form: &mut String) {
    for byte in value.bytes() {
        match byte {
            b' ' => form.push('+'),
            b'*' | b'-' | b'.' | b'_' => form.push(char::from(byte)),
            byte if byte.is_ascii_alphanumeric() => form.push(char::from(byte)),
            byte => *form += &format!("%{byte:02X}"),
        }
    }
}

/// A failed request under Twilio's code.
pub(crate) fn fault_of(error: &HttpError, url: &str) -> Fault {
    let code = match error {
        HttpError::InvalidUrl(_) => INVALID_URL,
        HttpError::NotGranted(_) | HttpError::TimedOut(_) => RETRIEVAL_FAILED,
        HttpError::Unreachable(why) => of_unreachable(why),
        HttpError::TooLarge(_) => TOO_LARGE,
        HttpError::TooManyRedirects(_) => TOO_MANY_REDIRECTS,
        HttpError::Protocol(why) => of_protocol(why),
    };
    Fault::new(code, error.to_string()).of(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info() -> CallInfo {
        CallInfo {
            call_sid: "CA1".to_owned(),
            account_sid: "AC1".to_owned(),
            caller: "+85510 20".to_owned(),
            callee: "sip:kh@example.net;x=ü".to_owned(),
            direction: Direction::Inbound,
            parent_call_sid: None,
            sip_call_id: "1@example.net".to_owned(),
        }
    }

    #[test]
    fn a_post_carries_its_parameters_in_the_body() {
        let parameters = parameters_of(info(), CallStatus::Ringing);
        let request = request(HttpMethod::Post, "http://a/v?id=1", &form(&parameters));
        assert_eq!(
            (request.method, request.url.as_str()),
            (HttpMethod::Post, "http://a/v?id=1")
        );
        assert!(request.sign);
        let expected = "CallSid=CA1&AccountSid=AC1&From=%2B85510+20&To=sip%3Akh%40example.net%3Bx%3D%C3%BC\
            &Caller=%2B85510+20&Called=sip%3Akh%40example.net%3Bx%3D%C3%BC&CallStatus=ringing&Direction=inbound\
            &ApiVersion=2010-04-01&SipCallId=1%40example.net";
        assert_eq!(String::from_utf8(request.body).unwrap(), expected);
        let expected = [
            (
                "Content-Type",
                "application/x-www-form-urlencoded; charset=UTF-8",
            ),
            ("User-Agent", "TwilioProxy/1.1"),
            ("Accept", "*/*"),
        ];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(request.headers, expected);
    }

    #[test]
    fn a_get_carries_its_parameters_in_the_query() {
        let request = request(
            HttpMethod::Get,
            "http://a/v?id=1#rc=2",
            &form(&[("Digits", "1*".to_owned())]),
        );
        assert_eq!(
            (request.method, request.url.as_str()),
            (HttpMethod::Get, "http://a/v?id=1&Digits=1*#rc=2")
        );
        assert!(request.sign && request.body.is_empty());
        assert!(
            request
                .headers
                .iter()
                .all(|(name, _)| name != "Content-Type")
        );
    }

    #[test]
    fn the_parameters_follow_the_call() {
        let check = |info: CallInfo, status, name, expected: Option<&str>| {
            let parameters = parameters_of(info, status);
            let found = parameters.iter().find(|(candidate, _)| *candidate == name);
            assert_eq!(found.map(|(_, value)| value.as_str()), expected, "{name}");
        };
        let towards = |direction| CallInfo {
            direction,
            ..info()
        };
        let up = CallStatus::InProgress;
        check(info(), up, "CallStatus", Some("in-progress"));
        check(info(), up, "ParentCallSid", None);
        check(
            towards(Direction::OutboundApi),
            up,
            "Direction",
            Some("outbound-api"),
        );
        check(
            towards(Direction::OutboundDial),
            up,
            "Direction",
            Some("outbound-dial"),
        );
        let child = CallInfo {
            parent_call_sid: Some("CA0".to_owned()),
            ..info()
        };
        check(child, up, "ParentCallSid", Some("CA0"));
    }

    #[test]
    fn failures_have_twilios_codes() {
        let why = || "why".to_owned();
        let rows = [
            (
                HttpError::InvalidUrl(why()),
                "11100 http://a/: invalid URL: why",
            ),
            (
                HttpError::NotGranted(why()),
                "11200 http://a/: not granted: why",
            ),
            (
                HttpError::Unreachable(why()),
                "11205 http://a/: unreachable: why",
            ),
            (
                HttpError::TimedOut(why()),
                "11200 http://a/: timed out: why",
            ),
            (
                HttpError::TooLarge(why()),
                "11750 http://a/: too large: why",
            ),
            (
                HttpError::TooManyRedirects(why()),
                "11215 http://a/: too many redirects: why",
            ),
            (
                HttpError::Protocol(why()),
                "11206 http://a/: protocol error: why",
            ),
        ];
        for (error, expected) in rows {
            assert_eq!(fault_of(&error, "http://a/").to_string(), expected);
        }
    }
}
