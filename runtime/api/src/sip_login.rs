//! What a call proves to the far end that asks: `SipAuthUsername` and `SipAuthPassword`.

use store::Secret;

use crate::parameters::Parameters;
use crate::problem::Problem;

/// Bytes of a username or a password.
const MAX_BYTES: usize = 255;

/// A username with its password.
pub(crate) struct SipLogin {
    pub(crate) username: String,
    pub(crate) password: Secret,
}

/// What the request brings along for a call to `to`.
pub(crate) fn read(parameters: &Parameters, to: &str) -> Result<Option<SipLogin>, Problem> {
    let username = parameters.get("SipAuthUsername");
    let password = parameters.get("SipAuthPassword");
    let (username, password) = match (username, password) {
        (None, None) => return Ok(None),
        (Some(username), Some(password)) => (username, password),
        (Some(_), None) => {
            let message = "`SipAuthPassword` is required with `SipAuthUsername`";
            return Err(Problem::bad(21225, message));
        }
        (None, Some(_)) => {
            let message = "`SipAuthPassword` has no effect without `SipAuthUsername`";
            return Err(Problem::bad_parameter(message));
        }
    };
    // The messages do not repeat the values.
    if username.len() > MAX_BYTES {
        return Err(Problem::bad(21221, too_long("SipAuthUsername")));
    }
    if username.contains(char::is_control) {
        return Err(Problem::bad(21222, unfit("SipAuthUsername")));
    }
    if password.len() > MAX_BYTES {
        return Err(Problem::bad(21223, too_long("SipAuthPassword")));
    }
    if password.contains(char::is_control) {
        return Err(Problem::bad(21224, unfit("SipAuthPassword")));
    }
    let is_uri = |scheme: &str| {
        let beginning = to.get(..scheme.len());
        beginning.is_some_and(|beginning| beginning.eq_ignore_ascii_case(scheme))
    };
    if !is_uri("sip:") && !is_uri("sips:") {
        let message = "`SipAuthUsername` is for a `To` that is a SIP URI: to numbers and devices the trunk's own credentials go";
        return Err(Problem::bad_parameter(message));
    }
    Ok(Some(SipLogin {
        username: username.to_owned(),
        password: Secret::new(password.to_owned()),
    }))
}

fn too_long(name: &str) -> String {
    format!("`{name}` has more than {MAX_BYTES} bytes")
}

fn unfit(name: &str) -> String {
    format!("`{name}` has control characters")
}
