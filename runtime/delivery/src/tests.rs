//! Order, fairness and ends, on a clock of numbers.

use call::{AccountSid, CallSid, CallbackSubject};

use crate::{Delivery, GIVE_UP_AFTER_MS, Input, Output, WAITING_OF_PAYER, Waiting};

fn waiting(id: u64, payer: u8, call: u8) -> Waiting {
    Waiting {
        id,
        payer: AccountSid::from_bytes([payer; 16]),
        subject: CallbackSubject::Call(CallSid::from_bytes([call; 16])),
        created_ms: 0,
        attempts: 0,
        due_ms: 0,
    }
}

/// Feeds one input and gives what is to be done.
fn feed(delivery: &mut Delivery, now_ms: u64, input: Input) -> Vec<Output> {
    delivery.handle(now_ms, input);
    std::iter::from_fn(|| delivery.poll()).collect()
}

fn failed(id: u64) -> Input {
    Input::Failed {
        id,
        may_try_again: true,
        unanswered: false,
        random: 0,
    }
}

#[test]
fn the_next_of_a_call_goes_when_the_one_before_was_tried() {
    let mut outbox = Delivery::default();
    assert_eq!(
        feed(&mut outbox, 0, Input::Add(waiting(1, 1, 1))),
        [Output::Send(1)]
    );
    assert_eq!(feed(&mut outbox, 0, Input::Add(waiting(2, 1, 1))), []);
    assert_eq!(feed(&mut outbox, 0, Input::Add(waiting(3, 1, 1))), []);
    let again = |id, attempts, due_ms| Output::Again {
        id,
        attempts,
        due_ms,
    };
    assert_eq!(
        feed(&mut outbox, 10, failed(1)),
        [again(1, 1, 1_010), Output::Send(2)],
        "a retry holds nobody back"
    );
    assert_eq!(
        feed(&mut outbox, 20, Input::Delivered(2)),
        [Output::Send(3)]
    );
    assert_eq!(outbox.deadline(), Some(1_010));
    assert_eq!(feed(&mut outbox, 1_009, Input::Deadline), []);
    assert_eq!(feed(&mut outbox, 1_010, Input::Deadline), [Output::Send(1)]);
    assert_eq!(feed(&mut outbox, 1_020, Input::Delivered(1)), []);
    assert_eq!(feed(&mut outbox, 1_030, Input::Delivered(3)), []);
    assert!(outbox.is_quiet() && outbox.deadline().is_none());
}

#[test]
fn what_cannot_get_better_and_what_is_a_day_old_is_given_up() {
    let mut outbox = Delivery::default();
    feed(&mut outbox, 0, Input::Add(waiting(1, 1, 1)));
    let refused = Input::Failed {
        id: 1,
        may_try_again: false,
        unanswered: false,
        random: 0,
    };
    let given_up = |id, attempts| [Output::GiveUp { id, attempts }];
    assert_eq!(feed(&mut outbox, 5, refused), given_up(1, 1));
    let old = Waiting {
        attempts: 20,
        ..waiting(2, 1, 2)
    };
    assert_eq!(
        feed(&mut outbox, GIVE_UP_AFTER_MS, Input::Add(old)),
        [Output::Send(2)]
    );
    assert_eq!(
        feed(&mut outbox, GIVE_UP_AFTER_MS, failed(2)),
        given_up(2, 21)
    );
    assert!(outbox.is_quiet() && outbox.deadline().is_none());
}

#[test]
fn a_slow_server_delays_its_own_callbacks_alone() {
    let mut outbox = Delivery::default();
    let mut sent = Vec::new();
    for id in 0..200 {
        sent.extend(feed(&mut outbox, 0, Input::Add(waiting(id, 1, id as u8))));
    }
    assert_eq!(sent.len(), 8, "so many of one account at a time");
    assert_eq!(
        feed(&mut outbox, 0, Input::Add(waiting(500, 2, 250))),
        [Output::Send(500)],
        "another account's goes at once"
    );
    assert_eq!(feed(&mut outbox, 1, Input::Delivered(0)).len(), 1);
}

#[test]
fn accounts_take_turns_where_all_places_are_taken() {
    let mut outbox = Delivery::default();
    let mut sent = Vec::new();
    // 40 accounts with ten calls each.
    for id in 0..400_u64 {
        let call = CallSid::from_bytes(std::array::from_fn(|at| (id >> (8 * at.min(7))) as u8));
        let account = (id / 10) as u8;
        let waiting = Waiting {
            subject: CallbackSubject::Call(call),
            ..waiting(id, account, 0)
        };
        sent.extend(feed(&mut outbox, 0, Input::Add(waiting)));
    }
    assert_eq!(sent.len(), 128);
    // The first 16 accounts have all places; each place that comes free is another account's.
    let mut next = Vec::new();
    for sent in &sent[..24] {
        let Output::Send(id) = sent else {
            panic!("{sent:?}");
        };
        next.extend(feed(&mut outbox, 1, Input::Delivered(*id)));
    }
    let accounts: Vec<u64> = next
        .iter()
        .map(|output| match output {
            Output::Send(id) => id / 10,
            other => panic!("{other:?}"),
        })
        .collect();
    let mut different = accounts.clone();
    different.dedup();
    assert_eq!((accounts.len(), different.len()), (24, 24), "{accounts:?}");
}

