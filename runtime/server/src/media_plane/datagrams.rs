//! What waits on a socket, read at once, with the time at which each datagram came to this machine: a tick reads it up to 20 ms later,
//! which is the thread's doing and no jitter of the network.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(any(test, not(target_os = "linux")))]
mod portable;

use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

#[cfg(target_os = "linux")]
use linux::receive;
#[cfg(target_os = "linux")]
pub(super) use linux::stamp_arrivals;
#[cfg(not(target_os = "linux"))]
use portable::receive;
#[cfg(not(target_os = "linux"))]
pub(super) use portable::stamp_arrivals;

/// Datagrams that are read at a time: a flood on one port cannot hold the others up. What is left waits in the socket's buffer.
pub(super) const MAX_DATAGRAMS: usize = 16;

/// The longest datagram read; RTP of 120 ms is 972 bytes. Longer ones are cut, and refused then.
const DATAGRAM_BYTES: usize = 2_048;

/// A datagram waits for a tick, or for some where the thread was held up. What seems to have waited longer came before the system's clock
/// was set.
const MAX_AGE: Duration = Duration::from_secs(1);

type Buffer = [u8; DATAGRAM_BYTES];

/// Reads datagrams into memory that is allocated once.
pub(super) struct Datagrams {
    buffers: Box<[Buffer; MAX_DATAGRAMS]>,
    came: [Came; MAX_DATAGRAMS],
}

/// What the system says of a datagram.
#[derive(Debug, Clone, Copy, Default)]
struct Came {
    length: usize,
    source: Option<SocketAddr>,
    /// When, on the clock of the day, since its epoch.
    stamp: Option<Duration>,
}

/// One datagram that came.
#[derive(Debug)]
pub(super) struct Datagram<'d> {
    pub(super) source: SocketAddr,
    /// Now at the latest.
    pub(super) arrival: Instant,
    pub(super) bytes: &'d mut [u8],
}

/// The same moment on two clocks: the system stamps datagrams with the time of day, and all else here goes by the steady one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    pub(super) now: Instant,
    /// Since the epoch.
    day: Duration,
}

impl Datagrams {
    pub(super) fn new() -> Self {
        Self {
            buffers: Box::new([[0; DATAGRAM_BYTES]; MAX_DATAGRAMS]),
            came: [Came::default(); MAX_DATAGRAMS],
        }
    }

    /// Reads what waits there, [`MAX_DATAGRAMS`] at most, in order. Does not wait.
    pub(super) fn read(
        &mut self,
        socket: &UdpSocket,
        moment: Moment,
    ) -> impl Iterator<Item = Datagram<'_>> {
        let count = receive(socket, &mut self.buffers, &mut self.came);
        let came = self.came[..count].iter();
        came.zip(self.buffers.iter_mut())
            .filter_map(move |(came, buffer)| {
                Some(Datagram {
                    source: came.source?,
                    arrival: moment.arrival(came.stamp),
                    bytes: &mut buffer[..came.length.min(DATAGRAM_BYTES)],
                })
            })
    }
}

impl Moment {
    /// This one.
    pub(super) fn now() -> Self {
        Self {
            now: Instant::now(),
            day: SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default(),
        }
    }

