//! What holds for any bytes at all. The fuzz targets include this file, and the tests replay their corpora through it.

use std::time::{Duration, Instant};

use jackfield_rtp::dtmf::DigitReceiver;
use jackfield_rtp::rtcp::{MAX_RTCP_BYTES, Rtcp, RtcpConfig, is_rtcp};
use jackfield_rtp::srtp::{MasterKey, SrtpReceiver, Suite};
use jackfield_rtp::{DelayBounds, Format, JitterBuffer, Output, Reception, Sequenced, parse};

/// Datagrams, each behind its length in two bytes, as a stream of each codec that is played meanwhile: 20 ms are 20 ms.
pub(crate) fn rtp(bytes: &[u8]) {
    for format in [Format::G711, Format::OPUS] {
        let mut reception = Reception::default();
        let mut buffer = JitterBuffer::new(format, DelayBounds::default());
        let mut taken = 0;
        for datagram in datagrams(bytes) {
            if let Ok(packet) = parse(datagram) {
                assert!(packet.payload.len() + 12 <= datagram.len());
                if reception.take(packet.ssrc, packet.sequence) != Sequenced::Duplicate {
                    taken += 1;
                    buffer.push(&packet);
                }
            }
            play(&mut buffer, format);
        }
        let counts = buffer.counts();
        assert!(
            counts.played + counts.late <= taken,
            "{counts:?} of {taken}"
        );
    }
}

fn play(buffer: &mut JitterBuffer, format: Format) {
    let mut left = format.frame_ticks();
    while left > 0 {
        let ticks = match buffer.pop(left, false) {
            Output::Frame { payload, ticks } => {
                assert!(!payload.is_empty());
                ticks
            }
            Output::Lost { ticks, .. } | Output::Silence { ticks } => {
                assert!(ticks <= left);
                ticks
            }
        };
        assert!(ticks > 0);
        left = left.saturating_sub(ticks);
    }
}

/// One datagram of RTCP: what is measured of it is within reason, and we can still report.
pub(crate) fn rtcp(bytes: &[u8]) {
    let start = origin();
    let config = RtcpConfig {
        ssrc: 7,
        cname: *b"AAECAwQFBgcICQoL",
        clock_rate_hz: 8_000,
        ntp_at_start: 1 << 40,
        seed: 1,
    };
    let mut rtcp = Rtcp::new(start, config);
    rtcp.sent(start, 1, 160);
    let handled = rtcp.handle(start + Duration::from_secs(3), bytes);
    assert!(handled.is_err() || bytes.len() >= 4);
    assert!(rtcp.round_trip().unwrap_or_default() <= Duration::from_secs(60));
    let mut report = [0; MAX_RTCP_BYTES];
    let length = rtcp.report(start + Duration::from_secs(9), &mut report);
    let length = length.expect("a report is due");
    assert!(is_rtcp(&report[..length]));
}

/// Telephone events: six bytes each, of which the first two are the timestamp in units of 10 ms. A digit needs a packet.
pub(crate) fn telephone_event(bytes: &[u8]) {
    for clock_rate_hz in [8_000, 48_000] {
        let mut receiver = DigitReceiver::new(clock_rate_hz);
        let mut digits = 0;
        let (events, rest) = bytes.as_chunks::<6>();
        for [high, low, payload @ ..] in events {
            let at = u32::from(u16::from_be_bytes([*high, *low]));
            digits += receiver.handle(at * clock_rate_hz / 100, payload).count();
            digits += usize::from(receiver.tick().is_some());
        }
        digits += usize::from(receiver.restart().is_some());
        assert!(digits <= events.len());
        assert_eq!(receiver.handle(0, &rest[..rest.len().min(3)]).count(), 0);
    }
}

/// One datagram to a stream that is encrypted: whoever does not have the key is not let in.
pub(crate) fn srtp(bytes: &[u8]) {
    for suite in Suite::ALL {
        let key: Vec<u8> = (0..suite.master_bytes() as u8).collect();
        let master = MasterKey::new(suite, &key).expect("a key of its length");
        let mut receiver = SrtpReceiver::new(&master);
        for unprotect in [SrtpReceiver::unprotect, SrtpReceiver::unprotect_rtcp] {
            let mut datagram = bytes.to_vec();
            assert!(unprotect(&mut receiver, &mut datagram).is_err());
        }
        let rejected = receiver.rejected();
        assert_eq!(rejected.forged + rejected.malformed, 2);
    }
}

/// Pieces behind their lengths.
fn datagrams(mut bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (length, rest) = bytes.split_first_chunk::<2>()?;
        let length = usize::from(u16::from_be_bytes(*length)).min(rest.len());
        let (datagram, rest) = rest.split_at(length);
        bytes = rest;
        Some(datagram)
    })
}

#[allow(
    clippy::disallowed_methods,
    reason = "an `Instant` has no other origin; only distances from it matter"
)]
pub(crate) fn origin() -> Instant {
    Instant::now()
}
