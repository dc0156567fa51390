//! Datagrams by the batch, `recvmmsg`, each with the time the kernel gave it, `SO_TIMESTAMPNS`.
//!
//! No crate that this one already has knows both of them.
#![allow(unsafe_code)]

use std::io;
use std::mem;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;
use std::ptr;
use std::time::Duration;

use socket2::{SockAddr, SockAddrStorage};

use super::{Buffer, Came, MAX_DATAGRAMS};

/// Room for one time: `CMSG_SPACE` of a `timespec`, in whole words so that it is aligned as a `cmsghdr`.
const CONTROL_WORDS: usize = 4;
const _: () = assert!(
    mem::size_of::<[u64; CONTROL_WORDS]>()
        >= mem::size_of::<libc::cmsghdr>() + mem::size_of::<libc::timespec>()
        && mem::align_of::<u64>() >= mem::align_of::<libc::cmsghdr>()
);

/// Asks the kernel for the time at which each datagram comes.
pub(in super::super) fn stamp_arrivals(socket: &UdpSocket) -> io::Result<()> {
    let on: libc::c_int = 1;
    // SAFETY: the option's value is an int, which lives until the call returns, and its size is told.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_TIMESTAMPNS,
            ptr::from_ref(&on).cast(),
            mem::size_of_val(&on) as libc::socklen_t,
        )
    };
    match result {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Datagrams that are asked for at first: in most ticks there is one, and to prepare for many costs more than to read it.
const USUAL: usize = 2;

/// Fills buffers, and says what is in them. Returns how many it filled.
pub(super) fn receive(
    socket: &UdpSocket,
    buffers: &mut [Buffer; MAX_DATAGRAMS],
    came: &mut [Came; MAX_DATAGRAMS],
) -> usize {
    let count = receive_some::<USUAL>(socket, &mut buffers[..], &mut came[..]);
    if count < USUAL {
        return count;
    }
    let (buffers, came) = (&mut buffers[USUAL..], &mut came[USUAL..]);
    count + receive_some::<{ MAX_DATAGRAMS - USUAL }>(socket, buffers, came)
}

/// As [`receive`], `N` at most; there are at least as many buffers.
fn receive_some<const N: usize>(
    socket: &UdpSocket,
    buffers: &mut [Buffer],
    came: &mut [Came],
) -> usize {
    let Some(buffers) = buffers.first_chunk_mut::<N>() else {
        return 0;
    };
    let mut sources: [SockAddrStorage; N] = std::array::from_fn(|_| SockAddrStorage::zeroed());
    let mut controls = [[0_u64; CONTROL_WORDS]; N];
    let mut slices = buffers.each_mut().map(|buffer| libc::iovec {
        iov_base: buffer.as_mut_ptr().cast(),
        iov_len: buffer.len(),
    });
    // SAFETY: integers and pointers, for which zero is a value.
    let mut headers: [libc::mmsghdr; N] = unsafe { mem::zeroed() };
    for (index, libc::mmsghdr { msg_hdr, .. }) in headers.iter_mut().enumerate() {
        msg_hdr.msg_name = ptr::from_mut(&mut sources[index]).cast();
        msg_hdr.msg_namelen = sources[index].size_of();
        msg_hdr.msg_iov = &raw mut slices[index];
        msg_hdr.msg_iovlen = 1;
        msg_hdr.msg_control = controls[index].as_mut_ptr().cast();
        msg_hdr.msg_controllen = mem::size_of_val(&controls[index]) as _;
    }
    // SAFETY: each header has a source, a buffer and room for control data of its own, whose sizes it tells; all of them are alive and borrowed
    // by nobody else until the call returns.
    let count = unsafe {
        libc::recvmmsg(
            socket.as_raw_fd(),
            headers.as_mut_ptr(),
            N as libc::c_uint,
            libc::MSG_DONTWAIT,
            ptr::null_mut(),
        )
    };
    // Nothing there, or an error that ICMP left behind: both mean that there is nothing to read now.
    let count = usize::try_from(count).unwrap_or(0);
    for (((came, header), source), _) in came.iter_mut().zip(&headers).zip(sources).zip(0..count) {
        *came = Came {
            length: header.msg_len as usize,
            source: address(source, header.msg_hdr.msg_namelen),
            stamp: stamp(&header.msg_hdr),
        };
    }
    count
}

fn address(storage: SockAddrStorage, length: libc::socklen_t) -> Option<SocketAddr> {
    // SAFETY: the kernel wrote an address of so many bytes there.
    unsafe { SockAddr::new(storage, length) }.as_socket()
}

/// The time in a message's control data, since the epoch.
///
/// The header must be as the kernel left it, and what it points to must be alive.
fn stamp(header: &libc::msghdr) -> Option<Duration> {
    // SAFETY: `msg_control` and `msg_controllen` are what the kernel wrote, so that what they name is a whole message or none; one of this
    // type holds a `timespec`, which need not be aligned.
    let time: libc::timespec = unsafe {
        let message = libc::CMSG_FIRSTHDR(header).as_ref()?;
        if (message.cmsg_level, message.cmsg_type) != (libc::SOL_SOCKET, libc::SCM_TIMESTAMPNS) {
            return None;
        }
        ptr::read_unaligned(libc::CMSG_DATA(message).cast())
    };
    Some(Duration::new(
        time.tv_sec.try_into().ok()?,
        time.tv_nsec.try_into().ok()?,
    ))
}
