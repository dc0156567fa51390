//! Lines for the tenant's log.

/// Writes a line to the tenant's log at debug level: `debug!(call, "{count} tries")`.
#[macro_export]
macro_rules! debug {
    ($call:expr, $($text:tt)+) => { $call.log($crate::Level::Debug, &::std::format!($($text)+)) };
}

/// Writes a line to the tenant's log: `info!(call, "registered in {village}")`.
#[macro_export]
macro_rules! info {
    ($call:expr, $($text:tt)+) => { $call.log($crate::Level::Info, &::std::format!($($text)+)) };
}

/// Writes a warning to the tenant's log: `warn!(call, "no such village: {village}")`.
#[macro_export]
macro_rules! warn {
    ($call:expr, $($text:tt)+) => { $call.log($crate::Level::Warn, &::std::format!($($text)+)) };
}

/// Writes an error to the tenant's log: `error!(call, "the registry is down: {cause}")`.
#[macro_export]
macro_rules! error {
    ($call:expr, $($text:tt)+) => { $call.log($crate::Level::Error, &::std::format!($($text)+)) };
}
