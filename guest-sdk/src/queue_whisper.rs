//! A whisper for who waits in a queue, and calls that are taken away from theirs.

use crate::bindings::jackfield::queues::queues;
use crate::{Call, CallError, Departure, Queue, Whisper};

/// What a story does about those in a rehearsal.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RehearsedQueue<'a> {
    /// Serves the queue of this name, after a whisper.
    Serve(&'a str, &'a Whisper),
    /// Was the call taken away?
    TakenAway,
}

impl Call {
    /// Serves who waits longest in a queue, as [`serve`](Self::serve) does. They hear a story alone before the two hear each other; this
    /// call hears nothing meanwhile, and [`Queue::bridged`] waits for it too.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use jackfield_guest::{Call, CallError, Rehearsal, Whisper};
    ///
    /// fn run(call: &Call) -> Result<(), CallError> {
    ///     call.answer()?;
    ///     let whisper = Whisper::twiml("<Response><Say>This call is recorded.</Say></Response>");
    ///     call.serve_after("support", whisper)?.finish()?;
    ///     call.hang_up()
    /// }
    ///
    /// let nurse = Rehearsal::new().queue_answers(5.0).queue_ends(60.0);
    /// assert_eq!(run(&Call::on(nurse.clone())), Ok(()));
    /// assert_eq!(nurse.transcript(), ["answer", "serve queue support after a whisper", "hang up"]);
    /// ```
    ///
    /// # Errors
    /// As [`serve`](Self::serve); [`CallError::InvalidArgument`] for a whisper that cannot be told.
    pub fn serve_after(
        &self,
        name: impl AsRef<str>,
        whisper: Whisper,
    ) -> Result<Queue<'_>, CallError> {
        let name = name.as_ref();
        let deed = RehearsedQueue::Serve(name, &whisper);
        match self.host().rehearsed_queue(deed) {
            Some(done) => drop(done?),
            // From here, so that a component imports it only where its story asks.
            None => queues::serve(name, &whisper)?,
        }
        Ok(Queue::entered(self))
    }

    /// How this call was taken away from its queue by a redirect of the API, where what waited there has failed with
    /// [`CallError::HungUp`]; none where the call is over. This story may still [send](Self::send) requests then.
    #[must_use]
    pub fn taken_from_queue(&self) -> Option<Departure> {
        // A command may fail before the event says why.
        let _ = self.wait_for(|_| None::<()>);
        match self.host().rehearsed_queue(RehearsedQueue::TakenAway) {
            Some(departure) => departure.ok().flatten(),
            None => queues::taken_away(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Rehearsal, WaitSound};

    #[test]
    fn a_story_knows_that_its_call_was_taken_away() {
        for (caller, expected) in [
            (Rehearsal::new().redirected(9.0), Some((9, false))),
            (
                Rehearsal::new().queue_answers(4.0).redirected(9.0),
                Some((4, true)),
            ),
            (Rehearsal::new().hang_up(9.0), None),
        ] {
            let call = Call::on(caller);
            call.answer().unwrap();
            let queue = call.enqueue("support", WaitSound::Music).unwrap();
            assert_eq!(queue.finish(), Err(CallError::HungUp));
            let departure = call.taken_from_queue();
            let known = departure.map(|one| (one.waited_s, one.was_bridged));
            assert_eq!(known, expected);
        }
    }
}
