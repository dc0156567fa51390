//! Runs components: engine, worlds, capabilities, limits, journal.
