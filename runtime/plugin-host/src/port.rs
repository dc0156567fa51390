//! What a story reaches its call through.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use call::{
    AudioCommand, AudioError, AudioReply, CallError, Command, ConcealedKeys, Event,
    KeyValueCommand, KeyValueError, KeyValueReply, PeopleCommand, PeopleError, PeopleReply,
    PinError, PinVerdict, Reply,
};

/// What [`CallPort::next_event`] gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Next {
    /// None when the time was over.
    pub event: Option<Event>,
    /// The time this was decided, in milliseconds since 1970. The story's clocks stand still at it until the next one.
    pub now_unix_ms: u64,
}

/// What a story reaches its call through: a mailbox in the server, a simulated call in the harness, a journal in replay.
pub trait CallPort: Send + 'static {
    /// Hands one command over; answered at once, accepted or refused. A call that is gone answers
    /// [`CallError::HungUp`].
    fn command(
        &mut self,
        command: Command,
    ) -> impl Future<Output = Result<Reply, CallError>> + Send;

    /// Waits for the next event, at most `timeout`; none waits for ever.
    ///
    /// After [`Event::HungUp`] a further call gives it again at once, unless an HTTP response is still to come.
    fn next_event(&mut self, timeout: Option<Duration>) -> impl Future<Output = Next> + Send;

    /// Reads or changes the account's key-value pairs. A change is durable when this is over. Where nobody keeps any, it is refused.
    fn key_value(
        &mut self,
        _command: KeyValueCommand,
    ) -> impl Future<Output = Result<KeyValueReply, KeyValueError>> + Send {
        async { Err(KeyValueError::NotGranted) }
    }

    /// Reads or changes the account's people. A change is durable when this is over. Where nobody keeps any, it is refused.
    fn people(
        &mut self,
        _command: PeopleCommand,
    ) -> impl Future<Output = Result<PeopleReply, PeopleError>> + Send {
        async { Err(PeopleError::NotGranted) }
    }

    /// Prepares what the call recorded, or keeps it as audio of the account's. It is durable when this is over. Where nobody keeps any, it is
    /// refused.
    fn audio(
        &mut self,
        _command: AudioCommand,
    ) -> impl Future<Output = Result<AudioReply, AudioError>> + Send {
        async { Err(AudioError::NotGranted) }
    }

    /// From now on keys are a secret (or, with `false`, no more): nobody else is told them either. Where nobody else is, there is nothing to do.
    fn conceal_keys(&mut self, _are_concealed: bool) {}

    /// Compares keys that the story was not told with a secret of the account, and counts wrong ones. Where nobody has one, it is refused.
    fn check_pin(
        &mut self,
        _secret: String,
        _keys: ConcealedKeys,
    ) -> impl Future<Output = Result<PinVerdict, PinError>> + Send {
        async { Err(PinError::NotGranted) }
    }
}

/// A [`CallPort`] whose type is forgotten: one compiled flow serves them all.
pub(crate) trait AnyPort: Send {
    fn command(&mut self, command: Command) -> Boxed<'_, Result<Reply, CallError>>;
    fn next_event(&mut self, timeout: Option<Duration>) -> Boxed<'_, Next>;
    fn key_value(
        &mut self,
        command: KeyValueCommand,
    ) -> Boxed<'_, Result<KeyValueReply, KeyValueError>>;
    fn people(&mut self, command: PeopleCommand) -> Boxed<'_, Result<PeopleReply, PeopleError>>;
    fn audio(&mut self, command: AudioCommand) -> Boxed<'_, Result<AudioReply, AudioError>>;
    fn conceal_keys(&mut self, are_concealed: bool);
    fn check_pin(
        &mut self,
        secret: String,
        keys: ConcealedKeys,
    ) -> Boxed<'_, Result<PinVerdict, PinError>>;
}

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

impl<P: CallPort> AnyPort for P {
    fn command(&mut self, command: Command) -> Boxed<'_, Result<Reply, CallError>> {
        Box::pin(CallPort::command(self, command))
    }

    fn next_event(&mut self, timeout: Option<Duration>) -> Boxed<'_, Next> {
        Box::pin(CallPort::next_event(self, timeout))
    }

    fn key_value(
        &mut self,
        command: KeyValueCommand,
    ) -> Boxed<'_, Result<KeyValueReply, KeyValueError>> {
        Box::pin(CallPort::key_value(self, command))
    }

    fn people(&mut self, command: PeopleCommand) -> Boxed<'_, Result<PeopleReply, PeopleError>> {
        Box::pin(CallPort::people(self, command))
    }

    fn audio(&mut self, command: AudioCommand) -> Boxed<'_, Result<AudioReply, AudioError>> {
        Box::pin(CallPort::audio(self, command))
    }

    fn conceal_keys(&mut self, are_concealed: bool) {
        CallPort::conceal_keys(self, are_concealed);
    }

    fn check_pin(
        &mut self,
        secret: String,
        keys: ConcealedKeys,
    ) -> Boxed<'_, Result<PinVerdict, PinError>> {
        Box::pin(CallPort::check_pin(self, secret, keys))
    }
}
