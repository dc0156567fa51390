//! What came of a broadcast, by the network operators of its recipients.

use std::collections::BTreeMap;

use numbers::PhoneNumber;
use serde::{Deserialize, Serialize};

use super::{AttemptOutcome, RecipientState};
use crate::Directory;

/// Operators that are counted apart.
const MAX_OPERATORS: usize = 200;
/// Whose operator is not known, or is one too many.
const OTHER: &str = "other";

/// What came of the recipients of one operator.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperatorCounts {
    /// All of them.
    pub recipients: u64,
    /// Who heard the message.
    pub reached: u64,
    /// Who will not be called any more.
    pub given_up: u64,
    /// Calls that are over, by how they ended.
    pub outcomes: BTreeMap<AttemptOutcome, u64>,
}

/// By the operator's name and country, or `other`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ByOperator(BTreeMap<String, OperatorCounts>);

impl ByOperator {
    /// All that were counted, by their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &OperatorCounts)> {
        self.0.iter().map(|(name, counts)| (name.as_str(), counts))
    }

    /// A new recipient.
    pub(crate) fn add(&mut self, directory: &Directory, number: &PhoneNumber) {
        self.of(directory, number).recipients += 1;
    }

    /// A call to a recipient is over.
    pub(crate) fn called(
        &mut self,
        directory: &Directory,
        number: &PhoneNumber,
        outcome: AttemptOutcome,
    ) {
        let outcomes = &mut self.of(directory, number).outcomes;
        *outcomes.entry(outcome).or_default() += 1;
    }

    /// A recipient stands here now. Nobody leaves either of the states that are counted.
    pub(crate) fn stands(
        &mut self,
        directory: &Directory,
        number: &PhoneNumber,
        state: &RecipientState,
    ) {
        match state {
            RecipientState::Reached => self.of(directory, number).reached += 1,
            RecipientState::GivenUp(_) => self.of(directory, number).given_up += 1,
            _ => {}
        }
    }

    fn of(&mut self, directory: &Directory, number: &PhoneNumber) -> &mut OperatorCounts {
        let known = directory.operator(number);
        let name = known.map_or_else(|| OTHER.to_owned(), |known| known.id.to_string());
        let has_room = self.0.len() < MAX_OPERATORS || self.0.contains_key(&name);
        let name = if has_room { name } else { OTHER.to_owned() };
        self.0.entry(name).or_default()
    }
}
