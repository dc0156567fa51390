//! What was understood of one utterance.

use call::{PartialWords, SpeechEnd, Words};
use speech::Phrase;

/// Phrases, as they come.
#[derive(Debug, Default)]
pub(super) struct Transcript {
    stable: Vec<Phrase>,
    unstable: Option<Phrase>,
}

impl Transcript {
    pub(super) fn take(&mut self, phrase: Phrase) {
        self.unstable = None;
        match phrase.is_stable {
            true => self.stable.push(phrase),
            false => self.unstable = Some(phrase),
        }
    }

    /// As it is while more may come.
    pub(super) fn so_far(&self) -> PartialWords {
        let unstable = self.unstable.as_ref();
        PartialWords {
            stable: joined(&self.stable),
            unstable: unstable.map_or_else(String::new, |phrase| phrase.text.clone()),
        }
    }

    /// When nothing more comes. How sure the whole is: the mean of its words.
    pub(super) fn into_end(mut self) -> SpeechEnd {
        self.stable.extend(self.unstable);
        let text = joined(&self.stable);
        if text.is_empty() {
            return SpeechEnd::NotUnderstood;
        }
        let words = |phrase: &Phrase| phrase.text.split_whitespace().count() as u64;
        let sure = self.stable.iter().filter_map(|phrase| {
            let permille = u64::from(phrase.confidence_permille?);
            Some((words(phrase), words(phrase) * permille))
        });
        let (count, sum) = sure.fold((0, 0), |(count, sum), (words, permille)| {
            (count + words, sum + permille)
        });
        let confidence = sum.checked_div(count).map(|mean| mean.min(1_000) as u16);
        SpeechEnd::Heard(Words {
            text,
            confidence_permille: confidence,
        })
    }
}

fn joined(phrases: &[Phrase]) -> String {
    let texts = phrases.iter().map(|phrase| phrase.text.trim());
    let texts: Vec<&str> = texts.filter(|text| !text.is_empty()).collect();
    texts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phrase(text: &str, confidence_permille: Option<u16>, is_stable: bool) -> Phrase {
        Phrase {
            text: text.to_owned(),
            confidence_permille,
            is_stable,
        }
    }

    fn transcript(phrases: &[Phrase]) -> Transcript {
        let mut transcript = Transcript::default();
        phrases
            .iter()
            .for_each(|phrase| transcript.take(phrase.clone()));
        transcript
    }

    fn heard(text: &str, confidence_permille: Option<u16>) -> SpeechEnd {
        SpeechEnd::Heard(Words {
            text: text.to_owned(),
            confidence_permille,
        })
    }

    #[test]
    fn what_is_unstable_gives_way_to_what_comes_next() {
        let mut told = transcript(&[
            phrase("one", Some(800), true),
            phrase("to", None, false),
            phrase("two th", None, false),
        ]);
        let so_far = told.so_far();
        assert_eq!(
            (so_far.stable.as_str(), so_far.unstable.as_str()),
            ("one", "two th")
        );
        told.take(phrase("two three", Some(500), true));
        assert_eq!(told.so_far().unstable, "");
        assert_eq!(told.into_end(), heard("one two three", Some(600)));
    }

    #[test]
    fn what_did_not_become_stable_counts_at_the_end() {
        let told = transcript(&[phrase("yes", None, false)]);
        assert_eq!(told.into_end(), heard("yes", None));
        assert_eq!(Transcript::default().into_end(), SpeechEnd::NotUnderstood);
        let blank = transcript(&[phrase(" ", Some(1_000), true)]);
        assert_eq!(blank.into_end(), SpeechEnd::NotUnderstood);
    }
}
