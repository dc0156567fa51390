//! The whole story of `examples/early-warning`: people register by phone, an official records a warning, who lives where the water comes is
//! called, and everybody counts the same.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jackfield_interop::process::Process;
use jackfield_interop::server::binary;
use jackfield_interop::{needs, ports};

/// The second round of calls begins a minute after the first; a machine that has other work takes minutes.
const LIMIT: Duration = Duration::from_secs(900);

fn example() -> PathBuf {
    needs::workspace().join("examples/early-warning")
}

/// One of the lines as its author builds it; by one test at a time, since all use it.
fn component(name: &str) -> PathBuf {
    static BUILDING: Mutex<()> = Mutex::new(());
    let _building = BUILDING.lock().unwrap_or_else(PoisonError::into_inner);
    let target = binary().with_file_name("plugin-author");
    let built = Command::new(binary())
        .env("CARGO_TARGET_DIR", &target)
        .args(["plugin", "build", "--folder"])
        .arg(needs::workspace().join("examples/plugins").join(name))
        .output()
        .expect("jackfield can be run");
    assert!(built.status.success(), "{built:?}");
    let file = format!("{}.wasm", name.replace('-', "_"));
    target.join("wasm32-wasip2/release").join(file)
}

/// Runs the whole example; what it says.
fn run(arguments: &[&str]) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let places = [
        &format!("--sip={}", ports::free()),
        &format!("--aggregator={}", ports::free()),
        &format!("--api={}", ports::free()),
        &format!("--rtp={}", ports::range(400)),
    ];
    let mut story = Process::start(
        "early-warning",
        Command::new(needs::program("python3", "python3"))
            .arg(example().join("run"))
            .args(arguments)
            .args(places)
            // As much of the message's four seconds as a machine with other work may swallow.
            .arg("--cut=1")
            // And as late as its calls may be on the wire.
            .arg("--late=0.75")
            .arg("--jackfield")
            .arg(binary())
            .arg("--component")
            .arg(component("laos-registration"))
            .arg("--recorder")
            .arg(component("message-recorder")),
        &folder.path().join("story.txt"),
    );
    let status = story.wait(LIMIT);
    let told = story.output();
    assert!(status.success(), "{told}");
    assert!(told.contains("All counts agree."), "{told}");
    told
}

#[test]
fn people_register_and_are_called_within_all_limits_and_all_counts_agree() {
    let told = run(&[
        "--people=200",
        "--by-phone=10",
        "--during=5",
        "--elsewhere=40",
        "--channels=8",
        "--rate=20",
    ]);
    // What it says of itself is there, and not merely nothing wrong.
    for line in [
        "people, each with their district: 240",
        "refused before: (True, True)",
        "files that are kept: ['flood-lao.wav']",
        "people in the results: (200, 200)",
        "of these, who lives where no water comes: 0",
        "reached, by what people do: 185",
        "calls that came in, by the observer: 16",
        "limits exceeded, by the observer: (0, 0)",
        "operators where the message is what is heard: 5",
    ] {
        assert!(told.contains(line), "{line} is not in {told}");
    }
}

#[test]
fn a_pause_and_kills_lose_nobody_and_call_nobody_twice() {
    let told = run(&[
        "--people=300",
        "--by-phone=4",
        "--during=2",
        "--channels=8",
        "--rate=20",
        "--pause-halfway",
        "--kills=5",
    ]);
    for line in [
        "people in the results: (300, 300)",
        "limits exceeded, by the observer: (0, 0)",
        "kills and pauses that were left out: (0, None)",
        "called again within the gap: 0",
        "calls while it paused: 0",
        "of these, called more often than is kept: 0",
    ] {
        assert!(told.contains(line), "{line} is not in {told}");
    }
}

/// A capture in libpcap's format, of UDP datagrams over loopback with the time of each in milliseconds.
fn capture(file: &Path, datagrams: &[(u32, u16, u16, String)]) {
    let mut bytes = Vec::new();
    for word in [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 65_535, 1] {
        bytes.extend(word.to_le_bytes());
    }
    for (at_ms, source, destination, text) in datagrams {
        let mut frame = vec![0; 12];
        frame.extend([0x08, 0x00]);
        let length = u16::try_from(text.len()).expect("a short message");
        frame.extend([0x45, 0]);
        frame.extend((length + 28).to_be_bytes());
        frame.extend([0, 0, 0, 0, 64, 17, 0, 0, 127, 0, 0, 1, 127, 0, 0, 1]);
        for word in [*source, *destination, length + 8, 0] {
            frame.extend(word.to_be_bytes());
        }
        frame.extend(text.as_bytes());
        let size = u32::try_from(frame.len()).expect("a short frame");
        for word in [at_ms / 1_000, at_ms % 1_000 * 1_000, size, size] {
            bytes.extend(word.to_le_bytes());
        }
        bytes.extend(frame);
    }
    std::fs::write(file, bytes).expect("a file");
}

fn invite(at_ms: u32, call: usize) -> (u32, u16, u16, String) {
    let text = format!(
        "INVITE sip:+8562020000001@127.0.0.1:5070 SIP/2.0\r\nCall-ID: c{call}\r\nCSeq: 1 INVITE\r\n\r\n"
    );
    (at_ms, 5060, 5070, text)
}

