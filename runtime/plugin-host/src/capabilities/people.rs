//! `jackfield:people`: the account's people, through the story's port.

use call::{PeopleCommand, PeopleError, PeopleReply};

use crate::bindings::people;
use crate::journal::Entry;
use crate::meter::Limit;
use crate::state::{Halt, StoryState};

type Answer<T> = wasmtime::Result<Result<T, people::PeopleError>>;

impl people::Host for StoryState {
    async fn get(&mut self, number: String) -> Answer<Option<people::Person>> {
        match self.people(PeopleCommand::Get(number)).await? {
            Ok(PeopleReply::Person(person)) => Ok(Ok(person.map(Into::into))),
            Ok(PeopleReply::Done) => Err(Halt::WrongReply.into()),
            Err(error) => Ok(Err(error.into())),
        }
    }

    async fn save(&mut self, change: people::Change) -> Answer<()> {
        self.change(PeopleCommand::Save(change.into())).await
    }

    async fn remove(&mut self, number: String) -> Answer<()> {
        self.change(PeopleCommand::Remove(number)).await
    }
}

impl StoryState {
    async fn change(&mut self, command: PeopleCommand) -> Answer<()> {
        match self.people(command).await? {
            Ok(PeopleReply::Done) => Ok(Ok(())),
            Ok(PeopleReply::Person(_)) => Err(Halt::WrongReply.into()),
            Err(error) => Ok(Err(error.into())),
        }
    }

    /// Asks the port, and writes down what it said. Counts as a command: so many of both a story may give.
    async fn people(
        &mut self,
        command: PeopleCommand,
    ) -> wasmtime::Result<Result<PeopleReply, PeopleError>> {
        self.sandbox.host_call()?;
        let limit = self.limits.commands;
        if self.commands >= limit {
            self.sandbox.notebook.reach(Limit::Commands);
            let why = format!("{limit} commands in one story");
            return Ok(Err(PeopleError::LimitReached(why)));
        }
        self.commands += 1;
        let result = if self.grants.people {
            let asked = self.port.people(command.clone());
            let Ok(result) = tokio::time::timeout_at(self.patience, asked).await else {
                return Err(Halt::Stalled.into());
            };
            result
        } else {
            Err(PeopleError::NotGranted)
        };
        self.sandbox.budget.back_from_host();
        self.sandbox.notebook.write(&Entry::People {
            command,
            result: result.clone(),
        });
        Ok(result)
    }
}
