//! A queue, as one who waits or serves sees it.

use std::time::Duration;

use crate::digits::Entry;
use crate::inbox::Inbox;
use crate::{
    Call, CallError, Digits, Playback, PlaybackEnd, QueueBridge, QueueEvent, QueueExit, QueuePlace,
    WaitSound,
};

/// What was told of the queue that the call was at last.
#[derive(Debug, Default)]
pub(crate) struct QueueNews {
    place: Option<QueuePlace>,
    bridge: Option<QueueBridge>,
    exit: Option<QueueExit>,
}

impl QueueNews {
    /// Somebody came, or the call is at the queue no longer.
    fn is_over(&self) -> bool {
        self.bridge.is_some() || self.exit.is_some()
    }

    pub(crate) fn put(&mut self, event: QueueEvent) {
        match event {
            QueueEvent::Waiting(place) => self.place = Some(place),
            QueueEvent::Bridged(bridge) => self.bridge = Some(bridge),
            QueueEvent::Left(exit) => self.exit = Some(exit),
        }
    }
}

impl Call {
    /// Waits in the queue of this name for somebody who [serves](Self::serve) it, with this sound. The call must be answered. At most
    /// 100 wait in a queue; see [`enqueue_of`](Self::enqueue_of).
    ///
    /// ```
    /// use jackfield_guest::{Call, CallError, QueueOutcome, Rehearsal, WaitSound};
    ///
    /// fn run(call: &Call) -> Result<(), CallError> {
    ///     call.answer()?;
    ///     let exit = call.enqueue("support", WaitSound::Music)?.until_key('*')?;
    ///     if exit.outcome != QueueOutcome::Bridged {
    ///         call.say("Please call again.")?.finish()?;
    ///     }
    ///     call.hang_up()
    /// }
    ///
    /// let caller = Rehearsal::new().queue_answers(20.0).queue_ends(90.0);
    /// assert_eq!(run(&Call::on(caller.clone())), Ok(()));
    /// assert_eq!(caller.transcript(), ["answer", "wait in queue support", "hang up"]);
    /// ```
    ///
    /// # Errors
    /// [`CallError::NotAnswered`] before [`answer`](Self::answer); [`CallError::InvalidArgument`] for a name that has not 1 to 64
    /// characters, and when the call is at a queue already, or in a conference.
    pub fn enqueue(
        &self,
        name: impl Into<String>,
        sound: impl Into<WaitSound>,
    ) -> Result<Queue<'_>, CallError> {
        self.line_up(name.into(), sound.into(), None)
    }

    /// Waits in a queue unless `max_size` (1 to 5,000) wait there already; else like [`enqueue`](Self::enqueue).
    ///
    /// # Errors
    /// Those of [`enqueue`](Self::enqueue), and [`CallError::InvalidArgument`] for `max_size` out of range.
    pub fn enqueue_of(
        &self,
        name: impl Into<String>,
        sound: impl Into<WaitSound>,
        max_size: u32,
    ) -> Result<Queue<'_>, CallError> {
        self.line_up(name.into(), sound.into(), Some(max_size))
    }

    /// Serves who waits longest in the queue of this name, or else who comes next. The call must be answered.
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # fn story(call: &jackfield_guest::Call) -> Result<(), jackfield_guest::CallError> {
    /// let queue = call.serve("support")?;
    /// if queue.bridged(Duration::from_secs(60))?.is_none() {
    ///     call.say("Nobody waits.")?;
    /// }
    /// queue.until_key('*')?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`enqueue`](Self::enqueue).
    pub fn serve(&self, name: impl Into<String>) -> Result<Queue<'_>, CallError> {
        self.host().serve_queue(name.into())?;
        Ok(Queue::entered(self))
    }

    /// Waits until the queue says where in it the call is, or why it is not.
    fn line_up(
        &self,
        name: String,
        sound: WaitSound,
        max_size: Option<u32>,
    ) -> Result<Queue<'_>, CallError> {
        self.host().wait_in_queue(name, sound, max_size)?;
        self.inbox().queue = QueueNews::default();
        self.wait_for(|inbox| {
            let news = &inbox.queue;
            let is_told = news.place.is_some() || news.bridge.is_some() || news.exit.is_some();
            is_told.then_some(())
        })?;
        Ok(Queue { call: self })
    }
}

/// A queue that the call is at by [`Call::enqueue`] or [`Call::serve`].
///
/// The call stays there whether or not the story waits for it. What the story plays meanwhile goes before the sound, and before the
/// other one.
#[derive(Debug)]
pub struct Queue<'a> {
    call: &'a Call,
}

