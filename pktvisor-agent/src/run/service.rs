//! The web server in the background, and the signals that stop the agent.

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::Context;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::agent::Agent;
use crate::cli::Options;
use crate::credentials::Credentials;
use crate::serve::Server;
use crate::signals;

/// Threads that answer HTTP.
const SERVER_THREADS: usize = 2;

/// How long work beside the server may take to notice that it is to stop. A replay looks every few
/// hundred packets, or every 50 ms.
const STOP_PATIENCE: Duration = Duration::from_millis(500);

/// The web server in the background, until SIGINT or SIGTERM.
pub(super) struct Service {
    runtime: Runtime,
    addresses: Vec<SocketAddr>,
    scheme: &'static str,
    server: JoinHandle<()>,
    /// Cancelled by SIGINT and SIGTERM.
    stop: CancellationToken,
}

impl Service {
    pub(super) fn start(
        options: &Options,
        credentials: Credentials,
        agent: Arc<Agent>,
    ) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(SERVER_THREADS)
            .thread_name("http")
            // The CPU time of a thread can be read only while it lives. There are a few at most.
            .thread_keep_alive(Duration::from_secs(3600))
            .enable_all()
            .build()
            .context("cannot start the threads of the web server")?;
        let listen = &options.listen;
        let server = runtime.block_on(Server::bind(&listen.host, listen.port))?;
        let server = server.with_allowed_hosts(&listen.allowed_hosts);
        let server = server.with_allowed_origins(&listen.allowed_origins);
        let scheme = credentials.scheme();
        let server = credentials.equip(server);
        let addresses = server.local_addrs();
        let stop = runtime.block_on(async { stop_on_signals() })?;
        runtime.block_on(async { signals::watch(Arc::clone(&agent)) })?;
        let server = runtime.spawn(server.run(agent, stop.clone().cancelled_owned()));
        Ok(Self { runtime, addresses, scheme, server, stop })
    }

    /// The port that it listens on.
    pub(super) fn port(&self) -> Option<u16> {
        self.addresses.first().map(SocketAddr::port)
    }

    /// Logs the addresses that it listens on.
    pub(super) fn announce(&self) {
        for address in &self.addresses {
            tracing::info!("metrics web server listening on {}://{address}/", self.scheme);
        }
    }

    /// Runs `work` beside the server in a thread of this name, until it ends or the agent is to
    /// stop.
    ///
    /// # Errors
    ///
    /// Those of `work`, or it panicked.
    pub(super) fn run_beside(
        &self,
        name: &str,
        work: impl FnOnce(&CancellationToken) -> anyhow::Result<()> + Send + 'static,
    ) -> anyhow::Result<()> {
        let stop = self.stop.clone();
        let (report, mut result) = oneshot::channel();
        // A thread, not a task: it may wait for hours for a pipe, and then the agent ends without
        // it.
        thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                // Nobody listens once the agent stops.
                let _ = report.send(work(&stop));
            })
            .with_context(|| format!("cannot start the {name} thread"))?;
        self.runtime
            .block_on(async {
                tokio::select! {
                    result = &mut result => result,
                    () = self.stop.cancelled() => timeout(STOP_PATIENCE, result).await.unwrap_or(Ok(Ok(()))),
                }
            })
            .with_context(|| format!("the {name} thread panicked"))?
    }

    /// Serves until SIGINT or SIGTERM.
    pub(super) fn wait(self) -> anyhow::Result<()> {
        self.runtime.block_on(self.server).context("the web server panicked")
    }
}

/// A token that SIGINT and SIGTERM cancel.
fn stop_on_signals() -> anyhow::Result<CancellationToken> {
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot wait for SIGINT")?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot wait for SIGTERM")?;
    let stop = CancellationToken::new();
    let cancelled = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        cancelled.cancel();
    });
    Ok(stop)
}
