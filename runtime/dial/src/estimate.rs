//! How long it takes to call many, before anybody is called.

use std::collections::BTreeMap;

use call::AccountSid;
use numbers::PhoneNumber;
use store::{Directory, TrunkId};

use crate::{Refusal, permit};

/// Calls that are to be made, by what bounds them: the account, each trunk, and each part of a trunk.
#[derive(Debug)]
pub struct Estimate<'d> {
    directory: &'d Directory,
    account: AccountSid,
    from: &'d str,
    calls: u64,
    by_trunk: BTreeMap<TrunkId, u64>,
    by_part: BTreeMap<(TrunkId, String), (u64, u32)>,
}

impl<'d> Estimate<'d> {
    /// Nobody yet.
    #[must_use]
    pub const fn new(directory: &'d Directory, account: AccountSid, from: &'d str) -> Self {
        Self {
            directory,
            account,
            from,
            calls: 0,
            by_trunk: BTreeMap::new(),
            by_part: BTreeMap::new(),
        }
    }

    /// One more is to be called.
    ///
    /// # Errors
    /// Why they may not be. They take no time.
    pub fn add(&mut self, number: &PhoneNumber) -> Result<(), Refusal> {
        let trunk = permit(self.directory, self.account, self.from, number.as_str())?;
        self.calls += 1;
        let row = self.directory.trunk(&trunk);
        if let Some((prefix, limit)) = row.and_then(|row| row.channels_by_prefix.limit(number)) {
            let part = (trunk.clone(), prefix.to_owned());
            self.by_part.entry(part).or_insert((0, limit)).0 += 1;
        }
        *self.by_trunk.entry(trunk).or_default() += 1;
        Ok(())
    }

    /// How many may be called.
    #[must_use]
    pub const fn calls(&self) -> u64 {
        self.calls
    }

    /// Seconds to call each of them once, where a call holds its channel for so many seconds in the mean and nothing else is called: what is
    /// narrowest decides.
    #[must_use]
    pub fn seconds(&self, mean_call_s: f64) -> f64 {
        let time = |calls: u64, channels: u32, rate: Option<f32>| {
            #[expect(clippy::cast_precision_loss, reason = "no more than some millions")]
            let calls = calls as f64;
            let by_channels = calls * mean_call_s / f64::from(channels.max(1));
            let by_rate = rate.map_or(0.0, |rate| calls / f64::from(rate.max(0.001)));
            by_channels.max(by_rate)
        };
        let payer = self.directory.payer(self.account);
        let own = self.directory.account(payer).map(|account| {
            let limits = &account.outbound;
            time(
                self.calls,
                limits.max_channels,
                Some(limits.calls_per_second),
            )
        });
        let trunks = self.by_trunk.iter().filter_map(|(id, calls)| {
            let trunk = self.directory.trunk(id)?;
            Some(time(
                *calls,
                trunk.max_channels,
                Some(trunk.calls_per_second),
            ))
        });
        let parts = self.by_part.values();
        let parts = parts.map(|(calls, channels)| time(*calls, *channels, None));
        own.into_iter()
            .chain(trunks)
            .chain(parts)
            .fold(0.0, f64::max)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use store::tenants::Surroundings;
    use store::{AccountStore as _, CarrierId, MemoryStore, Store as _, Tenants};

    use super::*;

    const TENANTS: &str = r#"
        [[carrier]]
        id = "east"
        [[account]]
        carrier = "east"
        name = "ews"
        outbound = { allow = ["+856"], max_channels = 100, calls_per_second = 50.0 }
        [[trunk]]
        id = "b"
        carrier = "east"
        target = "203.0.113.1:5060"
        max_channels = 64
        calls_per_second = 10.0
        channels_by_prefix = { "+85620" = 32 }
        [[number]]
        number = "1294"
        account = "ews"
        twiml = "<Response/>"
    "#;

    #[track_caller]
    fn check(in_20: u32, in_30: u32, mean_call_s: f64, expected: f64) {
        let surroundings = Surroundings {
            folder: Path::new("."),
            bundled: &[],
            uploaded: &|_, _, _| false,
            check_component: &|_, _| Ok(()),
        };
        let store = MemoryStore::new();
        let tenants = Tenants::parse(TENANTS, &surroundings).unwrap();
        store.apply(tenants).wait().unwrap();
        let directory = store.directory();
        let account = directory.account_by_name(&CarrierId("east".to_owned()), "ews");
        let mut estimate = Estimate::new(&directory, account.unwrap().sid, "1294");
        for of in 0..in_20 {
            estimate
                .add(&format!("+85620{of:06}").parse().unwrap())
                .unwrap();
        }
        for of in 0..in_30 {
            estimate
                .add(&format!("+85630{of:06}").parse().unwrap())
                .unwrap();
        }
        assert!(estimate.add(&"+85512345678".parse().unwrap()).is_err());
        assert_eq!(estimate.calls(), u64::from(in_20 + in_30));
        let seconds = estimate.seconds(mean_call_s);
        assert!((seconds - expected).abs() < 0.001, "{seconds}");
    }

    #[test]
    fn what_is_narrowest_decides() {
        check(0, 0, 32.0, 0.0);
        check(64, 0, 32.0, 64.0); // 32 channels of the part
        check(0, 64, 32.0, 32.0); // 64 of the trunk
        check(0, 640, 1.0, 64.0); // 10 calls a second
        check(32, 96, 32.0, 64.0); // the trunk's channels
    }
}
