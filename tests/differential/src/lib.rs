//! What four SIP parsers have to say of one message: ours, and three that others wrote.

#![warn(missing_docs)]

mod messages;
mod parsers;
mod variations;

pub use messages::{Sample, samples};
pub use parsers::{OTHERS, Other, View, ours};
