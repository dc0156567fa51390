//! Secrets that services are given.

use std::path::Path;

/// The one line of a file.
///
/// # Errors
/// If it cannot be read, or has something else in it. The text begins with the key.
pub(crate) fn read_secret(path: &Path) -> Result<String, String> {
    let secret = std::fs::read_to_string(path);
    let secret = secret.map_err(|error| format!("secret_file: {}: {error}", path.display()))?;
    let secret = secret.trim();
    match secret.is_empty() || secret.contains(char::is_control) {
        true => Err(format!(
            "secret_file: {} is not one line of text",
            path.display()
        )),
        false => Ok(secret.to_owned()),
    }
}
