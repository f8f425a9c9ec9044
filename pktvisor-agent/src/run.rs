//! One run of the agent: from the options to the end of the capture.

use std::io::{IsTerminal, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, bail};
use capture_file::{Capture, Pace, Pacer, ReadError};
use pktvisor_analysis::geo::Geo;
use pktvisor_analysis::public_suffix::NameCut;
use pktvisor_analysis::{self as analysis, Analysis};
use pktvisor_api as api;
use pktvisor_common::sampling::SampleRate;
use pktvisor_metrics::{self as metrics, Store};
use terminal_text::Escaped;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::agent::{self, Agent};
use crate::cli::{Interface, Interfaces, Options, SystemInterfaces, Target};
use crate::live::{self, Live};
use crate::pipeline::{Intake, Pipeline};
use crate::progress::ProgressBar;
use crate::replay::Replay;
use crate::serve::Server;
use crate::{signals, stderr};

/// Threads that answer HTTP.
const SERVER_THREADS: usize = 2;

/// How long a replay that was told to stop may take to notice: it looks every few hundred packets, or 50 ms.
const STOP_PATIENCE: Duration = Duration::from_millis(500);

/// Runs until the file is read, or, serving, until told to stop.
///
/// # Errors
///
/// Whatever keeps the agent from doing what it was asked to, in one sentence.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let agent = Arc::new(agent(options));
    if options.target.is_live() {
        return run_live(options, &agent);
    }
    if !options.serve {
        let replayed = replay(options, &agent, &AtomicBool::new(false));
        return print_if_counted(&agent, replayed);
    }
    let service = Service::start(options, Arc::clone(&agent))?;
    service.announce();
    let replayed = service.replay(options, &agent);
    print_if_counted(&agent, replayed)?;
    service.wait()
}

/// Serves an interface until told to stop.
fn run_live(options: &Options, agent: &Arc<Agent>) -> anyhow::Result<()> {
    live::check(options)?;
    // First, as a port that is taken must not cost the interface an attachment.
    let service = Service::start(options, Arc::clone(agent))?;
    let options = &service.ignoring_its_port(options);
    let live = Live::start(options, agent, || live_pipeline(options, agent))?;
    // Only now, lest a capture that cannot start looks like one that did.
    service.announce();
    service.wait()?;
    let ledger = live.stop()?;
    stderr::line(&format!("pktvisord: {}: {}", Escaped(&options.target_text), account(&ledger)));
    Ok(())
}

/// Where every packet went, in one line.
fn account(ledger: &api::Ledger) -> String {
    let api::Ledger { seen, filtered, dns_packets, not_chosen, delivered, lost, .. } = ledger;
    format!(
        "{seen} packets seen, {filtered} filtered; {dns_packets} DNS packets: {delivered} analysed, {not_chosen} not \
         chosen, {lost} lost"
    )
}

fn agent(options: &Options) -> Agent {
    let cut = if options.public_suffix { NameCut::PublicSuffix } else { NameCut::Labels };
    let store = Store::new(metrics::StoreSettings {
        periods: options.periods,
        summary: options.summary,
        name_cut: cut,
        clock: if options.target.is_live() { metrics::Clock::Wall } else { metrics::Clock::Packets },
    });
    let capture = api::CaptureInfo {
        target: options.target_text.clone(),
        mode: if options.target.is_live() { agent::STARTING } else { "file" }.to_owned(),
        ..api::CaptureInfo::default()
    };
    Agent::new(store, u64::from(options.max_deep_sample_pct), capture)
}

/// Replays the capture that the options name.
fn replay(options: &Options, agent: &Agent, stop: &AtomicBool) -> anyhow::Result<()> {
    // First, as a capture that comes through a pipe may be long in coming.
    let pipeline = pipeline(options, agent, &[])?;
    let mut replay = Replay {
        capture: open(options)?,
        pacer: (options.pace != Pace::Max).then(|| Pacer::new(options.pace)),
        pipeline,
    };
    let mut bar = ProgressBar::new(replay.capture.total_bytes());
    let outcome = replay.run(&agent.store, |progress| {
        bar.show(&progress);
        agent.progress(&progress);
        !stop.load(Ordering::Relaxed)
    });
    bar.finish();
    let intake = &replay.pipeline.intake;
    agent.unknown_ethertypes(&intake.ethertypes, intake.counted());
    match outcome {
        Ok(warning) => {
            if let Some(warning) = warning {
                tracing::warn!("{}: {warning}", Escaped(&options.target_text));
                agent.note(warning.to_string());
            }
            agent.finished();
            Ok(())
        }
        Err(error) => Err(error).context(Escaped(&options.target_text).to_string()),
    }
}

fn open(options: &Options) -> anyhow::Result<Capture> {
    let capture = match &options.target {
        Target::File(path) => Capture::open(path).map_err(|error| match error {
            ReadError::Open { .. } => anyhow::Error::from(error),
            _ => anyhow::Error::from(error).context(Escaped(&options.target_text).to_string()),
        })?,
        _ if std::io::stdin().is_terminal() => {
            bail!("cannot read a capture from the terminal: pipe one in, as in tcpdump -w - | pktvisord -")
        }
        _ => Capture::from_reader(std::io::stdin()).context("stdin")?,
    };
    Ok(capture)
}

