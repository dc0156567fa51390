//! RTP, jitter buffer and RFC 4733 digits.