fn response(at_ms: u32, call: usize, status: u16, method: &str) -> (u32, u16, u16, String) {
    let text = format!("SIP/2.0 {status} X\r\nCall-ID: c{call}\r\nCSeq: 2 {method}\r\n\r\n");
    (at_ms, 5070, 5060, text)
}

/// From somebody who calls the line.
fn incoming(method: &str, at_ms: u32, caller: &str, call: usize) -> (u32, u16, u16, String) {
    let text = format!(
        "{method} sip:1294@127.0.0.1 SIP/2.0\r\nFrom: <sip:{caller}@127.0.0.2>;tag=a\r\nCall-ID: c{call}\r\nCSeq: 1 {method}\r\n\r\n"
    );
    (at_ms, 40_000, 5060, text)
}

/// The line has hung up, and the caller has answered to that.
fn answered_bye(at_ms: u32, call: usize) -> (u32, u16, u16, String) {
    let text = format!("SIP/2.0 200 OK\r\nCall-ID: c{call}\r\nCSeq: 1 BYE\r\n\r\n");
    (at_ms, 40_000, 5060, text)
}

/// With those who call in, of two operators.
fn observe_both(file: &Path, channels: u32) -> Output {
    Command::new(needs::program("python3", "python3"))
        .arg(example().join("observer.py"))
        .arg(format!("--operator=856202={channels}"))
        .args(["--operator=856205=1", "--rate=10", "--line=5060"])
        .args(["--calling-code=856", "--read"])
        .arg(file)
        .output()
        .expect("python can be run")
}

fn observe(file: &Path, channels: u32, rate: u32) -> Output {
    Command::new(needs::program("python3", "python3"))
        .arg(example().join("observer.py"))
        .arg(format!("--operator=856202={channels}"))
        .arg(format!("--rate={rate}"))
        .arg("--read")
        .arg(file)
        .output()
        .expect("python can be run")
}

#[test]
fn the_observer_sees_a_channel_too_many_and_a_second_too_full() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("capture.pcap");
    // Two calls up; one is refused and one hung up before the third and fourth begin. A repeated INVITE is no call.
    let within = [
        invite(0, 1),
        invite(500, 1),
        invite(600, 2),
        response(700, 1, 486, "INVITE"),
        invite(800, 3),
        response(900, 2, 200, "INVITE"),
        response(5_000, 2, 200, "BYE"),
        invite(5_100, 4),
    ];
    capture(&file, &within);
    let observed = observe(&file, 2, 10);
    let told = String::from_utf8_lossy(&observed.stdout);
    assert!(observed.status.success(), "{told}");
    assert!(
        told.contains(r#""calls": 4, "calls_in": 0, "most_channels": {"856202": 2}"#),
        "{told}"
    );

    // Who calls in holds a channel of their operator, too, until it is over; whatever their number looks like.
    let both = folder.path().join("both.pcap");
    let with_callers = [
        invite(0, 1),
        incoming("INVITE", 100, "02020000002", 5),
        incoming("INVITE", 200, "02020000002", 5),
        incoming("INVITE", 300, "+85620500001", 6),
        answered_bye(400, 5),
        incoming("INVITE", 500, "+85620200003", 7),
        incoming("BYE", 600, "+85620200003", 7),
        incoming("INVITE", 700, "+85620200004", 8),
    ];
    capture(&both, &with_callers);
    let observed = observe_both(&both, 2);
    let told = String::from_utf8_lossy(&observed.stdout);
    assert!(observed.status.success(), "{told}");
    assert!(
        told.contains(r#""calls": 1, "calls_in": 4, "most_channels": {"856202": 2, "856205": 1}"#),
        "{told}"
    );
    let observed = observe_both(&both, 1);
    let told = String::from_utf8_lossy(&observed.stdout);
    assert_eq!(observed.status.code(), Some(1), "{told}");
    assert!(told.contains("2 channels of 856202, which has 1"), "{told}");

    // A burst that a window of a second would let through. As many as a quarter of a second may bring together are none.
    let burst: Vec<_> = (0..4).map(|call| invite(0, call)).collect();
    let bursts = folder.path().join("burst.pcap");
    capture(&bursts, &burst);
    let observed = observe(&bursts, 20, 12);
    assert!(observed.status.success());
    let told = String::from_utf8_lossy(&observed.stdout);
    let bound = r#""late": 0.25, "allowed_in_w_seconds": "1 + 12 * (w + 0.25)""#;
    assert!(told.contains(bound), "{told}");
    let observed = observe(&bursts, 20, 11);
    let told = String::from_utf8_lossy(&observed.stdout);
    assert_eq!(observed.status.code(), Some(1), "{told}");
    assert!(told.contains("4 calls within a second"), "{told}");

    for (channels, rate, why) in [
        (1, 10, "2 channels of 856202"),
        (2, 1, "3 calls within a second"),
    ] {
        let observed = observe(&file, channels, rate);
        let told = String::from_utf8_lossy(&observed.stdout);
        assert_eq!(observed.status.code(), Some(1), "{told}");
        assert!(told.contains(why), "{told}");
    }
}
