//! What a large queue costs: the start after a kill, memory, and the scheduler.
//!
//! `cargo run --release -p jackfield-dial --example queue_bench FOLDER [CALLS]`
//!
//! A process of its own accepts CALLS (1,000,000) calls of twenty accounts into a store in FOLDER, which is to be new, and is killed with
//! SIGKILL while it accepts more. Then the store is opened and the queue taken in, as the server does it at its start, and the first call
//! is dialled. After that one call ends and the next one goes, 100,000 times. Called again with a FOLDER that is there, it only starts.
//!
//! Time is wall time, and in brackets the process's on a processor, which says more where the machine has other work.

#![allow(missing_docs)]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use call::{CallSid, Direction};
use jackfield_dial::{Dialer, Input, Now, Output, QueueLimits};
use store::tenants::Surroundings;
use store::{
    AccountStore as _, CallOrders, CarrierId, DiskStore, Flow, NewCall, Places, Priority,
    QueueTerms, Scope, Store as _, Tenants, random_call_sid,
};

const ACCOUNTS: u64 = 20;
const OPERATORS: [&str; 5] = ["+85510", "+85511", "+85512", "+85515", "+85516"];
/// Calls whose commits are waited for together.
const AT_ONCE: u64 = 1_000;
const ROUNDS: u32 = 100_000;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().expect("a folder");
    let calls = arguments
        .next()
        .map_or(1_000_000, |text| text.parse().expect("CALLS is a number"));
    let folder = Path::new(&folder);
    if arguments.next().is_some() {
        return fill(folder, calls);
    }
    if !folder.exists() {
        fill_and_kill(folder, calls);
    }
    start(folder);
}

/// Lets a process fill the queue, and kills it at work.
fn fill_and_kill(folder: &Path, calls: u64) {
    let program = std::env::current_exe().expect("this program's file");
    let mut child = Command::new(program)
        .arg(folder)
        .arg(calls.to_string())
        .arg("fill")
        .stdout(Stdio::piped())
        .spawn()
        .expect("a process");
    let output = child.stdout.take().expect("its output");
    let filled = BufReader::new(output).lines().next();
    println!("{}", filled.expect("a line").expect("a text"));
    child.kill().expect("it is there");
    child.wait().expect("it ends");
}

/// Accepts calls as fast as they are on disk, says so, and goes on until it is killed.
fn fill(folder: &Path, calls: u64) {
    let (store, _) = DiskStore::open(&Places::in_folder(folder), unix_ms()).expect("a new store");
    store.apply(tenants()).wait().expect("tenants");
    let scopes = scopes(&store);
    let begun = Watch::begin();
    for first in (0..).step_by(AT_ONCE as usize) {
        let commits: Vec<_> = (first..first + AT_ONCE)
            .map(|number| {
                let of = (number % ACCOUNTS) as usize;
                store.accept_call(scopes[of], new_call(number, of))
            })
            .collect();
        for commit in commits {
            commit.wait().expect("the disk has room");
        }
        if first + AT_ONCE == calls.next_multiple_of(AT_ONCE) {
            println!("accept {calls} calls        {begun}");
        }
    }
}

fn start(folder: &Path) {
    let whole = Watch::begin();
    let watch = Watch::begin();
    let places = Places::in_folder(folder);
    let (store, _) = DiskStore::open(&places, unix_ms()).expect("the store opens");
    println!("open the store              {watch}");

    let watch = Watch::begin();
    let mut dialer = Dialer::new(store.directory(), QueueLimits::default());
    let taken_in = now();
    store
        .queued(&mut |place, call| dialer.take_in(taken_in, place, call.into()))
        .expect("the queue can be read");
    println!("take in {:9} calls     {watch}", dialer.waiting());

    let watch = Watch::begin();
    dialer.handle(now(), Input::Timeout);
    let up = attempts(&mut dialer);
    println!("dial the first {:9}    {watch}", up.len());
    println!("from start to dialling      {whole}");
    println!("resident memory             {} MiB", resident_kib() / 1_024);

    let watch = Watch::begin();
    let (begun, mut up) = (now(), std::collections::VecDeque::from(up));
    for round in 0..ROUNDS {
        let ends = up.pop_front().expect("calls are up");
        // Slow enough that no rate is reached.
        let later = Now {
            instant: begun.instant + Duration::from_millis(round.into()),
            ..begun
        };
        dialer.handle(later, Input::Ended(ends));
        up.extend(attempts(&mut dialer));
    }
    println!("one ends and one goes, each {}", watch.each(ROUNDS));

    let watch = Watch::begin();
    dialer.handle(now(), Input::Directory(store.directory()));
    println!("tenants are applied         {watch}");
    let watch = Watch::begin();
    let directory = store.directory();
    let down = directory.trunks().map(|trunk| trunk.id.clone());
    dialer.handle(now(), Input::Down(down.take(1).collect()));
    println!("a trunk fails               {watch}");
    let watch = Watch::begin();
    let (account, class) = (scopes(&store)[0].account(), None);
    dialer.handle(now(), Input::CancelAll { account, class });
    println!("one account's are cancelled {watch}");
}

