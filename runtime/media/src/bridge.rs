//! How two legs hear each other.

/// One leg's end of a bridge. `C` tells codecs apart, each with all that its bytes depend on: two sides with equal ones
/// understand each other's payloads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BridgeSide<C> {
    /// What it speaks and understands.
    pub codec: C,
    /// The most milliseconds of audio that it takes in a packet (`maxptime`).
    pub max_packet_ms: u32,
}

/// What is done with what one side says before the other one hears it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BridgeWay {
    /// Payloads are sent on as they came, under the other side's payload type.
    Forward,
    /// They are decoded, brought to the other side's rate, and encoded anew.
    Transcode,
}

/// The way from one side to another that sends packets of `packet_ms`. What only listens, such as a recording, changes
/// nothing about it; what is mixed in needs [`BridgeWay::Transcode`] for as long as it lasts.
pub fn bridge_way<C: PartialEq>(
    from: &BridgeSide<C>,
    to: &BridgeSide<C>,
    packet_ms: u32,
) -> BridgeWay {
    if from.codec == to.codec && packet_ms <= to.max_packet_ms {
        BridgeWay::Forward
    } else {
        BridgeWay::Transcode
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Law;

    #[test]
    fn packets_are_forwarded_where_nothing_needs_to_change() {
        let side = |codec, max_packet_ms| BridgeSide {
            codec,
            max_packet_ms,
        };
        for (from, to, packet_ms, expected) in [
            (side(Law::A, 20), side(Law::A, 20), 20, BridgeWay::Forward),
            (side(Law::A, 20), side(Law::A, 60), 60, BridgeWay::Forward),
            (
                side(Law::A, 20),
                side(Law::Mu, 20),
                20,
                BridgeWay::Transcode,
            ),
            (side(Law::A, 60), side(Law::A, 20), 30, BridgeWay::Transcode),
        ] {
            assert_eq!(
                bridge_way(&from, &to, packet_ms),
                expected,
                "{from:?} {to:?}"
            );
        }
    }
}
