//! Calls that several trunks may carry, spread over them so that the last one is over as soon as possible.

use std::collections::VecDeque;

/// Halvings of the time that is looked for: more than the figures can tell apart.
const HALVINGS: usize = 50;
/// The share of the calls that may be missed by rounding.
const ROUNDING: f64 = 1e-9;

/// Where calls pass: so many in a second, and then through another one, if there is one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Passage {
    /// Calls a second.
    pub(super) per_second: f64,
    /// The passage behind it, by its place.
    pub(super) behind: Option<usize>,
}

/// Calls that may go through any of these passages.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Group {
    pub(super) calls: f64,
    /// By their places.
    pub(super) through: Vec<usize>,
}

/// The least time in which all of them pass, in seconds. `longest`: one in which they do.
pub(super) fn least_seconds(groups: &[Group], passages: &[Passage], longest: f64) -> f64 {
    let (mut too_short, mut enough) = (0.0, longest);
    for _ in 0..HALVINGS {
        let seconds = f64::midpoint(too_short, enough);
        match Net::new(groups, passages, seconds).carries_all() {
            true => enough = seconds,
            false => too_short = seconds,
        }
    }
    enough
}

/// Edges with what may still pass: from the source (0) to groups, passages, and the sink (1).
struct Net {
    /// Where from, where to, and how much more; each is followed by its way back.
    edges: Vec<(usize, usize, f64)>,
    /// The edges that leave each node.
    leaving: Vec<Vec<usize>>,
    calls: f64,
}

const SOURCE: usize = 0;
const SINK: usize = 1;

impl Net {
    fn new(groups: &[Group], passages: &[Passage], seconds: f64) -> Self {
        let passage = |place: usize| 2 + groups.len() + place;
        let mut net = Self {
            edges: Vec::new(),
            leaving: vec![Vec::new(); 2 + groups.len() + passages.len()],
            calls: groups.iter().map(|group| group.calls).sum(),
        };
        for (place, group) in groups.iter().enumerate() {
            net.join(SOURCE, 2 + place, group.calls);
            for through in &group.through {
                net.join(2 + place, passage(*through), group.calls);
            }
        }
        for (place, one) in passages.iter().enumerate() {
            let to = one.behind.map_or(SINK, passage);
            net.join(passage(place), to, one.per_second * seconds);
        }
        net
    }

    fn join(&mut self, from: usize, to: usize, calls: f64) {
        for edge in [(from, to, calls), (to, from, 0.0)] {
            self.leaving[edge.0].push(self.edges.len());
            self.edges.push(edge);
        }
    }

    /// Edmonds and Karp: the shortest way that has room, until there is none.
    fn carries_all(mut self) -> bool {
        let rounding = self.calls * ROUNDING;
        let mut left = self.calls;
        while left > rounding {
            let Some(way) = self.way(rounding) else {
                return false;
            };
            let room = way.iter().map(|edge| self.edges[*edge].2);
            let room = room.fold(left, f64::min);
            for edge in way {
                self.edges[edge].2 -= room;
                self.edges[edge ^ 1].2 += room;
            }
            left -= room;
        }
        true
    }

    /// The edges of the shortest way from the source to the sink on which more than this may pass.
    fn way(&self, rounding: f64) -> Option<Vec<usize>> {
        let mut came_by = vec![None; self.leaving.len()];
        let mut reached = VecDeque::from([SOURCE]);
        while let Some(node) = reached.pop_front() {
            for edge in &self.leaving[node] {
                let (_, to, room) = self.edges[*edge];
                if room > rounding && to != SOURCE && came_by[to].is_none() {
                    came_by[to] = Some(*edge);
                    reached.push_back(to);
                }
            }
        }
        let mut way = Vec::new();
        let mut at = SINK;
        while at != SOURCE {
            let edge = came_by[at]?;
            way.push(edge);
            at = self.edges[edge].0;
        }
        Some(way)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(groups: &[(f64, &[usize])], passages: &[(f64, Option<usize>)], expected: f64) {
        let groups: Vec<_> = groups
            .iter()
            .map(|(calls, through)| Group {
                calls: *calls,
                through: through.to_vec(),
            })
            .collect();
        let passages: Vec<_> = passages
            .iter()
            .map(|(per_second, behind)| Passage {
                per_second: *per_second,
                behind: *behind,
            })
            .collect();
        let seconds = least_seconds(&groups, &passages, 10_000.0);
        assert!((seconds - expected).abs() < 0.001, "{seconds}");
    }

    #[test]
    fn calls_are_spread_so_that_all_are_over_soonest() {
        check(&[(100.0, &[0])], &[(2.0, None)], 50.0);
        check(&[(100.0, &[0, 1])], &[(2.0, None), (3.0, None)], 20.0);
        // Those who have no choice go first, in effect.
        let two = [(2.0, None), (3.0, None)];
        check(&[(100.0, &[0, 1]), (90.0, &[1])], &two, 38.0);
        check(&[(10.0, &[0, 1]), (90.0, &[1])], &two, 30.0);
        // A part of a trunk, and the trunk behind it.
        let part = [(1.0, Some(1)), (4.0, None)];
        check(&[(30.0, &[0])], &part, 30.0);
        check(&[(30.0, &[0]), (130.0, &[1])], &part, 40.0);
        check(&[], &[], 0.0);
    }
}
