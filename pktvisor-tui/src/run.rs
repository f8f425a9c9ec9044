//! The program from its options to its exit code: a snapshot, or a screen that watches agents.

mod event_loop;
mod events;

use std::{
    io::{self, IsTerminal},
    process::ExitCode,
    sync::mpsc,
    time::{Duration, Instant},
};

use event_loop::Loop;
use events::{LoopEvent, PacketsSource, listen_to_keys, listen_to_signals, start_pollers};
use tls_credentials::CredentialsError;

use crate::{
    app::UiState,
    cli::TuiOptions,
    client::{AgentAccess, AgentEndpoint, AskedWindow, EndpointError, HttpSettings},
    merger::Merger,
    model::{AgentModel, SavedAgent, SavedError, read_saved},
    once,
    terminal::{Mouse, Screen},
    theme::Theme,
};

/// Why the program cannot run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A HOST is invalid.
    #[error("-H {0}")]
    Endpoint(#[from] EndpointError),
    /// A certificate or token cannot be used.
    #[error(transparent)]
    Access(#[from] CredentialsError),
    /// A saved JSON cannot be shown.
    #[error(transparent)]
    Saved(#[from] SavedError),
    /// There is no terminal.
    #[error("stdin and stdout are not a terminal: use --once for a snapshot without one")]
    NoTerminal,
    /// The terminal cannot be used.
    #[error("cannot use the terminal: {0}")]
    Terminal(#[source] io::Error),
    /// The system refuses something else.
    #[error("cannot start: {0}")]
    System(#[from] io::Error),
    /// Standard output is gone.
    #[error("cannot write to stdout: {0}")]
    Output(#[source] io::Error),
}

/// Runs the program.
pub fn run(options: &TuiOptions) -> Result<ExitCode, RunError> {
    let window = options.window.map(AskedWindow::minutes);
    if let Some(path) = &options.snapshot {
        let saved = read_saved(path)?;
        if options.once {
            return printed(once::print(&saved, options.format));
        }
        let agents = saved.iter().map(SavedAgent::to_agent).collect();
        let settings = http_settings(options, &[])?;
        return watch(options, agents, Agents { endpoints: Vec::new(), settings }, window);
    }
    let endpoints = endpoints(options)?;
    let settings = http_settings(options, &endpoints)?;
    if options.once {
        let answers = once::ask(&endpoints, &settings, window);
        return printed(once::print(&answers, options.format));
    }
    let agents = endpoints.iter().map(|endpoint| AgentModel::new(&endpoint.label())).collect();
    watch(options, agents, Agents { endpoints, settings }, window)
}

/// A reader that closes the pipe early, as in `--once | head`, is not a failure.
fn printed(outcome: io::Result<ExitCode>) -> Result<ExitCode, RunError> {
    match outcome {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
        outcome => outcome.map_err(RunError::Output),
    }
}

fn endpoints(options: &TuiOptions) -> Result<Vec<AgentEndpoint>, EndpointError> {
    let mut endpoints = Vec::new();
    for host in &options.hosts {
        let endpoint = AgentEndpoint::parse(host, options.port)?;
        if !endpoints.contains(&endpoint) {
            endpoints.push(endpoint);
        }
    }
    Ok(endpoints)
}

fn http_settings(
    options: &TuiOptions,
    endpoints: &[AgentEndpoint],
) -> Result<HttpSettings, CredentialsError> {
    let mut access = AgentAccess::default();
    // The certificates of the system take milliseconds to read.
    if endpoints.iter().any(AgentEndpoint::is_secure) {
        access = access.with_authorities(options.tls_ca.as_deref())?;
    }
    if let Some(path) = &options.auth_token_file {
        access = access.with_token(path)?;
    }
    Ok(HttpSettings { timeout: Duration::from_millis(options.timeout_ms), access })
}

/// The agents that are watched, and the settings of the requests to them.
struct Agents {
    endpoints: Vec<AgentEndpoint>,
    settings: HttpSettings,
}

fn watch(
    options: &TuiOptions,
    models: Vec<AgentModel>,
    agents: Agents,
    window: Option<AskedWindow>,
) -> Result<ExitCode, RunError> {
    if !io::stdout().is_terminal() || !io::stdin().is_terminal() {
        return Err(RunError::NoTerminal);
    }
    let theme = Theme::choose(options.theme, |name| std::env::var(name).ok());
    let app = UiState::new(models, window, theme);
    let (events, inbox) = mpsc::channel();
    listen_to_signals(events.clone())?;
    let pollers = start_pollers(&agents, &app, &events)?;
    let unions = events.clone();
    let merger = Merger::start(move |union| unions.send(LoopEvent::Union(Box::new(union))).is_ok())?;
    let mouse = if options.mouse { Mouse::Reported } else { Mouse::Ignored };
    let screen = Screen::take(mouse).map_err(RunError::Terminal)?;
    listen_to_keys(events.clone())?;
    let wanted = (0..pollers.len()).map(|index| app.wanted(index)).collect();
    let packets = PacketsSource { agents, events };
    let started = Instant::now();
    Loop { app, screen, pollers, merger, packets, wanted, inbox, started, drawn_at: None, dirty: true }.run()
}
