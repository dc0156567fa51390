//! Two accounts, two trunks, and thousands of calls that wait.

use std::path::Path;
use std::time::Instant;

use call::{AccountSid, CallSid};
use store::tenants::Surroundings;
use store::{AccountStore as _, MemoryStore, QueueTerms, Store as _, Tenants};

use super::{CallRequest, Dialer, Input, Now, Output, QueueLimits};

/// Two accounts; both may call over both trunks, of which the second serves what the first does not.
pub(super) const TENANTS: &str = r#"
[[carrier]]
id = "east"
[[trunk]]
id = "first"
carrier = "east"
target = "203.0.113.1:5060"
prefixes = ["+8551"]
max_channels = 1
calls_per_second = 1000
[[trunk]]
id = "second"
carrier = "east"
target = "203.0.113.2:5060"
max_channels = 1
calls_per_second = 1000
[[account]]
carrier = "east"
name = "many"
sid = "AC00000000000000000000000000000001"
outbound = { allow = ["+855"], max_channels = 9, calls_per_second = 1000 }
[[account]]
carrier = "east"
name = "few"
sid = "AC00000000000000000000000000000002"
outbound = { allow = ["+855"], max_channels = 9, calls_per_second = 1000 }
[[number]]
number = "+85512000001"
account = "many"
flow = "menu"
[[number]]
number = "+85512000002"
account = "few"
flow = "menu"
"#;

/// A dialler, and what stands still around it.
pub(super) struct Bench {
    pub(super) store: MemoryStore,
    pub(super) dialer: Dialer,
    pub(super) now: Now,
}

impl Bench {
    #[allow(clippy::disallowed_methods, reason = "only differences matter")]
    pub(super) fn new() -> Self {
        let store = MemoryStore::new();
        apply(&store, TENANTS);
        Self {
            dialer: Dialer::new(store.directory(), QueueLimits::default()),
            store,
            now: Now {
                instant: Instant::now(),
                unix_ms: 0,
            },
        }
    }

    /// A call of an account, 1 or 2.
    pub(super) fn accept(&mut self, number: u64, of: u8) -> Vec<Output> {
        self.feed(Input::Accepted(request(number, of)))
    }

    /// Lets calls wait, of which none is dialled before the next input.
    pub(super) fn fill(&mut self, of: u8, numbers: impl IntoIterator<Item = u64>) {
        for number in numbers {
            self.dialer.take_in(self.now, number, request(number, of));
        }
    }

    pub(super) fn feed(&mut self, input: Input) -> Vec<Output> {
        self.dialer.handle(self.now, input);
        std::iter::from_fn(|| self.dialer.poll()).collect()
    }
}

/// The SID of call `number`.
pub(super) fn call(number: u64) -> CallSid {
    let mut sid = [0; 16];
    sid[8..].copy_from_slice(&number.to_be_bytes());
    CallSid::from_bytes(sid)
}

/// The SID of an account, 1 or 2.
pub(super) fn account(of: u8) -> AccountSid {
    let mut sid = [0; 16];
    sid[15] = of;
    AccountSid::from_bytes(sid)
}

pub(super) fn request(number: u64, of: u8) -> CallRequest {
    CallRequest {
        call: call(number),
        account: account(of),
        from: format!("+8551200000{of}"),
        to: format!("+8551{number:07}"),
        terms: QueueTerms::default(),
        tried: Vec::new(),
        plan: None,
    }
}

pub(super) fn apply(store: &MemoryStore, text: &str) {
    let surroundings = Surroundings {
        folder: Path::new("."),
        bundled: &["menu"],
        uploaded: &|_, _, _| false,
        check_component: &|_, _| Ok(()),
    };
    let tenants = Tenants::parse(text, &surroundings).unwrap();
    store.apply(tenants).wait().unwrap();
}
