//! Real peers against the real binary.