    /// When that was which has this stamp: now, where there is none, or it makes no sense.
    fn arrival(self, stamp: Option<Duration>) -> Instant {
        let age = stamp.and_then(|stamp| self.day.checked_sub(stamp));
        let age = age.filter(|age| *age <= MAX_AGE).unwrap_or_default();
        self.now.checked_sub(age).unwrap_or(self.now)
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    type Receive =
        fn(&UdpSocket, &mut [Buffer; MAX_DATAGRAMS], &mut [Came; MAX_DATAGRAMS]) -> usize;

    /// The ways to read that there are on this system.
    const WAYS: [Receive; 2] = [receive, portable::receive];

    fn bound(address: &str) -> UdpSocket {
        let socket = UdpSocket::bind(address).unwrap();
        socket.set_nonblocking(true).unwrap();
        stamp_arrivals(&socket).unwrap();
        socket
    }

    #[test]
    fn what_waits_is_read_in_order_and_at_most_so_much_at_once() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let ours = bound(address);
            let peer = bound(address);
            let here = ours.local_addr().unwrap();
            for way in WAYS {
                for number in 0..20_u8 {
                    peer.send_to(&vec![number; 100 + usize::from(number)], here)
                        .unwrap();
                }
                peer.send_to(&[99; DATAGRAM_BYTES + 1], here).unwrap();
                let mut buffers = [[0; DATAGRAM_BYTES]; MAX_DATAGRAMS];
                let mut came = [Came::default(); MAX_DATAGRAMS];
                let mut read = Vec::new();
                let mut counts = Vec::new();
                loop {
                    let count = way(&ours, &mut buffers, &mut came);
                    counts.push(count);
                    if count == 0 {
                        break;
                    }
                    for (came, buffer) in came[..count].iter().zip(&buffers) {
                        assert_eq!(came.source, Some(peer.local_addr().unwrap()));
                        read.push((
                            buffer[0],
                            buffer[came.length.min(DATAGRAM_BYTES) - 1],
                            came.length,
                        ));
                    }
                }
                assert_eq!(counts, [16, 5, 0], "{address}");
                let mut expected: Vec<_> = (0..20_u8)
                    .map(|number| (number, number, 100 + usize::from(number)))
                    .collect();
                expected.push((99, 99, DATAGRAM_BYTES));
                assert_eq!(read, expected, "{address}");
            }
        }
    }

    #[test]
    fn what_comes_later_has_a_later_time() {
        let ours = bound("127.0.0.1:0");
        let peer = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let here = ours.local_addr().unwrap();
        let mut datagrams = Datagrams::new();
        // The kernel begins to stamp a moment after it was asked to; until then everything comes when it is read.
        let is_stamped = (0..1_000).any(|_| {
            peer.send_to(&[1], here).unwrap();
            let between = Instant::now();
            std::thread::sleep(Duration::from_millis(2));
            peer.send_to(&[2], here).unwrap();
            std::thread::sleep(Duration::from_millis(2));
            let moment = Moment::now();
            let arrivals: Vec<Instant> = datagrams
                .read(&ours, moment)
                .map(|datagram| datagram.arrival)
                .collect();
            assert_eq!(arrivals.len(), 2);
            assert!(arrivals.iter().all(|arrival| *arrival <= moment.now));
            let apart = arrivals[1] - arrivals[0];
            let waited = moment.now - arrivals[1];
            arrivals[0] < between + Duration::from_millis(1)
                && apart > Duration::from_millis(1)
                && waited > Duration::from_millis(1)
        });
        assert!(is_stamped || cfg!(not(target_os = "linux")));
    }

    #[test]
    fn a_stamp_that_makes_no_sense_is_now() {
        let moment = Moment {
            now: Instant::now() + Duration::from_secs(60),
            day: Duration::from_secs(1_000_000),
        };
        for (stamp_ms, expected_ms) in [
            (None, 0),
            (Some(1_000_000_000), 0),
            (Some(999_999_980), 20),
            (Some(999_999_000), 1_000),
            (Some(999_998_999), 0),
            (Some(1_000_003_600_000), 0),
        ] {
            let stamp = stamp_ms.map(Duration::from_millis);
            let age = moment.now - moment.arrival(stamp);
            assert_eq!(age, Duration::from_millis(expected_ms), "{stamp:?}");
        }
    }

    #[test]
    fn reading_allocates_nothing() {
        let ours = bound("127.0.0.1:0");
        let peer = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let here = ours.local_addr().unwrap();
        let mut datagrams = Datagrams::new();
        let mut bytes = 0;
        let spent = allocation_counter::measure(|| {
            for count in 0..5 {
                for _ in 0..count {
                    peer.send_to(&[7; 172], here).unwrap();
                }
                let read = datagrams.read(&ours, Moment::now());
                bytes += read.map(|datagram| datagram.bytes.len()).sum::<usize>();
            }
        });
        assert_eq!((bytes, spent.count_total), (10 * 172, 0));
    }
}
