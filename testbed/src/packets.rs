//! Sends and receives packets of a link with a packet socket (packet(7)).

use std::io;
use std::mem::{size_of, size_of_val};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::ptr;
use std::time::{Duration, Instant};

use nix::net::if_::if_nametoindex;

use crate::{Namespace, tool};

/// Every protocol, in network byte order as packet(7) requires.
const ALL: u16 = (libc::ETH_P_ALL as u16).to_be();
/// Room for the packets of a burst before they are read, in bytes.
const RECEIVE_BUFFER: libc::c_int = 128 << 20;
const LARGEST_FRAME: usize = 65_536;
/// Bytes of the Ethernet addresses; a VLAN tag follows them.
const ADDRESSES: usize = 12;

/// A frame from the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The bytes from the link-layer header on, with the VLAN tag that the kernel had removed.
    pub data: Vec<u8>,
}

/// A socket that sends whole frames and receives arriving frames, but not departing ones.
#[derive(Debug)]
pub struct FrameSocket(OwnedFd);

impl FrameSocket {
    /// Opens it on an interface of the namespace, and begins to receive.
    ///
    /// # Panics
    /// There is no such interface, or it cannot be opened.
    pub fn open(namespace: &Namespace, interface: &str) -> Self {
        tool::must(namespace.run(|| Self::open_here(interface)))
    }

    fn open_here(interface: &str) -> io::Result<Self> {
        let index = if_nametoindex(interface)
            .map_err(|_| io::Error::other(format!("there is no interface {interface}")))?;
        // Protocol 0: nothing arrives before the socket belongs to one interface.
        // SAFETY: socket takes integers.
        let fd = check(unsafe { libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0) })?;
        // SAFETY: the descriptor is new and owned by nobody else.
        let socket = Self(unsafe { OwnedFd::from_raw_fd(fd) });
        socket.set(libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, RECEIVE_BUFFER)?;
        socket.set(libc::SOL_PACKET, libc::PACKET_AUXDATA, 1)?;
        socket.set(libc::SOL_PACKET, libc::PACKET_IGNORE_OUTGOING, 1)?;
        // SAFETY: a struct of integers, for which all zeros is a value.
        let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
        address.sll_family = libc::AF_PACKET as u16;
        address.sll_protocol = ALL;
        address.sll_ifindex = index.cast_signed();
        let length = size_of_val(&address) as libc::socklen_t;
        // SAFETY: the address is a sockaddr_ll of that length.
        check(unsafe { libc::bind(socket.0.as_raw_fd(), (&raw const address).cast(), length) })?;
        Ok(socket)
    }

    fn set(&self, level: i32, option: i32, value: libc::c_int) -> io::Result<()> {
        let length = size_of_val(&value) as libc::socklen_t;
        // SAFETY: the value is an int that lives through the call.
        let status =
            unsafe { libc::setsockopt(self.0.as_raw_fd(), level, option, (&raw const value).cast(), length) };
        check(status).map(drop)
    }

    /// Sends one frame, link-layer header included.
    ///
    /// # Panics
    /// The kernel refuses it, such as one longer than the MTU.
    pub fn send(&self, frame: &[u8]) {
        // SAFETY: the pointer and length are those of a live slice.
        let sent = unsafe { libc::send(self.0.as_raw_fd(), frame.as_ptr().cast(), frame.len(), 0) };
        assert_eq!(sent, frame.len() as isize, "cannot send {frame:02x?}: {}", io::Error::last_os_error());
    }

    /// The next frame, or `None` if none comes in time.
    ///
    /// # Panics
    /// The socket fails, such as when its interface is gone.
    pub fn receive(&self, at_most: Duration) -> Option<Frame> {
        let deadline = Instant::now() + at_most;
        loop {
            if let Some(frame) = tool::must(self.try_receive()) {
                return Some(frame);
            }
            let left = deadline.checked_duration_since(Instant::now())?;
            let mut poll = libc::pollfd { fd: self.0.as_raw_fd(), events: libc::POLLIN, revents: 0 };
            // SAFETY: one pollfd, which lives through the call.
            unsafe { libc::poll(&raw mut poll, 1, left.as_millis().min(1000) as i32 + 1) };
        }
    }

    /// All frames, until none has arrived for `quiet`.
    ///
    /// # Panics
    /// As [`FrameSocket::receive`], or when frames were lost because they were not read in time.
    pub fn receive_until_quiet(&self, quiet: Duration) -> Vec<Frame> {
        let frames = std::iter::from_fn(|| self.receive(quiet)).collect();
        assert_eq!(self.lost(), 0, "the receiving test lost frames");
        frames
    }

    fn try_receive(&self) -> io::Result<Option<Frame>> {
        let mut data = vec![0; LARGEST_FRAME];
        let mut control = [0_u64; 16];
        let mut part = libc::iovec { iov_base: data.as_mut_ptr().cast(), iov_len: data.len() };
        // SAFETY: a struct of integers and pointers, for which all zeros is a value.
        let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
        message.msg_iov = &raw mut part;
        message.msg_iovlen = 1;
        message.msg_control = control.as_mut_ptr().cast();
        message.msg_controllen = size_of_val(&control);
        // SAFETY: the message points to live buffers and contains their lengths.
        let received = unsafe { libc::recvmsg(self.0.as_raw_fd(), &raw mut message, libc::MSG_DONTWAIT) };
        let length = match usize::try_from(received) {
            Ok(length) => length,
            Err(_) if io::Error::last_os_error().kind() == io::ErrorKind::WouldBlock => return Ok(None),
            Err(_) => return Err(io::Error::last_os_error()),
        };
        data.truncate(length);
        // SAFETY: recvmsg has just filled the message in.
        if let Some(tag) = unsafe { tag_put_aside(&message) } {
            data.splice(ADDRESSES..ADDRESSES, tag);
        }
        Ok(Some(Frame { data }))
    }

    /// Frames that found the socket's buffer full since the last call.
    pub fn lost(&self) -> u32 {
        let mut counts = [0_u32; 2];
        let mut length = size_of_val(&counts) as libc::socklen_t;
        // SAFETY: tpacket_stats is two u32, total and dropped; the pointers are to live locals.
        let status = unsafe {
            libc::getsockopt(
                self.0.as_raw_fd(),
                libc::SOL_PACKET,
                libc::PACKET_STATISTICS,
                counts.as_mut_ptr().cast(),
                &raw mut length,
            )
        };
        tool::must(check(status));
        counts[1]
    }
}

