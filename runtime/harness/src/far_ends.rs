//! The far ends of media streams, in virtual time.

use std::time::Duration;

use call::{StreamEnd, StreamId, StreamNews, StreamOrder, StreamRequest};

/// From the handshake to its answer.
const HANDSHAKE: Duration = Duration::from_millis(100);

/// A media stream of the call, as its far end saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenStream {
    /// What the story asked for.
    pub request: StreamRequest,
    /// The far end accepted it.
    pub started: bool,
    /// The keys it was told of.
    pub keys: String,
    /// Virtual time of the end.
    pub ended_at: Option<Duration>,
}

/// What becomes of streams whose URL begins so. The first that fits counts.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) url: String,
    pub(crate) after: Duration,
    pub(crate) end: StreamEnd,
}

/// All streams of one call.
#[derive(Debug, Default)]
pub(crate) struct FarEnds {
    answers: Vec<Answer>,
    pub(crate) seen: Vec<SeenStream>,
    /// What is to come, earliest first.
    coming: Vec<(Duration, StreamId, StreamNews)>,
}

impl FarEnds {
    pub(crate) fn new(answers: Vec<Answer>) -> Self {
        Self {
            answers,
            ..Self::default()
        }
    }

    pub(crate) fn order(&mut self, now: Duration, id: StreamId, order: StreamOrder) {
        match order {
            StreamOrder::Open(request) => self.open(now, id, request),
            StreamOrder::Join => {
                if let Some(stream) = self.stream(id) {
                    stream.started = true;
                }
            }
            StreamOrder::Key(key) => {
                if let Some(stream) = self.stream(id) {
                    stream.keys.push(key);
                }
            }
            StreamOrder::Close => {
                self.coming.retain(|(_, other, _)| *other != id);
                if let Some(stream) = self.stream(id) {
                    stream.ended_at.get_or_insert(now);
                }
            }
        }
    }

    /// When something is to come.
    pub(crate) fn deadline(&self) -> Option<Duration> {
        self.coming.first().map(|(at, ..)| *at)
    }

    /// What has come by now.
    pub(crate) fn news(&mut self, now: Duration) -> Option<(StreamId, StreamNews)> {
        self.deadline().filter(|at| *at <= now)?;
        let (_, id, news) = self.coming.remove(0);
        Some((id, news))
    }

    fn open(&mut self, now: Duration, id: StreamId, request: StreamRequest) {
        let answer = self
            .answers
            .iter()
            .find(|answer| request.url.starts_with(&answer.url))
            .cloned();
        let starts = answer
            .as_ref()
            .is_none_or(|answer| answer.after > HANDSHAKE);
        if starts {
            self.comes(now + HANDSHAKE, id, StreamNews::Started);
        }
        if let Some(answer) = answer {
            let at = now + answer.after.max(HANDSHAKE);
            self.comes(at, id, StreamNews::Ended(answer.end));
        }
        self.seen.push(SeenStream {
            request,
            started: false,
            keys: String::new(),
            ended_at: None,
        });
    }

    fn comes(&mut self, at: Duration, id: StreamId, news: StreamNews) {
        let place = self.coming.partition_point(|(other, ..)| *other <= at);
        self.coming.insert(place, (at, id, news));
    }

    /// Streams count up from 1, each that was opened.
    fn stream(&mut self, id: StreamId) -> Option<&mut SeenStream> {
        let place = usize::try_from(id.0).ok()?.checked_sub(1)?;
        self.seen.get_mut(place)
    }
}

#[cfg(test)]
mod tests {
    use call::{StreamError, StreamTracks};

    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn request(url: &str) -> StreamOrder {
        StreamOrder::Open(StreamRequest {
            url: url.to_owned(),
            tracks: StreamTracks::Inbound,
            both_ways: true,
            parameters: Vec::new(),
            name: None,
            status_callback: None,
        })
    }

    #[test]
    fn far_ends_do_as_the_script_says() {
        let lost = StreamEnd::Failed(StreamError::Unreachable("nobody".to_owned()));
        let mut ends = FarEnds::new(vec![
            Answer {
                url: "wss://b".to_owned(),
                after: s(5),
                end: StreamEnd::Closed,
            },
            Answer {
                url: "wss://c".to_owned(),
                after: s(0),
                end: lost.clone(),
            },
        ]);
        for (id, url) in [(1, "wss://a"), (2, "wss://b"), (3, "wss://c")] {
            ends.order(s(1), StreamId(id), request(url));
        }
        assert_eq!(ends.deadline(), Some(Duration::from_millis(1_100)));
        let news: Vec<_> = std::iter::from_fn(|| ends.news(s(2))).collect();
        assert_eq!(
            news,
            [
                (StreamId(1), StreamNews::Started),
                (StreamId(2), StreamNews::Started),
                (StreamId(3), StreamNews::Ended(lost)),
            ]
        );
        ends.order(s(2), StreamId(1), StreamOrder::Join);
        ends.order(s(2), StreamId(1), StreamOrder::Key('4'));
        ends.order(s(3), StreamId(2), StreamOrder::Close);
        assert_eq!(ends.deadline(), None, "nothing more comes of a closed one");
        assert_eq!(
            (ends.seen[0].started, ends.seen[0].keys.as_str()),
            (true, "4")
        );
        assert_eq!(ends.seen[1].ended_at, Some(s(3)));
    }
}
