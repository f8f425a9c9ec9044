//! The files of the web server that are read once, at start: certificate, key and token.

use tls_credentials::CredentialsError;

use crate::cli::{Options, TlsFiles};
use crate::serve::{AccessToken, Server, ServerIdentity};

/// What the web server shows its clients, and what they have to show.
#[derive(Clone, Debug, Default)]
pub struct Credentials {
    identity: Option<ServerIdentity>,
    token: Option<AccessToken>,
}

impl Credentials {
    /// Reads the files that the options name, if the agent serves. Call it before the sandbox is
    /// entered: the agent cannot open them later.
    ///
    /// # Errors
    ///
    /// A file cannot be used.
    pub fn read(options: &Options) -> Result<Self, CredentialsError> {
        if !options.serve && !options.target.is_live() {
            return Ok(Self::default());
        }
        let listen = &options.listen;
        let read = |TlsFiles { certificate, key }: &TlsFiles| ServerIdentity::read(certificate, key);
        Ok(Self {
            identity: listen.tls.as_ref().map(read).transpose()?,
            token: listen.token_file.as_deref().map(AccessToken::read).transpose()?,
        })
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
