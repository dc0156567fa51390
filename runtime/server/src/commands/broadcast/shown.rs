//! Broadcasts in words.

use serde_json::Value;

/// Characters of a bar.
const BAR: usize = 30;
/// Operators that a line of `watch` names.
const NAMED: usize = 4;

/// `3 h 20 min`, or seconds below a minute.
pub(super) fn duration(seconds: &Value) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a duration, which saturates"
    )]
    let seconds = seconds.as_f64().unwrap_or(0.0).ceil() as u64;
    in_words(seconds)
}

/// The same, of whole seconds.
pub(crate) fn in_words(seconds: u64) -> String {
    match (seconds / 3_600, seconds / 60 % 60) {
        (0, 0) => format!("{seconds} s"),
        (0, minutes) => format!("{minutes} min {} s", seconds % 60),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

/// Who stands where, by language, area and operator.
pub(super) fn groups(told: &Value) -> String {
    let mut shown = String::new();
    for kind in ["language", "area", "operator"] {
        let of_kind = told[format!("by_{kind}")].as_object();
        shown.push_str(&format!(
            "{kind:<20} {:>9} {:>9} {:>9} {:>9}\n",
            "people", "reached", "given up", "calls"
        ));
        for (name, group) in of_kind.into_iter().flatten() {
            shown.push_str(&format!(
                "  {name:<18} {:>9} {:>9} {:>9} {:>9}\n",
                group["recipients"].to_string(),
                group["reached"].to_string(),
                group["given_up"].to_string(),
                group["attempts"].to_string()
            ));
        }
    }
    shown
}

/// Who is neither reached nor given up.
pub(super) fn left(progress: &Value) -> u64 {
    ["waiting", "again", "calling"]
        .iter()
        .map(|name| progress[name].as_u64().unwrap_or(0))
        .sum()
}

/// A bar, and the numbers behind it.
pub(super) fn line(row: &Value) -> String {
    let progress = &row["progress"];
    let of = |name: &str| progress[name].as_u64().unwrap_or(0);
    let all = of("recipients").max(1);
    let done = of("reached") + of("given_up");
    let filled = usize::try_from(done * BAR as u64 / all)
        .unwrap_or(BAR)
        .min(BAR);
    format!(
        "{} [{}{}] {done} of {}: {} reached, {} given up; {} being called, {} to come, {} again; {} calls{}{}",
        row["state"].as_str().unwrap_or_default(),
        "#".repeat(filled),
        "-".repeat(BAR - filled),
        of("recipients"),
        of("reached"),
        of("given_up"),
        of("calling"),
        of("waiting"),
        of("again"),
        of("attempts"),
        match &progress["time_left_s"] {
            Value::Null => String::new(),
            left => format!(
                ", {} a minute, about {} left",
                of("attempts_per_minute"),
                duration(left)
            ),
        },
        operators(&progress["by_operator"]),
    )
}

pub(super) fn shown(row: &Value) -> String {
    let text = |name: &str| row[name].as_str().unwrap_or("-").to_owned();
    let mut shown = format!(
        "{}  {}\n{}\n  from {}, {} priority, made {}, started {}, ended {}\n",
        text("sid"),
        text("name"),
        line(row),
        text("from"),
        text("priority"),
        text("date_created"),
        text("date_started"),
        text("date_ended"),
    );
    let outcomes = row["progress"]["outcomes"].as_object();
    for (outcome, count) in outcomes.into_iter().flatten() {
        // A number's own text has no width.
        shown.push_str(&format!("  {outcome:<12} {:>9}\n", count.to_string()));
    }
    let by_operator = row["progress"]["by_operator"].as_object();
    for (name, counts) in by_operator.into_iter().flatten() {
        let outcomes = counts["outcomes"].as_object().into_iter().flatten();
        let outcomes: Vec<String> = outcomes
            .map(|(outcome, count)| format!("{count} {outcome}"))
            .collect();
        shown.push_str(&format!(
            "  {name}: {} of {} reached, {} given up; calls: {}\n",
            counts["reached"],
            counts["recipients"],
            counts["given_up"],
            match outcomes.is_empty() {
                true => "none".to_owned(),
                false => outcomes.join(", "),
            }
        ));
    }
    shown
}

/// How many are done with of the operators that have the most; nothing where none is known.
fn operators(by_operator: &Value) -> String {
    let of = |counts: &Value, name: &str| counts[name].as_u64().unwrap_or(0);
    let mut known: Vec<_> = by_operator
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, _)| *name != "other")
        .collect();
    known.sort_by_key(|(_, counts)| std::cmp::Reverse(of(counts, "recipients")));
    let words = known.iter().take(NAMED).map(|(name, counts)| {
        let done = of(counts, "reached") + of(counts, "given_up");
        format!("; {name} {done} of {}", of(counts, "recipients"))
    });
    words.collect()
}

