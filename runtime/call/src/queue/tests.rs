use std::time::Duration;

use super::*;

fn sid(number: u8) -> CallSid {
    CallSid::from_bytes([number; 16])
}

/// A queue on simulated time that says what it does, in short words.
struct Run {
    queue: Queue,
    now: Instant,
}

impl Run {
    #[allow(
        clippy::disallowed_methods,
        reason = "simulated time needs some beginning"
    )]
    fn new() -> Self {
        Self {
            queue: Queue::new(QueueSid::from_bytes([9; 16])),
            now: Instant::now(),
        }
    }

    /// A second later.
    fn feed(&mut self, input: QueueInput) -> Vec<String> {
        self.now += Duration::from_secs(1);
        self.queue.handle(self.now, input);
        std::iter::from_fn(|| self.queue.poll())
            .map(|effect| words(&effect))
            .collect()
    }

    fn wait(&mut self, number: u8) -> Vec<String> {
        let (call, max_size) = (sid(number), None);
        self.feed(QueueInput::Wait { call, max_size })
    }

    fn serve(&mut self, number: u8) -> Vec<String> {
        self.feed(QueueInput::Serve(sid(number)))
    }

    fn serve_whispering(&mut self, number: u8) -> Vec<String> {
        self.feed(QueueInput::ServeWhispering(sid(number)))
    }

    fn whispered(&mut self, number: u8) -> Vec<String> {
        self.feed(QueueInput::Whispered(sid(number)))
    }

    fn leave(&mut self, number: u8) -> Vec<String> {
        self.feed(QueueInput::Leave(sid(number)))
    }
}

fn words(effect: &QueueEffect) -> String {
    let number = |call: &CallSid| call.as_bytes()[0];
    match effect {
        QueueEffect::Bridge(one, other) => format!("bridge {} {}", number(one), number(other)),
        QueueEffect::Whisper { to, from, waited_s } => {
            format!(
                "whisper of {} to {} after {waited_s} s",
                number(from),
                number(to)
            )
        }
        QueueEffect::Tell(call, QueueEvent::Waiting(place)) => format!(
            "{}: {} of {}, {} s",
            number(call),
            place.position,
            place.size,
            place.average_wait_s
        ),
        QueueEffect::Tell(call, QueueEvent::Bridged(bridge)) => format!(
            "{}: with {} after {} s",
            number(call),
            number(&bridge.call),
            bridge.waited_s
        ),
        QueueEffect::Tell(call, QueueEvent::Left(exit)) => {
            format!(
                "{}: {:?} after {} s",
                number(call),
                exit.outcome,
                exit.waited_s
            )
        }
    }
}

#[test]
fn who_waits_longest_is_served_first() {
    let mut run = Run::new();
    assert_eq!(run.wait(1), ["1: 1 of 1, 0 s"]);
    assert_eq!(run.wait(2), ["2: 2 of 2, 0 s"]);
    run.wait(3);
    assert_eq!(
        run.serve(10),
        [
            "bridge 1 10",
            "1: with 10 after 3 s",
            "10: with 1 after 3 s",
            "2: 1 of 2, 3 s",
            "3: 2 of 2, 3 s",
        ]
    );
}

#[test]
fn who_serves_waits_for_the_next_one() {
    let mut run = Run::new();
    assert_eq!(run.serve(10), [""; 0]);
    run.serve(11);
    assert_eq!(
        run.wait(1),
        [
            "bridge 1 10",
            "1: with 10 after 0 s",
            "10: with 1 after 0 s"
        ]
    );
    assert_eq!(run.leave(11), ["11: Left after 0 s"]);
    assert_eq!(run.wait(2), ["2: 1 of 1, 0 s"]);
}

#[test]
fn whoever_of_the_two_goes_both_are_told() {
    for gone in [1, 10] {
        let mut run = Run::new();
        run.wait(1);
        run.serve(10);
        assert_eq!(
            run.leave(gone),
            ["1: Bridged after 1 s", "10: Bridged after 0 s"]
        );
        assert!(run.queue.is_empty());
        assert_eq!(run.leave(gone), [""; 0]);
    }
}

#[test]
fn who_leaves_lets_the_others_move_up() {
    let mut run = Run::new();
    for number in 1..=3 {
        run.wait(number);
    }
    assert_eq!(run.leave(2), ["2: Left after 2 s", "3: 2 of 2, 0 s"]);
}

#[test]
fn a_full_queue_takes_nobody() {
    let mut run = Run::new();
    run.wait(1);
    let call = sid(2);
    let max_size = Some(1);
    assert_eq!(
        run.feed(QueueInput::Wait { call, max_size }),
        ["2: Full after 0 s"]
    );
    for number in 2..=100 {
        run.wait(number);
    }
    assert_eq!(run.wait(101), ["101: Full after 0 s"]);
    assert_eq!(run.queue.waiting.len(), 100);
}

#[test]
fn who_waits_is_seen_in_order_and_the_size_is_the_queues_unless_another_is_said() {
    let mut run = Run::new();
    run.queue.set_max_size(2);
    run.wait(1);
    run.wait(2);
    let members: Vec<_> = run.queue.members(run.now).collect();
    let second = Duration::from_secs(1);
    assert_eq!(members, [(sid(1), second), (sid(2), Duration::ZERO)]);
    let exits = |told: Vec<String>| told.iter().filter(|line| line.contains("Full")).count();
    assert_eq!(exits(run.wait(3)), 1);
    let (call, max_size) = (sid(4), Some(3));
    assert_eq!(exits(run.feed(QueueInput::Wait { call, max_size })), 0);
    assert_eq!(run.queue.members(run.now).count(), 3);
}

#[test]
fn who_waits_hears_the_whisper_before_the_other_one() {
    let mut run = Run::new();
    run.wait(1);
    run.wait(2);
    let whisper = ["whisper of 10 to 1 after 2 s", "1: with 10 after 2 s"];
    assert_eq!(
        run.serve_whispering(10),
        [&whisper[..], &["2: 1 of 1, 2 s"]].concat()
    );
    assert_eq!(run.whispered(2), [""; 0], "it waits");
    assert_eq!(run.whispered(1), ["bridge 1 10", "10: with 1 after 2 s"]);
    assert_eq!(run.whispered(1), [""; 0], "they hear each other already");
    assert_eq!(
        run.leave(10),
        ["1: Bridged after 2 s", "10: Bridged after 0 s"]
    );
}

#[test]
fn whoever_goes_during_a_whisper_leaves_the_other_one_to_the_queue() {
    let mut run = Run::new();
    run.serve_whispering(10);
    run.serve(11);
    let told = run.wait(1);
    assert_eq!(
        told,
        ["whisper of 10 to 1 after 0 s", "1: with 10 after 0 s"]
    );
    assert_eq!(
        run.leave(1),
        ["1: Bridged after 0 s"],
        "10 was told of nobody"
    );
    assert_eq!(run.whispered(1), [""; 0]);
    let told = run.wait(2);
    assert_eq!(
        told,
        ["whisper of 10 to 2 after 0 s", "2: with 10 after 0 s"],
        "and is served before 11"
    );
    run.wait(3);
    run.wait(4);
    assert_eq!(
        run.leave(2),
        [
            "2: Bridged after 0 s",
            "whisper of 10 to 4 after 1 s",
            "4: with 10 after 1 s"
        ]
    );
    assert_eq!(
        run.leave(10),
        ["4: Bridged after 1 s", "10: Bridged after 0 s"]
    );
}
