//! How long packets wait before they are played, at least and at most.

/// The margins of the packets of the last two windows. In ticks; a packet that came too late has a negative one.
#[derive(Debug, Clone, Default)]
pub(super) struct Margins {
    current: Option<Extremes>,
    before: Option<Extremes>,
}

#[derive(Debug, Clone, Copy)]
struct Extremes {
    least: i32,
    most: i32,
}

impl Extremes {
    fn with(self, other: Self) -> Self {
        Self {
            least: self.least.min(other.least),
            most: self.most.max(other.most),
        }
    }
}

impl Margins {
    /// A packet had this margin.
    pub(super) fn take(&mut self, margin: i32) {
        let one = Extremes {
            least: margin,
            most: margin,
        };
        self.current = Some(self.current.map_or(one, |current| current.with(one)));
    }

    /// The window is over.
    pub(super) fn roll(&mut self) {
        self.before = self.current.take();
    }

    /// Everything that comes will wait so much longer.
    pub(super) fn shift(&mut self, by: i32) {
        for window in [&mut self.current, &mut self.before].into_iter().flatten() {
            window.least = window.least.saturating_add(by);
            window.most = window.most.saturating_add(by);
        }
    }

    /// How long the fastest packet waited: the delay.
    pub(super) fn most(&self) -> Option<i32> {
        self.both().map(|both| both.most)
    }

    /// How far the fastest and the slowest packet are apart: the jitter.
    pub(super) fn spread(&self) -> Option<u32> {
        self.both()
            .map(|both| both.most.saturating_sub(both.least).max(0).cast_unsigned())
    }

    /// How long the slowest packet waited, of at least a whole window.
    pub(super) fn least(&self) -> Option<i32> {
        self.before.and_then(|_| self.both()).map(|both| both.least)
    }

    fn both(&self) -> Option<Extremes> {
        match (self.current, self.before) {
            (Some(current), Some(before)) => Some(current.with(before)),
            (one, other) => one.or(other),
        }
    }
}
