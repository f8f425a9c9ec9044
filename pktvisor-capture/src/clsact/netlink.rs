//! Requests to the kernel's routing subsystem, one at a time.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, recv, sendto, socket,
};

use super::message::{HEADER_LEN, Message, number};

/// What the kernel puts into one datagram at most.
const BUFFER_LEN: usize = 1 << 16;

/// An rtnetlink socket.
#[derive(Debug)]
pub(super) struct Netlink {
    socket: OwnedFd,
}

impl Netlink {
    pub(super) fn open() -> io::Result<Self> {
        let protocol = SockProtocol::NetlinkRoute;
        let socket = socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, protocol)?;
        Ok(Self { socket })
    }

    /// Sends a request and returns the bodies of all answers, until the kernel says that it is done or why not.
    pub(super) fn request(&self, message: &Message) -> io::Result<Vec<Vec<u8>>> {
        sendto(self.socket.as_raw_fd(), &message.bytes, &NetlinkAddr::new(0, 0), MsgFlags::empty())?;
        let mut answers = Vec::new();
        let mut buffer = vec![0; BUFFER_LEN];
        loop {
            let len = recv(self.socket.as_raw_fd(), &mut buffer, MsgFlags::empty())?;
            if parse(&buffer[..len], &mut answers)? {
                return Ok(answers);
            }
        }
    }
}

/// Adds the answers of one datagram. Returns whether they were the last.
fn parse(mut datagram: &[u8], answers: &mut Vec<Vec<u8>>) -> io::Result<bool> {
    let malformed =
        || io::Error::new(io::ErrorKind::InvalidData, "a netlink message does not fit its datagram");
    while !datagram.is_empty() {
        let len = number(datagram, 0).ok_or_else(malformed)? as usize;
        let kind = datagram.get(4..6).ok_or_else(malformed)?;
        let body = datagram.get(HEADER_LEN..len).ok_or_else(malformed)?;
        match i32::from(u16::from_ne_bytes([kind[0], kind[1]])) {
            libc::NLMSG_DONE => return Ok(true),
            libc::NLMSG_ERROR => {
                // Zero acknowledges.
                return match number(body, 0).ok_or_else(malformed)?.cast_signed() {
                    0 => Ok(true),
                    error => Err(io::Error::from_raw_os_error(-error)),
                };
            }
            _ => answers.push(body.to_vec()),
        }
        datagram = datagram.get(len.next_multiple_of(4)..).unwrap_or(&[]);
    }
    Ok(false)
}
