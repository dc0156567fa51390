//! SDP and offer/answer (RFC 3264).
