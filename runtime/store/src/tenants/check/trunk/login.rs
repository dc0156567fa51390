//! What a trunk and its peer prove to each other.

use toml::Spanned;

use super::Taken;
use crate::tenants::TenantsError;
use crate::tenants::check::Check;
use crate::tenants::file::{CredentialsTable, LoginTable, TrunkTable};
use crate::{Credentials, Login, Secret, Trunk};

impl Check<'_> {
    pub(super) fn login(&self, table: &LoginTable) -> Result<Login, TenantsError> {
        let password = table.password.get_ref();
        if !(8..=128).contains(&password.len())
            || !password.bytes().all(|byte| byte.is_ascii_graphic())
        {
            return Err(self.error(
                &table.password,
                "the `password` of a login has 8 to 128 visible ASCII characters: whoever guesses it calls at the carrier's cost",
            ));
        }
        Ok(Login {
            username: self.user_name(&table.username, "username")?,
            password: Secret::new(password.clone()),
            registers: table.registers,
        })
    }

    pub(super) fn credentials(
        &self,
        table: &CredentialsTable,
    ) -> Result<Credentials, TenantsError> {
        let text = |text: &Spanned<String>, key: &str| match text.get_ref() {
            given if (1..=128).contains(&given.len()) && !given.contains(char::is_control) => {
                Ok(given.clone())
            }
            _ => Err(self.error(
                text,
                format_args!("`{key}` has 1 to 128 bytes and no control characters"),
            )),
        };
        let realm = table.realm.as_ref().map(|realm| text(realm, "realm"));
        Ok(Credentials {
            username: self.user_name(&table.username, "username")?,
            password: Secret::new(text(&table.password, "password")?),
            realm: realm.transpose()?,
        })
    }

    /// What may stand before the `@` of a SIP URI without escapes (RFC 3261 section 25.1).
    pub(super) fn user_name(
        &self,
        name: &Spanned<String>,
        key: &str,
    ) -> Result<String, TenantsError> {
        let text = name.get_ref();
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.!~*'()+".contains(&byte);
        if (1..=64).contains(&text.len()) && text.bytes().all(plain) {
            return Ok(text.clone());
        }
        Err(self.error(
            name,
            format_args!("`{key}` has 1 to 64 letters, digits or - _ . ! ~ * ' ( ) +"),
        ))
    }

    /// A peer is known by its user name alone, so no two in one realm have the same.
    pub(super) fn take_login(
        &self,
        taken: &mut Taken,
        table: &TrunkTable,
        trunk: &Trunk,
    ) -> Result<(), TenantsError> {
        let (Some(login), Some(LoginTable { username, .. })) = (&trunk.login, &table.login) else {
            return Ok(());
        };
        let realm = self.carriers.get(&trunk.carrier).cloned();
        let realm = realm.expect("a trunk's carrier is in the file");
        let key = (realm, login.username.clone());
        match taken.logins.insert(key.clone(), trunk.id.clone()) {
            None => Ok(()),
            Some(other) => Err(self.error(
                username,
                format_args!(
                    "trunk `{other}` has the user name `{}` too, in the same realm `{}`: choose another, or give the carrier a `domain` of its own",
                    key.1, key.0
                ),
            )),
        }
    }
}
