//! Outbound calls: queue, policy, limits.
