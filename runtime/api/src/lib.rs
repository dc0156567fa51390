//! Twilio-compatible REST and the operator API.
