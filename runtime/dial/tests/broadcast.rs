//! Whole broadcasts in simulated time: pauses, crashes, clocks that are set, and a world that answers as it pleases.
//!
//! A seed is a whole run. `JACKFIELD_SEEDS=5000` runs more of them than the tests take, `JACKFIELD_SEED=17` one.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;

use call::{BroadcastSid, CallRecord, CallSid, CallStatus, Direction, HUNG_UP_BY_US};
use jackfield_dial::pump::{self, STEP, Step, View};
use store::broadcast::RECALLED;
use store::tenants::Surroundings;
use store::{
    AccountStore as _, Broadcast, BroadcastOrder, BroadcastRules, BroadcastState,
    BroadcastStore as _, BroadcastWork as _, CallOrders, CarrierId, Flow, Judgement, Leg,
    MemoryStore, Message, NewBroadcast, NewCall, NewRecipient, QueueTerms, RecipientState, Scope,
    Store as _, StoreError, Tenants, TrunkId,
};

const SEEDS: u64 = 200;
const BC: BroadcastSid = BroadcastSid::from_bytes([1; 16]);
const GAP_S: u32 = 300;
const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const TENANTS: &str = r#"
[[carrier]]
id = "east"
[[account]]
carrier = "east"
name = "ews"
outbound.allow = ["+855"]
"#;

/// `SplitMix64`.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }

    fn in_a_hundred(&mut self, chances: u64) -> bool {
        self.roll(100) < chances
    }
}

/// A call that is up: when it ends, and how.
struct Up {
    ends: u64,
    number: String,
    record: CallRecord,
}

