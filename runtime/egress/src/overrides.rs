//! What a webhook's URL says in its fragment about how its server is asked: `https://example.org/voice#rc=2&rp=all&tt=10000`.
//!
//! The names are Twilio's: <https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides>.

use std::ops::RangeInclusive;
use std::time::Duration;

use percent_encoding::percent_decode_str;

use crate::error::FetchError;

/// Tries after the first one, where the fragment names no number.
const RETRIES: u8 = 1;
const MAX_RETRIES: u8 = 5;

/// How one server wants to be asked. Times are at most those of [`Limits`](crate::Limits).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Overrides {
    /// `ct`: until the connection stands, 100 to 10,000 ms.
    pub(crate) connect: Option<Duration>,
    /// `rt`: until the response's head, 100 to 15,000 ms.
    pub(crate) first_byte: Option<Duration>,
    /// `tt`: all together, retries included, 100 to 15,000 ms.
    pub(crate) total: Option<Duration>,
    /// `rc` and `rp`.
    pub(crate) retries: Retries,
}

/// Which failures are tried again, and how often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Retries {
    /// `rc`: 0 to 5, 1 without it.
    pub(crate) left: u8,
    /// `ct` among `rp`: no connection; the only one where `rp` is not there.
    connect: bool,
    /// `rt`: no response in time.
    read: bool,
    /// `4xx`.
    client_error: bool,
    /// `5xx`.
    server_error: bool,
}

impl Default for Overrides {
    fn default() -> Self {
        Self {
            connect: None,
            first_byte: None,
            total: None,
            retries: Retries {
                left: RETRIES,
                connect: true,
                ..Retries::NEVER
            },
        }
    }
}

impl Overrides {
    /// Those of a URL. Names that mean nothing here are left out: a fragment may be anything.
    ///
    /// # Errors
    /// If a value is not among those that its name may have.
    pub(crate) fn of(url: &str) -> Result<Self, FetchError> {
        let mut overrides = Self::default();
        let fragment = url.split_once('#').map_or("", |(_, fragment)| fragment);
        for pair in fragment.split('&') {
            let Some((name, value)) = pair.split_once('=') else {
                continue;
            };
            match name {
                "ct" => overrides.connect = Some(milliseconds(name, value, 100..=10_000)?),
                "rt" => overrides.first_byte = Some(milliseconds(name, value, 100..=15_000)?),
                "tt" => overrides.total = Some(milliseconds(name, value, 100..=15_000)?),
                "rc" => overrides.retries.left = count(value)?,
                "rp" => overrides.retries = overrides.retries.of_policy(value)?,
                _ => {}
            }
        }
        Ok(overrides)
    }
}

impl Retries {
    const NEVER: Self = Self {
        left: 0,
        connect: false,
        read: false,
        client_error: false,
        server_error: false,
    };

    /// As many, of other failures: a list with commas, which may be percent-encoded.
    fn of_policy(self, value: &str) -> Result<Self, FetchError> {
        let mut retries = Self {
            left: self.left,
            ..Self::NEVER
        };
        let value = percent_decode_str(value).decode_utf8_lossy();
        for failure in value.split(',') {
            match failure {
                "ct" => retries.connect = true,
                "rt" => retries.read = true,
                "4xx" => retries.client_error = true,
                "5xx" => retries.server_error = true,
                "all" => {
                    retries = Self {
                        left: self.left,
                        connect: true,
                        read: true,
                        client_error: true,
                        server_error: true,
                    }
                }
                _ => return Err(wrong("rp", &value, "a list of ct, rt, 4xx, 5xx and all")),
            }
        }
        Ok(retries)
    }

    /// Whether this outcome is tried once more. Takes the try.
    pub(crate) fn take<B>(&mut self, outcome: &Result<http::Response<B>, FetchError>) -> bool {
        let is_meant = match outcome {
            Ok(response) => match response.status().as_u16() {
                400..=499 => self.client_error,
                500..=599 => self.server_error,
                _ => false,
            },
            Err(FetchError::Unreachable(_)) => self.connect,
            Err(FetchError::TimedOut(_)) => self.read,
            Err(_) => false,
        };
        let is_taken = is_meant && self.left > 0;
        self.left -= u8::from(is_taken);
        is_taken
    }
}

fn milliseconds(
    name: &str,
    value: &str,
    range: RangeInclusive<u64>,
) -> Result<Duration, FetchError> {
    let number = value.parse().ok().filter(|number| range.contains(number));
    let (least, most) = range.into_inner();
    number
        .map(Duration::from_millis)
        .ok_or_else(|| wrong(name, value, &format!("{least} to {most} milliseconds")))
}

fn count(value: &str) -> Result<u8, FetchError> {
    let number = value.parse().ok().filter(|number| *number <= MAX_RETRIES);
    number.ok_or_else(|| wrong("rc", value, &format!("0 to {MAX_RETRIES} tries more")))
}

fn wrong(name: &str, value: &str, expected: &str) -> FetchError {
    FetchError::InvalidUrl(format!(
        "`{name}={value}` behind the `#`; expected {expected}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fragment_may_be_anything_and_what_it_means_is_bounded() {
        let default = Overrides::default();
        for url in ["http://a/", "http://a/#top", "http://a/#e=dublin&sni=y&x=1"] {
            assert_eq!(Overrides::of(url), Ok(default), "{url}");
        }
        let ms = |ms| Some(Duration::from_millis(ms));
        let all = Overrides::of("http://a/?rc=9#ct=100&rt=15000&tt=2000&rc=5&rp=ct%2C5xx").unwrap();
        assert_eq!(
            (all.connect, all.first_byte, all.total),
            (ms(100), ms(15_000), ms(2_000))
        );
        let server_error = true;
        let left = 5;
        let expected = Retries {
            left,
            server_error,
            ..default.retries
        };
        assert_eq!(all.retries, expected);
        for wrong in [
            "ct=99", "ct=10001", "rt=15001", "tt=x", "tt=", "rc=6", "rc=-1", "rp=", "rp=6xx",
        ] {
            let refused = Overrides::of(&format!("http://a/#{wrong}")).unwrap_err();
            assert!(refused.to_string().contains(wrong), "{refused}");
        }
    }
}
