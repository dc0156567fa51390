//! A mobile or fixed network operator, known by the numbers it was given.

use std::fmt;

use numbers::Country;
use serde::{Deserialize, Serialize};

/// Names an operator: one of its name in its country.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct OperatorId {
    /// Where it operates.
    pub country: Country,
    /// As people call it.
    pub name: String,
}

impl fmt::Display for OperatorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.country)
    }
}

/// An operator and its numbers: data for routing, the same for all carriers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operator {
    /// Its name in every key and reference.
    pub id: OperatorId,
    /// Beginnings of its E.164 numbers, each with its plus. A longer one of another operator goes before.
    pub prefixes: Vec<String>,
}
