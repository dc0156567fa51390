//! What `pocketsphinx_continuous -time yes` prints: of each segment its words in one line, then a line for each word with its beginning
//! and its end in seconds and how likely it is.

use super::Phrase;

/// Reads lines.
#[derive(Debug, Default)]
pub(super) struct Output {
    segment: Option<Segment>,
}

#[derive(Debug)]
struct Segment {
    text: String,
    /// The sum over the words that were listed.
    probability: f64,
    words: u32,
}

impl Output {
    /// Takes a line. The segment before it, where it begins another one.
    pub(super) fn take(&mut self, line: &str) -> Option<Phrase> {
        if let Some((word, probability)) = word(line) {
            if let Some(segment) = self.segment.as_mut().filter(|_| is_spoken(word)) {
                segment.probability += probability;
                segment.words += 1;
            }
            return None;
        }
        let before = self.flush();
        let text: Vec<&str> = line.split_whitespace().collect();
        self.segment = (!text.is_empty()).then(|| Segment {
            text: text.join(" "),
            probability: 0.0,
            words: 0,
        });
        before
    }

    /// The segment that was read last.
    pub(super) fn flush(&mut self) -> Option<Phrase> {
        let segment = self.segment.take()?;
        let confidence = (segment.words > 0).then(|| {
            let mean = segment.probability / f64::from(segment.words);
            (mean.clamp(0.0, 1.0) * 1_000.0).round() as u16
        });
        Some(Phrase {
            text: segment.text,
            confidence_permille: confidence,
            is_stable: true,
        })
    }
}

/// A word and how likely it is, where the line is one of a word.
fn word(line: &str) -> Option<(&str, f64)> {
    let mut parts = line.split(' ');
    let word = parts.next()?;
    let numbers: Option<Vec<f64>> = parts.map(|part| part.parse().ok()).collect();
    match numbers?[..] {
        [_, _, probability] => Some((word, probability)),
        _ => None,
    }
}

/// Silence, noise and the ends of a sentence are no words.
fn is_spoken(word: &str) -> bool {
    !word.starts_with(['<', '(', '[', '+'])
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRINTED: &str = "i want to pay\n<s> 0.480 0.610 0.999700\ni 0.820 0.940 0.776212\nwant 0.950 1.260 0.971413\nto(2) 1.270 1.350 0.378775\npay 1.360 1.590 0.999700\n</s> 2.370 2.590 1.000000\none two\n<sil> 0.480 0.760 1.000000\none(2) 0.770 1.020 1.000000\n(NULL) 1.020 1.020 1.000000\ntwo 1.030 1.210 1.000100\n";

    #[test]
    fn segments_are_told_with_the_mean_of_their_words() {
        let mut output = Output::default();
        let mut phrases: Vec<Phrase> = PRINTED
            .lines()
            .filter_map(|line| output.take(line))
            .collect();
        phrases.extend(output.flush());
        let told: Vec<_> = phrases
            .iter()
            .map(|phrase| (phrase.text.as_str(), phrase.confidence_permille))
            .collect();
        assert_eq!(
            told,
            [("i want to pay", Some(782)), ("one two", Some(1_000))]
        );
        assert!(phrases.iter().all(|phrase| phrase.is_stable));
        assert_eq!(output.flush(), None);
    }

    #[test]
    fn nothing_understood_is_no_phrase() {
        let mut output = Output::default();
        assert_eq!(output.take(""), None);
        assert_eq!(output.take("<s> 0.1 0.2 1.0"), None);
        assert_eq!(output.flush(), None);
    }
}
