//! A leg's steady state allocates nothing.

use std::time::Duration;

use allocation_counter::measure;
use jackfield_rtp::dtmf::{Digit, DigitPolicy, DigitReceiver, DigitSource, Digits};
use jackfield_rtp::rtcp::{MAX_RTCP_BYTES, Rtcp, RtcpConfig};
use jackfield_rtp::srtp::{MAX_OVERHEAD_BYTES, MasterKey, SrtpReceiver, SrtpSender, Suite};
use jackfield_rtp::{
    DelayBounds, FRAME_SAMPLES, Format, JitterBuffer, MAX_PACKET_BYTES, Reception, Sender, parse,
};

use crate::fuzzed::origin;

#[test]
fn a_minute_of_a_call_allocates_nothing() {
    let start = origin();
    let (mut sender, mut reception) = (Sender::new(7, 65_000, 1), Reception::default());
    let mut buffer = JitterBuffer::new(Format::G711, DelayBounds::default());
    let config = RtcpConfig {
        ssrc: 7,
        cname: *b"AAECAwQFBgcICQoL",
        clock_rate_hz: 8_000,
        ntp_at_start: 0,
        seed: 1,
    };
    let mut rtcp = Rtcp::new(start, config);
    let (mut events, mut digits) = (DigitReceiver::default(), Digits::new(DigitPolicy::Auto));
    let keys = Suite::ALL
        .map(|suite| MasterKey::new(suite, &vec![1; suite.master_bytes()]).expect("its length"));
    let mut srtp = keys.map(|key| (SrtpSender::new(&key), SrtpReceiver::new(&key)));
    let mut played = 0;
    let allocations = measure(|| {
        for round in 0..3_000u32 {
            let now = start + Duration::from_millis(20) * round;
            let mut packet = [0; MAX_PACKET_BYTES];
            let length = sender.frame(&mut packet, 0, false, &[1; FRAME_SAMPLES], 160);
            rtcp.sent(now, sender.timestamp(), FRAME_SAMPLES);
            let mut sealed = [0; MAX_PACKET_BYTES + MAX_OVERHEAD_BYTES];
            for (to, from) in &mut srtp {
                sealed[..length].copy_from_slice(&packet[..length]);
                let sealed_length = to.protect(&mut sealed, length).expect("there is room");
                from.unprotect(&mut sealed[..sealed_length])
                    .expect("it is the same key");
            }
            if round % 10 != 3 {
                let packet = parse(&sealed[..length]).expect("it is ours");
                let sequenced = reception.take(packet.ssrc, packet.sequence);
                rtcp.received(now, &packet, sequenced, true);
                buffer.push(&packet);
            }
            let mut left = Format::G711.frame_ticks();
            while left > 0 {
                left -= match buffer.pop(left, true) {
                    jackfield_rtp::Output::Frame { ticks, .. } => {
                        played += 1;
                        ticks
                    }
                    jackfield_rtp::Output::Lost { ticks, .. }
                    | jackfield_rtp::Output::Silence { ticks } => ticks,
                };
            }
            let mut report = [0; MAX_RTCP_BYTES];
            if let Some(length) = rtcp.report(now, &mut report) {
                rtcp.handle(now, &report[..length]).expect("it is ours");
            }
            for digit in events.handle(round / 10 * 1_600, &[5, 0x80, 1, 0]) {
                digits.take(now, DigitSource::Event, digit);
            }
            events.tick();
            let digit = Digit {
                key: '5',
                duration_ms: 0,
            };
            digits.take(now, DigitSource::Info, digit);
        }
    });
    assert_eq!(allocations.count_total, 0);
    assert!(played > 2_600, "{played}");
}
