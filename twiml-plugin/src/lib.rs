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
//! | `twiml-ignored` | a document came along with `voice-url`, and is not here: a warning says so (32019) |
//! | `send-digits` | keys that are pressed before the first document is asked for; `w` waits for half a second, `W` for a second |
//! | `message-url` | the connector that texts are handed to |
//! | `message-secret` | the name of a secret of the account, for `Authorization: Bearer` there |
//! | `parameters` | a form that the request for the first document has besides |
//! | `is-whisper` | the call waited in a queue: these documents are heard before the two are joined |
//! | `is-answered` | the call is up already: these documents take the place of others |
//! | `is-own` | the call was dialled, and has left whoever dialled it: these documents are no whisper |
//!
//! # Verbs
//!
//! What each verb and attribute does here is in `docs/book/twiml.md`, and in the table `docs/book/twiml-table.md`, which a test makes of this code.
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
