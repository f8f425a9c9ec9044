//! TCP to the collector.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;

use hyper_util::rt::TokioIo;
use tokio::net::{TcpStream, lookup_host};

use super::PushError;
use crate::endpoint::CollectorEndpoint;

/// Connects to the first address of the collector's name that answers.
pub(super) async fn tcp(endpoint: &CollectorEndpoint) -> Result<TokioIo<TcpStream>, PushError> {
    let (host, port) = (endpoint.host(), endpoint.port());
    let addresses = lookup_host((host, port)).await;
    let addresses: Vec<SocketAddr> =
        addresses.map_err(|error| PushError::passing(format!("has an unknown host: {error}")))?.collect();
    let mut last = None;
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                // A request is written in several parts.
                let _ = stream.set_nodelay(true);
                return Ok(TokioIo::new(stream));
            }
            Err(error) => last = Some(reason(address, &error)),
        }
    }
    Err(PushError::passing(last.unwrap_or_else(|| "has a host without addresses".to_owned())))
}

fn reason(address: SocketAddr, error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::ConnectionRefused => format!("is not running: nothing listens on {address}"),
        ErrorKind::PermissionDenied => {
            format!("is out of reach: the sandbox or a firewall forbids {address}")
        }
        _ => format!("is out of reach at {address}: {error}"),
    }
}
