//! Packets with new names and addresses all the time, and interfaces that come and go.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use testbed::{FrameSocket, Veth};

use super::{SoakCounts, SoakShared, flood};

/// Packets of one capture: tens of seconds at the usual rate.
const PACKETS: u64 = 60_000;
/// Mixed traffic, and every third time a flood of random names.
const MIXED: &str = "--names 50000 --clients 20000 --dns-share 0.8 --tcp-share 0.3 --fragments 0.1 --split-tcp \
    --reorder 0.1 --duplicate-segments 0.1 --malformed 0.02 --random-subdomains 0.3 --random-sources 0.3";
const RANDOM_NAMES: &str = "--names 100000 --clients 50000 --dns-share 1 --tcp-share 0 --random-subdomains 1 \
    --random-sources 1";

/// Sends captures, each with other names and clients.
pub(super) fn send_queries(shared: &SoakShared, interface: &str) -> Result<()> {
    let capture = shared.directory.join("queries.pcap");
    for seed in 1_u64.. {
        let scenario = if seed.is_multiple_of(3) { RANDOM_NAMES } else { MIXED };
        let mut generate = Command::new(&shared.sender);
        generate.args(["generate", "--packets", &PACKETS.to_string(), "--seed", &seed.to_string()]);
        generate.args(scenario.split_whitespace()).arg("--output").arg(&capture);
        let status = generate.status().context("cannot start pcap-replay")?;
        ensure!(status.success(), "pcap-replay generate failed ({status})");
        if shared.is_over() || send(shared, interface, &capture)? {
            break;
        }
    }
    Ok(())
}

/// Sends half-open connections and lone fragments.
pub(super) fn send_floods(shared: &SoakShared, interface: &str) -> Result<()> {
    let capture = shared.directory.join("floods.pcap");
    for seed in 1.. {
        flood::write(&capture, PACKETS, seed).context("cannot write a capture")?;
        if send(shared, interface, &capture)? {
            break;
        }
    }
    Ok(())
}

/// Sends a capture once. Returns whether the end has come.
fn send(shared: &SoakShared, interface: &str, capture: &Path) -> Result<bool> {
    let mut sender = shared.peer.command(&shared.sender);
    sender
        .args(["--interface", interface, "--via", "af-packet", "--pps", &shared.pps.to_string()])
        .arg(capture);
    sender.stdout(Stdio::null()).stderr(Stdio::null());
    let mut sender = sender.spawn().context("cannot start pcap-replay")?;
    loop {
        if let Some(status) = sender.try_wait().context("cannot wait for pcap-replay")? {
            ensure!(status.success(), "pcap-replay failed ({status})");
            SoakCounts::add(&shared.counts.packets, PACKETS);
            return Ok(shared.is_over());
        }
        if shared.rest(Duration::from_millis(200)) {
            // Both fail if it has ended.
            let _ = sender.kill();
            let _ = sender.wait();
            return Ok(true);
        }
    }
}

/// Makes interfaces, sends packets through them, renames them or sets them down, and removes them.
pub(super) fn change_interfaces(shared: &SoakShared) -> Result<()> {
    for round in 0_u64.. {
        let pair = Veth::new(&shared.peer, &shared.watched).create();
        let (watched, name) = (&shared.watched, pair.right.name().to_owned());
        let socket = FrameSocket::open(&shared.peer, pair.left.name());
        for n in 0..200_u8 {
            socket.send(&query(n));
        }
        if shared.rest(Duration::from_secs(3)) {
            return Ok(());
        }
        match round % 3 {
            0 => {
                let down = || watched.ip(&["link", "set", &name, "down"]);
                down();
                watched.ip(&["link", "set", &name, "name", "soakother"]);
                watched.ip(&["link", "set", "soakother", "up"]);
            }
            1 => drop(watched.ip(&["link", "set", &name, "down"])),
            _ => {}
        }
        if shared.rest(Duration::from_secs(3)) {
            return Ok(());
        }
        drop((socket, pair));
        SoakCounts::add(&shared.counts.interfaces, 1);
        if shared.rest(Duration::from_secs(2)) {
            return Ok(());
        }
    }
    Ok(())
}

/// An Ethernet frame with a query for the root.
fn query(id: u8) -> Vec<u8> {
    let mut frame = vec![2, 0x53, 0, 0, 0, 2, 2, 0x53, 0, 0, 0, 1, 8, 0];
    frame.extend([0x45, 0, 0, 45, 0, id, 0, 0, 64, 17, 0, 0, 198, 51, 100, id, 192, 0, 2, 2]);
    frame.extend([0x30, 0x39, 0, 53, 0, 25, 0, 0]);
    frame.extend([0, id, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 1]);
    frame
}
