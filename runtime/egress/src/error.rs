//! Why no response came.

/// Why no response came. The text is for the tenant's log; it holds no credentials and no query.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// The URL is not one, or not `http` or `https`.
    #[error("invalid URL: {0}")]
    InvalidUrl(String),
    /// The address is not granted to this tenant; names the setting that would allow it.
    #[error("not granted: {0}")]
    NotGranted(String),
    /// No such host, or nobody answers there.
    #[error("unreachable: {0}")]
    Unreachable(String),
    /// The time was over.
    #[error("timed out: {0}")]
    TimedOut(String),
    /// The request or the response is larger than allowed.
    #[error("too large: {0}")]
    TooLarge(String),
    /// More redirects than allowed.
    #[error("too many redirects: {0}")]
    TooManyRedirects(String),
    /// TLS or HTTP itself went wrong; behind the URL stands `TLS: ` where it was TLS.
    #[error("protocol error: {0}")]
    Protocol(String),
}
