//! Three agents, and what one agent would have reported that saw all of their traffic.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use capture_file::write::PcapWriter;
use dns_traffic::{Answer, Config, Generator, HOST_PREFIXES};

const ETHERNET: u16 = 1;

/// One agent: its name, its capture and the true summary of it.
pub(crate) struct Member {
    pub(crate) name: &'static str,
    pub(crate) capture: PathBuf,
    pub(crate) answer: Answer,
}

/// The agents. Their captures lie in a temporary directory.
pub(crate) struct Fleet {
    pub(crate) members: Vec<Member>,
    directory: tempfile::TempDir,
}

/// Four periods of traffic. The clients of a smaller population are among those of a larger one.
fn config(clients: u32) -> Config {
    Config { packets: 24_000, rate: 100.0, names: 3_000, clients, ..Config::default() }
}

impl Fleet {
    /// Three agents of different traffic at the same time.
    pub(crate) fn new() -> Self {
        Self::of(&[
            ("ns1", config(2_000)),
            ("ns2", Config { zipf: 0.8, rate: 80.0, ..config(4_000) }),
            ("ns3.example", Config { tcp_share: 0.3, rate: 120.0, ..config(6_000) }),
        ])
    }

    /// Agents with this traffic.
    pub(crate) fn of(configs: &[(&'static str, Config)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let members = configs
            .iter()
            .map(|(name, config)| {
                let capture = directory.path().join(format!("{name}.pcap"));
                Member { name, answer: generate(config.clone(), &capture), capture }
            })
            .collect();
        Self { members, directory }
    }

    /// Where the captures are, and other files may be.
    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Runs all agents, which archive there. Returns the number of their periods.
    pub(crate) fn archive_to(&self, archive: &str, environment: &[(&str, &str)]) -> usize {
        for member in &self.members {
            let output = member.agent(archive).envs(environment.iter().copied()).output().unwrap();
            assert_succeeded(&output);
        }
        self.members.iter().map(|member| member.answer.periods.len()).sum()
    }

    /// The sum of a number.
    pub(crate) fn sum(&self, number: fn(&Answer) -> u64) -> u64 {
        self.members.iter().map(|member| number(&member.answer)).sum()
    }

    /// The sums of a list.
    pub(crate) fn counts(&self, list: fn(&Answer) -> &dns_traffic::Counts) -> HashMap<String, u64> {
        let mut sums = HashMap::new();
        for (name, count) in self.members.iter().flat_map(|member| list(&member.answer).iter()) {
            *sums.entry(name.to_owned()).or_default() += count;
        }
        sums
    }

    /// The clients that any agent saw.
    pub(crate) fn clients(&self) -> usize {
        let names = self.members.iter().flat_map(|member| member.answer.total.dns.inbound.top.iter());
        names.map(|(name, _)| name).collect::<HashSet<_>>().len()
    }

    /// The time that this share of all queries to the agents was answered within, in microseconds.
    pub(crate) fn quantile_us(&self, share: f64) -> f64 {
        let answers = self.members.iter().map(|member| &member.answer.total.dns.xact.inbound);
        let mut times_ns: Vec<u64> = answers.flat_map(|answer| answer.times_ns.iter().copied()).collect();
        times_ns.sort_unstable();
        times_ns[(share * times_ns.len() as f64) as usize] as f64 / 1e3
    }
}

impl Member {
    /// The agent that archives this capture.
    pub(crate) fn agent(&self, archive: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pktvisord"));
        command.args(["-H", &HOST_PREFIXES.join(","), "--archive", archive, "--archive-agent", self.name]);
        command.arg(&self.capture).env_remove("RUST_LOG");
        command
    }
}

fn generate(config: Config, path: &Path) -> Answer {
    let mut generator = Generator::new(config).unwrap();
    let file = std::io::BufWriter::new(fs::File::create(path).unwrap());
    let mut pcap = PcapWriter::new(file, ETHERNET).unwrap();
    while let Some(packet) = generator.next_packet() {
        pcap.write(packet.timestamp_ns, packet.data.len() as u32, packet.data).unwrap();
    }
    pcap.finish().unwrap();
    generator.into_answer().unwrap()
}

/// The agent did what it was to do.
pub(crate) fn assert_succeeded(output: &Output) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    assert!(!stderr.contains("cannot write"), "{stderr}");
}
