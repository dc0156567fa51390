//! Who may prove to us who they are.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use super::Hash;
use super::credentials::is_username;
use super::proof::ha1;
use crate::lex;
use crate::{Host, PeerRules, Request};

/// A user of a realm.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct User {
    /// The protection domain: usernames of two realms are two users.
    pub realm: Arc<str>,
    /// The username.
    pub name: Arc<str>,
}

/// What is wrong with an entry of [`Users`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UserError {
    /// A realm stands in a header field, and should be a host's name: letters, digits, `-`, `.`, `_`, `:` and brackets.
    #[error("`{0}` cannot be a realm: use a host's name, such as sip.example.org")]
    Realm(String),
    /// A username must not be empty or hold control characters.
    #[error("a username must not be empty or hold control characters")]
    Username,
    /// The realm has this user already.
    #[error("realm `{0}` has two users of one name: give one of them another name or realm")]
    Taken(String),
}

/// A table of users by realm. Of a password it keeps the hashes that proofs are checked with, one for each algorithm;
/// whoever has them can log in within that realm, but not elsewhere.
#[derive(Clone, Default)]
pub struct Users {
    default_realm: Option<Arc<str>>,
    /// By the realm in lower case, for it is compared with hosts.
    realms: HashMap<Arc<str>, Realm>,
}

#[derive(Clone)]
struct Realm {
    /// As it was written.
    name: Arc<str>,
    users: HashMap<Arc<str>, Entry>,
}

#[derive(Clone)]
struct Entry {
    name: Arc<str>,
    rules: PeerRules,
    /// As [`Hash::index`] counts.
    ha1: Arc<[String; Hash::ALL.len()]>,
}

/// Says how many there are, and no more.
impl fmt::Debug for Users {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count: usize = self.realms.values().map(|realm| realm.users.len()).sum();
        write!(f, "Users({count})")
    }
}

impl Users {
    /// A table without users. Requests to hosts that are no realm of it are challenged with `default_realm`.
    ///
    /// # Errors
    ///
    /// [`UserError::Realm`].
    pub fn new(default_realm: &str) -> Result<Self, UserError> {
        let mut users = Self::default();
        let name = users.realm(default_realm)?.name.clone();
        users.default_realm = Some(name);
        Ok(users)
    }

    /// Adds a user, who is spoken to by these rules.
    ///
    /// # Errors
    ///
    /// [`UserError`]; then nothing was added.
    pub fn add(
        &mut self,
        realm: &str,
        username: &str,
        password: &str,
        rules: PeerRules,
    ) -> Result<User, UserError> {
        if !is_username(username) {
            return Err(UserError::Username);
        }
        let realm = self.realm(realm)?;
        if realm.users.contains_key(username) {
            return Err(UserError::Taken(realm.name.to_string()));
        }
        let hashed = |hash| {
            let (realm, password) = (realm.name.as_bytes(), password.as_bytes());
            ha1(hash, username.as_bytes(), realm, password)
        };
        let name: Arc<str> = username.into();
        let entry = Entry {
            name: name.clone(),
            rules,
            ha1: Arc::new(Hash::ALL.map(hashed)),
        };
        realm.users.insert(name.clone(), entry);
        let realm = realm.name.clone();
        Ok(User { realm, name })
    }

