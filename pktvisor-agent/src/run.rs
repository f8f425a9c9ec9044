//! One run of the agent: from the options to the end of the capture.

mod host;
mod service;

use std::io::{IsTerminal, Write};
use std::sync::Arc;

use anyhow::{Context, bail};
use capture_file::{Capture, Pace, Pacer, ReadError};
use pktvisor_analysis::public_suffix::NameCut;
use pktvisor_api as api;
use pktvisor_metrics::{self as metrics, Store};
use pktvisor_otlp::Pusher;
use terminal_text::Escaped;
use tokio_util::sync::CancellationToken;

use crate::agent::{Agent, PacketAccess};
use crate::archive;
use crate::cli::{Options, Target};
use crate::credentials::Credentials;
use crate::likely_host::AnswerCounts;
use crate::live::LiveCapture;
use crate::live::config::LiveConfig;
use crate::pipeline::Pipeline;
use crate::progress::ProgressBar;
use crate::replay::{Replay, ReplayThreads};
use crate::{push, sandbox, stderr};
use service::Service;

/// Runs in a process that is restricted as `sandbox_info` says, until the file is read, or, if it serves, until SIGINT or SIGTERM.
///
/// # Errors
///
/// Why the agent cannot do what the options ask for, in one sentence.
pub fn run(
    options: &Options,
    credentials: Credentials,
    sandbox_info: api::SandboxInfo,
) -> anyhow::Result<()> {
    let agent = Arc::new(agent(options)?.with_sandbox(sandbox_info));
    archive::start(options, &agent)?;
    let collector = credentials.collector().cloned();
    if let Some(config) = options.live_config() {
        return run_live(options, config, &agent, credentials, sandbox_info);
    }
    if !options.serve {
        let pusher = push::start(options, collector, &agent)?;
        let replayed = replay(options, &agent, &CancellationToken::new());
        archive::close_live_period(&agent);
        let printed = print_if_counted(&agent, replayed);
        // Also of a capture that could not be read to its end.
        let pushed = push::finish(pusher).map_err(anyhow::Error::from);
        let archived = archive::finish_file(&agent);
        return printed.and(pushed).and(archived);
    }
    let service = Service::start(options, credentials, Arc::clone(&agent))?;
    service.announce();
    sandbox::announce(sandbox_info);
    let pusher = push::start(options, collector, &agent)?;
    let (replay_options, replay_agent) = (options.clone(), Arc::clone(&agent));
    let replayed = service.run_beside("replay", move |stop| replay(&replay_options, &replay_agent, stop));
    archive::close_live_period(&agent);
    print_if_counted(&agent, replayed)?;
    service.wait()?;
    finish_push(pusher);
    archive::finish_file(&agent)
}

/// Captures from an interface and serves until SIGINT or SIGTERM.
fn run_live(
    options: &Options,
    mut config: LiveConfig,
    agent: &Arc<Agent>,
    credentials: Credentials,
    sandbox_info: api::SandboxInfo,
) -> anyhow::Result<()> {
    config.check_filter()?;
    let collector = credentials.collector().cloned();
    // Before attaching, because an agent whose port is taken must not disturb the interface.
    let service = Service::start(options, credentials, Arc::clone(agent))?;
    if let Some(ignored) = &mut config.filter.ignored_port {
        *ignored = service.port().unwrap_or(*ignored);
    }
    let live = LiveCapture::start(&config, agent)?;
    // After attaching, so that a capture that cannot start does not look like one that did.
    service.announce();
    sandbox::announce(sandbox_info);
    let pusher = push::start(options, collector, agent)?;
    service.wait()?;
    let ledger = live.stop()?;
    archive::close_live_period(agent);
    finish_push(pusher);
    archive::finish_live(agent);
    stderr::line(&format!("pktvisord: {}: {}", Escaped(&options.target_text), ledger_line(&ledger)));
    Ok(())
}

/// Pushes the last metrics of an agent that has served: it has done its work if they do not arrive.
fn finish_push(pusher: Option<Pusher>) {
    if let Err(error) = push::finish(pusher) {
        tracing::warn!("{error}");
    }
}

/// Where every packet went, in one line.
fn ledger_line(ledger: &api::Ledger) -> String {
    let api::Ledger { seen, filtered, dns_packets, not_chosen, delivered, lost, .. } = ledger;
    format!(
        "{seen} packets seen, {filtered} filtered; {dns_packets} DNS packets: {delivered} analysed, {not_chosen} not \
         sampled, {lost} lost"
    )
}

