//! Who types a wrong PIN waits: wrong ones are counted over all calls, so that none is found by trying.
//!
//! Counted in memory, as guesses at passwords are: a restart forgives all, and so does another PIN.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use call::{AccountSid, CallInfo, ConcealedKeys, Direction, PinError, PinVerdict, check_pin};
use store::{Secret, Store};
use subtle::ConstantTimeEq as _;
use tracing::warn;

/// Wrong ones of one number, after which it waits.
const OF_A_NUMBER: u32 = 5;
/// Wrong ones of all numbers, after which those wait that never typed the right one.
const OF_ALL: u32 = 20;
/// How long they wait, and how long a wrong one is remembered after the last.
const WAIT: Duration = Duration::from_secs(15 * 60);
/// Numbers that typed the right one: so many are remembered for each PIN.
const KNOWN: usize = 100;

/// The PINs that were asked for, all accounts'.
#[derive(Debug, Default)]
pub(crate) struct Pins(Mutex<HashMap<(AccountSid, String), Guesses>>);

/// What was typed for one PIN.
#[derive(Debug, Default)]
struct Guesses {
    /// What was guessed at; none before the first.
    pin: Option<Secret>,
    of_all: Wrong,
    of_number: HashMap<String, Wrong>,
    known: HashSet<String>,
}

/// Wrong ones, and when the last was typed.
#[derive(Debug, Clone, Copy, Default)]
struct Wrong {
    count: u32,
    last: Option<Instant>,
}

impl Wrong {
    /// How many, as far as they are remembered.
    fn lately(self, now: Instant) -> u32 {
        match self.last {
            Some(last) if now < last + WAIT => self.count,
            _ => 0,
        }
    }

    fn one_more(&mut self, now: Instant) {
        *self = Self {
            count: self.lately(now) + 1,
            last: Some(now),
        };
    }

    fn wait(self, now: Instant, most: u32) -> Option<Duration> {
        let over = self.last? + WAIT;
        (self.lately(now) >= most).then(|| over - now)
    }
}

impl Guesses {
    /// Forgets everything where the PIN is another one than before: nobody has guessed at it, and nobody has shown that they know it.
    fn are_at(&mut self, pin: &Secret) {
        if self.pin.as_ref() != Some(pin) {
            *self = Self {
                pin: Some(pin.clone()),
                ..Self::default()
            };
        }
    }

    /// `is_right` is the comparison. Whoever waits is told nothing of it.
    fn judge(&mut self, now: Instant, number: &str, is_right: bool) -> PinVerdict {
        self.of_number.retain(|_, wrong| wrong.lately(now) > 0);
        let own = self.of_number.get(number).copied().unwrap_or_default();
        let shared = match self.known.contains(number) {
            true => None,
            false => self.of_all.wait(now, OF_ALL),
        };
        if let Some(wait) = own.wait(now, OF_A_NUMBER).max(shared) {
            let seconds = u32::try_from(wait.as_millis().div_ceil(1_000)).unwrap_or(u32::MAX);
            return PinVerdict::Locked { seconds };
        }
        if is_right {
            self.of_number.remove(number);
            if self.known.len() < KNOWN {
                self.known.insert(number.to_owned());
            }
            return PinVerdict::Right;
        }
        self.of_all.one_more(now);
        let own = self.of_number.entry(number.to_owned()).or_default();
        own.one_more(now);
        PinVerdict::Wrong
    }
}

/// What one call's story may ask of its account's PINs.
#[derive(Clone)]
pub(crate) struct PinDesk {
    store: Arc<dyn Store>,
    pins: Arc<Pins>,
    account: AccountSid,
    /// The other side's.
    number: String,
}

impl PinDesk {
    pub(crate) fn new(store: Arc<dyn Store>, pins: Arc<Pins>, info: &CallInfo) -> Self {
        let number = match info.direction {
            Direction::Inbound => &info.caller,
            Direction::OutboundApi | Direction::OutboundDial => &info.callee,
        };
        Self {
            store,
            pins,
            account: info.account_sid,
            number: number.clone(),
        }
    }

