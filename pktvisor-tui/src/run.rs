//! The loop: keys, answers and signals in; frames out.

use std::{
    io::{self, IsTerminal},
    process::ExitCode,
    sync::mpsc::{self, Receiver, RecvTimeoutError, Sender},
    thread,
    time::{Duration, Instant},
};

use crossterm::event;
use signal_hook::{
    consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP},
    iterator::Signals,
    low_level::emulate_default_handler,
};

use crate::{
    app::{Action, ActionOutcome, InputMode, UiState, action_of_key, action_of_mouse},
    cli::TuiOptions,
    client::{
        AccessError, AgentAccess, AgentEndpoint, AskedWindow, EndpointError, HttpSettings, PacketsUpdate,
        Permits, Poller, PollerCommand, TrafficFilter, Update, Wanted, save_packets,
    },
    merger::Merger,
    model::{AgentModel, SavedAgent, SavedError, Union, read_saved},
    once, pages,
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
    Access(#[from] AccessError),
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

/// The minimum time between frames for new data; keys draw at once.
const FRAME: Duration = Duration::from_millis(200);
/// The time between frames without new data, because ages on the screen grow.
const TICK: Duration = Duration::from_secs(1);

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

fn http_settings(options: &TuiOptions, endpoints: &[AgentEndpoint]) -> Result<HttpSettings, AccessError> {
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

/// The agents that are watched, and how they are asked.
struct Agents {
    endpoints: Vec<AgentEndpoint>,
    settings: HttpSettings,
}

/// An event of the loop.
enum LoopEvent {
    Input(event::Event),
    InputEnded,
    Signal(i32),
    Update(usize, Update),
    Packets(PacketsUpdate),
    Union(Box<Union>),
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

fn start_pollers(agents: &Agents, app: &UiState, events: &Sender<LoopEvent>) -> io::Result<Vec<Poller>> {
    let permits = Permits::default();
    let start = |(index, endpoint): (usize, &AgentEndpoint)| {
        let events = events.clone();
        let http = agents.settings.client(endpoint);
        Poller::start(http, permits.clone(), app.wanted(index), move |update| {
            events.send(LoopEvent::Update(index, update)).is_ok()
        })
    };
    agents.endpoints.iter().enumerate().map(start).collect()
}

fn listen_to_signals(events: Sender<LoopEvent>) -> io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT])?;
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        for signal in &mut signals {
            if events.send(LoopEvent::Signal(signal)).is_err() {
                return;
            }
        }
    })?;
    Ok(())
}

fn listen_to_keys(events: Sender<LoopEvent>) -> io::Result<()> {
    thread::Builder::new().name("keys".to_owned()).spawn(move || {
        while let Ok(input) = event::read() {
            if events.send(LoopEvent::Input(input)).is_err() {
                return;
            }
        }
        let _over = events.send(LoopEvent::InputEnded);
    })?;
    Ok(())
}

/// Whether the loop continues.
enum LoopStep {
    GoOn,
    Leave,
}

/// Where packets come from when they are saved.
struct PacketsSource {
    agents: Agents,
    events: Sender<LoopEvent>,
}

impl PacketsSource {
    /// Saves packets of an agent beside the loop, which is told about it.
    fn save(&self, agent: usize, filter: TrafficFilter) -> Result<(), String> {
        let endpoint = self.agents.endpoints.get(agent).ok_or("a saved agent has no packets")?;
        let http = self.agents.settings.client(endpoint);
        let events = self.events.clone();
        let report = move |update| {
            let _over = events.send(LoopEvent::Packets(update));
        };
        save_packets(http, filter, ".".into(), report).map_err(|error| error.to_string())
    }
}

struct Loop {
    app: UiState,
    screen: Screen,
    pollers: Vec<Poller>,
    merger: Merger,
    packets: PacketsSource,
    /// The last wish sent to each poller.
    wanted: Vec<Wanted>,
    inbox: Receiver<LoopEvent>,
    started: Instant,
    drawn_at: Option<Instant>,
    dirty: bool,
}

