//! The one HTTP door out.
