//! Sends through a packet socket, see packet(7): many frames by one system call.

use std::io;
use std::mem::size_of_val;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::thread;

use super::BATCH;
use super::interface::OutInterface;
use super::outlet::Outlet;

/// Frames for one system call, one after the other in a buffer that never grows.
pub(super) struct PacketOutlet {
    socket: OwnedFd,
    buffer: Vec<u8>,
    /// The end of each frame in the buffer.
    ends: Vec<usize>,
}

impl PacketOutlet {
    pub(super) fn open(interface: &OutInterface) -> io::Result<Self> {
        // Protocol 0: it receives nothing.
        // SAFETY: socket takes integers.
        let fd = check(unsafe { libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0) })?;
        // SAFETY: the descriptor is new and owned by nobody else.
        let socket = unsafe { OwnedFd::from_raw_fd(fd) };
        // SAFETY: a struct of integers, for which all zeros is a value.
        let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
        address.sll_family = libc::AF_PACKET as u16;
        address.sll_ifindex = interface.index.cast_signed();
        let length = size_of_val(&address) as libc::socklen_t;
        // SAFETY: the address is a sockaddr_ll of that length.
        check(unsafe { libc::bind(socket.as_raw_fd(), (&raw const address).cast(), length) })?;
        let yes: libc::c_int = 1;
        let length = size_of_val(&yes) as libc::socklen_t;
        // SAFETY: the value is an int that lives through the call.
        check(unsafe {
            let value = (&raw const yes).cast();
            libc::setsockopt(socket.as_raw_fd(), libc::SOL_PACKET, libc::PACKET_QDISC_BYPASS, value, length)
        })?;
        let buffer = Vec::with_capacity(BATCH * interface.longest_frame());
        Ok(Self { socket, buffer, ends: Vec::with_capacity(BATCH) })
    }

    /// Hands over frames from the `first` on; returns how many the kernel took.
    fn send_from(&self, first: usize) -> io::Result<usize> {
        // SAFETY: structs of integers and pointers, for which all zeros is a value.
        let (mut parts, mut messages): ([libc::iovec; BATCH], [libc::mmsghdr; BATCH]) =
            unsafe { (std::mem::zeroed(), std::mem::zeroed()) };
        let mut start = first.checked_sub(1).map_or(0, |before| self.ends[before]);
        let ends = &self.ends[first..];
        for ((part, message), end) in parts.iter_mut().zip(&mut messages).zip(ends) {
            // The kernel only reads what this points to.
            part.iov_base = self.buffer[start..].as_ptr().cast_mut().cast();
            part.iov_len = end - start;
            message.msg_hdr.msg_iov = part;
            message.msg_hdr.msg_iovlen = 1;
            start = *end;
        }
        // SAFETY: the length passed is the number of filled messages. Each message points to one
        // part, and each part to bytes of the buffer; all of them outlive the call.
        let sent = check(unsafe {
            libc::sendmmsg(self.socket.as_raw_fd(), messages.as_mut_ptr(), ends.len() as u32, 0)
        })?;
        Ok(usize::try_from(sent).unwrap_or(0))
    }
}

impl Outlet for PacketOutlet {
    #[inline]
    fn push(&mut self, frame: &[u8], _queue: u32) -> io::Result<()> {
        self.buffer.extend_from_slice(frame);
        self.ends.push(self.buffer.len());
        if self.ends.len() == BATCH { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        let mut sent = 0;
        while sent < self.ends.len() {
            match self.send_from(sent) {
                Ok(taken) => sent += taken,
                // The driver's queue is full: the frame was not sent, and is tried again.
                Err(error) if error.raw_os_error() == Some(libc::ENOBUFS) => thread::yield_now(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.buffer.clear();
        self.ends.clear();
        Ok(())
    }

    fn dropped(&self) -> u64 {
        0
    }
}

fn check(status: libc::c_int) -> io::Result<libc::c_int> {
    if status < 0 { Err(io::Error::last_os_error()) } else { Ok(status) }
}
