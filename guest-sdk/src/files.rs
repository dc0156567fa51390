//! What a call recorded, as audio of the account's own.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

use crate::{Call, CallError, MediaSource, Recorded};

/// What `wit-bindgen` makes of `jackfield:media`. Not an interface: use [`Files`].
#[doc(hidden)]
#[allow(
    missing_docs,
    unsafe_code,
    unreachable_pub,
    rust_2018_idioms,
    clippy::all
)]
pub mod bindings {
    wit_bindgen::generate!({
        path: "../wit/media@0.1.0",
        world: "jackfield:media/keeps-audio@0.1.0",
        generate_all,
        additional_derives: [PartialEq, Eq],
    });
}

use bindings::jackfield::media::files;

/// The account's own audio in a rehearsal: the SIDs of recordings by the names of files.
#[doc(hidden)]
pub type RehearsedFiles = Rc<RefCell<BTreeMap<String, String>>>;

/// What is prepared in a rehearsal is called so, and then the recording's SID.
const REHEARSED: &str = "prepared-";

/// The account's own audio: [`Call::files`] gives it. Broadcasts and flows play it by name.
///
/// ```
/// use jackfield_guest::{Call, CallError, RecordingOptions, Rehearsal};
///
/// fn greeting(call: &Call) -> Result<(), CallError> {
///     call.answer()?;
///     let recorded = call.record(RecordingOptions::of_message())?;
///     let prepared = call.files().prepare(&recorded)?;
///     call.play(prepared.source())?.finish()?; // the caller hears it back
///     call.files().keep(prepared, "greeting.wav")
/// }
///
/// let caller = Rehearsal::new();
/// greeting(&Call::on(caller.clone()))?;
/// assert!(caller.files().contains_key("greeting.wav"));
/// # Ok::<(), CallError>(())
/// ```
pub struct Files(Option<RehearsedFiles>);

/// A recording that this call can play. It is gone with the story, unless it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepared(String);

impl Prepared {
    /// What [`Call::play`] takes.
    #[must_use]
    pub fn source(&self) -> MediaSource {
        MediaSource::File(self.0.clone())
    }
}

impl Call {
    /// The account's own audio.
    #[must_use]
    pub fn files(&self) -> Files {
        Files(self.host().rehearsed_files())
    }
}

impl Files {
    /// Makes a recording of this call something that it can play.
    ///
    /// # Errors
    /// [`CallError::NotGranted`] when the account does not grant its audio, [`CallError::InvalidArgument`] for a recording of another call or
    /// one without audio, and [`CallError::LimitReached`] for one that is too long and when the host cannot read it, in its words.
    pub fn prepare(&self, recorded: &Recorded) -> Result<Prepared, CallError> {
        match &self.0 {
            Some(_) => Ok(Prepared(format!("{REHEARSED}{}", recorded.sid))),
            None => match files::prepare(&recorded.sid) {
                Ok(name) => Ok(Prepared(name)),
                Err(error) => Err(refused(error)),
            },
        }
    }

    /// Keeps what was prepared under a name, in place of the file that has it. When this returns, it is on disk.
    ///
    /// # Errors
    /// Those of [`prepare`](Self::prepare); [`CallError::InvalidArgument`] also for what is no name of a file (letters, digits, `-`, `_`, `.`),
    /// [`CallError::LimitReached`] also when the account has 200 others.
    pub fn keep(&self, prepared: Prepared, name: &str) -> Result<(), CallError> {
        let Prepared(prepared) = prepared;
        match &self.0 {
            Some(files) => {
                let sid = prepared.trim_start_matches(REHEARSED).to_owned();
                files.borrow_mut().insert(name.to_owned(), sid);
                Ok(())
            }
            None => files::keep(&prepared, name).map_err(refused),
        }
    }
}

impl fmt::Debug for Files {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Files").finish_non_exhaustive()
    }
}

fn refused(error: files::FileError) -> CallError {
    match error {
        files::FileError::NotGranted => {
            CallError::NotGranted("media: the account's grants do not have it".to_owned())
        }
        files::FileError::InvalidArgument(why) => CallError::InvalidArgument(why),
        files::FileError::LimitReached(why) | files::FileError::Unavailable(why) => {
            CallError::LimitReached(why)
        }
    }
}
