use super::*;
use crate::Reception;
use crate::testing::origin;

const FRAME: Duration = Duration::from_millis(20);

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// One end of a stream of G.711 in 20 ms packets.
struct End {
    rtcp: Rtcp,
    reception: Reception,
    sequence: u16,
    timestamp: u32,
}

impl End {
    fn new(now: Instant, ssrc: u32, seed: u64) -> Self {
        let config = RtcpConfig {
            ssrc,
            cname: *b"AAECAwQFBgcICQoL",
            clock_rate_hz: 8_000,
            ntp_at_start: seed << 40,
            seed,
        };
        Self {
            rtcp: Rtcp::new(now, config),
            reception: Reception::default(),
            sequence: 65_000,
            timestamp: u32::MAX - 1_000,
        }
    }

    fn send(&mut self, now: Instant) -> Packet<'static> {
        self.sequence = self.sequence.wrapping_add(1);
        self.timestamp = self.timestamp.wrapping_add(160);
        let packet = Packet {
            payload_type: 0,
            marker: false,
            sequence: self.sequence,
            timestamp: self.timestamp,
            ssrc: self.rtcp.config.ssrc,
            payload: &[0; 160],
        };
        self.rtcp.sent(now, packet.timestamp, packet.payload.len());
        packet
    }

    fn receive(&mut self, now: Instant, packet: &Packet<'_>) {
        let sequenced = self.reception.take(packet.ssrc, packet.sequence);
        self.rtcp.received(now, packet, sequenced, true);
    }

    fn report(&mut self, now: Instant) -> Option<Vec<u8>> {
        let mut buffer = [0; MAX_RTCP_BYTES];
        let length = self.rtcp.report(now, &mut buffer)?;
        Some(buffer[..length].to_vec())
    }
}

/// Runs two ends for so long with this delay each way; every `lose`th packet to the second is lost. The reports sent.
fn converse(seconds: u64, delay: Duration, lose: u64) -> (End, End, usize) {
    let start = origin();
    let (mut near, mut far) = (End::new(start, 1, 11), End::new(start, 2, 22));
    let mut reports = 0;
    let mut under_way: Vec<(Instant, u32, Vec<u8>)> = Vec::new();
    for frame in 0..seconds * 50 {
        let now = start + FRAME * frame as u32;
        let (to_far, to_near) = (near.send(now), far.send(now));
        if frame % lose != 0 {
            far.receive(now + delay, &to_far);
        }
        near.receive(now + delay, &to_near);
        for (end, to) in [(&mut near, 2), (&mut far, 1)] {
            if let Some(report) = end.report(now) {
                reports += 1;
                under_way.push((now + delay, to, report));
            }
        }
        under_way.retain(|(arrives, to, report)| {
            let is_due = *arrives <= now;
            if is_due {
                let end = if *to == 1 { &mut near } else { &mut far };
                assert_eq!(end.rtcp.handle(*arrives, report), Ok(Control::Reports));
            }
            !is_due
        });
    }
    (near, far, reports)
}

#[test]
fn both_ends_learn_losses_and_round_trip() {
    for delay_ms in [0, 40, 225] {
        let (near, far, _) = converse(60, ms(delay_ms), 10);
        for end in [&near, &far] {
            let round_trip = end.rtcp.round_trip().unwrap();
            let error = round_trip.abs_diff(ms(2 * delay_ms));
            assert!(error < ms(1), "{round_trip:?} at {delay_ms}");
            assert_eq!(end.rtcp.max_jitter(), Duration::ZERO);
        }
        let said_of_near = near.rtcp.peer_report().unwrap();
        assert!(
            (24..=27).contains(&said_of_near.fraction_lost),
            "{said_of_near:?}"
        );
        let lost = said_of_near.cumulative_lost;
        assert!((250..300).contains(&lost), "{lost}");
        assert!(said_of_near.highest_sequence > 65_536, "{said_of_near:?}");
        let said_of_far = far.rtcp.peer_report().unwrap();
        assert_eq!(
            (said_of_far.fraction_lost, said_of_far.cumulative_lost),
            (0, 0)
        );
    }
}

#[test]
fn reports_are_sent_every_five_seconds_by_chance() {
    let (.., reports) = converse(1_000, ms(10), 1_000_000);
    assert!((380..=420).contains(&reports), "{reports}");
    let start = origin();
    let mut firsts = Vec::new();
    for seed in 0..100 {
        let mut end = End::new(start, 1, seed);
        let first = end.rtcp.deadline();
        assert!((ms(1_250)..=ms(3_750)).contains(&(first - start)));
        assert_eq!(end.report(first - Duration::from_nanos(1)), None);
        assert!(end.report(first).is_some());
        let second = end.rtcp.deadline();
        assert!((ms(2_500)..=ms(7_500)).contains(&(second - first)));
        firsts.push(first);
    }
    firsts.sort();
    firsts.dedup();
    assert_eq!(firsts.len(), 100);
}

