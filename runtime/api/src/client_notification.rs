//! Who wakes the device that a call is for: `ClientNotificationUrl`.

use call::{HttpMethod, StatusCallback};

use crate::parameters::{Parameters, is_web};
use crate::problem::Problem;

/// Who is asked about a call to `to`; nobody where that is no device.
pub(crate) fn read(parameters: &Parameters, to: &str) -> Result<Option<StatusCallback>, Problem> {
    let Some(url) = parameters.get("ClientNotificationUrl") else {
        return Ok(None);
    };
    if !is_web(url) {
        let message = "`ClientNotificationUrl` must begin with http:// or https://";
        return Err(Problem::bad(21205, message));
    }
    Ok(to.starts_with("client:").then(|| StatusCallback {
        url: url.to_owned(),
        method: HttpMethod::Post,
    }))
}
