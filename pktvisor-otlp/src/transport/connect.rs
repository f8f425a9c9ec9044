//! TCP to the collector, and TLS over it.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;

use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tls_credentials::{OptionNames, TlsRefusal};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio_rustls::TlsConnector;

use super::PushError;
use crate::collector::OtlpCollector;
use crate::endpoint::CollectorEndpoint;

const OPTIONS: OptionNames = OptionNames { authorities: "--otlp-ca", server: "--otlp-endpoint" };

/// Bytes to and from the collector.
pub(super) trait ByteStream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> ByteStream for T {}

/// A connection for hyper.
pub(super) type CollectorStream = TokioIo<Box<dyn ByteStream>>;

/// Connects, over TLS if the URL says so.
pub(super) async fn connect(collector: &OtlpCollector) -> Result<CollectorStream, PushError> {
    let stream = tcp(collector.endpoint()).await?;
    Ok(TokioIo::new(match collector.tls() {
        Some(connector) => Box::new(tls(connector, collector.endpoint().host(), stream).await?),
        None => Box::new(stream),
    }))
}

async fn tls(
    connector: &TlsConnector,
    host: &str,
    stream: TcpStream,
) -> Result<impl ByteStream + use<>, PushError> {
    let name = ServerName::try_from(host.to_owned());
    let name = name.map_err(|_| PushError::passing("has a host that no certificate can name".to_owned()))?;
    connector.connect(name, stream).await.map_err(|error| {
        PushError::passing(match TlsRefusal::within(&error, OPTIONS) {
            Some(refusal) => format!("has no secure connection: {refusal}"),
            None => format!("has no secure connection: {error}"),
        })
    })
}

/// Connects to the first address of the collector's name that answers.
async fn tcp(endpoint: &CollectorEndpoint) -> Result<TcpStream, PushError> {
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
                return Ok(stream);
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