struct World {
    dice: Dice,
    store: MemoryStore,
    scope: Scope,
    channels: usize,
    ahead: u64,
    now: u64,
    calls: u64,
    is_recalled: bool,
    queued: VecDeque<CallSid>,
    up: BTreeMap<CallSid, Up>,
    /// When each number was dialled, and when that call was over.
    dialled: BTreeMap<String, Vec<(u64, u64)>>,
    crashes: u64,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut dice = Dice(seed);
        let store = MemoryStore::new();
        let surroundings = Surroundings {
            folder: Path::new("."),
            bundled: &[],
            uploaded: &|_, _, _| false,
            check_component: &|_, _| Ok(()),
        };
        let tenants = Tenants::parse(TENANTS, &surroundings).unwrap();
        store.apply(tenants).wait().unwrap();
        let directory = store.directory();
        let account = directory.account_by_name(&CarrierId("east".to_owned()), "ews");
        let scope = Scope::of_host(account.unwrap().sid);
        let channels = 1 + dice.roll(8);
        Self {
            store,
            scope,
            ahead: pump::ahead(u32::try_from(channels).unwrap(), 1.0),
            channels: usize::try_from(channels).unwrap(),
            now: 1_000_000 * SECOND,
            calls: 0,
            is_recalled: false,
            queued: VecDeque::new(),
            up: BTreeMap::new(),
            dialled: BTreeMap::new(),
            crashes: 0,
            dice,
        }
    }

    fn draft(&mut self) -> u64 {
        let many = 1 + self.dice.roll(60);
        let ends = self.now + 40 * MINUTE;
        let terms = QueueTerms {
            expires_unix_ms: self.dice.in_a_hundred(20).then_some(ends),
            ..QueueTerms::default()
        };
        let rules = BroadcastRules {
            terms,
            max_attempts: Some(1 + u32::try_from(self.dice.roll(4)).unwrap()),
            gap_s: Some(GAP_S),
            ..BroadcastRules::default()
        };
        let new = NewBroadcast {
            sid: BC,
            name: "flood".to_owned(),
            from: "1294".to_owned(),
            message: Message::Twiml("<Response/>".to_owned()),
            rules,
            flow_start: None,
            created_unix_ms: self.now,
        };
        let recipients = (0..many).map(|of| NewRecipient {
            number: format!("+85512{of:06}").parse().unwrap(),
            language: None,
            areas: Vec::new(),
            fields: BTreeMap::new(),
        });
        let recipients = recipients.collect();
        self.store.create_broadcast(self.scope, new).wait().unwrap();
        let added = self
            .store
            .add_recipients(self.scope, BC, recipients, self.now);
        added.wait().unwrap();
        many
    }

    fn row(&self) -> Broadcast {
        self.store.broadcast(self.scope, BC).unwrap().unwrap()
    }

    fn order(&mut self, order: BroadcastOrder) {
        // Its state may not allow that.
        let _ = self
            .store
            .order_broadcast(self.scope, BC, order, self.now)
            .wait();
    }

    /// Does what the pump says until it waits: when it wants to come back.
    fn pump(&mut self) -> Option<u64> {
        loop {
            let row = self.row();
            if row.state == BroadcastState::Running {
                self.is_recalled = false;
            }
            let view = View {
                broadcast: &row,
                next_due_unix_ms: self.store.next_due(BC).unwrap(),
                ahead: self.ahead,
                is_recalled: self.is_recalled,
                is_judging: false,
            };
            match pump::next(&view, self.now) {
                Step::Wait(at) => return at,
                Step::Judge => {
                    let open = self.store.judged_recipients(self.scope, BC, STEP).unwrap();
                    let decided = open
                        .iter()
                        .map(|one| (one.number.clone(), pump::decide(&row, one, self.now)));
                    let kept = self.store.judge_recipients(BC, decided.collect(), self.now);
                    kept.wait().unwrap();
                }
                Step::Feed(limit) => self.feed(limit),
                Step::Recall => {
                    self.is_recalled = true;
                    for call in std::mem::take(&mut self.queued) {
                        self.take_back(call);
                    }
                }
                Step::GiveUp(why) => {
                    let all = self
                        .store
                        .due_recipients(self.scope, BC, u64::MAX - 1, STEP);
                    let all = all.unwrap().into_iter();
                    let all = all.map(|one| (one.number, Judgement::GiveUp(why.to_owned())));
                    let kept = self.store.judge_recipients(BC, all.collect(), self.now);
                    kept.wait().unwrap();
                }
            }
        }
    }

    fn take_back(&self, call: CallSid) {
        let back = CallRecord::new(CallStatus::Canceled, RECALLED);
        let ended = self.store.finish_call(call, back, self.now, None);
        ended.wait().unwrap();
    }

    fn feed(&mut self, limit: usize) {
        let due = self.store.due_recipients(self.scope, BC, self.now, limit);
        let due = due.unwrap();
        assert!(!due.is_empty(), "somebody was due");
        let calls = due.into_iter().map(|one| {
            self.calls += 1;
            let mut sid = [0; 16];
            sid[8..].copy_from_slice(&self.calls.to_be_bytes());
            NewCall {
                sid: CallSid::from_bytes(sid),
                from: "1294".to_owned(),
                to: one.number.to_string(),
                direction: Direction::OutboundApi,
                parent: None,
                flow: Flow::rejecting(),
                ring_timeout_s: None,
                settings: BTreeMap::new(),
                callback: None,
                notification: None,
                orders: CallOrders::default(),
                created_unix_ms: self.now,
            }
        });
        let calls = calls.collect();
        let accepted = self.store.call_recipients(BC, calls, self.now).wait();
        let accepted = accepted.unwrap();
        // A process that dies here has accepted calls that no dialler knows of.
        if self.dice.in_a_hundred(2) {
            return self.crash();
        }
        self.queued.extend(accepted.iter().map(|row| row.sid));
        let flying = self.queued.len() + self.up.len();
        assert!(flying as u64 <= self.ahead, "{flying} of {}", self.ahead);
    }

    /// Begins what has a channel.
    fn dial(&mut self) {
        while self.up.len() < self.channels
            && let Some(sid) = self.queued.pop_front()
        {
            let leg = Leg {
                trunk: TrunkId("t".to_owned()),
                sip_call_id: "x".to_owned(),
            };
            let begun = self.store.begin_attempt(sid, leg.into(), self.now).wait();
            if self.row().state != BroadcastState::Running {
                assert_eq!(begun, Err(StoreError::NotQueued(sid)), "nobody is called");
                self.take_back(sid);
                continue;
            }
            begun.unwrap();
            let row = self.store.call(self.scope, sid).unwrap().unwrap();
            let number = row.to;
            let up = self.answer(sid, number.clone());
            self.dialled
                .entry(number)
                .or_default()
                .push((self.now, u64::MAX));
            self.up.insert(sid, up);
        }
    }

    fn answer(&mut self, sid: CallSid, number: String) -> Up {
        let (status, reason) = match self.dice.roll(10) {
            0..=4 => (CallStatus::Completed, HUNG_UP_BY_US),
            5 => (CallStatus::Completed, "the other side hung up"),
            6 => (CallStatus::Busy, "Busy Here"),
            7 => (CallStatus::NoAnswer, "nobody answered"),
            8 => (CallStatus::Failed, "Service Unavailable"),
            _ => (CallStatus::Failed, "Not Found"),
        };
        let sip_status = match reason {
            "Not Found" => Some(404),
            "Service Unavailable" => Some(503),
            _ => None,
        };
        if status == CallStatus::Completed {
            let up = self.store.set_status(sid, CallStatus::InProgress, self.now);
            up.wait().unwrap();
        }
        Up {
            ends: self.now + SECOND + self.dice.roll(40) * SECOND,
            number,
            record: CallRecord {
                sip_status,
                ..CallRecord::new(status, reason)
            },
        }
    }

    fn end(&mut self, sid: CallSid, up: Up) {
        let ended = self.store.finish_call(sid, up.record, self.now, None);
        ended.wait().unwrap();
        self.dialled
            .get_mut(&up.number)
            .unwrap()
            .last_mut()
            .unwrap()
            .1 = self.now;
    }

    /// The process dies, and the next one finds what is on disk.
    fn crash(&mut self) {
        self.crashes += 1;
        self.now += self.dice.roll(20) * SECOND;
        for (sid, up) in std::mem::take(&mut self.up) {
            let record = CallRecord {
                status: match up.record.status {
                    CallStatus::Completed => CallStatus::Completed,
                    _ => CallStatus::Failed,
                },
                ..CallRecord::new(CallStatus::Failed, "node_lost")
            };
            self.end(sid, Up { record, ..up });
        }
        self.queued.clear();
        self.is_recalled = false;
        let queued = &mut self.queued;
        self.store
            .queued(&mut |_, row| queued.push_back(row.call))
            .unwrap();
        // The dialler may be faster than the pump.
        if self.dice.in_a_hundred(50) {
            self.dial();
        }
    }

    /// Something happens that nobody has asked for.
    fn meddle(&mut self) {
        match self.dice.roll(400) {
            0..=7 => self.crash(),
            8..=15 => self.order(BroadcastOrder::Pause),
            16..=60 => self.order(BroadcastOrder::Resume),
            61 => self.order(BroadcastOrder::Stop),
            // The clock is set: forward, or back.
            62 => self.now += self.dice.roll(10) * MINUTE,
            63 => self.now -= self.dice.roll(2) * MINUTE,
            _ => {}
        }
    }

    fn run(&mut self) {
        self.order(BroadcastOrder::Start);
        for _ in 0..100_000 {
            let wake = self.pump();
            self.dial();
            let row = self.row();
            if !row.has_work() || row.counts.left() == 0 {
                return;
            }
            let next_end = self.up.values().map(|up| up.ends).min();
            let next = [wake, next_end].into_iter().flatten().min();
            // Whoever has paused it resumes it some time.
            let next = next.unwrap_or(self.now + MINUTE).max(self.now + 1);
            self.now = next.min(self.now + 5 * MINUTE);
            let over = self.up.iter().filter(|(_, up)| up.ends <= self.now);
            let over: Vec<_> = over.map(|(sid, _)| *sid).collect();
            for sid in over {
                let up = self.up.remove(&sid).unwrap();
                self.end(sid, up);
            }
            self.meddle();
        }
        panic!("it does not end: {:?}", self.row());
    }

    fn check(&self, many: u64) {
        let row = self.row();
        let page = self.store.recipients(self.scope, BC, None, None, 1_000);
        let recipients = page.unwrap().unwrap().recipients;
        assert_eq!(recipients.len() as u64, many, "nobody is lost");
        assert_eq!((row.counts.left(), row.counts.total()), (0, many));
        assert!(self.up.is_empty() && self.queued.is_empty());
        let reached = |state: &RecipientState| *state == RecipientState::Reached;
        let counted = recipients.iter().filter(|one| reached(&one.state)).count();
        assert_eq!(row.counts.reached, counted as u64);
        let mut calls = 0;
        for one in &recipients {
            let number = one.number.as_str();
            let seen = self.dialled.get(number).map_or(&[][..], Vec::as_slice);
            assert_eq!(
                one.attempts.len(),
                seen.len(),
                "{number}: what was seen is what is kept"
            );
            calls += seen.len() as u64;
            let most = row.rules.max_attempts.unwrap() as usize;
            let attempts = pump::attempts(one);
            let counted = attempts.iter().filter(|attempt| attempt.counts()).count();
            assert!(
                counted <= most && seen.len() <= 10,
                "{number}: {attempts:?}"
            );
            for pair in seen.windows(2) {
                let gap = pair[1].0 as i64 - pair[0].1 as i64;
                // A minute less where the clock was set back by one meanwhile.
                let least = i64::from(GAP_S) * 1_000 - 2 * MINUTE as i64;
                assert!(gap >= least, "{number}: {seen:?}");
            }
            let is_over = matches!(
                one.state,
                RecipientState::Reached | RecipientState::GivenUp(_)
            );
            assert!(is_over, "{number}: {:?}", one.state);
        }
        assert_eq!(row.counts.attempts(), calls);
    }
}

#[test]
fn nobody_is_lost_and_nobody_called_twice_within_the_gap() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse().unwrap());
    let seeds = match number("JACKFIELD_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("JACKFIELD_SEEDS").unwrap_or(SEEDS),
    };
    let (mut calls, mut crashes, mut reached) = (0, 0, 0);
    for seed in seeds {
        let run = std::panic::AssertUnwindSafe(|| {
            let mut world = World::new(seed);
            let many = world.draft();
            world.run();
            world.check(many);
            (world.row(), world.crashes)
        });
        let (row, died) = std::panic::catch_unwind(run).unwrap_or_else(|panic| {
            eprintln!("JACKFIELD_SEED={seed} cargo test -p jackfield-dial --test broadcast");
            std::panic::resume_unwind(panic)
        });
        calls += row.counts.attempts();
        reached += row.counts.reached;
        crashes += died;
    }
    eprintln!("{calls} calls, {reached} people reached, {crashes} crashes");
    assert!(crashes > 0 || calls < 1_000, "nothing has crashed");
}