fn agent(options: &Options) -> anyhow::Result<Agent> {
    let cut = if options.public_suffix { NameCut::PublicSuffix } else { NameCut::Labels };
    let store = Store::new(metrics::StoreSettings {
        periods: options.periods,
        summary: options.summary,
        name_cut: cut,
        clock: if options.target.is_live() { metrics::Clock::Wall } else { metrics::Clock::Packets },
    });
    let store = store.with_transaction_timeout(options.dns_timeout);
    let store = if options.archive.is_some() { store.with_archive() } else { store };
    let is_served = options.serve || options.target.is_live();
    let mut store = if is_served { store.with_series() } else { store };
    if let Some(prefix) = options.client_prefix {
        store = store.with_client_prefix(prefix);
    }
    if let Some(geo) = options.pipeline_config().open_report_geo()? {
        store = store.with_geo(geo);
    }
    let capture = api::CaptureInfo {
        target: options.target_text.clone(),
        mode: if options.target.is_live() { api::CaptureMode::Starting } else { api::CaptureMode::File },
        ..api::CaptureInfo::default()
    };
    let packet_access = if options.allow_packets { PacketAccess::Allowed } else { PacketAccess::Denied };
    let agent = Agent::new(store, u64::from(options.max_deep_sample_pct), capture);
    let agent = agent.with_packet_access(packet_access).with_labels(options.labels.clone());
    let agent = push::prepare(options, agent);
    Ok(if is_served || options.otlp.is_some() { agent.with_findings() } else { agent })
}

/// Replays the capture file of the options until its end, or until `stop` is cancelled.
fn replay(options: &Options, agent: &Agent, stop: &CancellationToken) -> anyhow::Result<()> {
    // Before the capture is opened, which may wait for a pipe: a mistake in the options is reported
    // at once.
    let hosts =
        if options.host_auto { host::likely_hosts(options, agent, open)? } else { options.file_hosts() };
    let is_unknown = hosts.is_empty();
    let mut pipeline = Pipeline::new(&options.pipeline_config(), options.file_filter(), hosts)?;
    pipeline.intake.answers = is_unknown.then(AnswerCounts::default);
    agent.status.set_geo(pipeline.geo.as_ref());
    let mut replay = Replay {
        capture: open(options)?,
        pacer: (options.pace != Pace::Max).then(|| Pacer::new(options.pace)),
        pipeline,
    };
    let mut bar = ProgressBar::new(replay.capture.total_bytes());
    let outcome = replay.run_by(options.replay_threads(), &agent.store, |progress| {
        bar.show(&progress);
        agent.status.record_replay(&progress);
        archive::wait_for_room(agent, stop);
        !stop.is_cancelled()
    });
    bar.finish();
    agent.status.record_ethertypes(&replay.pipeline.intake);
    if let Some(answers) = &replay.pipeline.intake.answers {
        agent.status.set_likely_host(&answers.likely_host());
    }
    match outcome {
        Ok(warning) => {
            if let Some(warning) = warning {
                tracing::warn!("{}: {warning}", Escaped(&options.target_text));
                agent.status.add_note(warning.to_string());
            }
            agent.status.set_finished();
            Ok(())
        }
        Err(error) => Err(error).context(Escaped(&options.target_text).to_string()),
    }
}

fn open(options: &Options) -> anyhow::Result<Capture> {
    let mut capture = match &options.target {
        Target::File(path) => Capture::open(path).map_err(|error| match error {
            ReadError::Open { .. } => anyhow::Error::from(error),
            _ => anyhow::Error::from(error).context(Escaped(&options.target_text).to_string()),
        })?,
        _ if std::io::stdin().is_terminal() => {
            bail!("cannot read a capture from the terminal: pipe one in, as in tcpdump -w - | pktvisord -")
        }
        _ => Capture::from_reader(std::io::stdin()).context("stdin")?,
    };
    if options.replay_threads() != ReplayThreads::One {
        capture.read_ahead();
    }
    Ok(capture)
}

/// Prints the summary, also of a capture that could not be read to its end.
fn print_if_counted(agent: &Agent, replayed: anyhow::Result<()>) -> anyhow::Result<()> {
    if replayed.is_ok() || agent.has_counted() {
        print(&agent.store.document())?;
        host::suggest(agent);
    }
    replayed
}

/// Prints exactly one compact line.
fn print(document: &api::PeriodDocument) -> anyhow::Result<()> {
    let mut line = serde_json::to_vec(document).context("cannot write the summary as JSON")?;
    line.push(b'\n');
    let mut stdout = std::io::stdout();
    stdout.write_all(&line).and_then(|()| stdout.flush()).context("cannot write the summary to stdout")
}