/// The VLAN tag that the kernel removed from a frame and delivers in a control message.
///
/// # Safety
/// `message` was filled in by recvmsg, and its buffers are live.
unsafe fn tag_put_aside(message: &libc::msghdr) -> Option<[u8; 4]> {
    // SAFETY: the caller's promise.
    let header = unsafe { libc::CMSG_FIRSTHDR(message).as_ref() }?;
    if (header.cmsg_level, header.cmsg_type) != (libc::SOL_PACKET, libc::PACKET_AUXDATA)
        || header.cmsg_len < size_of::<libc::cmsghdr>() + size_of::<libc::tpacket_auxdata>()
    {
        return None;
    }
    // SAFETY: a control message of this type carries a tpacket_auxdata, for which there is room in
    // it.
    let aux: libc::tpacket_auxdata = unsafe { ptr::read_unaligned(libc::CMSG_DATA(header).cast()) };
    let [a, b] = aux.tp_vlan_tpid.to_be_bytes();
    let [c, d] = aux.tp_vlan_tci.to_be_bytes();
    (aux.tp_status & libc::TP_STATUS_VLAN_VALID != 0).then_some([a, b, c, d])
}

fn check(status: libc::c_int) -> io::Result<libc::c_int> {
    if status < 0 { Err(io::Error::last_os_error()) } else { Ok(status) }
}