impl<'a> Queue<'a> {
    /// One that the call has just come to.
    pub(crate) fn entered(call: &'a Call) -> Self {
        call.inbox().queue = QueueNews::default();
        Self { call }
    }
}

impl Queue<'_> {
    /// Waits until it is over: somebody came and one of the two went, or there was no place.
    ///
    /// # Errors
    /// [`CallError::HungUp`] when the call ends first.
    pub fn finish(self) -> Result<QueueExit, CallError> {
        self.call.wait_for(|inbox| inbox.queue.exit.take())
    }

    /// Waits until it is over, or this key is pressed, which leaves. Other keys are forgotten.
    ///
    /// # Errors
    /// [`CallError::HungUp`] when the call ends first.
    pub fn until_key(self, key: char) -> Result<QueueExit, CallError> {
        let exit = self.call.wait_for(|inbox| match inbox.take_this_key(key) {
            true => Some(None),
            false => inbox.queue.exit.take().map(Some),
        })?;
        match exit {
            Some(exit) => Ok(exit),
            None => self.leave(),
        }
    }

    /// Waits until it is over, this key is pressed, or so much time has passed; the latter two leave. Without a key all are forgotten.
    ///
    /// # Errors
    /// [`CallError::HungUp`] when the call ends first.
    pub fn finish_within(self, key: Option<char>, time: Duration) -> Result<QueueExit, CallError> {
        let exit = self.call.wait_until(self.call.after(time), |inbox| {
            match key.is_some_and(|key| inbox.take_this_key(key)) {
                true => Some(None),
                false => inbox.queue.exit.take().map(Some),
            }
        })?;
        match exit.flatten() {
            Some(exit) => Ok(exit),
            None => self.leave(),
        }
    }

    /// Lets a playback be heard until a key is pressed, which is kept for [`gather`](Self::gather) and stops it. Says how it ended, by a
    /// key as [`PlaybackEnd::Stopped`]; none when somebody came or it is over, which stops it too.
    ///
    /// # Errors
    /// [`CallError::HungUp`] when the call ends first.
    pub fn ask(&self, playback: Playback<'_>) -> Result<Option<PlaybackEnd>, CallError> {
        let end = playback.end_before(|inbox| inbox.queue.is_over() || inbox.has_key())?;
        Ok(match self.call.inbox().queue.is_over() {
            true => None,
            false => Some(end.unwrap_or(PlaybackEnd::Stopped)),
        })
    }

    /// Collects keys while nobody is there, as [`Call::gather`] does. None when somebody came or it is over.
    ///
    /// # Errors
    /// [`CallError::HungUp`] when the call ends first.
    pub fn gather(&self, digits: Digits, timeout: Duration) -> Result<Option<String>, CallError> {
        let mut entry = Entry::new(digits);
        loop {
            let key = self.call.wait_until(self.call.after(timeout), |inbox| {
                match inbox.queue.is_over() {
                    true => Some(None),
                    false => Inbox::take_key(inbox).map(Some),
                }
            })?;
            match key {
                Some(None) => return Ok(None),
                Some(Some(key)) if !entry.press(key) => {}
                _ => return Ok(Some(entry.into_digits())),
            }
        }
    }

    /// Waits until it and another one hear each other, and says who that is. None when it was over before, and after `timeout`.
    ///
    /// # Errors
    /// [`CallError::HungUp`] when the call ends first.
    pub fn bridged(&self, timeout: Duration) -> Result<Option<QueueBridge>, CallError> {
        let bridged = self.call.wait_until(self.call.after(timeout), |inbox| {
            let news = &inbox.queue;
            (news.bridge.is_some() || news.exit.is_some()).then(|| news.bridge.clone())
        })?;
        Ok(bridged.flatten())
    }

    /// Lets time pass while nobody is there: true when nobody was by then, false once somebody is or it is over.
    ///
    /// # Errors
    /// [`CallError::HungUp`] when the call ends first.
    pub fn still_waits(&self, time: Duration) -> Result<bool, CallError> {
        let over = self.call.wait_until(self.call.after(time), |inbox| {
            let news = &inbox.queue;
            (news.bridge.is_some() || news.exit.is_some()).then_some(())
        })?;
        Ok(over.is_none())
    }

    /// Lets a playback be heard while nobody is there, and says how it ended; none when somebody came or it is over, which stops it.
    ///
    /// # Errors
    /// [`CallError::HungUp`] when the call ends first.
    pub fn hear(&self, playback: Playback<'_>) -> Result<Option<PlaybackEnd>, CallError> {
        playback.end_before(|inbox| inbox.queue.is_over())
    }

    /// Where in the queue the call is, as was told last. None of one who serves.
    #[must_use]
    pub fn place(&self) -> Option<QueuePlace> {
        self.call.inbox().queue.place.clone()
    }

    /// Leaves it, and the other one.
    ///
    /// # Errors
    /// [`CallError::HungUp`] when the call is over.
    pub fn leave(self) -> Result<QueueExit, CallError> {
        match self.call.host().leave_queue() {
            // Over already: its end was told, or is about to be.
            Ok(()) | Err(CallError::InvalidArgument(_)) => self.finish(),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{QueueOutcome, Rehearsal};

    const PATIENCE: Duration = Duration::from_secs(30);

    fn answered(caller: &Rehearsal) -> Call {
        let call = Call::on(caller.clone());
        call.answer().unwrap();
        call
    }

    #[test]
    fn who_waits_is_served_and_both_go() {
        let caller = Rehearsal::new().queue_answers(20.0).queue_ends(90.0);
        let call = answered(&caller);
        let queue = call.enqueue("support", WaitSound::Music).unwrap();
        let bridge = queue.bridged(PATIENCE).unwrap().unwrap();
        assert_eq!(bridge.waited_s, 20);
        assert_eq!(queue.place().unwrap().position, 1);
        let exit = queue.finish().unwrap();
        assert_eq!((exit.outcome, exit.waited_s), (QueueOutcome::Bridged, 20));
        assert_eq!(call.elapsed(), Duration::from_secs(90));
    }

    #[test]
    fn who_is_tired_of_waiting_leaves() {
        let caller = Rehearsal::new().press(7.0, "9#");
        let call = answered(&caller);
        let queue = call.enqueue_of("support", "wait.wav", 5).unwrap();
        let exit = queue.until_key('#').unwrap();
        assert_eq!((exit.outcome, exit.waited_s), (QueueOutcome::Left, 7));
        let expected = [
            "wait in queue support of at most 5 with wait.wav",
            "leave queue",
        ];
        assert_eq!(caller.transcript()[1..], expected);
    }

    #[test]
    fn prompts_are_heard_until_somebody_comes() {
        let caller = Rehearsal::new().queue_answers(3.0).queue_ends(4.0);
        let call = answered(&caller);
        let queue = call.enqueue("support", WaitSound::Silence).unwrap();
        assert!(queue.still_waits(Duration::from_millis(500)).unwrap());
        let heard = || queue.hear(call.say("Please wait.").unwrap());
        assert_eq!(heard(), Ok(Some(PlaybackEnd::Finished)));
        assert_eq!(heard(), Ok(None));
        assert_eq!(call.elapsed(), Duration::from_secs(3));
        assert!(!queue.still_waits(PATIENCE).unwrap());
    }

    #[test]
    fn keys_are_gathered_until_somebody_comes() {
        let caller = Rehearsal::new()
            .press(2.0, "1")
            .press(9.0, "2")
            .queue_answers(12.0)
            .queue_ends(20.0);
        let call = answered(&caller);
        let queue = call.enqueue("support", WaitSound::Silence).unwrap();
        let second = Duration::from_secs(1);
        let asked = queue.ask(call.say("Press one to leave.").unwrap());
        assert_eq!(asked, Ok(Some(PlaybackEnd::Stopped)));
        let one = || Digits::up_to(1);
        assert_eq!(queue.gather(one(), 3 * second), Ok(Some("1".to_owned())));
        assert_eq!(queue.gather(one(), 3 * second), Ok(Some(String::new())));
        assert_eq!(queue.gather(Digits::any(), 9 * second), Ok(None));
        assert_eq!(call.elapsed(), 12 * second);
        let exit = queue.finish_within(Some('*'), 5 * second).unwrap();
        assert_eq!(exit.outcome, QueueOutcome::Bridged);
        assert_eq!(call.elapsed(), 17 * second, "no longer than it may");
    }

    #[test]
    fn who_serves_may_give_up() {
        let caller = Rehearsal::new();
        let call = answered(&caller);
        let queue = call.serve("support").unwrap();
        assert_eq!(queue.bridged(PATIENCE), Ok(None));
        assert_eq!(queue.leave().unwrap().outcome, QueueOutcome::Left);
        assert_eq!(
            caller.transcript()[1..],
            ["serve queue support", "leave queue"]
        );
    }
}
