//! Runs a built component against a scripted caller in virtual time.
