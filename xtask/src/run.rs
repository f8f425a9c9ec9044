//! `cargo xtask run`: builds a fresh checkout and serves the bundled capture.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, anyhow};

use crate::setup::{self, SetupLevel};
use crate::{build_ebpf, command, workspace};

/// The agent's default address.
const SERVED_AT: &str = "http://localhost:10853";

#[derive(clap::Args)]
pub(crate) struct RunArguments {
    /// Arguments for pktvisord, instead of the bundled capture
    #[arg(last = true, value_name = "PKTVISORD ARGUMENTS")]
    agent: Vec<String>,
}

/// The subcommand. Builds, then becomes the agent: signals and the exit status are the agent's own.
pub(crate) fn run(arguments: &RunArguments) -> Result<ExitCode> {
    setup::ensure(SetupLevel::Build)?;
    build_ebpf::build_if_possible()?;
    command::run(&mut command::cargo(["build", "--release", "-p", "pktvisor-agent", "-p", "pktvisor-tui"]))?;
    let agent = workspace::release_binary("pktvisord")?;
    let mut serve = Command::new(&agent);
    if arguments.agent.is_empty() {
        let demo = workspace::root().join(workspace::DEMO_CAPTURE);
        let terminal_ui = workspace::release_binary("pktvisor")?;
        let summary = summarise(&agent, &demo)?;
        command::run(Command::new(&terminal_ui).args(["--once", "--snapshot"]).arg(&summary))?;
        announce(&workspace::shown(&summary), &workspace::shown(&terminal_ui));
        // The agent prints the summary again, which was shown already.
        serve.args(["--serve", "-H", workspace::GENERATED_HOST]).arg(&demo).stdout(Stdio::null());
    } else {
        serve.args(&arguments.agent);
    }
    println!("$ {}", command::line(&serve));
    Err(anyhow!(serve.exec())).with_context(|| format!("cannot start `{}`", command::line(&serve)))
}

/// Lets the agent summarise the capture; returns the file with its JSON.
fn summarise(agent: &Path, capture: &Path) -> Result<PathBuf> {
    let summary = workspace::target()?.join("demo.json");
    let file = File::create(&summary).with_context(|| format!("cannot create {}", summary.display()))?;
    command::run(
        Command::new(agent).args(["--summary", "-H", workspace::GENERATED_HOST]).arg(capture).stdout(file),
    )?;
    Ok(summary)
}

fn announce(summary: &str, terminal_ui: &str) {
    println!(
        "
This is the bundled capture; as one line of JSON it is in {summary}.
The same capture, served until Ctrl-C:

  terminal UI   {terminal_ui}   (in another terminal)
  web page      {SERVED_AT}/
  JSON          {SERVED_AT}/api/v1/metrics/window/5
  Prometheus    {SERVED_AT}/metrics
"
    );
}
