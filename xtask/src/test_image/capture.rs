//! The image reads a capture. If its programs exist outside too, they report the same there.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::engine::Engine;
use super::image::{IMAGE, ProgramSource};
use crate::{command, dist, workspace};

pub(super) fn check(engine: &Engine, programs: ProgramSource) -> Result<()> {
    let demo = workspace::root().join(workspace::DEMO_CAPTURE);
    let directory = demo.parent().context("a capture in no directory")?;
    let options = ["--summary", "-H", workspace::GENERATED_HOST];
    let mut inside = engine.docker();
    inside.args(["run", "--rm", "--network=none", "--read-only", "--cap-drop=ALL"]);
    inside.arg(format!("--volume={}:/captures:ro", directory.display())).arg(IMAGE).args(options);
    let inside = report(inside.arg("/captures/demo.pcap"))?;
    let packets = inside["packets"]["total"].as_u64();
    ensure!(packets == Some(workspace::DEMO_PACKETS), "the image reports {packets:?} packets: {inside}");
    println!("{} packets", workspace::DEMO_PACKETS);
    if programs == ProgramSource::Given {
        let mut outside = Command::new(dist::directory()?.join("pktvisord"));
        let outside = report(outside.args(options).arg(&demo))?;
        ensure!(inside == outside, "the image reports {inside}, the program outside {outside}");
    }
    let mut ui = engine.docker();
    ui.args(["run", "--rm", "--network=none", "--entrypoint=pktvisor", IMAGE, "--version"]);
    ensure!(command::output(&mut ui)?.contains(env!("CARGO_PKG_VERSION")), "the terminal UI does not start");
    Ok(())
}

/// The period in the line that the agent prints.
fn report(command: &mut Command) -> Result<Value> {
    let line = command::output(command)?;
    let document: Value = serde_json::from_str(&line).with_context(|| format!("not JSON: {line}"))?;
    let period = document.as_object().and_then(|periods| periods.values().next()).cloned();
    period.with_context(|| format!("no period in {line}"))
}
