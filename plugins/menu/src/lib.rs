//! The menu plugin.
