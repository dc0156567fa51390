//! `jackfield:call/control`: the call itself, through the story's port.

use std::time::Duration;

use call::{CallError, Command, Event, PlaybackId, Reply};
use tokio::time::Instant;

use crate::bindings::control::{self, Host};
use crate::bindings::types;
use crate::journal::Entry;
use crate::log::LogLevel;
use crate::meter::Limit;
use crate::state::{Halt, StoryState};

impl types::Host for StoryState {}

impl Host for StoryState {
    async fn info(&mut self) -> wasmtime::Result<control::CallInfo> {
        self.sandbox.host_call()?;
        Ok((&self.info).into())
    }

    async fn answer(&mut self) -> wasmtime::Result<Result<(), control::CallError>> {
        self.do_simply(Command::Answer).await
    }

    async fn reject(
        &mut self,
        reason: control::RejectReason,
    ) -> wasmtime::Result<Result<(), control::CallError>> {
        self.do_simply(Command::Reject(reason.into())).await
    }

    async fn hang_up(&mut self) -> wasmtime::Result<Result<(), control::CallError>> {
        self.do_simply(Command::HangUp).await
    }

    async fn play(
        &mut self,
        source: control::MediaSource,
        loops: u32,
    ) -> wasmtime::Result<Result<control::PlaybackId, control::CallError>> {
        self.start_playback(Command::Play {
            source: source.into(),
            loops,
        })
        .await
    }

    async fn say(
        &mut self,
        speech: control::Speech,
        loops: u32,
    ) -> wasmtime::Result<Result<control::PlaybackId, control::CallError>> {
        self.start_playback(Command::Say {
            speech: speech.into(),
            loops,
        })
        .await
    }

    async fn continue_with(
        &mut self,
        next: control::Continuation,
    ) -> wasmtime::Result<Result<(), control::CallError>> {
        self.do_simply(Command::ContinueWith(next.into())).await
    }

    async fn press(
        &mut self,
        keys: String,
    ) -> wasmtime::Result<Result<control::PlaybackId, control::CallError>> {
        self.start_playback(Command::Press(keys)).await
    }

    async fn stop_playback(
        &mut self,
        playback: control::PlaybackId,
    ) -> wasmtime::Result<Result<(), control::CallError>> {
        self.do_simply(Command::StopPlayback(PlaybackId(playback)))
            .await
    }

    async fn echo(&mut self, on: bool) -> wasmtime::Result<Result<(), control::CallError>> {
        self.do_simply(Command::Echo(on)).await
    }

    async fn send_request(
        &mut self,
        request: control::HttpRequest,
    ) -> wasmtime::Result<Result<control::RequestId, control::CallError>> {
        match self.command(Command::Http(request.into())).await? {
            Ok(Reply::Request(id)) => Ok(Ok(id.0)),
            Ok(_) => Err(Halt::WrongReply.into()),
            Err(error) => Ok(Err(error.into())),
        }
    }

    async fn next_event(
        &mut self,
        timeout_ms: Option<u32>,
    ) -> wasmtime::Result<Option<control::Event>> {
        self.sandbox.host_call()?;
        let timeout = timeout_ms.map(|ms| Duration::from_millis(ms.into()));
        let mut next = self.port.next_event(timeout).await;
        if let (Some(keys), Some(Event::Digit(key))) = (&mut self.concealed, &mut next.event) {
            *key = keys.take(*key);
        }
        self.sandbox.clock.set(next.now_unix_ms);
        let now_unix_ms = self.sandbox.clock.now_unix_ms();
        self.sandbox.notebook.set_now(now_unix_ms);

        self.sandbox.notebook.write(&Entry::Next {
            timeout_ms,
            event: next.event.clone(),
            now_unix_ms,
        });
        self.note_transfer(next.event.as_ref());
        self.note_taken_away(next.event.as_ref());
        self.note_signalled(next.event.as_ref());
        if self.waited(timeout_ms, next.event.as_ref()) {
            self.sandbox.begin_anew();
            self.patience = Instant::now() + self.limits.command_wait;
        }
        Ok(next.event.map(Into::into))
    }
}

impl StoryState {
    pub(super) async fn do_simply(
        &mut self,
        command: Command,
    ) -> wasmtime::Result<Result<(), control::CallError>> {
        match self.command(command).await? {
            Ok(Reply::Done) => Ok(Ok(())),
            Ok(_) => Err(Halt::WrongReply.into()),
            Err(error) => Ok(Err(error.into())),
        }
    }

    async fn start_playback(
        &mut self,
        command: Command,
    ) -> wasmtime::Result<Result<control::PlaybackId, control::CallError>> {
        match self.command(command).await? {
            Ok(Reply::Playback(id)) => Ok(Ok(id.0)),
            Ok(_) => Err(Halt::WrongReply.into()),
            Err(error) => Ok(Err(error.into())),
        }
    }

    pub(super) async fn command(
        &mut self,
        command: Command,
    ) -> wasmtime::Result<Result<Reply, CallError>> {
        self.sandbox.host_call()?;
        let limit = self.limits.commands;
        if self.commands >= limit {
            self.sandbox.notebook.reach(Limit::Commands);
            return Ok(Err(CallError::LimitReached(format!(
                "{limit} commands in one story"
            ))));
        }
        self.commands += 1;
        let result = match self.grants.check(&command) {
            Err(refused) => {
                let notebook = &self.sandbox.notebook;
                notebook.log(LogLevel::Warn, "grants", &refused.to_string());
                Err(refused)
            }
            Ok(()) => {
                let asked = self.port.command(command.clone());
                let Ok(result) = tokio::time::timeout_at(self.patience, asked).await else {
                    return Err(Halt::Stalled.into());
                };
                result
            }
        };
        self.sandbox.budget.back_from_host();
        self.sandbox.notebook.write(&Entry::Command {
            command,
            result: result.clone(),
        });
        Ok(result)
    }

    /// This return of `next-event` ended a wait. A guest that spins on what is there at once does not wait: a timeout
    /// of zero, or the hang-up told again.
    fn waited(&mut self, timeout_ms: Option<u32>, event: Option<&Event>) -> bool {
        match event {
            Some(Event::HungUp(_) | Event::TakenFromQueue(_)) => {
                !std::mem::replace(&mut self.hung_up, true)
            }
            Some(_) => true,
            None => timeout_ms != Some(0),
        }
    }
}
