//! Twilio's codes of what goes wrong on the way to a server, or into a conference (<https://www.twilio.com/docs/api/errors>).
//!
//! The TwiML component writes them into the log of a call, the REST API into the notifications of its callbacks; both take them
//! from here. A failure says its kind; what lies behind "unreachable" and "protocol error" stands in its text, in the host's
//! words: `PLACE: WHAT`.

/// The URL is not one, or not `http` or `https`.
pub const INVALID_URL: u16 = 11100;
/// No answer in time, an address that is not granted, or an answer that says no.
pub const RETRIEVAL_FAILED: u16 = 11200;
/// Nobody answers there.
pub const CONNECTION_FAILED: u16 = 11205;
/// What was answered is no HTTP.
pub const PROTOCOL_VIOLATED: u16 = 11206;
/// The name has no address.
pub const NO_SUCH_HOST: u16 = 11210;
/// Sent on too often.
pub const TOO_MANY_REDIRECTS: u16 = 11215;
/// TLS did not come about.
pub const TLS_FAILED: u16 = 11220;
/// The certificate is of another host.
pub const CERTIFICATE_OF_ANOTHER: u16 = 11235;
/// The certificate has expired.
pub const CERTIFICATE_EXPIRED: u16 = 11236;
/// The certificate is of nobody who is trusted, or wrong in another way.
pub const CERTIFICATE_UNTRUSTED: u16 = 11237;
/// The answer is larger than allowed.
pub const TOO_LARGE: u16 = 11750;

/// TLS to a media stream's server did not come about.
pub const STREAM_TLS: u16 = 31910;
/// The URL of a media stream is not one.
pub const STREAM_URL: u16 = 31923;
/// What a media stream's server says is no WebSocket, or no message of one.
pub const STREAM_PROTOCOL: u16 = 31924;

/// As many are in a conference as may be.
pub const CONFERENCE_FULL: u16 = 16020;
/// A `participantLabel` is too long, has a `/`, or is a call's SID.
pub const LABEL_WRONG: u16 = 16023;
/// A `participantLabel` is that of another participant.
pub const LABEL_TAKEN: u16 = 16025;

/// There is no address of that name.
const NO_ADDRESS: [&str; 2] = ["failed to lookup address", "the name has no address"];
/// The server's certificate is not taken. Why stands behind it.
const CERTIFICATE: &str = "invalid peer certificate";
/// TLS did not come about, or was broken off by the other side.
const TLS: [&str; 2] = ["TLS: ", "received fatal alert"];
/// The host opens no media stream there.
const NO_URL: &str = "invalid URL: ";

/// The code of a server that cannot be reached, by what the host says of it.
#[must_use]
pub fn of_unreachable(why: &str) -> u16 {
    match says(why, NO_ADDRESS) {
        true => NO_SUCH_HOST,
        false => CONNECTION_FAILED,
    }
}

/// The code of what went wrong above the connection, by what the host says of it.
#[must_use]
pub fn of_protocol(why: &str) -> u16 {
    match why.split_once(CERTIFICATE) {
        Some((_, which)) if which.contains("Expired") || which.contains("expired") => {
            CERTIFICATE_EXPIRED
        }
        Some((_, which)) if which.contains("not valid for") => CERTIFICATE_OF_ANOTHER,
        Some(_) => CERTIFICATE_UNTRUSTED,
        None if says(why, TLS) => TLS_FAILED,
        None => PROTOCOL_VIOLATED,
    }
}

/// The code of what went wrong with a media stream above the connection, by what the host says of it.
#[must_use]
pub fn of_stream_protocol(why: &str) -> u16 {
    if why.starts_with(NO_URL) {
        return STREAM_URL;
    }
    match of_protocol(why) {
        PROTOCOL_VIOLATED => STREAM_PROTOCOL,
        _ => STREAM_TLS,
    }
}

/// The code of a conference that a call could not join, by what the host says of it; none where Twilio has none.
#[must_use]
pub fn of_refused_conference(why: &str) -> Option<u16> {
    match why {
        _ if why.starts_with("the conference is full") => Some(CONFERENCE_FULL),
        _ if why.starts_with("the label is in use") => Some(LABEL_TAKEN),
        _ => None,
    }
}

/// Whether one of these stands behind the place: a URL may have any of them in its path.
fn says<const N: usize>(why: &str, words: [&str; N]) -> bool {
    let what = why.split_once(": ").map_or(why, |(_, what)| what);
    words.iter().any(|words| what.contains(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conference_that_cannot_be_joined_has_a_code() {
        for (why, expected) in [
            (
                "the conference is full: it takes 2 participants",
                Some(16020),
            ),
            ("the label is in use by another participant", Some(16025)),
            ("too many rooms: limits.max_rooms", None),
        ] {
            assert_eq!(of_refused_conference(why), expected, "{why}");
        }
    }

    #[test]
    fn what_the_host_says_has_a_code() {
        for (why, expected) in [
            ("a.example: Connection refused (os error 111)", 11205),
            ("a.example: no connection within 5s", 11205),
            (
                "a.example: failed to lookup address information: Name or service not known",
                11210,
            ),
            ("a.example: the name has no address", 11210),
        ] {
            assert_eq!(of_unreachable(why), expected, "{why}");
        }
        for (why, http, stream) in [
            (
                "https://a.example/: TLS: client error (Connect): invalid peer certificate: Expired",
                11236,
                31910,
            ),
            (
                "https://a.example/: invalid peer certificate: certificate expired: verification time 9",
                11236,
                31910,
            ),
            (
                "https://a.example/: invalid peer certificate: certificate not valid for name \"b\"",
                11235,
                31910,
            ),
            (
                "https://a.example/: invalid peer certificate: UnknownIssuer",
                11237,
                31910,
            ),
            (
                "https://a.example/: received fatal alert: HandshakeFailure",
                11220,
                31910,
            ),
            (
                "https://a.example/: TLS: client error (Connect): tls handshake eof",
                11220,
                31910,
            ),
            ("https://a.example/TLS:: invalid HTTP version", 11206, 31924),
            ("invalid URL: relative URL without a base", 11206, 31923),
            ("a frame is masked", 11206, 31924),
        ] {
            assert_eq!(of_protocol(why), http, "{why}");
            assert_eq!(of_stream_protocol(why), stream, "{why}");
        }
    }
}
