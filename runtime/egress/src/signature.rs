//! Twilio's webhook signature.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use url::Url;

/// The value of `X-Twilio-Signature` for a request to `url` with the form parameters `params`.
///
/// Base64 of HMAC-SHA1 under the account's auth token, over the URL with its query and then each parameter's name and
/// value, sorted by name; a name that comes several times counts with its distinct values, sorted. The URL's fragment
/// and user information are left out. A GET has its parameters in the URL and none here.
#[must_use]
pub fn twilio_signature<'a>(
    auth_token: &str,
    url: &Url,
    params: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(auth_token.as_bytes())
        .expect("HMAC takes a key of any length");
    mac.update(without_credentials(url).as_str().as_bytes());
    for (name, value) in params.into_iter().collect::<BTreeSet<_>>() {
        mac.update(name.as_bytes());
        mac.update(value.as_bytes());
    }
    STANDARD.encode(mac.finalize().into_bytes())
}

/// The URL as it goes over the wire: no user information, no fragment.
pub(crate) fn without_credentials(url: &Url) -> Url {
    let mut url = url.clone();
    url.set_fragment(None);
    if url.has_host() {
        // These fail for a URL without a host only.
        let _ = url.set_username("");
        let _ = url.set_password(None);
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed with `twilio.request_validator.RequestValidator("12345").compute_signature(url, params)` of the Python
    /// package `twilio` 9.13.0; the first row is the example of its own tests.
    #[test]
    fn signatures_are_those_of_the_twilio_helper_library() {
        const SHOP: &str = "https://mycompany.com/myapp.php?foo=1&bar=2";
        let caller = [
            ("From", "+14158675309"),
            ("CallSid", "CA1234567890ABCDE"),
            ("Digits", "1234"),
            ("To", "+18005551212"),
            ("Caller", "+14158675309"),
        ];
        let twice = [
            ("Sid", "CA1"),
            ("MediaUrl", "b"),
            ("MediaUrl", "a"),
            ("MediaUrl", "b"),
            ("SidAccount", "AC1"),
            ("Body", "hé ហ"),
            ("body", "x"),
        ];
        let check = |url: &str, params: &[(&str, &str)], expected: &str| {
            let url = Url::parse(url).unwrap();
            assert_eq!(
                twilio_signature("12345", &url, params.iter().copied()),
                expected,
                "{url}"
            );
        };
        check(SHOP, &caller, "RSOYDt4T1cUTdK1PDd93/VVr8B8=");
        check(SHOP, &[], "zYQTYrRWXE7LtzbG4PfP7/bkkGo=");
        check(SHOP, &twice, "xPRTrxEEFHX4v3+hPIzyZmOHR1E=");
        check(
            "https://mycompany.com:8443/a",
            &[("To", "1")],
            "qZmCiOkqzM3GAZjozu2bb+gWw6c=",
        );
    }

    #[test]
    fn fragment_and_user_information_are_left_out() {
        let sign = |url: &str| twilio_signature("12345", &Url::parse(url).unwrap(), []);
        let plain = sign("https://mycompany.com/myapp.php?foo=1&bar=2");
        assert_eq!(
            sign("https://u:p@mycompany.com/myapp.php?foo=1&bar=2#rc=2"),
            plain
        );
        assert_ne!(sign("https://mycompany.com/myapp.php?foo=1&bar=3"), plain);
    }
}