    /// Compares keys with a secret of the account, in a time that does not depend on where they differ.
    pub(crate) fn check(&self, name: &str, keys: &ConcealedKeys) -> Result<PinVerdict, PinError> {
        let directory = self.store.directory();
        let account = directory.account(self.account);
        let secret = account.and_then(|account| account.secrets.get(name));
        let Some(secret) = secret else {
            return Err(PinError::Unavailable(format!(
                "the account has no secret `{name}`: add it to the account's `secrets` in the tenants file"
            )));
        };
        let pin = secret.expose();
        check_pin(name, pin).map_err(PinError::Unavailable)?;
        let is_right = bool::from(keys.expose().as_bytes().ct_eq(pin.as_bytes()));
        let mut all = self.pins.0.lock().unwrap_or_else(PoisonError::into_inner);
        let guesses = all.entry((self.account, name.to_owned())).or_default();
        guesses.are_at(secret);
        let verdict = guesses.judge(Instant::now(), &self.number, is_right);
        if verdict != PinVerdict::Right {
            warn!(target: "tenant", "a caller's PIN for `{name}` is {verdict}");
        }
        Ok(verdict)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use call::CallSid;
    use store::tenants::Surroundings;
    use store::{MemoryStore, Tenants};

    use super::*;

    /// An account with a PIN and a secret that is none.
    async fn store() -> Arc<dyn Store> {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        store.apply(tenants("24681357")).await.unwrap();
        store
    }

    fn tenants(pin: &str) -> Tenants {
        let text = format!(
            "[[carrier]]\nid = \"demo\"\n
            [[account]]\ncarrier = \"demo\"\nname = \"one\"\n
            secrets = {{ pin = \"{pin}\", crm-token = \"canary-secret\" }}\n"
        );
        let surroundings = Surroundings {
            folder: Path::new("."),
            bundled: &[],
            uploaded: &|_, _, _| false,
            check_component: &|_, _| Ok(()),
        };
        Tenants::parse(&text, &surroundings).unwrap()
    }

    fn keys(typed: &str) -> ConcealedKeys {
        let mut keys = ConcealedKeys::default();
        for key in typed.chars() {
            keys.take(key);
        }
        keys
    }

    #[tokio::test]
    async fn what_is_typed_is_compared_and_counted_over_the_calls_of_a_number() {
        let store = store().await;
        let pins: Arc<Pins> = Arc::default();
        let account = store.directory().accounts().next().unwrap().sid;
        let call = |caller: &str| {
            let info = CallInfo {
                call_sid: CallSid::from_bytes([1; 16]),
                account_sid: account,
                caller: caller.to_owned(),
                callee: "1000".to_owned(),
                direction: Direction::Inbound,
                parent_call_sid: None,
                sip_call_id: "a@b".to_owned(),
            };
            PinDesk::new(Arc::clone(&store), Arc::clone(&pins), &info)
        };
        let right = keys("24681357#");
        assert_eq!(call("+1").check("pin", &right), Ok(PinVerdict::Right));
        for typed in ["", "2468135#", "246813570#", "24681358#", "canary"] {
            let verdict = call("+1").check("pin", &keys(typed));
            assert_eq!(verdict, Ok(PinVerdict::Wrong), "{typed}");
        }
        assert!(matches!(
            call("+1").check("pin", &right),
            Ok(PinVerdict::Locked { seconds: 1..=900 })
        ));
        assert_eq!(call("+2").check("pin", &right), Ok(PinVerdict::Right));
        for (name, told) in [
            ("crm-token", "is no PIN"),
            ("other", "has no secret `other`"),
        ] {
            let error = call("+2").check(name, &right).unwrap_err().to_string();
            assert!(error.contains(told) && !error.contains("canary"), "{error}");
        }

        // Another PIN: nobody has guessed at it, and nobody has typed it.
        store.apply(tenants("13572468")).await.unwrap();
        assert_eq!(call("+2").check("pin", &right), Ok(PinVerdict::Wrong));
        assert!(
            pins.0
                .lock()
                .unwrap()
                .values()
                .all(|one| one.known.is_empty())
        );
        let right = keys("13572468#");
        assert_eq!(call("+1").check("pin", &right), Ok(PinVerdict::Right));
    }

    const LOCKED: PinVerdict = PinVerdict::Locked { seconds: 900 };

    #[test]
    fn a_number_waits_after_five_wrong_ones_over_all_its_calls_and_then_may_again() {
        let (mut guesses, start) = (Guesses::default(), Instant::now());
        for _ in 0..OF_A_NUMBER {
            assert_eq!(guesses.judge(start, "+1", false), PinVerdict::Wrong);
        }
        assert_eq!(guesses.judge(start, "+1", false), LOCKED);
        assert_eq!(guesses.judge(start, "+1", true), LOCKED, "right or wrong");
        assert_eq!(guesses.judge(start, "+2", true), PinVerdict::Right);
        let almost = start + WAIT - Duration::from_millis(1);
        let last = PinVerdict::Locked { seconds: 1 };
        assert_eq!(guesses.judge(almost, "+1", true), last);
        assert_eq!(guesses.judge(start + WAIT, "+1", true), PinVerdict::Right);
    }

    #[test]
    fn a_right_one_forgives_the_wrong_ones_before_it() {
        let (mut guesses, start) = (Guesses::default(), Instant::now());
        for _ in 0..OF_A_NUMBER - 1 {
            guesses.judge(start, "+1", false);
        }
        assert_eq!(guesses.judge(start, "+1", true), PinVerdict::Right);
        assert_eq!(guesses.judge(start, "+1", false), PinVerdict::Wrong);
    }

    #[test]
    fn who_calls_from_many_numbers_finds_nothing_and_keeps_nobody_out_who_proved_it() {
        let (mut guesses, start) = (Guesses::default(), Instant::now());
        assert_eq!(guesses.judge(start, "+2", true), PinVerdict::Right);
        let mut looked_at = 0;
        for number in 0..1_000 {
            let verdict = guesses.judge(start, &format!("+9{number}"), false);
            looked_at += u32::from(verdict == PinVerdict::Wrong);
        }
        assert_eq!(looked_at, OF_ALL);
        assert_eq!(guesses.of_number.len(), OF_ALL as usize, "and no more");
        assert_eq!(guesses.judge(start, "+3", true), LOCKED);
        assert_eq!(guesses.judge(start, "+2", true), PinVerdict::Right);
        assert_eq!(guesses.judge(start + WAIT, "+3", true), PinVerdict::Right);
        assert_eq!(guesses.of_number.len(), 0, "what is over is forgotten");
    }
}
