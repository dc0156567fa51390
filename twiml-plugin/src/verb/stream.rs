//! `<Start>`, `<Stop>` and `<Connect>` with a `<Stream>` in them.

use jackfield_guest::{StreamRequest, StreamTracks};

use super::{Link, Reading, Verb, attribute};
use crate::fault::{NOT_IN_SCHEMA, STREAM_METHOD, STREAM_TRACK};
use crate::parse::Element;

/// A media stream as the document has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stream {
    pub(crate) request: StreamRequest,
    /// As written: relative to this document.
    pub(crate) status_callback: Option<Link>,
}

impl Reading {
    pub(super) fn start(&mut self, element: &Element) -> Option<Verb> {
        self.know(element, &["action", "method"]);
        self.without_effect(element, &["action", "method"]);
        let noun = self.only_noun(element)?;
        Some(match noun.name.as_str() {
            "Stream" => Verb::StartStream(self.stream(noun, false)),
            "Recording" => Verb::StartRecording(self.whole_recording(noun)),
            name => Verb::Unsupported(format!("Start><{name}")),
        })
    }

    pub(super) fn stop(&mut self, element: &Element) -> Option<Verb> {
        self.know(element, &[]);
        let noun = self.only_noun(element)?;
        match noun.name.as_str() {
            "Stream" => {}
            "Recording" => {
                self.know(noun, &[]);
                return Some(Verb::StopRecording);
            }
            name => return Some(Verb::Unsupported(format!("Stop><{name}"))),
        }
        self.know(noun, &["name"]);
        self.no_elements(noun);
        let name = noun.attribute("name").unwrap_or_default();
        if name.is_empty() {
            self.warn(NOT_IN_SCHEMA, "Stop: the stream has no name");
            return None;
        }
        Some(Verb::StopStream(name.to_owned()))
    }

    pub(super) fn connect(&mut self, element: &Element) -> Option<Verb> {
        self.know(element, &["action", "method"]);
        let noun = self.only_noun(element)?;
        if noun.name != "Stream" {
            return Some(Verb::Unsupported(format!("Connect><{}", noun.name)));
        }
        let method = self.method(element, NOT_IN_SCHEMA);
        let action = element.attribute("action").map(str::trim);
        let action = action.filter(|url| !url.is_empty());
        Some(Verb::Connect {
            stream: self.stream(noun, true),
            action: action.map(|url| Link {
                url: url.to_owned(),
                method,
            }),
        })
    }

    /// The one element inside, with a warning when there is none, or more.
    fn only_noun<'e>(&mut self, element: &'e Element) -> Option<&'e Element> {
        let mut nouns = element.elements();
        let first = nouns.next();
        let verb = &element.name;
        if first.is_none() {
            self.warn(NOT_IN_SCHEMA, format!("{verb}: there is nothing in it"));
        }
        for other in nouns {
            let message = format!("<{}> in <{verb}> is ignored: one is enough", other.name);
            self.warn(NOT_IN_SCHEMA, message);
        }
        first
    }

    fn stream(&mut self, element: &Element, both_ways: bool) -> Stream {
        self.know(
            element,
            &[
                "url",
                "name",
                "track",
                "statusCallback",
                "statusCallbackMethod",
            ],
        );
        let tracks = StreamTracks::Inbound;
        let tracks = self.value(
            element,
            "track",
            tracks,
            STREAM_TRACK,
            |track| match track {
                "inbound_track" => Some(StreamTracks::Inbound),
                "outbound_track" if !both_ways => Some(StreamTracks::Outbound),
                "both_tracks" if !both_ways => Some(StreamTracks::Both),
                _ => None,
            },
        );
        let attribute = |name| {
            element
                .attribute(name)
                .map(str::trim)
                .filter(|text| !text.is_empty())
        };
        let url = attribute("url").unwrap_or_default();
        let mut request = StreamRequest::to(url).tracks(tracks);
        request.both_ways = both_ways;
        request.name = attribute("name").map(ToOwned::to_owned);
        for parameter in element.elements() {
            if parameter.name != "Parameter" {
                let message = format!("<{}> in <Stream> is ignored", parameter.name);
                self.warn(NOT_IN_SCHEMA, message);
                continue;
            }
            self.know(parameter, &["name", "value"]);
            let of = |name| parameter.attribute(name).unwrap_or_default();
            request = request.parameter(of("name"), of("value"));
        }
        let method = self.value(
            element,
            "statusCallbackMethod",
            jackfield_guest::HttpMethod::Post,
            STREAM_METHOD,
            attribute::method,
        );
        Stream {
            request,
            status_callback: attribute("statusCallback").map(|url| Link {
                url: url.to_owned(),
                method,
            }),
        }
    }
}