/// What packets pass that are not counted by the kernel.
fn live_pipeline(options: &Options, agent: &Agent) -> anyhow::Result<Pipeline> {
    pipeline(options, agent, &SystemInterfaces.list().context("cannot list the network interfaces")?)
}

/// For a file, `interfaces` does not matter.
fn pipeline(options: &Options, agent: &Agent, interfaces: &[Interface]) -> anyhow::Result<Pipeline> {
    let host = options.host_set(interfaces);
    let geo = Geo::open(options.geo_city.as_deref(), options.geo_asn.as_deref())?;
    let geo = (!geo.is_empty()).then_some(geo);
    agent.set_geo(geo.as_ref());
    let filter = options.filter();
    if let Some(filter) = &filter {
        filter.check()?;
    }
    Ok(Pipeline {
        filter,
        dns_ports: options.dns_ports,
        host: host.clone(),
        geo,
        analysis: Analysis::new(analysis::AnalysisSettings {
            dns_ports: options.dns_ports,
            sample_rate: SampleRate::percent(options.max_deep_sample_pct),
            transaction_timeout_ns: u64::try_from(options.dns_timeout.as_nanos()).unwrap_or(u64::MAX),
            host,
        }),
        intake: Intake::default(),
    })
}

/// Prints what was counted, also of a capture that could not be read to its end.
fn print_if_counted(agent: &Agent, replayed: anyhow::Result<()>) -> anyhow::Result<()> {
    if replayed.is_ok() || agent.has_counted() {
        print(&agent.store.document())?;
    }
    replayed
}

/// Exactly one compact line.
fn print(document: &api::PeriodDocument) -> anyhow::Result<()> {
    let mut line = serde_json::to_vec(document).context("cannot write the summary as JSON")?;
    line.push(b'\n');
    let mut stdout = std::io::stdout();
    stdout.write_all(&line).and_then(|()| stdout.flush()).context("cannot write the summary to stdout")
}

/// The web server in the background, and the signals that end it.
struct Service {
    runtime: Runtime,
    addresses: Vec<SocketAddr>,
    server: JoinHandle<()>,
    stop: StopSign,
}

/// Whether SIGINT or SIGTERM has come: to be looked at between packets, and to be waited for.
#[derive(Clone)]
struct StopSign {
    is_up: Arc<AtomicBool>,
    comes: watch::Receiver<bool>,
}

impl StopSign {
    async fn wait(&mut self) {
        // An error would mean that the waiting task is gone, and with it all that could stop us.
        let _ = self.comes.wait_for(|is_up| *is_up).await;
    }
}

impl Service {
    fn start(options: &Options, agent: Arc<Agent>) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(SERVER_THREADS)
            .enable_all()
            .build()
            .context("cannot start the threads of the web server")?;
        let listen = &options.listen;
        let server = runtime.block_on(Server::bind(&listen.host, listen.port))?;
        let addresses = server.local_addrs();
        let stop = runtime.block_on(async { stop_sign() })?;
        runtime.block_on(async { signals::watch(Arc::clone(&agent)) })?;
        let mut shutdown = stop.clone();
        let server = runtime.spawn(async move { server.run(agent, async { shutdown.wait().await }).await });
        Ok(Self { runtime, addresses, server, stop })
    }

    /// The options with the port that is not counted, which is known only now where a free one was asked for.
    fn ignoring_its_port(&self, options: &Options) -> Options {
        let mut options = options.clone();
        if let (Some(ignored), Some(address)) = (&mut options.ignored_port, self.addresses.first()) {
            *ignored = address.port();
        }
        options
    }

    /// Tells where it is to be found.
    fn announce(&self) {
        for address in &self.addresses {
            tracing::info!("metrics web server listening on http://{address}/");
        }
    }

    /// Replays the capture that the options name until its end, or until told to stop.
    fn replay(&self, options: &Options, agent: &Arc<Agent>) -> anyhow::Result<()> {
        let (options, agent, mut stop) = (options.clone(), Arc::clone(agent), self.stop.clone());
        let is_up = Arc::clone(&stop.is_up);
        let (tell, mut replayed) = oneshot::channel();
        // A thread of its own, since it may wait for a pipe that brings nothing for hours: then it is not waited for.
        thread::Builder::new()
            .name("replay".to_owned())
            .spawn(move || {
                // Nobody listens once the agent was told to stop.
                let _ = tell.send(replay(&options, &agent, &is_up));
            })
            .context("cannot start the thread that replays")?;
        self.runtime
            .block_on(async {
                tokio::select! {
                    replayed = &mut replayed => replayed,
                    () = stop.wait() => timeout(STOP_PATIENCE, replayed).await.unwrap_or(Ok(Ok(()))),
                }
            })
            .context("the replay broke down")?
    }

    /// Serves until told to stop.
    fn wait(self) -> anyhow::Result<()> {
        self.runtime.block_on(self.server).context("the web server broke down")
    }
}

/// Waits for SIGINT or SIGTERM in the background.
fn stop_sign() -> anyhow::Result<StopSign> {
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot wait for SIGINT")?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot wait for SIGTERM")?;
    let is_up = Arc::new(AtomicBool::new(false));
    let (tell, comes) = watch::channel(false);
    let sign = StopSign { is_up: Arc::clone(&is_up), comes };
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        is_up.store(true, Ordering::Relaxed);
        // Nobody listens once the server is gone by itself.
        let _ = tell.send(true);
    });
    Ok(sign)
}