fn attempts(dialer: &mut Dialer) -> Vec<CallSid> {
    let outputs = std::iter::from_fn(|| dialer.poll());
    let attempts = outputs.filter_map(|output| match output {
        Output::Attempt { call, .. } => Some(call),
        _ => None,
    });
    attempts.collect()
}

/// One carrier with a trunk to each operator.
fn tenants() -> Tenants {
    let mut text = "[[carrier]]\nid = \"east\"\n".to_owned();
    for (at, prefix) in OPERATORS.iter().enumerate() {
        text += &format!(
            "[[trunk]]\nid = \"t{at}\"\ncarrier = \"east\"\ntarget = \"203.0.113.{at}:5060\"\nprefixes = [\"{prefix}\"]\nmax_channels = 32\ncalls_per_second = 10000.0\n"
        );
    }
    for of in 0..ACCOUNTS {
        text += &format!(
            "[[account]]\ncarrier = \"east\"\nname = \"a{of}\"\noutbound = {{ allow = [\"+855\"], max_channels = 160, calls_per_second = 10000.0, highest_priority = \"emergency\" }}\n[[number]]\nnumber = \"+8552300{of:04}\"\naccount = \"a{of}\"\nflow = \"menu\"\n"
        );
    }
    let surroundings = Surroundings {
        folder: Path::new("."),
        bundled: &["menu"],
        uploaded: &|_, _, _| false,
        check_component: &|_, _| Ok(()),
    };
    Tenants::parse(&text, &surroundings).expect("tenants")
}

fn scopes(store: &DiskStore) -> Vec<Scope> {
    let (directory, east) = (store.directory(), CarrierId("east".to_owned()));
    let of = |of| directory.account_by_name(&east, &format!("a{of}"));
    let accounts = (0..ACCOUNTS).map(|at| of(at).expect("the account").sid);
    accounts.map(Scope::of_host).collect()
}

fn new_call(number: u64, of: usize) -> NewCall {
    let operator = OPERATORS[(number / ACCOUNTS) as usize % OPERATORS.len()];
    NewCall {
        sid: random_call_sid(),
        from: format!("+8552300{of:04}"),
        to: format!("{operator}{:06}", number % 1_000_000),
        direction: Direction::OutboundApi,
        parent: None,
        flow: Flow::rejecting(),
        ring_timeout_s: None,
        settings: [("Url".to_owned(), "https://example.org/warning".to_owned())].into(),
        callback: None,
        notification: None,
        orders: CallOrders {
            queue: QueueTerms {
                priority: Priority::ALL[(number % 7) as usize % 3],
                ..QueueTerms::default()
            },
            ..CallOrders::default()
        },
        created_unix_ms: unix_ms(),
    }
}

#[allow(clippy::disallowed_methods, reason = "a benchmark reads the clocks")]
fn now() -> Now {
    Now {
        instant: Instant::now(),
        unix_ms: unix_ms(),
    }
}

#[allow(clippy::disallowed_methods, reason = "a benchmark reads the clocks")]
fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.expect("after 1970").as_millis() as u64
}

/// Time since its beginning: on the wall, and on a processor.
struct Watch {
    begun: Instant,
    cpu: Duration,
}

impl Watch {
    fn begin() -> Self {
        Self {
            begun: now().instant,
            cpu: cpu(),
        }
    }

    fn each(&self, rounds: u32) -> String {
        let micros = |time: Duration| time.as_secs_f64() * 1e6 / f64::from(rounds);
        let (wall, cpu) = (micros(self.begun.elapsed()), micros(cpu() - self.cpu));
        format!("{wall:.2} us ({cpu:.2} us)")
    }
}

impl std::fmt::Display for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (wall, cpu) = (self.begun.elapsed(), cpu() - self.cpu);
        write!(
            f,
            "{:.2} s ({:.2} s)",
            wall.as_secs_f64(),
            cpu.as_secs_f64()
        )
    }
}

/// This process's time on processors, user and system: fields 14 and 15 of `/proc/self/stat`, in hundredths of a second.
fn cpu() -> Duration {
    let text = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let (_, fields) = text.rsplit_once(") ").expect("the name in brackets");
    let mut fields = fields.split(' ').skip(11);
    let mut next = || -> u64 {
        fields
            .next()
            .and_then(|text| text.parse().ok())
            .expect("a number")
    };
    Duration::from_millis(10 * (next() + next()))
}

fn resident_kib() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|rest| rest.trim().split(' ').next());
    number.and_then(|text| text.parse().ok()).expect("a number")
}
