//! `jackfield status`: how the trunks of the running server stand.

use std::fmt::Write as _;

use anyhow::Context;
use serde::Deserialize;

use crate::commands::own_api;
use crate::config::Config;

#[derive(Debug, Deserialize)]
struct Answer {
    trunks: Vec<Trunk>,
}

#[derive(Debug, Deserialize)]
struct Trunk {
    id: String,
    carrier: String,
    channels_in_use: u32,
    max_channels: u32,
    learned: Vec<Learned>,
    registration: Option<String>,
    down: Vec<String>,
    gateways: Vec<Gateway>,
}

#[derive(Debug, Deserialize)]
struct Learned {
    prefix: Option<String>,
    channels: u32,
}

#[derive(Debug, Deserialize)]
struct Gateway {
    contact: String,
    hop: String,
    expires_in_s: u64,
}

/// Prints each trunk.
pub(crate) fn status(config: &Config) -> anyhow::Result<()> {
    let body = own_api::ask(
        config,
        http::Method::GET,
        "trunk-status",
        &[],
        String::new(),
    )?;
    let answer: Answer =
        serde_json::from_slice(&body).context("the running server's answer is not understood")?;
    print!("{}", in_words(&answer.trunks));
    Ok(())
}

fn in_words(trunks: &[Trunk]) -> String {
    const INFALLIBLE: &str = "writing to a string cannot fail";
    let mut text = String::new();
    if trunks.is_empty() {
        text.push_str("no trunks: load some with `jackfield apply`\n");
    }
    for trunk in trunks {
        writeln!(
            text,
            "{} (carrier {}): {} of {} channels in use",
            trunk.id, trunk.carrier, trunk.channels_in_use, trunk.max_channels
        )
        .expect(INFALLIBLE);
        for Learned { prefix, channels } in &trunk.learned {
            let of = prefix
                .as_ref()
                .map_or_else(String::new, |prefix| format!(" to {prefix}…"));
            writeln!(text, "  answers 503 beyond {channels} calls{of}").expect(INFALLIBLE);
        }
        if let Some(registration) = &trunk.registration {
            writeln!(text, "  registration: {registration}").expect(INFALLIBLE);
        }
        for server in &trunk.down {
            writeln!(text, "  does not answer: {server}").expect(INFALLIBLE);
        }
        for gateway in &trunk.gateways {
            writeln!(
                text,
                "  gateway: {} at {}, for {} s",
                gateway.contact, gateway.hop, gateway.expires_in_s
            )
            .expect(INFALLIBLE);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_trunk_has_its_lines() {
        let answer = r#"{"trunks": [
            {"id": "a", "carrier": "c", "channels_in_use": 1, "max_channels": 32, "learned": [{"prefix": null, "channels": 30}, {"prefix": "+25261", "channels": 7}], "registration": "until 12:00", "down": ["udp:192.0.2.1:5060"], "gateways": []},
            {"id": "b", "carrier": "c", "channels_in_use": 0, "max_channels": 8, "learned": [], "registration": null, "down": [],
             "gateways": [{"contact": "sip:b@10.0.0.7", "hop": "tcp:192.0.2.7:4000", "expires_in_s": 60}]}
        ]}"#;
        let answer: Answer = serde_json::from_str(answer).unwrap();
        assert_eq!(
            in_words(&answer.trunks),
            "a (carrier c): 1 of 32 channels in use\n  answers 503 beyond 30 calls\n  answers 503 beyond 7 calls to +25261…\n  registration: until 12:00\n  does not answer: udp:192.0.2.1:5060\n\
             b (carrier c): 0 of 8 channels in use\n  gateway: sip:b@10.0.0.7 at tcp:192.0.2.7:4000, for 60 s\n"
        );
        assert!(in_words(&[]).contains("jackfield apply"));
    }
}
