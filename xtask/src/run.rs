//! `cargo xtask run`: from a fresh checkout to something to look at.

use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, anyhow};

use crate::setup::{self, Need};
use crate::{command, workspace};

/// The bundled capture, in the checkout: generated traffic.
const DEMO_CAPTURE: &str = "captures/demo.pcap";

/// Where the agent serves unless told otherwise.
const SERVED_AT: &str = "http://localhost:10853";

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Arguments for pktvisord, instead of the bundled capture
    #[arg(last = true, value_name = "PKTVISORD ARGUMENTS")]
    agent: Vec<String>,
}

/// The subcommand. Builds, then becomes the agent: signals and the exit status are the agent's own.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    setup::ensure(Need::Build)?;
    command::run(&mut command::cargo(["build", "--release", "-p", "pktvisor-agent", "-p", "pktvisor-tui"]))?;
    let agent = workspace::release_binary("pktvisord")?;
    let mut serve = Command::new(&agent);
    if arguments.agent.is_empty() {
        let demo = workspace::root().join(DEMO_CAPTURE);
        println!("\nThe bundled capture in one JSON line:\n");
        command::run(Command::new(&agent).args(["--summary", "-H", workspace::GENERATED_HOST]).arg(&demo))?;
        serve.args(["--serve", "-H", workspace::GENERATED_HOST]).arg(&demo).stdout(Stdio::null());
        announce(&workspace::shown(&workspace::release_binary("pktvisor")?));
    } else {
        serve.args(&arguments.agent);
    }
    println!("$ {}", command::line(&serve));
    Err(anyhow!(serve.exec())).with_context(|| format!("cannot start `{}`", command::line(&serve)))
}

fn announce(terminal_ui: &str) {
    println!(
        "
The same capture, served until Ctrl-C:

  terminal UI   {terminal_ui}   (in another terminal)
  web page      {SERVED_AT}/
  JSON          {SERVED_AT}/api/v1/metrics/window/5
  Prometheus    {SERVED_AT}/metrics
"
    );
}
