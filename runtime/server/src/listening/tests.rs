use std::sync::atomic::{AtomicUsize, Ordering};

use call::Words;
use crossbeam_queue::ArrayQueue;
use speech::{Failure, Language, Phrase, Understanding};

use super::*;
use crate::media_plane::{TappedFrame, Track};

/// Understands a word for each ten frames, and says with each frame that nothing follows it. Beyond so many words it fails.
struct Counts {
    at_most: usize,
    frames: AtomicUsize,
}

impl Counts {
    async fn count(&self, mut channels: Channels) -> Result<(), Failure> {
        while channels.audio.recv().await.is_some() {
            let frames = self.frames.fetch_add(1, Ordering::Relaxed) + 1;
            if frames > 10 * self.at_most {
                return Err(Failure("too many words".to_owned()));
            }
            let is_word = frames.is_multiple_of(10);
            let phrase = Phrase {
                text: if is_word {
                    format!("w{}", frames / 10)
                } else {
                    String::new()
                },
                confidence_permille: is_word.then_some(700),
                is_stable: is_word,
            };
            let _ = channels.phrases.send(phrase).await;
        }
        Ok(())
    }
}

impl Recogniser for Counts {
    fn name(&self) -> &str {
        "counts"
    }

    fn languages(&self) -> Vec<String> {
        vec!["en".to_owned()]
    }

    fn understands(&self, language: &Language) -> bool {
        language.primary() == "en"
    }

    fn understand(&self, _: Arc<Task>, channels: Channels) -> Understanding<'_> {
        Box::pin(self.count(channels))
    }
}

/// Somebody is silent for a second, speaks for 30 frames, and is silent again; what the call is told.
async fn told(at_most: usize, at_once: usize) -> Vec<SpeechEvent> {
    let recogniser: Arc<dyn Recogniser> = Arc::new(Counts {
        at_most,
        frames: AtomicUsize::new(0),
    });
    let recognition = Arc::new(Recognition::new(vec![Arc::clone(&recogniser)], at_once));
    let (inbox, mut messages) = mpsc::channel(64);
    let (_tap, end) = tap(ListeningId(1), StreamTracks::Inbound, false);
    let frames = Arc::clone(&end.frames);
    let listener = Listener {
        id: ListeningId(1),
        inbox,
        recognition,
        recogniser,
        task: Arc::new(Task {
            language: Language::parse("en").unwrap(),
            hints: Vec::new(),
            model: None,
            profanity_filter: true,
        }),
        partial_results: true,
        utterance: Utterance::new(Some(Duration::from_millis(400)), Duration::from_secs(10)),
        tap: end,
    };
    tokio::join!(listener.run(), speak(&frames));
    let mut told = Vec::new();
    while let Some(message) = messages.recv().await {
        let Message::Input(Input::Speech(ListeningId(1), event)) = message else {
            panic!("{message:?}");
        };
        told.push(event);
    }
    told
}

async fn speak(frames: &ArrayQueue<TappedFrame>) {
    for round in 0..200_u64 {
        let is_loud = (50..80).contains(&round);
        let codes = std::array::from_fn(|at| {
            let sample = if usize::is_multiple_of(at, 2) {
                5_000
            } else {
                -5_000
            };
            Law::Mu.encode(if is_loud { sample } else { 0 })
        });
        let _ = frames.push(TappedFrame {
            track: Track::Inbound,
            round,
            codes,
        });
        tokio::time::sleep(TICK).await;
    }
}

fn partial(stable: &str) -> SpeechEvent {
    SpeechEvent::Partial(PartialWords {
        stable: stable.to_owned(),
        unstable: String::new(),
    })
}

#[tokio::test(start_paused = true)]
async fn the_call_is_told_who_speaks_the_words_so_far_and_the_end() {
    // 15 frames before it is known that somebody speaks, 25 of speech after that, 19 of silence.
    assert_eq!(
        told(100, 1).await,
        [
            SpeechEvent::Began,
            partial("w1"),
            partial("w1 w2"),
            partial("w1 w2 w3"),
            partial("w1 w2 w3 w4"),
            partial("w1 w2 w3 w4 w5"),
            SpeechEvent::Ended(SpeechEnd::Heard(Words {
                text: "w1 w2 w3 w4 w5".to_owned(),
                confidence_permille: Some(700),
            })),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_recogniser_that_fails_ends_its_listening_and_is_named() {
    let told = told(2, 1).await;
    let failed = SpeechEnd::Failed("counts: too many words".to_owned());
    assert_eq!(told.last(), Some(&SpeechEvent::Ended(failed)));
}

#[tokio::test(start_paused = true)]
async fn one_too_many_is_told_so() {
    let told = told(100, 0).await;
    let [
        SpeechEvent::Began,
        SpeechEvent::Ended(SpeechEnd::Failed(why)),
    ] = &told[..]
    else {
        panic!("{told:?}");
    };
    assert!(why.contains("speech.input.at_once"), "{why}");
}
