//! The real binary in a real terminal, against a real agent: tmux types, and reads the screen back.
//!
//! Without tmux, or without an agent that serves files, the test reports that it was skipped, and
//! passes.

use std::{
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// Longer than anything here takes; only a failing test waits for it.
const LONG: Duration = Duration::from_secs(40);

/// Why there is nothing to test.
struct Skipped(String);

/// A terminal of its own tmux server, on a socket of its own.
struct Tmux {
    socket: String,
}

impl Tmux {
    /// A shell in a terminal of 120x40.
    fn start(name: &str) -> Result<Self, Skipped> {
        let tmux = Self { socket: format!("pktvisor-test-{name}-{}", std::process::id()) };
        let start = tmux
            .command(&["-f", "/dev/null", "new-session", "-d", "-x", "120", "-y", "40", "sh"])
            .env("PS1", "$ ")
            .status();
        match start {
            Ok(status) if status.success() => Ok(tmux),
            Ok(status) => Err(Skipped(format!("tmux cannot start here ({status})"))),
            Err(error) => Err(Skipped(format!("tmux is missing ({error})"))),
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("tmux");
        command.arg("-L").arg(&self.socket).args(arguments).env_remove("TMUX").env_remove("NO_COLOR");
        command
    }

    fn keys(&self, keys: &[&str]) {
        let status = self.command(&["send-keys"]).args(keys).status().expect("tmux runs");
        assert!(status.success(), "send-keys {keys:?}");
    }

    fn screen(&self) -> String {
        let output = self.command(&["capture-pane", "-p"]).output().expect("tmux runs");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn wait_for(&self, what: &str, holds: impl Fn(&str) -> bool) -> String {
        let started = Instant::now();
        loop {
            let screen = self.screen();
            if holds(&screen) {
                return screen;
            }
            assert!(started.elapsed() < LONG, "waited in vain for {what}; the screen is:\n{screen}");
            thread::sleep(Duration::from_millis(50));
        }
    }

    fn wait_for_text(&self, text: &str) -> String {
        self.wait_for(text, |screen| screen.contains(text))
    }

    /// Whether the terminal echoes, shows its cursor and is not on the alternate screen: as a shell
    /// needs it.
    fn is_clean(&self) -> bool {
        let state = "#{alternate_on} #{cursor_flag} #{mouse_any_flag}";
        let output = self.command(&["display-message", "-p", state]).output().expect("tmux runs");
        String::from_utf8_lossy(&output.stdout).trim() == "0 1 0"
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        let _gone = self.command(&["kill-server"]).stderr(Stdio::null()).status();
    }
}

/// A real agent that serves a capture file.
struct Agent {
    process: Child,
}

impl Agent {
    fn start(binary: &Path, capture: &Path, port: u16) -> Self {
        Self::with(&[], binary, capture, port)
    }

    fn with(options: &[&str], binary: &Path, capture: &Path, port: u16) -> Self {
        let process = Command::new(binary)
            .arg("--serve")
            .args(options)
            .args(["-p", &port.to_string()])
            .arg(capture)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the agent starts");
        let mut agent = Self { process };
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let started = Instant::now();
        while TcpStream::connect(address).is_err() {
            let ended = agent.process.try_wait().expect("it can be asked");
            assert!(ended.is_none(), "the agent ended: {ended:?}");
            assert!(started.elapsed() < LONG, "the agent does not listen on {address}");
            thread::sleep(Duration::from_millis(50));
        }
        agent
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _killed = self.process.kill();
        let _reaped = self.process.wait();
    }
}

/// `pktvisord` of the same profile, beside the binary under test.
fn agent_binary() -> Result<PathBuf, Skipped> {
    let binary = Path::new(env!("CARGO_BIN_EXE_pktvisor")).with_file_name("pktvisord");
    let help = Command::new(&binary)
        .arg("--help")
        .stdin(Stdio::null())
        .output()
        .map_err(|error| Skipped(format!("{} is not built ({error})", binary.display())))?;
    if String::from_utf8_lossy(&help.stdout).contains("--serve") {
        Ok(binary)
    } else {
        Err(Skipped(format!("{} does not know --serve", binary.display())))
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port of loopback");
    listener.local_addr().expect("it is bound").port()
}

fn report(test: Result<(), Skipped>) {
    if let Err(Skipped(reason)) = test {
        eprintln!("skipped: {reason}");
    }
}

#[test]
fn keys_change_pages_a_killed_agent_is_stale_a_restarted_one_recovers_and_q_leaves_a_clean_screen() {
    report(watch_an_agent());
}

fn watch_an_agent() -> Result<(), Skipped> {
    let agent_binary = agent_binary()?;
    let tmux = Tmux::start("watch")?;
    let directory = tempfile::tempdir().expect("a directory");
    let capture = directory.path().join("dns.pcap");
    std::fs::write(&capture, capture_of_dns()).expect("it can be written");
    let port = free_port();
    let agent = Agent::start(&agent_binary, &capture, port);

    tmux.keys(&[&format!("echo before; {} -p {port}", env!("CARGO_BIN_EXE_pktvisor")), "Enter"]);
    tmux.wait_for_text("Names, 2 labels");
    tmux.wait_for_text(".example.com");
    for (key, text) in
        [("2", "Unmatched"), ("3", "Clients"), ("6", "IPv4 addresses"), ("7", "Ledger"), ("8", "Answering")]
    {
        tmux.keys(&[key]);
        tmux.wait_for_text(text);
    }
    tmux.keys(&["?"]);
    tmux.wait_for_text("What is what");
    tmux.keys(&["Escape", "1"]);
    tmux.wait_for_text("Names, 2 labels");

    drop(agent);
    // A request that is in flight when the agent dies is reset; the next one is refused.
    let screen = tmux.wait_for("a refused connection", |screen| {
        screen.contains("▲ stale") && screen.contains("connection refused")
    });
    assert!(screen.contains(".example.com"), "the last data is gone:\n{screen}");

    let agent = Agent::start(&agent_binary, &capture, port);
    tmux.wait_for("a live screen", |screen| !screen.contains("stale") && screen.contains(".example.com"));

    tmux.keys(&["q"]);
    let screen = tmux.wait_for("the shell", |screen| !screen.contains("pktvisor  1 Overview"));
    assert!(screen.contains("before"), "what was on the screen is back:\n{screen}");
    tmux.wait_for("a clean terminal", |_| tmux.is_clean());
    tmux.keys(&["echo after$((1+1))", "Enter"]);
    tmux.wait_for_text("after2");
    drop(agent);
    Ok(())
}

#[test]
fn two_agents_with_common_clients_are_shown_as_their_union_and_one_of_them_alone_when_the_other_dies() {
    report(watch_a_fleet());
}

fn watch_a_fleet() -> Result<(), Skipped> {
    let agent_binary = agent_binary()?;
    let tmux = Tmux::start("fleet")?;
    let directory = tempfile::tempdir().expect("a directory");
    let start = |name: &str, clients: std::ops::RangeInclusive<u8>, port: u16| {
        let capture = directory.path().join(name);
        std::fs::write(&capture, capture_of(clients)).expect("it can be written");
        Agent::with(&["-H", "192.0.2.53"], &agent_binary, &capture, port)
    };
    let ports = [free_port(), free_port()];
    // Of 50 clients, 10 ask both.
    let first = start("first.pcap", 1..=30, ports[0]);
    let second = start("second.pcap", 21..=50, ports[1]);
    let hosts = ports.map(|port| format!("127.0.0.1:{port}")).join(",");
    tmux.keys(&[&format!("{} -H {hosts}", env!("CARGO_BIN_EXE_pktvisor")), "Enter"]);
    let screen = tmux.wait_for_text("Union of 2 of 2 agents");
    assert!(["clients    50", "clients    49"].iter().any(|text| screen.contains(text)), "{screen}");
    // Every response takes 400 µs; its bucket has a middle of 401.
    let times = "in  p50  401µs · p90  401µs · p95  401µs · p99  401µs · ±0.5%";
    assert!(screen.contains(times), "{screen}");
    let name = screen.lines().find(|line| line.contains("example.com")).unwrap_or_default();
    // 60 queries and 60 replies, at least and at most.
    assert_eq!(name.matches(" 120").count(), 3, "{screen}");
    // The union opens like an agent.
    tmux.keys(&["Home", "Enter"]);
    let screen = tmux.wait_for_text("the whole fleet");
    assert!(screen.contains("1 Overview"), "{screen}");
    tmux.keys(&["3", "Enter"]);
    tmux.wait_for_text("at most");
    tmux.keys(&["8"]);
    drop(second);
    let screen = tmux.wait_for_text("Union of 1 of 2 agents");
    assert!(screen.contains("no answer of 1") && screen.contains("clients    30"), "{screen}");
    tmux.keys(&["q"]);
    tmux.wait_for("a clean terminal", |_| tmux.is_clean());
    drop(first);
    Ok(())
}

#[test]
fn signals_leave_a_clean_screen() {
    report(signals());
}

fn signals() -> Result<(), Skipped> {
    let tmux = Tmux::start("signals")?;
    let directory = tempfile::tempdir().expect("a directory");
    let pid_file = directory.path().join("pid");
    for signal in ["TERM", "INT", "QUIT", "HUP"] {
        // Nobody listens there: the screen of an agent that is not there.
        let run = format!(
            "clear; sh -c 'echo $$ > {}; exec {} --mouse -p 1'; echo left with $?",
            pid_file.display(),
            env!("CARGO_BIN_EXE_pktvisor"),
        );
        tmux.keys(&[&run, "Enter"]);
        tmux.wait_for_text("✕ no agent");
        let pid = std::fs::read_to_string(&pid_file).expect("the shell wrote it");
        // The shell's own: a small system has no program of that name.
        let line = format!("kill -s {signal} {}", pid.trim());
        let status = Command::new("sh").args(["-c", &line]).status().expect("sh runs");
        assert!(status.success());
        tmux.wait_for_text("left with 0");
        tmux.wait_for("a clean terminal", |_| tmux.is_clean());
    }
    Ok(())
}

#[test]
fn a_suspended_screen_is_given_back_to_the_shell_and_comes_back() {
    report(suspend());
}

fn suspend() -> Result<(), Skipped> {
    let tmux = Tmux::start("suspend")?;
    tmux.keys(&[&format!("{} -p 1", env!("CARGO_BIN_EXE_pktvisor")), "Enter"]);
    tmux.wait_for_text("✕ no agent");
    tmux.keys(&["C-z"]);
    tmux.wait_for("the shell", |screen| !screen.contains("no agent") && tmux.is_clean());
    tmux.keys(&["fg", "Enter"]);
    tmux.wait_for_text("✕ no agent");
    tmux.keys(&["q"]);
    tmux.wait_for("a clean terminal", |_| tmux.is_clean());
    Ok(())
}

#[test]
fn a_panic_leaves_its_message_on_a_clean_screen() {
    report(panicking());
}

fn panicking() -> Result<(), Skipped> {
    let binary = Path::new(env!("CARGO_BIN_EXE_pktvisor")).with_file_name("examples/panicking_screen");
    if !binary.exists() {
        return Err(Skipped(format!("{} is not built", binary.display())));
    }
    let tmux = Tmux::start("panic")?;
    tmux.keys(&[&format!("clear; {}; echo left with $?", binary.display()), "Enter"]);
    let screen = tmux.wait_for_text("left with 101");
    assert!(screen.contains("a thread panics") && !screen.contains("a screen"), "{screen}");
    tmux.wait_for("a clean terminal", |_| tmux.is_clean());
    Ok(())
}

/// A capture of a few queries and responses of `www.example.com`, in microseconds, Ethernet.
fn capture_of_dns() -> Vec<u8> {
    capture_of(std::iter::repeat_n(1, 50))
}

/// The same with a query and its response for each of these clients in 192.0.2.0/24.
fn capture_of(clients: impl IntoIterator<Item = u8>) -> Vec<u8> {
    let mut capture = Vec::new();
    capture.extend(0xa1b2_c3d4_u32.to_le_bytes());
    capture.extend([2, 0, 4, 0]);
    capture.extend([0; 8]);
    capture.extend(65_535_u32.to_le_bytes());
    capture.extend(1_u32.to_le_bytes());
    for (id, client) in (0_u16..).zip(clients) {
        for (is_response, micros) in [(false, 0), (true, 400)] {
            let packet = dns_packet(id, client, is_response);
            let length = u32::try_from(packet.len()).expect("it is short");
            capture.extend(1_585_051_200_u32.to_le_bytes());
            capture.extend((u32::from(id) * 1000 + micros).to_le_bytes());
            capture.extend(length.to_le_bytes());
            capture.extend(length.to_le_bytes());
            capture.extend(packet);
        }
    }
    capture
}

fn dns_packet(id: u16, client: u8, is_response: bool) -> Vec<u8> {
    let mut message = id.to_be_bytes().to_vec();
    message.extend([if is_response { 0x84 } else { 0x01 }, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    message.extend(b"\x03www\x07example\x03com\0\0\x01\0\x01");
    let (client, server) = ([192, 0, 2, client], [192, 0, 2, 53]);
    let (source, destination) = if is_response { (server, client) } else { (client, server) };
    let ports: [u16; 2] = if is_response { [53, 40_000] } else { [40_000, 53] };
    let udp_length = u16::try_from(8 + message.len()).expect("it is short");
    let mut packet = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x08, 0x00, 0x45, 0];
    packet.extend((20 + udp_length).to_be_bytes());
    packet.extend([0, 0, 0x40, 0, 64, 17, 0, 0]);
    packet.extend(source);
    packet.extend(destination);
    packet.extend(ports[0].to_be_bytes());
    packet.extend(ports[1].to_be_bytes());
    packet.extend(udp_length.to_be_bytes());
    packet.extend([0, 0]);
    packet.extend(message);
    packet
}
