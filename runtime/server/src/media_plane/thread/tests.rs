//! A leg on sockets of loopback, ticked by hand.

use std::net::{Ipv4Addr, UdpSocket};
use std::time::Duration;

use call::{MediaCommand, MediaPath};
use rtp::dtmf::DigitPolicy;
use rtp::rtcp::{MAX_RTCP_BYTES, Rtcp, RtcpConfig};

use super::super::leg::Beginning;
use super::super::ports::Ports;
use super::super::reaper::Reaper;
use super::super::wire::Patience;
use super::*;

struct Rig {
    task: Task,
    peer: UdpSocket,
    datagrams: Datagrams,
    counters: ThreadCounters,
    round: u64,
    _events: mpsc::Receiver<MediaEvent>,
    reaper: Reaper,
}

impl Rig {
    /// A leg that is connected to the peer's socket.
    fn new(port: u16) -> Self {
        let ports = Ports::new(Ipv4Addr::LOCALHOST.into(), port, port + 1).unwrap();
        let (sockets, lease) = ports.bind().unwrap();
        let peer = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let mut core = LegCore::new(Beginning {
            now: Instant::now(),
            sender: rtp::Sender::new(7, 100, 1_000),
            latch: rtp::Latch::new(&[]),
            rtcp: rtcp(7),
            patience: Patience {
                talking: None,
                held: None,
            },
            digits: DigitPolicy::default(),
            listens: true,
        });
        let here = peer.local_addr().unwrap();
        core.order(MediaCommand::Connect(MediaPath::new(
            here,
            sdp::Codec::Pcmu,
        )));
        let (events, receiver) = mpsc::channel(8);
        Self {
            task: Task::new(core, sockets, lease, events, None, Arc::default()),
            peer,
            datagrams: Datagrams::new(),
            counters: ThreadCounters::default(),
            round: 0,
            _events: receiver,
            reaper: Reaper::start().unwrap(),
        }
    }

    fn tick(&mut self) {
        let moment = Moment::now();
        self.round += 1;
        self.task
            .receive(moment, &mut self.datagrams, &self.counters);
        self.task
            .tick(moment.now, self.round, &self.counters, &self.reaper.grave());
    }

    fn counted(&self) -> MediaCounters {
        let mut sum = MediaCounters::default();
        self.counters.add_to(&mut sum);
        sum
    }

    fn send(&self, socket: impl Fn(&Sockets) -> &UdpSocket, datagram: &[u8]) {
        let to = socket(&self.task.sockets).local_addr().unwrap();
        self.peer.send_to(datagram, to).unwrap();
    }
}

fn rtcp(ssrc: u32) -> Rtcp {
    let config = RtcpConfig {
        ssrc,
        cname: *b"0123456789abcdef",
        clock_rate_hz: media::RATE_HZ,
        ntp_at_start: 0,
        seed: 1,
    };
    Rtcp::new(Instant::now(), config)
}

#[test]
fn reports_are_looked_for_twice_a_second() {
    let mut rig = Rig::new(12_620);
    let mut report = [0; MAX_RTCP_BYTES];
    let length = rtcp(9).goodbye(Instant::now() + Duration::from_secs(1), &mut report);
    let taken: Vec<u64> = (0..27)
        .map(|_| {
            rig.send(|sockets| &sockets.rtcp, &report[..length]);
            rig.tick();
            rig.counted().received
        })
        .collect();
    // The first one; then the most that is read at a time of the 25 that came since.
    let expected = [vec![1; 25], vec![17; 2]].concat();
    assert_eq!(taken, expected);
}

#[test]
fn a_leg_that_hears_and_speaks_allocates_nothing() {
    let mut rig = Rig::new(12_622);
    let mut sender = rtp::Sender::new(9, 1, 1);
    let mut packet = [0; rtp::MAX_PACKET_BYTES];
    let mut talk = |rig: &mut Rig, ticks: u32| {
        for tick in 0..ticks {
            for _ in 0..tick % 3 {
                let length = sender.frame(&mut packet, 0, false, &[0x55; 160], 160);
                rig.send(|sockets| &sockets.rtp, &packet[..length]);
            }
            rig.tick();
        }
    };
    talk(&mut rig, 10);
    let spent = allocation_counter::measure(|| talk(&mut rig, 90));
    assert_eq!(spent.count_total, 0);
    let counted = rig.counted();
    assert_eq!((counted.received, counted.sent), (99, 100));
}
