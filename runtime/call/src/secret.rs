//! Secrets in header fields: a story writes their names, and the host puts the values in their places.

const OPEN: &str = "{{secret:";
const CLOSE: &str = "}}";

/// The names of the secrets in the value of a header field: `crm-token` in `Bearer {{secret:crm-token}}`.
pub fn secrets_in(value: &str) -> impl Iterator<Item = &str> {
    let behind = value.split(OPEN).skip(1);
    behind.filter_map(|rest| rest.split_once(CLOSE).map(|(name, _)| name))
}

/// The value with each secret in the place of its name.
///
/// # Errors
/// The first name that `secret` does not know.
pub fn with_secrets<'s>(
    value: &str,
    secret: impl Fn(&str) -> Option<&'s str>,
) -> Result<String, String> {
    let mut parts = value.split(OPEN);
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once(CLOSE) {
            Some((name, rest)) => {
                filled.push_str(secret(name).ok_or_else(|| name.to_owned())?);
                filled.push_str(rest);
            }
            None => {
                filled.push_str(OPEN);
                filled.push_str(part);
            }
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_give_way_to_values() {
        let secret = |name: &str| match name {
            "a" => Some("one"),
            "b" => Some("{{secret:a}}"),
            _ => None,
        };
        for (value, names, filled) in [
            ("plain", &[][..], Ok("plain")),
            ("Bearer {{secret:a}}", &["a"], Ok("Bearer one")),
            ("{{secret:a}}:{{secret:a}}!", &["a", "a"], Ok("one:one!")),
            // What a secret holds is not looked into.
            ("{{secret:b}}", &["b"], Ok("{{secret:a}}")),
            ("{{secret:a", &[], Ok("{{secret:a")),
            ("}}{{secret:", &[], Ok("}}{{secret:")),
            ("{{secret:c}}", &["c"], Err("c")),
            ("{{secret:}}", &[""], Err("")),
        ] {
            assert_eq!(secrets_in(value).collect::<Vec<_>>(), names, "{value}");
            let told = with_secrets(value, secret);
            assert_eq!(told.as_deref().map_err(String::as_str), filled, "{value}");
        }
    }
}
