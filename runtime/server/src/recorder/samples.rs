//! What tests of recordings begin with.

use std::path::Path;

use call::AccountSid;
use store::tenants::Surroundings;
use store::{MemoryStore, Store as _, Tenants};

/// The account of [`store`].
pub(crate) const ACCOUNT: AccountSid = AccountSid::from_bytes([1; 16]);

/// A store with one account.
pub(crate) fn store() -> MemoryStore {
    let text = format!(
        "[[carrier]]\nid = \"demo\"\n[[account]]\ncarrier = \"demo\"\nname = \"hotline\"\nsid = \"{ACCOUNT}\"\n"
    );
    let surroundings = Surroundings {
        folder: Path::new("/"),
        bundled: &[],
        uploaded: &|_, _, _| false,
        check_component: &|_, _| Ok(()),
    };
    let store = MemoryStore::new();
    let tenants = Tenants::parse(&text, &surroundings).unwrap();
    store.apply(tenants).wait().unwrap();
    store
}
