//! Others on the line, and what the application hears of it.

use jackfield_guest::{
    CallError, Dial as Whom, DialRequest, DialStatus, Dialed, Dialing, Recorded, Recording,
    StoryFlow, error, warn,
};

use super::record::{absolute, recording_parameters};
use super::{Interpreter, Next};
use crate::document::Document;
use crate::documents::Stop;
use crate::fault::{DIAL_CALLER_ID, DIAL_NOT_PLACED};
use crate::fetch::Parameter;
use crate::reference::resolve;
use crate::verb::{Dial, TalkRecording};

/// Before the name of a header field of who was dialled.
const DIAL_SIP_HEADER: &str = "DialSipHeader_";

impl Interpreter<'_> {
    /// Dials, and waits until it is over. Where to go then; none when the document goes on.
    pub(super) fn dial(&mut self, dial: &Dial, document: &Document) -> Result<Option<Next>, Stop> {
        if !dial.answers_late {
            self.answer()?;
        }
        let whom = with_absolute_urls(&dial.whom, document);
        let is_application = calls_an_application(&whom);
        let dialing = match &dial.terms[..] {
            [] => self.call.dial(whom)?,
            terms => self.call.dial_with(whom, terms.to_vec())?,
        };
        if dial.refer.is_some() {
            dialing.allow_transfer()?;
            if !is_application {
                dialing.allow_own_transfer()?;
            }
        }
        let recording = match &dial.recording {
            Some(wanted) => self.record_talk(wanted, &dialing, document)?,
            None => None,
        };
        let (over, asked) = dialing.finish_or_transfer()?;
        let asked = match (asked, &dial.refer) {
            // The file is not waited for: whoever was dialled hears nothing meanwhile.
            (Some(asked), Some(link)) if asked.is_own() => {
                return self.hand_over_to_application(asked, link, document);
            }
            (asked, _) => asked,
        };
        let recorded = recording.map(Recording::stop).transpose()?;
        if over.status == DialStatus::Completed {
            self.answered = true; // with the other side, if not before
        } else {
            match over.call_sid {
                Some(_) => warn!(self.call, "dialled in vain: {}", over.reason),
                None => {
                    let code = code_of(&over.reason);
                    warn!(self.call, "{code} Dial: nobody was called: {}", over.reason);
                }
            }
        }
        if let (Some(asked), Some(link)) = (asked, &dial.refer) {
            return self.transfer(asked, link, document).map(Some);
        }
        let Some(action) = dial.action.clone() else {
            return Ok(None);
        };
        let signals = self.call.signals_of_last_dial();
        let fields = signals.iter().flat_map(|signals| &signals.fields);
        let fields =
            fields.map(|(name, value)| (format!("{DIAL_SIP_HEADER}{name}"), value.as_str()));
        self.documents.tell_with_next(fields);
        let mut parameters = parameters(over, recorded);
        parameters.extend(signals.map(|signals| ("DialSipCallId", signals.sip_call_id)));
        Ok(Some(Next::Fetch(action, parameters)))
    }

    /// Begins to record: at once where the ringing is wanted too and this call was answered, else when somebody has answered. None when nobody
    /// does, and where it cannot be.
    fn record_talk(
        &self,
        wanted: &TalkRecording,
        dialing: &Dialing<'_>,
        document: &Document,
    ) -> Result<Option<Recording<'_>>, CallError> {
        let at_once = wanted.from_ringing && self.answered;
        if !at_once && dialing.answered()?.is_none() {
            return Ok(None);
        }
        self.begin_recording(wanted, document)
    }

    /// None where it cannot be.
    pub(super) fn begin_recording(
        &self,
        wanted: &TalkRecording,
        document: &Document,
    ) -> Result<Option<Recording<'_>>, CallError> {
        match self
            .call
            .start_recording(absolute(&wanted.options, document))
        {
            Ok(recording) => Ok(Some(recording)),
            Err(CallError::HungUp) => Err(CallError::HungUp),
            Err(refusal) => {
                error!(self.call, "the conversation is not recorded: {refusal}");
                Ok(None)
            }
        }
    }
}

/// In the host's words: the number that was to be shown is not the account's.
const FOREIGN_CALLER: &str = "is not a number of this account";

/// Twilio's code for why nobody was called.
fn code_of(reason: &str) -> u16 {
    match reason.contains(FOREIGN_CALLER) {
        true => DIAL_CALLER_ID,
        false => DIAL_NOT_PLACED,
    }
}

/// An application's call goes on with its own documents, and with nobody else's.
fn calls_an_application(whom: &Whom) -> bool {
    let request = DialRequest::from(whom.clone());
    let mut targets = request.targets.iter();
    targets.any(|target| target.to.starts_with("app:"))
}

/// The URLs of whispers and of who is told are relative to the document.
fn with_absolute_urls(whom: &Whom, document: &Document) -> Whom {
    let Some(base) = &document.url else {
        return whom.clone();
    };
    let mut request = DialRequest::from(whom.clone());
    for target in &mut request.targets {
        let whisper = target.whisper.as_mut().map(|whisper| &mut whisper.story);
        let whisper = match whisper {
            Some(StoryFlow::VoiceUrl(link)) => Some(link),
            _ => None,
        };
        let told = target.status_callback.as_mut().map(|told| &mut told.to);
        let detection = target.detection.as_mut();
        let detection = detection.and_then(|asked| asked.status_callback.as_mut());
        for link in [whisper, told, detection].into_iter().flatten() {
            link.url = resolve(base, &link.url);
        }
    }
    request.into()
}

fn parameters(over: Dialed, recorded: Option<Recorded>) -> Vec<Parameter> {
    let status = match over.status {
        DialStatus::Completed => "completed",
        DialStatus::Busy => "busy",
        DialStatus::NoAnswer => "no-answer",
        DialStatus::Failed => "failed",
        DialStatus::Canceled => "canceled",
    };
    let is_bridged = over.status == DialStatus::Completed;
    let mut parameters = vec![
        ("DialCallStatus", status.to_owned()),
        ("DialBridged", is_bridged.to_string()),
    ];
    parameters.extend(over.call_sid.map(|sid| ("DialCallSid", sid)));
    if is_bridged {
        parameters.push(("DialCallDuration", over.duration_s.to_string()));
    }
    parameters.extend(
        over.sip_status
            .map(|status| ("DialSipResponseCode", status.to_string())),
    );
    if let Some(recorded) = recorded {
        parameters.extend(recording_parameters(recorded));
    }
    parameters
}