impl Loop {
    fn run(mut self) -> Result<ExitCode, RunError> {
        loop {
            let now = Instant::now();
            let due = self.drawn_at.map_or(now, |drawn| drawn + if self.dirty { FRAME } else { TICK });
            if due <= now {
                self.draw().map_err(RunError::Terminal)?;
                continue;
            }
            let event = match self.inbox.recv_timeout(due - now) {
                Ok(event) => event,
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => return Ok(ExitCode::SUCCESS),
            };
            if let LoopStep::Leave = self.take_in(event)? {
                return Ok(ExitCode::SUCCESS);
            }
        }
    }

    fn draw(&mut self) -> io::Result<()> {
        self.app.tick(self.started.elapsed());
        self.app.clamp();
        if self.app.shows_union() {
            self.merger.merge(|| self.app.union_parts(), self.started.elapsed());
        }
        let app = &self.app;
        let mut regions = None;
        self.screen.terminal().draw(|frame| {
            let area = frame.area();
            regions = Some(pages::draw(frame.buffer_mut(), area, app));
        })?;
        if let Some(regions) = regions {
            self.app.regions = regions;
        }
        self.dirty = false;
        self.drawn_at = Some(Instant::now());
        Ok(())
    }

    fn take_in(&mut self, event: LoopEvent) -> Result<LoopStep, RunError> {
        match event {
            LoopEvent::Input(event::Event::Key(key)) => {
                let mode = if self.app.typing { InputMode::Typing } else { InputMode::Normal };
                self.act(action_of_key(key, mode))
            }
            LoopEvent::Input(event::Event::Mouse(mouse)) => self.act(action_of_mouse(mouse)),
            LoopEvent::Input(_) => {
                // A new size is drawn at once, because the old frame no longer fits.
                self.drawn_at = None;
                Ok(LoopStep::GoOn)
            }
            LoopEvent::InputEnded => Ok(LoopStep::Leave),
            LoopEvent::Signal(SIGTSTP) => self.act(Some(Action::Suspend)),
            LoopEvent::Signal(SIGCONT) => {
                self.drawn_at = None;
                self.screen.retake().map(|()| LoopStep::GoOn).map_err(RunError::Terminal)
            }
            LoopEvent::Signal(_) => Ok(LoopStep::Leave),
            LoopEvent::Packets(update) => {
                self.app.packets = Some(update);
                self.dirty = true;
                Ok(LoopStep::GoOn)
            }
            LoopEvent::Union(union) => {
                self.app.tick(self.started.elapsed());
                self.app.update_fleet(*union);
                self.merger.arrived();
                self.dirty = true;
                Ok(LoopStep::GoOn)
            }
            LoopEvent::Update(index, update) => {
                let now = self.started.elapsed();
                self.app.tick(now);
                if let Some(agent) = self.app.agent_mut(index) {
                    agent.update(update, now);
                }
                self.dirty = true;
                Ok(LoopStep::GoOn)
            }
        }
    }

    fn act(&mut self, action: Option<Action>) -> Result<LoopStep, RunError> {
        let Some(action) = action else { return Ok(LoopStep::GoOn) };
        self.app.tick(self.started.elapsed());
        match self.app.handle(action) {
            ActionOutcome::Quit => return Ok(LoopStep::Leave),
            ActionOutcome::Suspend => {
                self.screen
                    .lend(|| {
                        let _stopped = emulate_default_handler(SIGTSTP);
                    })
                    .map_err(RunError::Terminal)?;
            }
            ActionOutcome::Retry => self.pollers.iter().for_each(|poller| poller.send(PollerCommand::Retry)),
            ActionOutcome::SavePackets(filter) => {
                let outcome = self.packets.save(self.app.selected(), filter);
                self.app.packets = outcome.err().map(PacketsUpdate::Failed);
            }
            ActionOutcome::Continue => self.update_pollers(),
        }
        self.drawn_at = None;
        Ok(LoopStep::GoOn)
    }

    /// Sends each poller its new wishes, if they changed.
    fn update_pollers(&mut self) {
        for (index, (poller, last)) in self.pollers.iter().zip(&mut self.wanted).enumerate() {
            let wanted = self.app.wanted(index);
            if *last != wanted {
                last.clone_from(&wanted);
                poller.send(PollerCommand::Want(wanted));
            }
        }
    }
}
