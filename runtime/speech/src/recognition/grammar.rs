//! Hints as a grammar in the Java Speech Grammar Format, which PocketSphinx reads.

use std::collections::HashSet;

/// The words that a recogniser knows, in lower case.
#[derive(Debug, Default)]
pub(super) struct Dictionary(HashSet<Box<str>>);

impl Dictionary {
    /// Reads CMU's format: a word, a space, its sounds; further ways to speak it as `word(2)`. Words with other characters than
    /// letters and apostrophes are left out.
    pub(super) fn read(text: &str) -> Self {
        let words = text
            .lines()
            .filter_map(|line| line.split_whitespace().next());
        let words = words.filter(|word| {
            let is_plain = |c: char| c.is_alphabetic() || c == '\'';
            !word.is_empty() && word.chars().all(is_plain)
        });
        Self(words.map(|word| word.to_lowercase().into()).collect())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A hint as known words; none where one of them is not known.
    fn phrase(&self, hint: &str) -> Option<String> {
        let hint = hint.to_lowercase().replace('’', "'");
        let between = |c: char| !(c.is_alphabetic() || c == '\'' || c == '$');
        let words: Vec<&str> = hint
            .split(between)
            .filter(|word| !word.is_empty())
            .collect();
        let is_known = !words.is_empty() && words.iter().all(|word| self.0.contains(*word));
        // A number in digits is no word: what is left of the hint would be another one.
        let has_digits = hint.contains(|c: char| c.is_numeric());
        (is_known && !has_digits).then(|| words.join(" "))
    }
}

/// One or several of the hints after one another, and the hints that have words nobody knows. No grammar where none is left.
pub(super) fn of_hints<'a>(
    hints: &'a [String],
    dictionary: &Dictionary,
) -> (Option<String>, Vec<&'a str>) {
    let (mut phrases, mut unknown) = (Vec::new(), Vec::new());
    for hint in hints {
        match dictionary.phrase(hint) {
            Some(phrase) if phrases.contains(&phrase) => {}
            Some(phrase) => phrases.push(phrase),
            None => unknown.push(hint.as_str()),
        }
    }
    let grammar = (!phrases.is_empty()).then(|| {
        let phrases = phrases.join(" | ");
        format!("#JSGF V1.0;\ngrammar hints;\npublic <hints> = ( {phrases} )+;\n")
    });
    (grammar, unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: &str = "yes Y EH S\nno N OW\ndon't D OW N T\nknow N OW\nknow(2) N OW\n'bout B AW T\nco-op K OW\na.m. EY EH M\n";

    #[track_caller]
    fn check(hints: &[&str], phrases: Option<&str>, unknown: &[&str]) {
        let hints: Vec<String> = hints.iter().map(|hint| (*hint).to_owned()).collect();
        let (grammar, left_out) = of_hints(&hints, &Dictionary::read(WORDS));
        let expected = phrases.map(|phrases| {
            format!("#JSGF V1.0;\ngrammar hints;\npublic <hints> = ( {phrases} )+;\n")
        });
        assert_eq!(grammar, expected);
        assert_eq!(left_out, unknown);
    }

    #[test]
    fn hints_become_what_may_be_said() {
        check(&["Yes", "no", "yes!"], Some("yes | no"), &[]);
        check(&["Don’t  know", "no."], Some("don't know | no"), &[]);
        check(&["yes; no) | <evil> = x"], None, &["yes; no) | <evil> = x"]);
        check(&["yes", "jackfield"], Some("yes"), &["jackfield"]);
        check(
            &["no 7", "$OOV_CLASS_DIGIT_SEQUENCE"],
            None,
            &["no 7", "$OOV_CLASS_DIGIT_SEQUENCE"],
        );
        check(&[], None, &[]);
    }
}
