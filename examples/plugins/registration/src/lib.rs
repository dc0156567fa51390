//! What registration flows have in common: a gazetteer, menus of its places, and people saved with theirs.

mod gazetteer;
mod line;
mod save;

pub use gazetteer::{Gazetteer, Place};
pub use line::{Choice, Line, Pressed};
pub use save::{can_be_saved, save};
