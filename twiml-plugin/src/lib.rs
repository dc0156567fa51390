//! The TwiML interpreter, a component like any other.
