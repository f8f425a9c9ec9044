//! Why sending cannot begin or go on.

use std::io;
use std::path::{Path, PathBuf};

use capture_file::ReadError;
use terminal_text::Escaped;

use super::via::Via;

/// Why sending could not begin or go on. Each message is complete: it contains its reason.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The capture cannot be read, or not any further.
    #[error("{}{error}", place(path.as_deref()))]
    Read {
        /// The capture, if `error` does not name it.
        path: Option<PathBuf>,
        /// The reason.
        error: ReadError,
    },
    /// No interface has this name.
    #[error("there is no interface {0:?}: `ip link` lists the interfaces")]
    NoSuchInterface(String),
    /// The interface is not up.
    #[error("interface {0} is down: bring it up with `ip link set {0} up`")]
    Down(String),
    /// The interface does not send Ethernet frames.
    #[error("interface {0} has no Ethernet header, so it cannot send captured Ethernet frames")]
    NotEthernet(String),
    /// The kernel does not let this user send raw frames.
    #[error("sending on {0} needs CAP_NET_RAW: run as root, or `setcap cap_net_raw+ep` the program")]
    Privilege(String),
    /// AF_XDP was requested, but its frames are too small for the packets of the interface.
    #[error(
        "AF_XDP sends frames of up to {limit} bytes here, and those of {interface} can be longer: \
         use --via af-packet or a smaller MTU"
    )]
    FramesTooLong {
        /// The interface.
        interface: String,
        /// Bytes of an AF_XDP frame.
        limit: usize,
    },
    /// Several queues without AF_XDP.
    #[error("only --via af-xdp can choose the transmit queue")]
    QueuesNeedAfXdp,
    /// The socket cannot be set up.
    #[error("cannot open an {via} socket on {interface}{}: {reason}", of_queue(*queue))]
    Open {
        /// The kind of socket.
        via: Via,
        /// The interface.
        interface: String,
        /// The transmit queue, if the socket belongs to one.
        queue: Option<u32>,
        /// The operating system's reason.
        reason: io::Error,
    },
    /// The kernel takes no more frames.
    #[error("sending on {interface} failed: {reason}")]
    Refused {
        /// The interface.
        interface: String,
        /// The operating system's reason.
        reason: io::Error,
    },
}

impl SendError {
    pub(super) fn read(path: &Path, error: ReadError) -> Self {
        let names_it = matches!(error, ReadError::Open { .. });
        Self::Read { path: (!names_it).then(|| path.to_owned()), error }
    }

    /// A failure to set up a socket; it names a missing privilege.
    pub(super) fn open(via: Via, interface: &str, queue: Option<u32>, reason: io::Error) -> Self {
        let interface = interface.to_owned();
        if reason.kind() == io::ErrorKind::PermissionDenied {
            return Self::Privilege(interface);
        }
        Self::Open { via, interface, queue, reason }
    }
}

fn place(path: Option<&Path>) -> String {
    path.map_or_else(String::new, |path| format!("{}: ", Escaped(path.display())))
}

fn of_queue(queue: Option<u32>) -> String {
    queue.map_or_else(String::new, |queue| format!(" (transmit queue {queue})"))
}
