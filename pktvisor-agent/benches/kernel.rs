//! What a packet costs in the kernel: nanoseconds a run of the XDP program by BPF_PROG_TEST_RUN, over those of an empty
//! program.
//!
//! The programs take turns, and of each the fastest of many short runs counts: whatever else the machine does only adds.
//! The packet is the same every time, so caches are warm and branches are known; a busy server pays more for both.

use std::error::Error;
use std::net::Ipv4Addr;

use aya::programs::{TestRun, TestRunOptions};
use etherparse::PacketBuilder;
use pktvisor_agent::capture::kernel::{Entry, Kernel, Loaded, Settings, monotonic_ns, object};
use pktvisor_common::kernel::config::KernelConfig;
use pktvisor_common::sampling::SampleRate;

/// How often the programs take turns.
const ROUNDS: u32 = 300;
/// Runs of a program in a turn; as many chosen packets fit into a ring.
const RUNS: u32 = 2_000;
/// Bytes of the DNS query.
const QUERY_BYTES: usize = 120;
const HOST: [u8; 4] = [192, 0, 2, 1];
const REMOTE: [u8; 4] = [198, 51, 100, 7];

/// A line of the table.
struct Row {
    name: &'static str,
    loaded: Loaded,
    entry: Entry,
    packet: Vec<u8>,
    best_ns: f64,
}

impl Row {
    fn new(
        name: &'static str,
        entry: Entry,
        packet: Vec<u8>,
        config: KernelConfig,
    ) -> Result<Self, Box<dyn Error>> {
        let object = match std::env::var_os("PKTVISOR_TEST_BPF_OBJECT") {
            Some(path) => std::fs::read(path)?,
            None => object::embedded()
                .ok_or("the agent was built without kernel programs: cargo xtask build-ebpf")?
                .to_vec(),
        };
        let settings = Settings { config, ring_bytes_per_cpu: 1 << 20, ..Settings::default() };
        let loaded = Kernel::load(&object, &settings)?;
        Ok(Self { name, loaded, entry, packet, best_ns: f64::INFINITY })
    }

    fn turn(&mut self) -> Result<(), Box<dyn Error>> {
        let options =
            TestRunOptions { data_in: Some(&self.packet), repeat: RUNS, ..TestRunOptions::default() };
        let result = self.loaded.kernel.xdp(self.entry)?.test_run(options)?;
        self.best_ns = self.best_ns.min(result.duration.as_nanos() as f64);
        self.loaded.deep.drain(monotonic_ns(), usize::MAX, |_, _| ());
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut rows = vec![
        Row::new("empty program", Entry::Nothing, tcp(), config(1, 100)?)?,
        Row::new("TCP", Entry::Xdp, tcp(), config(1, 100)?)?,
        Row::new("TCP, 64 host networks", Entry::Xdp, tcp(), config(64, 100)?)?,
        Row::new("DNS, not chosen", Entry::Xdp, query(), config(1, 0)?)?,
        Row::new("DNS, not chosen, 64 host networks", Entry::Xdp, query(), config(64, 0)?)?,
        Row::new("DNS, chosen", Entry::Xdp, query(), config(1, 100)?)?,
        Row::new("DNS, chosen, 64 host networks", Entry::Xdp, query(), config(64, 100)?)?,
    ];
    let rounds = std::env::var("PKTVISOR_BENCH_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(ROUNDS);
    for _ in 0..rounds {
        for row in &mut rows {
            row.turn()?;
        }
    }
    let empty_ns = rows.first().map_or(0.0, |row| row.best_ns);
    println!("{:36}{:>10}{:>14}", "", "ns/packet", "over empty");
    for row in &rows {
        println!("{:36}{:>10}{:>14}", row.name, row.best_ns, row.best_ns - empty_ns);
    }
    for row in &rows {
        let counts = row.loaded.drain.counts()?;
        let lost = counts.handed_up.lost();
        assert_eq!(lost, 0, "{}: packets were lost, which is cheaper than to deliver them", row.name);
    }
    Ok(())
}

/// HOST is `networks` networks, one of them the packets' destination.
fn config(networks: u8, percent: u8) -> Result<KernelConfig, Box<dyn Error>> {
    let mut config = KernelConfig { sample_rate: SampleRate::percent(percent), ..KernelConfig::default() };
    for i in 0..networks {
        let [a, b, c, d] = [192, 0, 2 + i, 1];
        config.host.insert(&[a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 32, 4)?;
    }
    Ok(config)
}

fn tcp() -> Vec<u8> {
    let builder =
        PacketBuilder::ethernet2([2; 6], [4; 6]).ipv4(REMOTE, HOST, 64).tcp(50_000, 443, 1, 8192).ack(1);
    written(builder.size(6), |packet| builder.write(packet, b"hello!"))
}

fn query() -> Vec<u8> {
    let mut message =
        b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03www\x07example\x03com\x00\x00\x01\x00\x01"
            .to_vec();
    message.resize(QUERY_BYTES - 14 - 20 - 8, 0);
    let builder = PacketBuilder::ethernet2([2; 6], [4; 6])
        .ipv4(Ipv4Addr::from(REMOTE).octets(), HOST, 64)
        .udp(50_000, 53);
    written(builder.size(message.len()), |packet| builder.write(packet, &message))
}

fn written<E: std::fmt::Debug>(size: usize, write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>) -> Vec<u8> {
    let mut packet = Vec::with_capacity(size);
    if let Err(error) = write(&mut packet) {
        eprintln!("cannot make a packet: {error:?}");
    }
    packet
}
