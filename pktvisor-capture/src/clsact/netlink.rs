//! Requests to the kernel's routing subsystem, one at a time.
//!
//! The messages are those of netlink-packet-route. The rtnetlink crate would also send them, but
//! only from an async runtime, which this crate does not have.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use netlink_packet_core::{DecodeError, ErrorBuffer, NLMSG_DONE, NLMSG_ERROR, NetlinkBuffer};
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, recv, sendto, socket,
};

use super::message::Request;

/// The longest datagram that the kernel sends.
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

    /// Sends a request and returns the bodies of all answers, until the kernel says that it is done
    /// or why not.
    pub(super) fn request(&self, mut request: Request) -> io::Result<Vec<Vec<u8>>> {
        request.finalize();
        let mut bytes = vec![0; request.buffer_len()];
        request.serialize(&mut bytes);
        sendto(self.socket.as_raw_fd(), &bytes, &NetlinkAddr::new(0, 0), MsgFlags::empty())?;
        let mut answers = Vec::new();
        let mut buffer = vec![0; BUFFER_LEN];
        loop {
            let len = recv(self.socket.as_raw_fd(), &mut buffer, MsgFlags::empty())?;
            if parse(&buffer[..len], &mut answers)? == Answers::Complete {
                return Ok(answers);
            }
        }
    }
}

/// Whether the kernel has answered a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answers {
    Complete,
    MoreFollow,
}

/// Adds the answers of one datagram.
fn parse(mut datagram: &[u8], answers: &mut Vec<Vec<u8>>) -> io::Result<Answers> {
    let malformed = |error: DecodeError| io::Error::new(io::ErrorKind::InvalidData, error);
    while !datagram.is_empty() {
        let message = NetlinkBuffer::new_checked(datagram).map_err(malformed)?;
        match message.message_type() {
            NLMSG_DONE => return Ok(Answers::Complete),
            NLMSG_ERROR => {
                // Without a code it acknowledges.
                return match ErrorBuffer::new_checked(message.payload()).map_err(malformed)?.code() {
                    None => Ok(Answers::Complete),
                    Some(code) => Err(io::Error::from_raw_os_error(code.get().saturating_neg())),
                };
            }
            _ => answers.push(message.payload().to_vec()),
        }
        let len = (message.length() as usize).next_multiple_of(4);
        datagram = datagram.get(len..).unwrap_or(&[]);
    }
    Ok(Answers::MoreFollow)
}
