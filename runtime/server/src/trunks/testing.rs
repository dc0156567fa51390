//! Trunks for tests.

use std::path::Path;
use std::sync::Arc;

use store::Trunk;
use store::tenants::Surroundings;

/// A trunk with these `sip_hosts`, as a tenants file has them.
pub(crate) fn calling(hosts: &str) -> Arc<Trunk> {
    let text = format!(
        "[[carrier]]\nid = \"east\"\n[[trunk]]\nid = \"sip\"\ncarrier = \"east\"\nsip_hosts = {hosts}\nmax_channels = 1\ncalls_per_second = 1\n"
    );
    let surroundings = Surroundings {
        folder: Path::new("."),
        bundled: &[],
        uploaded: &|_, _, _| false,
        check_component: &|_, _| Ok(()),
    };
    let store = store::MemoryStore::new();
    let tenants = store::Tenants::parse(&text, &surroundings).unwrap();
    store::Store::apply(&store, tenants).wait().unwrap();
    let directory = store::AccountStore::directory(&store);
    let trunk = directory.trunks().next().unwrap();
    Arc::clone(trunk)
}
