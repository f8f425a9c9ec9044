//! The addresses that the server listens on.
//!
//! A name can have several addresses, `localhost` has one of each family. All of them get the same
//! port.

use std::collections::BTreeSet;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::net::TcpListener;

use super::zone::{ZoneError, literal};

/// How often to try another port if one is free in one family but not in the other.
const PORT_ATTEMPTS_MAX: usize = 16;

/// The web server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Another program listens on the port.
    #[error(
        "cannot serve HTTP on {address}: the port is in use, perhaps by another pktvisord; \
         choose another with -p PORT, or see which program has it with `ss -ltnp 'sport = :{port}'`",
        port = address.port()
    )]
    Busy {
        /// The address.
        address: SocketAddr,
    },
    /// Ports below 1024 are reserved.
    #[error(
        "cannot serve HTTP on {address}: permission denied; choose a port from 1024 with -p PORT, \
         or grant CAP_NET_BIND_SERVICE"
    )]
    Denied {
        /// The address.
        address: SocketAddr,
    },
    /// The address belongs to another machine.
    #[error(
        "cannot serve HTTP on {address}: no interface of this machine has that address; \
         choose one that `ip address` shows, or 0.0.0.0 for all, with -l HOST"
    )]
    NotLocal {
        /// The address.
        address: SocketAddr,
    },
    /// The address and its interface do not go together.
    #[error("cannot serve HTTP on {host}: {reason}")]
    Zone {
        /// The address.
        host: String,
        /// The mistake.
        reason: ZoneError,
    },
    /// The name has no address.
    #[error("cannot serve HTTP on {host:?}: no address found for that name; give an IP address with -l HOST")]
    Unresolved {
        /// The name.
        host: String,
        /// The error of the resolver.
        source: io::Error,
    },
    /// Anything else.
    #[error("cannot serve HTTP on {address}: {reason}")]
    Other {
        /// The address.
        address: SocketAddr,
        /// The error of the kernel.
        reason: io::Error,
    },
}

impl BindError {
    fn new(address: SocketAddr, reason: io::Error) -> Self {
        match reason.kind() {
            ErrorKind::AddrInUse => Self::Busy { address },
            ErrorKind::PermissionDenied => Self::Denied { address },
            ErrorKind::AddrNotAvailable => Self::NotLocal { address },
            _ => Self::Other { address, reason },
        }
    }

    /// Whether the machine lacks the address, for example because it has no IPv6, rather than
    /// refusing the port.
    fn is_absent(&self) -> bool {
        match self {
            Self::NotLocal { .. } => true,
            Self::Other { reason, .. } => reason.raw_os_error() == Some(nix::libc::EAFNOSUPPORT),
            _ => false,
        }
    }
}

/// Listens on every address of `host`. Port 0 takes one that is free on all of them.
pub(super) async fn listen(host: &str, port: u16) -> Result<Vec<TcpListener>, BindError> {
    let addresses = resolve(host).await?;
    let mut attempt = 1;
    loop {
        match listen_on_all(&addresses, port).await {
            Err(BindError::Busy { .. }) if port == 0 && attempt < PORT_ATTEMPTS_MAX => attempt += 1,
            result => return result,
        }
    }
}

/// The addresses, without a port.
async fn resolve(host: &str) -> Result<Vec<SocketAddr>, BindError> {
    if let Some(address) =
        literal(host).map_err(|reason| BindError::Zone { host: host.to_owned(), reason })?
    {
        return Ok(vec![address]);
    }
    if host.eq_ignore_ascii_case("localhost") {
        // RFC 6761 section 6.3: always loopback, without asking a resolver.
        let both: [IpAddr; 2] = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
        return Ok(both.map(|address| SocketAddr::new(address, 0)).to_vec());
    }
    let unresolved = |source| BindError::Unresolved { host: host.to_owned(), source };
    let found = tokio::net::lookup_host((host, 0)).await.map_err(unresolved)?;
    let distinct: BTreeSet<SocketAddr> = found.collect();
    if distinct.is_empty() {
        return Err(unresolved(ErrorKind::NotFound.into()));
    }
    Ok(distinct.into_iter().collect())
}

/// Listens on all addresses. Skips addresses that the machine lacks, unless it lacks all. Any other
/// failure is final.
async fn listen_on_all(addresses: &[SocketAddr], port: u16) -> Result<Vec<TcpListener>, BindError> {
    let mut listeners: Vec<TcpListener> = Vec::new();
    let mut port = port;
    let mut absent = None;
    for &address in addresses {
        let mut address = address;
        address.set_port(port);
        match bind(address).await {
            Ok((listener, actual_port)) => {
                port = actual_port;
                listeners.push(listener);
            }
            Err(error) if error.is_absent() => absent = Some(error),
            Err(error) => return Err(error),
        }
    }
    match absent {
        Some(error) if listeners.is_empty() => Err(error),
        _ => Ok(listeners),
    }
}

async fn bind(address: SocketAddr) -> Result<(TcpListener, u16), BindError> {
    let failed = |reason| BindError::new(address, reason);
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let port = listener.local_addr().map_err(failed)?.port();
    Ok((listener, port))
}
