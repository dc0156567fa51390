//! How the trunks stand, in the operator's words.

use std::time::Instant;

use api::{GatewayStatus, TrunkStatus};
use sip::registrar::Binding;
use sip::registration::State;

use crate::services::Services;

/// The status of each trunk, in the order of their ids.
pub(crate) async fn of_all(services: &Services) -> Vec<TrunkStatus> {
    let directory = services.store.directory();
    let now = Instant::now();
    let mut all = Vec::new();
    for trunk in directory.trunks() {
        let standing = services.trunks.standing(&trunk.id);
        let gateways = services
            .trunks
            .gateways(directory.realm(trunk), trunk)
            .await;
        all.push(TrunkStatus {
            id: trunk.id.to_string(),
            carrier: trunk.carrier.to_string(),
            channels_in_use: services.outbound.channels_held(&trunk.id),
            max_channels: trunk.max_channels,
            learned: services.outbound.learned(&trunk.id),
            registration: standing.registration.map(|state| in_words(&state, now)),
            down: standing.down.iter().map(ToString::to_string).collect(),
            gateways: gateways
                .iter()
                .map(|binding| gateway(binding, now))
                .collect(),
        });
    }
    all
}

fn gateway(binding: &Binding, now: Instant) -> GatewayStatus {
    GatewayStatus {
        contact: binding.contact.to_string(),
        hop: binding.hop.to_string(),
        expires_in_s: binding.expires_at.saturating_duration_since(now).as_secs(),
    }
}

fn in_words(state: &State, now: Instant) -> String {
    let seconds = |at: &Instant| at.saturating_duration_since(now).as_secs();
    match state {
        State::Registering => "asking".to_owned(),
        State::Registered { until } => format!("registered for {} s", seconds(until)),
        State::Failing {
            failure,
            registered_until,
        } => {
            let status = failure
                .status
                .map_or_else(String::new, |status| format!("{status} "));
            let next = failure.next_try.as_ref().map_or_else(
                || "no address to try".to_owned(),
                |at| format!("next try in {} s", seconds(at)),
            );
            let still = registered_until
                .as_ref()
                .filter(|until| **until > now)
                .map_or_else(String::new, |until| {
                    format!("; known from before for {} s", seconds(until))
                });
            format!("not registered: {status}{}; {next}{still}", failure.reason)
        }
        State::Unregistering => "being taken back".to_owned(),
        State::Stopped => "taken back".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use sip::registration::Failure;

    use super::*;

    #[test]
    fn states_in_words() {
        let now = Instant::now();
        let later = |seconds| now + Duration::from_secs(seconds);
        let failure = Failure {
            status: Some(403),
            reason: "Forbidden".to_owned(),
            next_try: Some(later(30)),
        };
        for (state, words) in [
            (
                State::Registered { until: later(500) },
                "registered for 500 s",
            ),
            (
                State::Failing {
                    failure: failure.clone(),
                    registered_until: None,
                },
                "not registered: 403 Forbidden; next try in 30 s",
            ),
            (
                State::Failing {
                    failure,
                    registered_until: Some(later(9)),
                },
                "not registered: 403 Forbidden; next try in 30 s; known from before for 9 s",
            ),
        ] {
            assert_eq!(in_words(&state, now), words);
        }
    }
}
