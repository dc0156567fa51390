//! Who has what: carriers, their trunks and accounts, as a tenants file says it.

use std::fmt::Write as _;
use std::path::Path;

use store::tenants::Surroundings;
use store::{MemoryStore, Priority, Store as _, Tenants};

use crate::random::Random;
use crate::world::{Limits, account, target};

/// What telephone numbers begin with.
pub(super) const PREFIXES: [&str; 3] = ["+85510", "+85511", "+85592"];
/// A rate that nothing reaches.
const FAST: f32 = 10_000.0;

/// One SIP peer.
#[derive(Debug, Clone)]
pub(super) struct Trunk {
    pub(super) carrier: usize,
    pub(super) limits: Limits,
    /// What it serves, as [`PREFIXES`] counts; all numbers without it.
    pub(super) serves: Option<usize>,
    /// Channels for numbers with a prefix.
    pub(super) part: Option<(usize, u32)>,
    pub(super) reserved: u32,
    /// The one account that has it; all of its carrier without it.
    pub(super) own: Option<usize>,
    pub(super) rank: u32,
}

impl Trunk {
    /// Which of those that serve a number goes before which, as far as no room is asked about: the lowest first.
    pub(super) fn place(&self) -> (bool, u32, bool) {
        (self.serves.is_none(), self.rank, self.own.is_none())
    }

    /// Whether calls to numbers with this prefix need a channel of its part.
    pub(super) fn part_of(&self, prefix: usize) -> Option<usize> {
        self.part
            .filter(|(of, _)| *of == prefix)
            .map(|(prefix, _)| prefix)
    }
}

/// One tenant.
#[derive(Debug, Clone)]
pub(super) struct Account {
    pub(super) carrier: usize,
    pub(super) limits: Limits,
    pub(super) highest: Priority,
    pub(super) may_call: bool,
}

/// All tenants, as they are now.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    /// No rate is ever reached.
    pub(super) is_fast: bool,
    /// Calls per second of each carrier.
    pub(super) carriers: Vec<Option<f32>>,
    pub(super) trunks: Vec<Trunk>,
    pub(super) accounts: Vec<Account>,
}

impl Plan {
    pub(super) fn new(random: &mut Random) -> Self {
        let is_fast = random.below(2) == 0;
        let carriers: Vec<_> = (0..=random.below(2))
            .map(|_| (!is_fast && random.below(2) == 0).then(|| rate(random, is_fast)))
            .collect();
        let mut trunks = Vec::new();
        let mut accounts = Vec::new();
        for carrier in 0..carriers.len() {
            let (first_trunk, first_account) = (trunks.len(), accounts.len());
            for at in 0..=random.below(3) {
                trunks.push(trunk(random, carrier, at > 0, is_fast));
            }
            for _ in 0..=random.below(4) {
                accounts.push(Account {
                    carrier,
                    limits: (1 + random.below(8) as u32, rate(random, is_fast)),
                    highest: Priority::ALL[random.below(2) as usize],
                    may_call: true,
                });
            }
            // One that everybody has is left, so that everybody can be called.
            let of_carrier = (accounts.len() - first_account) as u64;
            for trunk in trunks.iter_mut().skip(first_trunk + 1) {
                let owner = first_account + random.below(of_carrier) as usize;
                trunk.own = (random.below(4) == 0).then_some(owner);
            }
        }
        Self {
            is_fast,
            carriers,
            trunks,
            accounts,
        }
    }

    /// Somebody applies other limits, or forbids an account to call.
    pub(super) fn change(&mut self, random: &mut Random) {
        for trunk in &mut self.trunks {
            trunk.limits.0 = 2 + random.below(6) as u32;
            if let Some((_, channels)) = &mut trunk.part {
                *channels = 1 + random.below(u64::from(trunk.limits.0)) as u32;
            }
        }
        for account in &mut self.accounts {
            account.limits = (1 + random.below(8) as u32, rate(random, self.is_fast));
            account.may_call = random.below(12) > 0;
        }
        for limit in self.carriers.iter_mut().flatten() {
            *limit = rate(random, false);
        }
    }

