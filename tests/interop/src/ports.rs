//! Free ports on loopback.

use std::fs::{File, Permissions};
use std::io::{self, Read, Seek, Write};
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// The ports that are given away: below the kernel's ephemeral ports.
const FIRST: u16 = 16_384;
const END: u16 = 32_000;

/// A port for a peer that was free for UDP and for TCP a moment ago, and is given to no other peer.
#[must_use]
pub fn free() -> u16 {
    loop {
        let port = range(2);
        let address = (Ipv4Addr::LOCALHOST, port);
        if TcpListener::bind(address).is_ok() {
            return port;
        }
    }
}

/// The first of `count` ports, an even one. Nobody else on this machine who asks here is given any of them until all have been given, in whichever
/// process: what is given next stands in a file.
///
/// # Panics
/// If there are fewer ports than `count`, or the file cannot be kept.
#[must_use]
pub fn range(count: u16) -> u16 {
    let path = std::env::temp_dir().join("jackfield-test-ports");
    loop {
        let first = next_of(&path, count);
        let first = first.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        // When all have been given, a story that takes long may still have these.
        if [first, first + count - 1].into_iter().all(is_free) {
            return first;
        }
    }
}

fn is_free(port: u16) -> bool {
    UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// The next ports by a file that holds where they begin, as digits. A file that holds anything else is written anew.
fn next_of(path: &Path, count: u16) -> io::Result<u16> {
    let mut file = open(path)?;
    // Let go of when the file is closed, and so when its process ends.
    file.lock()?;
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    let next = text.trim().parse().ok();
    let next = next
        .filter(|next| (FIRST..=END).contains(next))
        .unwrap_or(FIRST);
    let (first, rest) = after(next, count);
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{rest}")?;
    Ok(first)
}

/// A file that whoever tests on this machine may write to: its owner makes it so.
fn open(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.read(true).write(true);
    match options.open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        opened => return opened,
    }
    match options.create_new(true).open(path) {
        Ok(file) => {
            file.set_permissions(Permissions::from_mode(0o666))?;
            Ok(file)
        }
        // Another process was first.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            options.create_new(false).open(path)
        }
        Err(error) => Err(error),
    }
}

/// The first of the next `count` ports, and where the ones after them begin.
fn after(next: u16, count: u16) -> (u16, u16) {
    let next = next.next_multiple_of(2);
    let count = count.next_multiple_of(2);
    assert!(count <= END - FIRST, "there are not {count} ports");
    let first = if next > END - count { FIRST } else { next };
    (first, first + count)
}

/// Whether a program listens at this TCP port of IPv4, by what the kernel says: to ask by a connection would be a call of its own.
#[must_use]
pub fn listens(port: u16) -> bool {
    const LISTEN: &str = "0A";
    let table = std::fs::read_to_string("/proc/net/tcp").expect("Linux tells of its sockets");
    let port = format!(":{port:04X}");
    table.lines().any(|line| {
        let mut words = line.split_whitespace().skip(1);
        let is_ours = words.next().is_some_and(|local| local.ends_with(&port));
        is_ours && words.nth(1) == Some(LISTEN)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A peer's ports in the middle of a server's would be taken for the server's own by whoever listens on the wire.
    #[test]
    fn nobody_is_given_ports_of_another() {
        for start in [FIRST, END - 2_000, END - 2] {
            let mut next = start;
            let mut given = vec![false; usize::from(END)];
            for count in [200, 8, 2, 16, 2, 200, 8, 1, 200, 64, 200, 2].repeat(10) {
                let (first, rest) = after(next, count);
                assert!(first >= FIRST && first.is_multiple_of(2), "{first}");
                for port in first..first + count {
                    let is_given = std::mem::replace(&mut given[usize::from(port)], true);
                    assert!(!is_given, "{port}, from {start}");
                }
                next = rest;
            }
        }
    }

    #[test]
    fn what_is_given_next_outlives_a_process_and_a_spoiled_file() {
        let folder = tempfile::tempdir().expect("there is room for a folder");
        let path = folder.path().join("ports");
        let next = |count| next_of(&path, count).expect("the file can be kept");
        assert_eq!(next(7), FIRST);
        assert_eq!(next(2), FIRST + 8);
        for spoiled in ["", "many", "80", "65535"] {
            std::fs::write(&path, spoiled).expect("it can be written");
            assert_eq!(next(2), FIRST, "{spoiled:?}");
        }
        std::fs::write(&path, "20001").expect("it can be written");
        assert_eq!(next(2), 20_002);
    }
}
