//! The files that are read once, at start: certificate, key and token of the web server, and what the
//! collector asks for.

use pktvisor_otlp::OtlpCollector;
use tls_credentials::CredentialsError;

use crate::cli::{Options, OtlpOptions, TlsFiles};
use crate::serve::{AccessToken, Server, ServerIdentity};

/// What the web server shows its clients and what they have to show, and the same for the collector.
#[derive(Clone, Debug, Default)]
pub struct Credentials {
    collector: Option<OtlpCollector>,
    identity: Option<ServerIdentity>,
    token: Option<AccessToken>,
}

impl Credentials {
    /// Reads the files that the options name; those of the web server only if the agent serves. Call it
    /// before the sandbox is entered: the agent cannot open them later.
    ///
    /// # Errors
    ///
    /// A file cannot be used.
    pub fn read(options: &Options) -> Result<Self, CredentialsError> {
        let read = |OtlpOptions { endpoint, authorities, headers, .. }: &OtlpOptions| {
            OtlpCollector::read(endpoint.clone(), authorities.as_deref(), headers.as_deref())
        };
        let collector = options.otlp.as_ref().map(read).transpose()?;
        if !options.serve && !options.target.is_live() {
            return Ok(Self { collector, ..Self::default() });
        }
        let listen = &options.listen;
        let read = |TlsFiles { certificate, key }: &TlsFiles| ServerIdentity::read(certificate, key);
        Ok(Self {
            collector,
            identity: listen.tls.as_ref().map(read).transpose()?,
            token: listen.token_file.as_deref().map(AccessToken::read).transpose()?,
        })
    }

    /// Where metrics are pushed; `None` if the options name no collector.
    pub(crate) fn collector(&self) -> Option<&OtlpCollector> {
        self.collector.as_ref()
    }

    /// The scheme of the server's URLs.
    pub(crate) fn scheme(&self) -> &'static str {
        if self.identity.is_some() { "https" } else { "http" }
    }

    /// The server, which uses them. Warns if clients on other machines would send the token in plain text.
    pub(crate) fn equip(self, mut server: Server) -> Server {
        let is_remote = server.local_addrs().iter().any(|address| !address.ip().to_canonical().is_loopback());
        if self.token.is_some() && self.identity.is_none() && is_remote {
            tracing::warn!(
                "clients on other machines send the token unencrypted: give --tls-cert and --tls-key, or \
                 listen on localhost behind a proxy with TLS"
            );
        }
        if let Some(identity) = self.identity {
            server = server.with_identity(identity);
        }
        match self.token {
            Some(token) => server.with_token(token),
            None => server,
        }
    }
}
