//! Values of SSML attributes (SSML 1.1, sections 3.2.3 and 3.2.4).

use std::time::Duration;

/// The longest that one break may be.
pub(super) const LONGEST_BREAK: Duration = Duration::from_secs(10);

/// `10s`, `1.5s`, `250ms`. Longer ones than [`LONGEST_BREAK`] are for the caller to judge.
pub(super) fn time(text: &str) -> Option<Duration> {
    let text = text.trim();
    let (number, thousandths) = match text.strip_suffix("ms") {
        Some(number) => (number, 1.0),
        None => (text.strip_suffix('s')?, 1_000.0),
    };
    let milliseconds = plain_number(number.trim_start_matches('+'))? * thousandths;
    // Eleven days are far more than anybody may ask for, and fit whatever they are added to.
    Some(Duration::from_millis(milliseconds.min(1e9) as u64))
}

/// How long a break of a strength is.
pub(super) fn strength(text: &str) -> Option<Duration> {
    let milliseconds = match text.trim() {
        "none" => 0,
        "x-weak" => 100,
        "weak" => 200,
        "medium" => 400,
        "strong" => 700,
        "x-strong" => 1_000,
        _ => return None,
    };
    Some(Duration::from_millis(milliseconds))
}

/// A factor on the rate: a word, `150%`, `+20%`, or a plain number.
pub(super) fn rate(text: &str) -> Option<f32> {
    match text.trim() {
        "x-slow" => Some(0.5),
        "slow" => Some(0.75),
        "medium" | "default" => Some(1.0),
        "fast" => Some(1.25),
        "x-fast" => Some(1.6),
        other => match change(other, "%") {
            Some(percent) => Some(1.0 + percent / 100.0),
            None => match other.strip_suffix('%') {
                Some(percent) => plain_number(percent).map(|percent| percent / 100.0),
                None => plain_number(other),
            },
        },
    }
    .filter(|factor| *factor > 0.0)
}

/// A factor on the pitch: a word, `+20%`, `-2st` (semitones).
pub(super) fn pitch(text: &str) -> Option<f32> {
    match text.trim() {
        "x-low" => Some(0.7),
        "low" => Some(0.85),
        "medium" | "default" => Some(1.0),
        "high" => Some(1.15),
        "x-high" => Some(1.3),
        other => match change(other, "%") {
            Some(percent) => Some(1.0 + percent / 100.0),
            None => change(other, "st").map(|semitones| (semitones / 12.0).exp2()),
        },
    }
    .filter(|factor| *factor > 0.0)
}

/// A change of loudness in dB: a word, `+6dB`, or (SSML 1.0) 0 to 100 of the voice's own.
pub(super) fn volume(text: &str) -> Option<f32> {
    match text.trim() {
        "silent" => Some(f32::NEG_INFINITY),
        "x-soft" => Some(-12.0),
        "soft" => Some(-6.0),
        "medium" | "default" => Some(0.0),
        "loud" => Some(4.0),
        "x-loud" => Some(8.0),
        other => match change(other, "dB") {
            Some(decibels) => Some(decibels),
            None => plain_number(other)
                .filter(|percent| *percent <= 100.0)
                .map(|percent| 20.0 * (percent / 100.0).log10()),
        },
    }
}

/// The signed number before a unit.
fn change(text: &str, unit: &str) -> Option<f32> {
    let number = text.strip_suffix(unit)?;
    match number.split_at_checked(1)? {
        ("+", number) => plain_number(number),
        ("-", number) => plain_number(number).map(|number| -number),
        _ => None,
    }
}

/// Digits with at most one point. What `parse` takes beyond that (`inf`, `1e9`) is no number here.
fn plain_number(text: &str) -> Option<f32> {
    let is_plain = !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit() || c == b'.');
    text.parse().ok().filter(|_| is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        for (text, expected) in [
            ("1s", Some(1_000)),
            ("+1s", Some(1_000)),
            ("1.5s", Some(1_500)),
            (".5s", Some(500)),
            ("250ms", Some(250)),
            ("0s", Some(0)),
            ("999999999999999999999s", Some(1_000_000_000)),
            ("-1s", None),
            ("1", None),
            ("s", None),
            ("1m", None),
            ("1e3s", None),
            ("infs", None),
            ("soon", None),
            ("", None),
        ] {
            let expected = expected.map(Duration::from_millis);
            assert_eq!(time(text), expected, "{text}");
        }
    }

    #[test]
    fn prosody() {
        type Read = fn(&str) -> Option<f32>;
        let rows: [(Read, &str, Option<f32>); 25] = [
            (rate, "slow", Some(0.75)),
            (rate, "150%", Some(1.5)),
            (rate, "+50%", Some(1.5)),
            (rate, "-25%", Some(0.75)),
            (rate, "2", Some(2.0)),
            (rate, "0%", None),
            (rate, "-100%", None),
            (rate, "-150%", None),
            (rate, "quick", None),
            (rate, "NaN%", None),
            (rate, "é%", None),
            (pitch, "high", Some(1.15)),
            (pitch, "+20%", Some(1.2)),
            (pitch, "+12st", Some(2.0)),
            (pitch, "-12st", Some(0.5)),
            (pitch, "200Hz", None),
            (pitch, "20%", None),
            (volume, "silent", Some(f32::NEG_INFINITY)),
            (volume, "loud", Some(4.0)),
            (volume, "-6dB", Some(-6.0)),
            (volume, "+3.5dB", Some(3.5)),
            (volume, "100", Some(0.0)),
            (volume, "0", Some(f32::NEG_INFINITY)),
            (volume, "101", None),
            (volume, "6dB", None),
        ];
        for (read, text, expected) in rows {
            assert_eq!(read(text), expected, "{text}");
        }
    }
}