#[test]
fn whose_server_does_not_answer_has_one_place_until_it_takes_one() {
    let mut outbox = Delivery::default();
    let mut sent = Vec::new();
    for id in 1..=30 {
        sent.extend(feed(&mut outbox, 0, Input::Add(waiting(id, 1, id as u8))));
    }
    assert_eq!(sent.len(), 8);
    let mut next = Vec::new();
    for id in 1..=8 {
        let unanswered = Input::Failed {
            id,
            may_try_again: true,
            unanswered: true,
            random: 0,
        };
        next.extend(feed(&mut outbox, 15_000, unanswered));
    }
    next.retain(|output| matches!(output, Output::Send(_)));
    assert_eq!(next, [Output::Send(9)], "eight were not answered");
    let refused = feed(&mut outbox, 15_010, failed(9));
    assert_eq!(refused[1..], [Output::Send(10)], "a refusal takes nothing");
    let taken = feed(&mut outbox, 15_020, Input::Delivered(10));
    assert_eq!(taken.len(), 8, "all places again: {taken:?}");
}

/// A payer has a server that is away and one that is there: of the first, 20 are tried again.
#[test]
fn what_is_tried_again_and_what_is_new_take_turns() {
    let mut outbox = Delivery::default();
    let again = |id| Waiting {
        attempts: 3,
        ..waiting(id, 1, 1)
    };
    let mut sent = Vec::new();
    for id in 1..=20 {
        sent.extend(feed(&mut outbox, 0, Input::Add(again(id))));
    }
    assert_eq!(sent.len(), 8, "there is nothing new yet");
    for id in 101..=104 {
        let new = waiting(id, 1, id as u8);
        assert_eq!(feed(&mut outbox, 0, Input::Add(new)), []);
    }
    let mut next = Vec::new();
    for id in 1..=8 {
        next.extend(feed(&mut outbox, 1, Input::Delivered(id)));
    }
    let turns = [101, 9, 102, 10, 103, 11, 104, 12].map(Output::Send);
    assert_eq!(next, turns);
}

#[test]
fn a_payer_without_anything_left_is_remembered_only_while_its_server_does_not_answer() {
    let mut outbox = Delivery::default();
    feed(&mut outbox, 0, Input::Add(waiting(1, 1, 1)));
    let unanswered = Input::Failed {
        id: 1,
        may_try_again: false,
        unanswered: true,
        random: 0,
    };
    let given_up = Output::GiveUp { id: 1, attempts: 1 };
    assert_eq!(feed(&mut outbox, 1, unanswered), [given_up]);
    let mut sent = Vec::new();
    for id in 2..=4 {
        sent.extend(feed(&mut outbox, 2, Input::Add(waiting(id, 1, id as u8))));
    }
    assert_eq!(sent, [Output::Send(2)]);
    let taken = feed(&mut outbox, 3, Input::Delivered(2));
    assert_eq!(taken, [Output::Send(3), Output::Send(4)]);
}

#[test]
fn what_a_payer_has_beyond_its_bound_is_given_up_and_others_are_not_touched() {
    let mut outbox = Delivery::default();
    for id in 1..=WAITING_OF_PAYER as u64 {
        outbox.handle(0, Input::Add(waiting(id, 1, 1)));
        while outbox.poll().is_some() {}
    }
    let beyond = WAITING_OF_PAYER as u64 + 1;
    let too_many = |id| Output::TooMany { id, attempts: 0 };
    assert_eq!(
        feed(&mut outbox, 0, Input::Add(waiting(beyond, 1, 1))),
        [too_many(beyond)]
    );
    let of_another = waiting(beyond + 1, 2, 2);
    assert_eq!(
        feed(&mut outbox, 0, Input::Add(of_another)),
        [Output::Send(beyond + 1)]
    );
    assert_eq!(feed(&mut outbox, 1, Input::Delivered(1)), [Output::Send(2)]);
    assert_eq!(
        feed(&mut outbox, 1, Input::Add(waiting(beyond + 2, 1, 1))),
        []
    );
}

/// Every callback of a random history is sent, is tried at most once at a time, and ends once; those of one call begin in order.
#[test]
fn nothing_is_lost_and_nothing_begins_out_of_order() {
    for seed in 0..200_u64 {
        let mut random = Random(seed);
        let mut outbox = Delivery::default();
        let (mut now, mut added) = (0, 0);
        let mut on_the_way: Vec<u64> = Vec::new();
        let mut begun: Vec<u64> = Vec::new();
        let mut ended = 0;
        while ended < 60 {
            now += random.below(500);
            let input = match random.below(3) {
                0 if added < 60 => {
                    added += 1;
                    Input::Add(waiting(added, (added % 3) as u8, (added % 7) as u8))
                }
                1 if !on_the_way.is_empty() => {
                    let at = random.below(on_the_way.len() as u64) as usize;
                    let id = on_the_way.swap_remove(at);
                    match random.below(3) {
                        0 => failed(id),
                        _ => Input::Delivered(id),
                    }
                }
                _ => {
                    now = now.max(outbox.deadline().unwrap_or(now));
                    Input::Deadline
                }
            };
            ended += u64::from(matches!(input, Input::Delivered(_)));
            for output in feed(&mut outbox, now, input) {
                match output {
                    Output::Send(id) => {
                        assert!(!on_the_way.contains(&id), "seed {seed}: {id} goes twice");
                        on_the_way.push(id);
                        begun.push(id);
                    }
                    Output::GiveUp { .. } => ended += 1,
                    Output::Again { .. } | Output::TooMany { .. } => {}
                }
            }
        }
        assert!(
            outbox.is_quiet() && outbox.deadline().is_none(),
            "seed {seed}"
        );
        for call in 0..7 {
            let mut first = Vec::new();
            for id in begun.iter().filter(|id| *id % 7 == call) {
                if !first.contains(id) {
                    first.push(*id);
                }
            }
            assert!(first.is_sorted(), "seed {seed}: {first:?}");
        }
    }
}

/// `SplitMix64`.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }
}
