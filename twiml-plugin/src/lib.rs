//! The TwiML interpreter: runs a call from the documents that a web server gives it.
//!
//! A component like any other: it uses `jackfield-guest`, and has no private door into the host.
//!
//! # Settings
//!
//! | setting | meaning |
//! |---|---|
//! | `voice-url` | where the first document is |
//! | `voice-method` | `GET` or `POST` (the default) |
//! | `fallback-url` | asked once for each document that cannot be had, with `ErrorCode` and `ErrorUrl` |
//! | `fallback-method` | `GET` or `POST` (the default) |
//! | `twiml` | the first document itself, where there is no `voice-url` |
//! | `send-digits` | keys that are pressed before the first document is asked for; `w` waits for half a second, `W` for a second |
//! | `message-url` | the connector that texts are handed to |
//! | `message-secret` | the name of a secret of the account, for `Authorization: Bearer` there |
//! | `is-answered` | the call is up already: these documents take the place of others |
//!
//! # Verbs
//!
//! | verb | what is supported |
//! |---|---|
//! | `Say` | voice, language, loop; SSML |
//! | `Play` | url, loop; `digits` is ignored with warning 13430. In a document that has no URL of its own, a relative one names a file of the tenant's media folder |
//! | `Pause` | length; as the first verb it delays the answer |
//! | `Gather` | keys: action, method, timeout, numDigits, finishOnKey, actionOnEmptyResult, bargeIn; speech where the host has a recogniser: input, language, hints, speechTimeout, maxSpeechTime, partialResultCallback and its method, profanityFilter, speechModel; `Say`, `Play` and `Pause` inside |
//! | `Record` | action, method, timeout, finishOnKey, maxLength, playBeep, trim, recordingStatusCallback with its method and events. Transcription is not there yet (warning 13614) |
//! | `Dial` | numbers as text or `Number`, `Sip`, `Client`; timeout, timeLimit, callerId (one of the account's; the called number without it), hangupOnStar, answerOnBridge, sequential, ringTone, record, recordingTrack, trim, recordingStatusCallback with its method and events, action (with `RecordingUrl`), method; of a noun url and method (what they hear first), statusCallback with its method and events, machineDetection with its times and amdStatusCallback; username and password of a `Sip` and a `Uri`; sendDigits of a `Number`. Other nouns: not yet, as below |
//! | `Refer` | `Sip`, a telephone number in it too; action, method |
//! | `Redirect` | url, method; `plugin:NAME` with settings in its query hands the call over |
//! | `Hangup` | all of it |
//! | `Reject` | reason |
//! | `Dial` | with `Conference` (muted, beep, startConferenceOnEnter, endConferenceOnExit, waitUrl, waitMethod, maxParticipants, coach, participantLabel) or `Queue`: action, method, hangupOnStar, timeout (of a queue at which nobody waits) |
//! | `Enqueue` | name, action, method, waitUrl, waitUrlMethod, maxQueueSize |
//! | `Leave` | out of a queue, in its waitUrl's document; elsewhere it hangs up |
//! | `Start` `Stop` | `Stream`: url (`wss`), name, track, statusCallback, statusCallbackMethod; `Parameter`. `Recording`: channels, track, trim, recordingStatusCallback with its method and events |
//! | `Connect` | `Stream`, which goes both ways; action, method |
//! | `Echo` | all of it |
//! | `Sms` `Message` | to, from, action, method, statusCallback; through the account's connector |
//! | `Pay` `Prompt` `Queue` | not yet: error 13750 in the log, a spoken apology, hang-up |
//!
//! # Errors
//!
//! All are lines of the tenant's log that begin with Twilio's code. Warnings (12200 and 13xxx, save 13750) change nothing but
//! what they name. What ends a document (11xxx, 12100 to 12102, 12300) is handed to the fallback URL, and without one to the
//! caller as a spoken apology.
//!
//! | code | besides its meaning at Twilio |
//! |---|---|
//! | 11100 | a relative URL in a document that has none itself; neither `voice-url` nor `twiml` is set |
//! | 11215 | also: 100 documents without a key from the caller |
//!
//! Two fetches of the same URL begin at least 100 ms apart.

mod cache;
mod document;
mod documents;
mod fault;
mod fetch;
mod interpret;
mod parse;
mod reference;
mod verb;

use interpret::run;

jackfield_guest::flow!(run);