    /// The trunks that serve numbers with a prefix, for calls of an account.
    pub(super) fn ways(&self, of: usize, prefix: usize) -> impl Iterator<Item = usize> {
        let carrier = self.accounts[of].carrier;
        self.trunks
            .iter()
            .enumerate()
            .filter(move |(_, trunk)| {
                trunk.carrier == carrier
                    && trunk.serves.is_none_or(|serves| serves == prefix)
                    && trunk.own.is_none_or(|own| own == of)
            })
            .map(|(at, _)| at)
    }

    /// Lets the store know.
    pub(super) fn apply(&self, store: &MemoryStore) {
        let surroundings = Surroundings {
            folder: Path::new("."),
            bundled: &["menu"],
            uploaded: &|_, _, _| false,
            check_component: &|_, _| Ok(()),
        };
        let tenants = Tenants::parse(&self.text().unwrap(), &surroundings).unwrap();
        store.apply(tenants).wait().unwrap();
    }

    fn text(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        for (at, rate) in self.carriers.iter().enumerate() {
            writeln!(text, "[[carrier]]\nid = \"c{at}\"")?;
            if let Some(rate) = rate {
                writeln!(text, "calls_per_second = {rate:?}")?;
            }
        }
        for (at, trunk) in self.trunks.iter().enumerate() {
            writeln!(
                text,
                "[[trunk]]\nid = \"t{at}\"\ncarrier = \"c{}\"\ntarget = \"{}\"\nmax_channels = {}\ncalls_per_second = {:?}\nreserved_for_inbound = {}\nrank = {}",
                trunk.carrier,
                target(at),
                trunk.limits.0,
                trunk.limits.1,
                trunk.reserved,
                trunk.rank
            )?;
            if let Some(own) = trunk.own {
                writeln!(text, "account = \"a{own}\"")?;
            }
            if let Some(serves) = trunk.serves {
                writeln!(text, "prefixes = [\"{}\"]", PREFIXES[serves])?;
            }
            if let Some((prefix, channels)) = trunk.part {
                writeln!(
                    text,
                    "[trunk.channels_by_prefix]\n\"{}\" = {channels}",
                    PREFIXES[prefix]
                )?;
            }
        }
        for (at, of) in self.accounts.iter().enumerate() {
            writeln!(
                text,
                "[[account]]\ncarrier = \"c{}\"\nname = \"a{at}\"\nsid = \"{}\"\noutbound = {{ allow = [{}], max_channels = {}, calls_per_second = {:?}, highest_priority = \"{}\" }}\n[[number]]\nnumber = \"{}\"\naccount = \"a{at}\"\nflow = \"menu\"",
                of.carrier,
                account(at),
                if of.may_call { "\"+855\"" } else { "" },
                of.limits.0,
                of.limits.1,
                of.highest,
                own_number(at)
            )?;
        }
        Ok(text)
    }
}

fn trunk(random: &mut Random, carrier: usize, may_be_narrow: bool, is_fast: bool) -> Trunk {
    let channels = 2 + random.below(6) as u32;
    let prefix = random.below(PREFIXES.len() as u64) as usize;
    Trunk {
        carrier,
        limits: (channels, rate(random, is_fast)),
        serves: (may_be_narrow && random.below(2) == 0).then_some(prefix),
        part: (random.below(2) == 0)
            .then(|| (prefix, 1 + random.below(u64::from(channels)) as u32)),
        reserved: random.below(2) as u32,
        own: None,
        rank: u32::from(random.below(4) == 0),
    }
}

fn rate(random: &mut Random, is_fast: bool) -> f32 {
    let rate = [0.5, 1.0, 3.0, 8.0][random.below(4) as usize];
    if is_fast { FAST } else { rate }
}

/// The number that an account calls from.
pub(super) fn own_number(of: usize) -> String {
    format!("+8552{of:07}")
}
