//! How long it takes to call many, before anybody is called.

mod spread;

use std::collections::BTreeMap;

use call::AccountSid;
use numbers::PhoneNumber;
use store::{Directory, TrunkId};

use self::spread::{Group, Passage, least_seconds};
use crate::Refusal;
use crate::policy::route;

/// A trunk, and which part of it by the called number's prefix.
type Way = (TrunkId, Option<String>);

/// Calls that are to be made, by the trunks that may carry them.
#[derive(Debug)]
pub struct Estimate<'d> {
    directory: &'d Directory,
    account: AccountSid,
    from: &'d str,
    calls: u64,
    by_ways: BTreeMap<Vec<Way>, u64>,
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
            by_ways: BTreeMap::new(),
        }
    }

    /// One more is to be called.
    ///
    /// # Errors
    /// Why they may not be. They take no time.
    pub fn add(&mut self, number: &PhoneNumber) -> Result<(), Refusal> {
        let candidates = route(self.directory, self.account, self.from, number.as_str())?;
        let ways = candidates.into_iter().map(|candidate| {
            let row = self.directory.trunk(&candidate.trunk);
            let part = row.and_then(|row| row.channels_by_prefix.limit(number));
            (candidate.trunk, part.map(|(prefix, _)| prefix.to_owned()))
        });
        *self.by_ways.entry(ways.collect()).or_default() += 1;
        self.calls += 1;
        Ok(())
    }

    /// How many may be called.
    #[must_use]
    pub const fn calls(&self) -> u64 {
        self.calls
    }

    /// Seconds to call each of them once, where a call holds its channel for so many seconds in the mean and nothing else is called: over all trunks
    /// that serve them, as fast as these, the account and the carrier let calls begin.
    #[must_use]
    pub fn seconds(&self, mean_call_s: f64) -> f64 {
        let calls = float(self.calls);
        let payer = self.directory.payer(self.account);
        let payer = self.directory.account(payer);
        let own = payer.map(|account| {
            let limits = &account.outbound;
            pace(
                limits.max_channels,
                Some(limits.calls_per_second),
                mean_call_s,
            )
        });
        let carrier = payer.and_then(|account| self.directory.carrier(&account.carrier));
        let carrier = carrier.and_then(|carrier| carrier.calls_per_second);
        let bounds = own.into_iter().chain(carrier.map(f64::from));
        let bound = bounds.fold(0.0, |slowest: f64, pace| {
            slowest.max(calls / pace.max(0.001))
        });
        self.over_trunks(mean_call_s).max(bound)
    }

    /// The same, by the trunks alone.
    fn over_trunks(&self, mean_call_s: f64) -> f64 {
        let mut passages: Vec<Passage> = Vec::new();
        let mut places: BTreeMap<Way, usize> = BTreeMap::new();
        let mut groups = Vec::new();
        for (ways, calls) in &self.by_ways {
            let mut through = Vec::new();
            for (trunk, part) in ways {
                let Some(row) = self.directory.trunk(trunk) else {
                    continue;
                };
                let whole = *places.entry((trunk.clone(), None)).or_insert_with(|| {
                    let rate = Some(row.calls_per_second);
                    passages.push(Passage {
                        per_second: pace(row.max_channels, rate, mean_call_s),
                        behind: None,
                    });
                    passages.len() - 1
                });
                let Some(prefix) = part else {
                    through.push(whole);
                    continue;
                };
                let place = places.entry((trunk.clone(), part.clone()));
                through.push(*place.or_insert_with(|| {
                    let channels = row.channels_by_prefix.of(prefix);
                    passages.push(Passage {
                        per_second: pace(channels.unwrap_or(row.max_channels), None, mean_call_s),
                        behind: Some(whole),
                    });
                    passages.len() - 1
                }));
            }
            groups.push(Group {
                calls: float(*calls),
                through,
            });
        }
        let slowest = passages.iter().map(|one| one.per_second);
        let slowest = slowest.fold(f64::INFINITY, f64::min);
        // Through one of them alone they would pass in that time.
        least_seconds(&groups, &passages, float(self.calls) / slowest)
    }
}

/// Calls a second through so many channels, which begin no faster than this rate.
fn pace(channels: u32, rate: Option<f32>, mean_call_s: f64) -> f64 {
    let by_channels = f64::from(channels.max(1)) / mean_call_s;
    rate.map_or(by_channels, |rate| {
        by_channels.min(f64::from(rate.max(0.001)))
    })
}

#[expect(clippy::cast_precision_loss, reason = "no more than some millions")]
const fn float(calls: u64) -> f64 {
    calls as f64
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
        calls_per_second = 20.0
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
        [[trunk]]
        id = "c"
        carrier = "east"
        target = "203.0.113.2:5060"
        prefixes = ["+85640"]
        max_channels = 16
        calls_per_second = 1000.0
        [[trunk]]
        id = "d"
        carrier = "east"
        target = "203.0.113.3:5060"
        prefixes = ["+85640"]
        max_channels = 16
        calls_per_second = 1000.0
        [[number]]
        number = "1294"
        account = "ews"
        twiml = "<Response/>"
    "#;

    #[track_caller]
    fn check(in_20: u32, in_30: u32, in_40: u32, mean_call_s: f64, expected: f64) {
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
        for of in 0..in_40 {
            estimate
                .add(&format!("+85640{of:06}").parse().unwrap())
                .unwrap();
        }
        assert!(estimate.add(&"+85512345678".parse().unwrap()).is_err());
        assert_eq!(estimate.calls(), u64::from(in_20 + in_30 + in_40));
        let seconds = estimate.seconds(mean_call_s);
        assert!((seconds - expected).abs() < 0.001, "{seconds}");
    }

    #[test]
    fn what_is_narrowest_decides() {
        check(0, 0, 0, 32.0, 0.0);
        check(64, 0, 0, 32.0, 64.0); // 32 channels of the part
        check(0, 64, 0, 32.0, 32.0); // 64 of the trunk
        check(0, 640, 0, 1.0, 64.0); // 10 calls a second
        check(32, 96, 0, 32.0, 64.0); // the trunk's channels
        check(0, 0, 200, 0.1, 10.0); // 20 calls a second of the carrier's
    }

    #[test]
    fn all_trunks_that_serve_a_number_carry_its_calls() {
        // Two with 16 channels that serve the prefix, and behind them one with 64 that serves all.
        check(0, 0, 96, 32.0, 32.0);
        check(0, 64, 32, 32.0, 32.0);
        check(0, 64, 64, 32.0, 42.667); // 128 calls over 96 channels
        check(0, 128, 32, 32.0, 64.0); // the others have no choice
    }
}
