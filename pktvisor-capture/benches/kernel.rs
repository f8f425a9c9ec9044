//! What a packet costs in the kernel: nanoseconds a run of the XDP program by BPF_PROG_TEST_RUN,
//! over those of an empty program.
//!
//! The programs run alternately, and of each the fastest of many short runs counts, because other
//! load only adds time. The packet is the same every time, so caches are warm and branches are
//! known; a busy server pays more for both.

use std::error::Error;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::time::Duration;

use aya_obj::generated::{bpf_attr, bpf_cmd};
use etherparse::PacketBuilder;
use pktvisor_capture::kernel::{EntryPoint, KernelPrograms, Loaded, ProgramSettings, monotonic_ns, object};
use pktvisor_capture::{Filter, FilterProgram, FilterSite, ProgramContext, Rejected};
use pktvisor_common::address::{Address, IpVersion, address_bytes};
use pktvisor_common::classify::LinkType;
use pktvisor_common::kernel::config::KernelConfig;
use pktvisor_common::sampling::SampleRate;

/// How often each program runs.
const ROUNDS: u32 = 300;
/// Runs of a program in a round; as many sampled packets fit into a ring.
const RUNS: u32 = 2_000;
const RING_BYTES: u32 = 1 << 20;
/// Bytes of the DNS query.
const QUERY_BYTES: usize = 120;
const HOST: [u8; 4] = [192, 0, 2, 1];
const REMOTE: [u8; 4] = [198, 51, 100, 7];
/// `-b` as on a DNS server.
const FILTER: &str = "port 53 or tcp port 853 or icmp";
/// What the TCP packet is not, and what it is.
const REJECTING: &str = FILTER;
const PASSING: &str = "tcp port 443 or port 53";

/// A line of the table.
struct Row {
    name: &'static str,
    loaded: Loaded,
    filter: Option<FilterProgram>,
    entry: EntryPoint,
    packet: Vec<u8>,
    best: Duration,
}

impl Row {
    fn new(
        name: &'static str,
        entry: EntryPoint,
        packet: Vec<u8>,
        config: KernelConfig,
    ) -> Result<Self, Box<dyn Error>> {
        let object = object::embedded()
            .ok_or("the agent was built without kernel programs: cargo xtask build-ebpf")?;
        let settings = ProgramSettings { config, ring_bytes: RING_BYTES, ..ProgramSettings::default() };
        let loaded = KernelPrograms::load(object, &settings)?;
        Ok(Self { name, loaded, filter: None, entry, packet, best: Duration::MAX })
    }

    fn behind(mut self, expression: &str) -> Result<Self, Box<dyn Error>> {
        let filtered = self.loaded.programs.filtered()?.try_clone_to_owned()?;
        let site = FilterSite {
            context: ProgramContext::Xdp { frags: true },
            link_type: LinkType::ETHERNET,
            rejected: Rejected::Passes,
            main: self.loaded.programs.fd(self.entry)?.as_fd(),
            filtered: filtered.as_fd(),
        };
        self.filter = Some(FilterProgram::load(&Filter::new(expression), &site)?);
        Ok(self)
    }

    fn run_round(&mut self) -> Result<(), Box<dyn Error>> {
        let took = match &self.filter {
            Some(filter) => test_run(filter.as_fd(), &self.packet, RUNS)?,
            None => test_run(self.loaded.programs.fd(self.entry)?.as_fd(), &self.packet, RUNS)?,
        };
        self.best = self.best.min(took);
        self.loaded.deep[0].poll(monotonic_ns(), usize::MAX, |_, _| ());
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let row = Row::new;
    let mut rows = vec![
        row("empty program", EntryPoint::Nothing, tcp(), config(1, 100)?)?,
        row("TCP", EntryPoint::Xdp, tcp(), config(1, 100)?)?,
        row("TCP, 64 host networks", EntryPoint::Xdp, tcp(), config(64, 100)?)?,
        row("TCP, passed by a filter", EntryPoint::Xdp, tcp(), config(1, 100)?)?.behind(PASSING)?,
        row("TCP, filtered out", EntryPoint::Xdp, tcp(), config(1, 100)?)?.behind(REJECTING)?,
        row("DNS, not sampled", EntryPoint::Xdp, query(), config(1, 1)?)?,
        row("DNS, not sampled, 64 host networks", EntryPoint::Xdp, query(), config(64, 1)?)?,
        row("DNS, not sampled, passed by a filter", EntryPoint::Xdp, query(), config(1, 1)?)?
            .behind(FILTER)?,
        row("DNS, sampled", EntryPoint::Xdp, query(), config(1, 100)?)?,
        row("DNS, sampled, 64 host networks", EntryPoint::Xdp, query(), config(64, 100)?)?,
        row("DNS, sampled, passed by a filter", EntryPoint::Xdp, query(), config(1, 100)?)?.behind(FILTER)?,
    ];
    for _ in 0..ROUNDS {
        for row in &mut rows {
            row.run_round()?;
        }
    }
    let empty = rows.first().map_or(Duration::ZERO, |row| row.best);
    println!("{:40}{:>10}{:>14}", "", "ns/packet", "over empty");
    for Row { name, best, loaded, .. } in &rows {
        println!("{name:40}{:>10}{:>14}", best.as_nanos(), best.saturating_sub(empty).as_nanos());
        // Losing packets would be cheaper than delivering them.
        assert_eq!(loaded.collector.counts()?.punted.lost(), 0, "{name}: packets were lost");
    }
    Ok(())
}

/// How long a run of a program on a packet takes on average.
fn test_run(program: BorrowedFd<'_>, packet: &[u8], runs: u32) -> io::Result<Duration> {
    // SAFETY: a union of structs of integers, for which all zeros is a value.
    let mut attributes: bpf_attr = unsafe { std::mem::zeroed() };
    attributes.test.prog_fd = program.as_raw_fd().cast_unsigned();
    attributes.test.data_in = packet.as_ptr() as u64;
    attributes.test.data_size_in = packet.len() as u32;
    attributes.test.repeat = runs;
    let command = bpf_cmd::BPF_PROG_TEST_RUN as u32;
    // SAFETY: the kernel reads `data_size_in` bytes at `data_in`, which live until it returns, and
    // writes `attributes`.
    let result = unsafe { libc::syscall(libc::SYS_bpf, command, &raw mut attributes, size_of::<bpf_attr>()) };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel filled in this member.
    Ok(Duration::from_nanos(u64::from(unsafe { attributes.test.duration })))
}

/// HOST is `networks` networks, one of them the packets' destination.
fn config(networks: u8, percent: u8) -> Result<KernelConfig, Box<dyn Error>> {
    let mut config = KernelConfig { sample_rate: SampleRate::percent(percent), ..KernelConfig::default() };
    for i in 0..networks {
        let bytes = address_bytes([192, 0, 2 + i, 1].into());
        config.host.insert(Address::new(IpVersion::V4, &bytes), 32)?;
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
    let builder = PacketBuilder::ethernet2([2; 6], [4; 6]).ipv4(REMOTE, HOST, 64).udp(50_000, 53);
    written(builder.size(message.len()), |packet| builder.write(packet, &message))
}

fn written<E: std::fmt::Debug>(size: usize, write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>) -> Vec<u8> {
    let mut packet = Vec::with_capacity(size);
    if let Err(error) = write(&mut packet) {
        eprintln!("cannot make a packet: {error:?}");
    }
    packet
}
