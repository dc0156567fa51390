//! Rust for `wit/routing@0.1.0`, and between its words and those of [`crate::routing`].

use crate::routing as words;

wasmtime::component::bindgen!({
    path: [
        "../../wit/types@0.1.0",
        "../../wit/deps/wasi-logging@0.1.0-draft",
        "../../wit/deps/wasi-config@0.2.0-rc.1",
        "../../wit/routing@0.1.0",
    ],
    world: "jackfield:routing/routing-policy",
    imports: { default: trappable },
    exports: { default: async },
    with: {
        "wasi:config/store": crate::bindings::wasi::config::store,
        "wasi:logging/logging": crate::bindings::wasi::logging::logging,
    },
});

use exports::jackfield::routing::policy;
pub(crate) use jackfield::types::attempts;

impl From<&crate::attempts::OutboundCall> for attempts::OutboundCall {
    fn from(call: &crate::attempts::OutboundCall) -> Self {
        use crate::attempts::Priority;
        Self {
            call_sid: call.call_sid.clone(),
            account_sid: call.account_sid.clone(),
            caller: call.caller.clone(),
            callee: call.callee.clone(),
            operator: call.operator.as_ref().map(|operator| attempts::Operator {
                country: operator.country.clone(),
                name: operator.name.clone(),
            }),
            priority: match call.priority {
                Priority::Urgent => attempts::Priority::Urgent,
                Priority::Ordinary => attempts::Priority::Ordinary,
                Priority::Low => attempts::Priority::Low,
            },
            purpose: call.purpose.clone(),
        }
    }
}

impl From<&crate::attempts::Attempt> for attempts::Attempt {
    fn from(attempt: &crate::attempts::Attempt) -> Self {
        Self {
            trunk: attempt.trunk.clone(),
            started_unix_ms: attempt.started_unix_ms,
            ended_unix_ms: attempt.ended_unix_ms,
            status: attempt.status.into(),
            outcome: attempt.outcome.into(),
            sip_code: attempt.sip_code,
            retry_after_s: attempt.retry_after_s,
            duration_s: attempt.duration_s,
            answered_by_machine: attempt.answered_by_machine,
        }
    }
}

impl From<crate::attempts::Status> for attempts::Status {
    fn from(status: crate::attempts::Status) -> Self {
        use crate::attempts::Status;
        match status {
            Status::Completed => Self::Completed,
            Status::Busy => Self::Busy,
            Status::NoAnswer => Self::NoAnswer,
            Status::Canceled => Self::Canceled,
            Status::Failed => Self::Failed,
        }
    }
}

impl From<call::Outcome> for attempts::Outcome {
    fn from(outcome: call::Outcome) -> Self {
        match outcome {
            call::Outcome::Answered => Self::Answered,
            call::Outcome::Busy => Self::Busy,
            call::Outcome::NoAnswer => Self::NoAnswer,
            call::Outcome::Canceled => Self::Canceled,
            call::Outcome::Congestion => Self::Congestion,
            call::Outcome::Unreachable => Self::Unreachable,
            call::Outcome::Rejected => Self::Rejected,
            call::Outcome::Unallocated => Self::Unallocated,
            call::Outcome::Failed => Self::Failed,
        }
    }
}

impl From<&words::Request> for policy::Request {
    fn from(request: &words::Request) -> Self {
        Self {
            call: (&request.call).into(),
            attempts: request.attempts.iter().map(Into::into).collect(),
            now_unix_ms: request.now_unix_ms,
        }
    }
}

impl From<&words::Trunk> for policy::Trunk {
    fn from(trunk: &words::Trunk) -> Self {
        Self {
            id: trunk.id.clone(),
            prefixes: trunk.prefixes.clone(),
            health: match trunk.health {
                words::Health::Up => policy::Health::Up,
                words::Health::Degraded => policy::Health::Degraded,
                words::Health::Down => policy::Health::Down,
            },
            channels: trunk.channels.into(),
            prefix_channels: trunk.prefix_channels.iter().map(Into::into).collect(),
            starts_left: trunk.starts_left,
            closed_until_unix_ms: trunk.closed_until_unix_ms,
            recent: policy::Recent {
                attempted: trunk.recent.attempted,
                answered: trunk.recent.answered,
                congested: trunk.recent.congested,
            },
            prices: trunk.prices.iter().map(Into::into).collect(),
            labels: trunk.labels.clone().into_iter().collect(),
        }
    }
}

impl From<words::Channels> for policy::Channels {
    fn from(channels: words::Channels) -> Self {
        Self {
            used: channels.used,
            limit: channels.limit,
        }
    }
}

impl From<&words::PrefixChannels> for policy::PrefixChannels {
    fn from(part: &words::PrefixChannels) -> Self {
        Self {
            prefix: part.prefix.clone(),
            channels: part.channels.into(),
        }
    }
}

impl From<&words::Price> for policy::Price {
    fn from(price: &words::Price) -> Self {
        Self {
            prefix: price.prefix.clone(),
            micros_per_minute: price.micros_per_minute,
            currency: price.currency.clone(),
        }
    }
}

impl From<policy::Decision> for words::Decision {
    fn from(decision: policy::Decision) -> Self {
        match decision {
            policy::Decision::Attempts(attempts) => {
                Self::Attempts(attempts.into_iter().map(Into::into).collect())
            }
            policy::Decision::Wait(pause) => Self::Wait(words::Pause {
                until_unix_ms: pause.until_unix_ms,
                reason: pause.reason,
            }),
            policy::Decision::Refuse(why) => Self::Refuse(why),
        }
    }
}

impl From<policy::PlannedAttempt> for words::PlannedAttempt {
    fn from(attempt: policy::PlannedAttempt) -> Self {
        Self {
            trunk: attempt.trunk,
            dialled: attempt.dialled,
            caller_id: attempt.caller_id,
            ring_timeout_s: attempt.ring_timeout_s,
            reason: attempt.reason,
        }
    }
}