/// The packets of a report, in short.
fn shape(report: &[u8]) -> String {
    let packets: Vec<String> = read(report)
        .unwrap()
        .map(|packet| match packet {
            RtcpPacket::SenderReport { ssrc, info, blocks } => {
                format!(
                    "SR{ssrc} {} {} {}+{}",
                    info.timestamp,
                    info.packets,
                    info.octets,
                    blocks.count()
                )
            }
            RtcpPacket::ReceiverReport { ssrc, blocks } => format!("RR{ssrc}+{}", blocks.count()),
            RtcpPacket::Description(mut chunks) => {
                let (ssrc, name) = chunks.next().unwrap();
                format!("SDES{ssrc}={}", String::from_utf8_lossy(name.unwrap()))
            }
            RtcpPacket::Goodbye(sources) => format!("BYE{:?}", sources.collect::<Vec<_>>()),
            RtcpPacket::Other(kind) => kind.to_string(),
        })
        .collect();
    packets.join(" ")
}

#[test]
fn a_report_says_what_there_is_to_say() {
    let start = origin();
    let mut end = End::new(start, 7, 1);
    let name = "SDES7=AAECAwQFBgcICQoL";
    let silent = end.report(start + ms(10_000)).unwrap();
    assert_eq!(shape(&silent), format!("RR7+0 {name}"));

    let mut peer = End::new(start, 9, 1);
    let packet = peer.send(start);
    end.receive(start + ms(19_990), &packet);
    let sent = end.send(start + ms(19_900));
    let report = end.report(start + ms(20_000)).unwrap();
    let timestamp = sent.timestamp.wrapping_add(800); // 100 ms later
    assert_eq!(shape(&report), format!("SR7 {timestamp} 1 160+1 {name}"));
    assert_eq!(report.len(), 80);

    // Nothing since: nothing received to tell of, and after two intervals no sender either.
    let report = end.report(start + ms(28_000)).unwrap();
    assert!(shape(&report).starts_with("SR7 "), "{}", shape(&report));
    let report = end.report(start + ms(40_000)).unwrap();
    assert_eq!(shape(&report), format!("RR7+0 {name}"));

    let mut buffer = [0; MAX_RTCP_BYTES];
    end.receive(start + ms(41_000), &peer.send(start));
    end.send(start + ms(41_000));
    let length = end.rtcp.goodbye(start + ms(41_000), &mut buffer);
    assert_eq!(length, 88);
    assert!(shape(&buffer[..length]).ends_with("BYE[7]"));
    assert_eq!(
        peer.rtcp.handle(start, &buffer[..length]),
        Ok(Control::Reports)
    ); // it never heard 7
    let packet = end.send(start);
    peer.receive(start, &packet);
    assert_eq!(
        peer.rtcp.handle(start, &buffer[..length]),
        Ok(Control::Goodbye)
    );
}

#[test]
fn a_new_source_is_counted_anew_and_jitter_is_kept_at_its_highest() {
    let start = origin();
    let (mut end, mut first, mut second) = (
        End::new(start, 1, 1),
        End::new(start, 2, 2),
        End::new(start, 3, 3),
    );
    for frame in 0..100u32 {
        let late = ms(u64::from(frame % 2) * 10);
        end.receive(start + FRAME * frame + late, &first.send(start));
    }
    let highest = end.rtcp.max_jitter();
    assert!((ms(8)..=ms(10)).contains(&highest), "{highest:?}");
    for frame in 100..105 {
        end.receive(start + FRAME * frame, &second.send(start));
    }
    assert_eq!((end.rtcp.jitter(), end.rtcp.max_jitter()), (ms(0), highest));
    let report = end.report(start + ms(10_000)).unwrap();
    let Some(RtcpPacket::ReceiverReport { mut blocks, .. }) = read(&report).unwrap().next() else {
        panic!("no receiver report");
    };
    let block = blocks.next().unwrap();
    assert_eq!((block.ssrc, block.cumulative_lost, block.jitter), (3, 0, 0));
}

#[test]
fn round_trips_that_cannot_be_are_not_counted() {
    let start = origin();
    let mut end = End::new(start, 1, 1);
    let now = start + ms(10_000);
    let sent_at = middle(end.rtcp.clock.at(now - ms(500)));
    for (last_sender_report, delay_since, expected) in [
        (0, 0, None),                              // no report of ours had come
        (sent_at.wrapping_add(10 << 16), 0, None), // from the future
        (sent_at, 1 << 16, None),                  // kept longer than it was away
        (sent_at.wrapping_sub(61 << 16), 0, None), // a minute on its way
        (sent_at, to_units(ms(400)), Some(ms(100))),
        (sent_at, to_units(ms(501)), Some(ms(50))), // a rounding below zero counts as zero
    ] {
        let block = ReportBlock {
            ssrc: 1,
            fraction_lost: 0,
            cumulative_lost: 0,
            highest_sequence: 0,
            jitter: 0,
            last_sender_report,
            delay_since,
        };
        let mut buffer = [0; MAX_RTCP_BYTES];
        let mut writer = Writer::new(&mut buffer);
        writer.report(2, None, Some(&block));
        let length = writer.length();
        end.rtcp.handle(now, &buffer[..length]).unwrap();
        let error = end
            .rtcp
            .round_trip()
            .unwrap_or_default()
            .abs_diff(expected.unwrap_or_default());
        assert_eq!(end.rtcp.round_trip().is_some(), expected.is_some());
        assert!(error < ms(1), "{:?}", end.rtcp.round_trip());
    }
}