/// Where a recipient stands, and how their last call ended.
pub(super) fn recipient_line(row: &Value) -> String {
    let text = |name: &str| row[name].as_str();
    let attempts = row["attempts"].as_array().map_or(0, Vec::len);
    let last = row["attempts"].as_array().and_then(|all| all.last());
    let mut line = format!(
        "{:<17} {:<9} {attempts} calls",
        text("number").unwrap_or_default(),
        text("state").unwrap_or_default()
    );
    if let Some(outcome) = last.and_then(|last| last["outcome"].as_str()) {
        line.push_str(&format!(", the last {outcome}"));
    }
    if let Some(due) = text("date_due") {
        line.push_str(&format!("; again at {due}"));
    }
    if let Some(reason) = text("reason") {
        line.push_str(&format!("; {reason}"));
    }
    line
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_bar_shows_who_is_done_with() {
        let row = json!({
            "state": "running",
            "progress": {
                "recipients": 300, "waiting": 90, "again": 30, "calling": 30, "reached": 140,
                "given_up": 10, "attempts": 210, "outcomes": {"reached": 140, "busy": 70},
                "by_operator": {
                    "Metfone (KH)": {"recipients": 100, "reached": 40, "given_up": 10, "outcomes": {}},
                    "Smart (KH)": {"recipients": 150, "reached": 100, "given_up": 0, "outcomes": {"busy": 70, "reached": 100}},
                    "other": {"recipients": 50, "reached": 0, "given_up": 0, "outcomes": {}},
                },
                "attempts_per_minute": 70, "time_left_s": 180,
            },
        });
        assert_eq!(
            line(&row),
            "running [###############---------------] 150 of 300: 140 reached, 10 given up; \
             30 being called, 90 to come, 30 again; 210 calls, 70 a minute, about 3 min 0 s left; \
             Smart (KH) 100 of 150; Metfone (KH) 50 of 100"
        );
        assert_eq!(left(&row["progress"]), 150);
        let shown = shown(&row);
        for line in [
            "  busy                70\n",
            "  Smart (KH): 100 of 150 reached, 0 given up; calls: 70 busy, 100 reached\n",
            "  other: 0 of 50 reached, 0 given up; calls: none\n",
        ] {
            assert!(shown.contains(line), "{shown}");
        }
    }

    #[test]
    fn a_recipient_in_a_line() {
        let mut row = json!({
            "number": "+85512345678", "state": "waiting", "date_due": "2026-11-23T09:15:00Z", "reason": null,
            "attempts": [{"outcome": "no-answer"}, {"outcome": "busy"}],
        });
        let line =
            "+85512345678      waiting   2 calls, the last busy; again at 2026-11-23T09:15:00Z";
        assert_eq!(recipient_line(&row), line);
        row["state"] = "given-up".into();
        row["date_due"] = Value::Null;
        row["reason"] = "nobody was reached".into();
        let line = "+85512345678      given-up  2 calls, the last busy; nobody was reached";
        assert_eq!(recipient_line(&row), line);
    }
}