    /// Whether there is nobody in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.realms.values().all(|realm| realm.users.is_empty())
    }

    /// How a user is spoken to; none where there is no such user.
    #[must_use]
    pub fn rules(&self, user: &User) -> Option<PeerRules> {
        let entry = self.entry(&user.realm, user.name.as_bytes())?;
        Some(entry.rules)
    }

    /// The realm a request is for: that of the host in its Request-URI or `To`, else the default. None: there is no realm.
    pub(super) fn realm_of(&self, request: &Request) -> Option<&Arc<str>> {
        let hosts = [request.request_uri().host(), request.to().uri().host()];
        let named = hosts.into_iter().flatten().map(Host::to_string);
        let mut found =
            named.filter_map(|host| self.realms.get(host.to_ascii_lowercase().as_str()));
        found
            .next()
            .map(|realm| &realm.name)
            .or(self.default_realm.as_ref())
    }

    /// A user of a realm and the hash of his password.
    pub(super) fn hashed(
        &self,
        realm: &str,
        username: &[u8],
        hash: Hash,
    ) -> Option<(&Arc<str>, &str)> {
        let entry = self.entry(realm, username)?;
        Some((&entry.name, &entry.ha1[hash.index()]))
    }

    fn entry(&self, realm: &str, username: &[u8]) -> Option<&Entry> {
        let realm = self.realms.get(realm.to_ascii_lowercase().as_str())?;
        realm.users.get(std::str::from_utf8(username).ok()?)
    }

    fn realm(&mut self, written: &str) -> Result<&mut Realm, UserError> {
        let legal = |b: u8| b.is_ascii_alphanumeric() || b"-._:[]".contains(&b);
        if written.is_empty() || lex::length_while(written.as_bytes(), legal) < written.len() {
            return Err(UserError::Realm(written.to_owned()));
        }
        let key = written.to_ascii_lowercase().into();
        Ok(self.realms.entry(key).or_insert_with(|| Realm {
            name: written.into(),
            users: HashMap::new(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::parse_request;

    fn request(uri_host: &str, to_host: &str) -> Request {
        parse_request(&format!(
            "INVITE sip:c@{uri_host} SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@{to_host}>\r\n\
             Call-ID: x\r\nCSeq: 1 INVITE\r\n\r\n"
        ))
    }

    #[test]
    fn a_request_is_for_the_realm_of_its_host() {
        let mut users = Users::new("default.example").unwrap();
        users
            .add("Tenant.example", "gw", "1", PeerRules::default())
            .unwrap();
        users
            .add("[2001:db8::1]", "gw", "2", PeerRules::default())
            .unwrap();
        for (uri, to, expected) in [
            ("tenant.example", "default.example", "Tenant.example"),
            ("TENANT.EXAMPLE:5070", "x", "Tenant.example"),
            ("192.0.2.1", "tenant.example", "Tenant.example"),
            ("[2001:db8::1]", "x", "[2001:db8::1]"),
            ("192.0.2.1", "192.0.2.1", "default.example"),
        ] {
            let realm = users.realm_of(&request(uri, to)).unwrap();
            assert_eq!(&**realm, expected, "{uri} {to}");
        }
        assert_eq!(Users::default().realm_of(&request("a", "b")), None);
    }

    #[test]
    fn users_are_of_one_realm() {
        let mut users = Users::new("a.example").unwrap();
        assert!(users.is_empty());
        let gw = users
            .add("a.example", "gw", "secret", PeerRules::default())
            .unwrap();
        assert!(!users.is_empty());
        assert_eq!(users.rules(&gw), Some(PeerRules::default()));
        assert_eq!(
            users.add("A.example", "gw", "other", PeerRules::default()),
            Err(UserError::Taken("a.example".to_owned()))
        );
        users
            .add("b.example", "gw", "secret", PeerRules::default())
            .unwrap();
        let ha1 = |realm, name: &[u8]| {
            users
                .hashed(realm, name, Hash::Md5)
                .map(|(name, ha1)| (name.to_string(), ha1.to_owned()))
        };
        let expected = Hash::Md5.hex(&[b"gw:a.example:secret"]);
        assert_eq!(ha1("a.example", b"gw"), Some(("gw".to_owned(), expected)));
        assert_ne!(ha1("a.example", b"gw"), ha1("b.example", b"gw"));
        assert_eq!(ha1("a.example", b"GW"), None);
        assert_eq!(ha1("c.example", b"gw"), None);
        assert_eq!(ha1("a.example", b"\xff"), None);
        assert_eq!(format!("{users:?}"), "Users(2)");
    }

    #[test]
    fn bad_entries_are_refused() {
        for realm in ["", "a b", "a\"", "a\r\n", "ä"] {
            assert_eq!(
                Users::new(realm).err(),
                Some(UserError::Realm(realm.to_owned()))
            );
        }
        let mut users = Users::new("a").unwrap();
        for username in ["", "a\nb"] {
            assert_eq!(
                users.add("a", username, "x", PeerRules::default()),
                Err(UserError::Username)
            );
        }
        assert!(users.is_empty());
    }
}
