//! The whole command line, checked.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use capture_file::Pace;
use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};
use ipnet::IpNet;
use pktvisor_archive::{AgentName, ArchiveLocation, LocationError};
use pktvisor_capture::attach::HookChoice;
use pktvisor_capture::interfaces::Interfaces;
use pktvisor_common::classify::DnsPorts;
use pktvisor_definitions::Mode;
use pktvisor_metrics::ClientPrefix;
use pktvisor_otlp::{CollectorEndpoint, CollectorUrlError, Temporality};

use super::arguments::{Arguments, DEFAULT_HOST, DEFAULT_PORT};
use super::choices::LogFormat;
use super::foreign;
use super::labels;
use super::no_effect::warn_of_options_without_effect;
use super::target::{Target, TargetError, resolve};

/// What the agent is to do. Every value is valid.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// What to capture from.
    pub target: Target,
    /// TARGET as the user wrote it.
    pub target_text: String,
    /// A tcpdump filter expression, not yet compiled.
    pub filter: Option<String>,
    /// The port whose TCP packets a live capture does not count. With port 0 the real one is known
    /// only after listening.
    pub ignored_port: Option<u16>,
    /// The networks of `-H`.
    pub host_networks: Vec<IpNet>,
    /// Whether the addresses that answer DNS most are HOST. Never true for a live target.
    pub host_auto: bool,
    /// Periods kept, 1 to 1440.
    pub periods: usize,
    /// Whether the whole file is one period. Never true for a live target.
    pub summary: bool,
    /// Whether to serve after a file was read. Never true for a live target, which always serves.
    pub serve: bool,
    /// How fast to replay a file.
    pub pace: Pace,
    /// Ceiling of the share of DNS flows that are analysed, 0 to 100.
    pub max_deep_sample_pct: u8,
    /// Ports whose traffic is DNS.
    pub dns_ports: DnsPorts,
    /// How long a query waits for its response.
    pub dns_timeout: Duration,
    /// How to take packets from an interface; `None`: in the best mode that works.
    pub mode: Option<Mode>,
    /// Where inline mode counts received packets.
    pub hook: HookChoice,
    /// Whether tap mode may take the traffic of an interface with addresses or routes.
    pub force: bool,
    /// Number of worker threads of a live capture, or of threads that read a file; `None`: the mode
    /// or the processors decide.
    pub threads: Option<u16>,
    /// Whether worker threads poll without pauses.
    pub busy_drain: bool,
    /// Percentage of one processor above which the agent analyses fewer flows.
    pub cpu_budget_pct: Option<u32>,
    /// BPF programs to load instead of the built-in ones.
    pub bpf_object: Option<PathBuf>,
    /// Whether labels count from the registrable domain.
    pub public_suffix: bool,
    /// The lengths at which the networks of clients are listed.
    pub client_prefix: Option<ClientPrefix>,
    /// MaxMind city database.
    pub geo_city: Option<PathBuf>,
    /// MaxMind ASN database.
    pub geo_asn: Option<PathBuf>,
    /// Where the web server listens.
    pub listen: Listen,
    /// Where metrics are pushed.
    pub otlp: Option<OtlpOptions>,
    /// The operator's own labels by name.
    pub labels: BTreeMap<String, String>,
    /// Where closed periods are written.
    pub archive: Option<ArchiveOptions>,
    /// Whether the process keeps access to all files and system calls.
    pub no_sandbox: bool,
    /// Whether clients may have packets.
    pub allow_packets: bool,
    /// Format of the agent's messages.
    pub log_format: LogFormat,
    /// Values that were clamped and options without effect, one sentence each, to log after logging
    /// has started.
    pub warnings: Vec<String>,
}

/// Where metrics are pushed, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtlpOptions {
    /// The collector.
    pub endpoint: CollectorEndpoint,
    /// The file of the authorities that it trusts besides those of the system.
    pub authorities: Option<PathBuf>,
    /// The file of the headers of each push.
    pub headers: Option<PathBuf>,
    /// Time between two pushes.
    pub interval: Duration,
    /// What counters and histograms refer to.
    pub temporality: Temporality,
}

/// Where closed periods are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchiveOptions {
    /// The archive.
    pub location: ArchiveLocation,
    /// The name of this agent in it.
    pub agent: AgentName,
    /// After how many days files are deleted.
    pub keep_days: Option<u32>,
}

/// Where the web server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    /// An address or a name.
    pub host: String,
    /// A port; 0 takes a free one.
    pub port: u16,
    /// Further names under which it may be reached on loopback addresses.
    pub allowed_hosts: Vec<String>,
    /// Origins whose pages may read the answers, as browsers write them.
    pub allowed_origins: Vec<String>,
    /// What it speaks TLS with; `None`: it speaks plain HTTP.
    pub tls: Option<TlsFiles>,
    /// The file with the token that clients have to show.
    pub token_file: Option<PathBuf>,
}

/// The files of a TLS server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate and those that lead to its authority.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

/// The command line is wrong.
#[derive(Debug, thiserror::Error)]
pub enum ParseError {
    /// Wrong usage, or a request for help or the version.
    #[error(transparent)]
    Usage(#[from] clap::Error),
    /// TARGET does not exist on this machine.
    #[error(transparent)]
    Target(#[from] TargetError),
}

impl ParseError {
    /// The exit code: 0 for help and version, 1 for a target that does not exist, 2 for wrong
    /// usage.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(error) => u8::try_from(error.exit_code()).unwrap_or(2),
            Self::Target(_) => 1,
        }
    }
}

/// Parses a command line that begins with the program's name.
pub fn parse<I>(arguments: I, interfaces: &dyn Interfaces) -> Result<Options, ParseError>
where
    I: IntoIterator,
    I::Item: Into<OsString> + Clone,
{
    let words: Vec<OsString> = arguments.into_iter().map(Into::into).collect();
    let arguments = Arguments::try_parse_from(&words).map_err(|error| foreign::explain(error, &words))?;
    let labels = labels::unique(arguments.labels.clone())
        .map_err(|error| wrong_value("--label <NAME=VALUE>", &error))?;
    let otlp = otlp(&arguments).map_err(|error| wrong_value("--otlp-endpoint <URL>", &error))?;
    let archive = archive(&arguments).map_err(|error| wrong_value("--archive <URL>", &error))?;
    let target = resolve(&arguments.target, interfaces)?;
    Ok(Options { labels, ..Options::new(arguments, archive, otlp, target) })
}

/// An error that does not repeat the value, which may hold a password, or is one of several.
fn wrong_value(option: &str, error: &dyn std::error::Error) -> clap::Error {
    let message = format!("invalid value for '{option}': {error}");
    Arguments::command().error(ErrorKind::ValueValidation, message)
}

fn otlp(arguments: &Arguments) -> Result<Option<OtlpOptions>, CollectorUrlError> {
    let Some(url) = &arguments.otlp_endpoint else { return Ok(None) };
    Ok(Some(OtlpOptions {
        endpoint: CollectorEndpoint::parse(url, arguments.otlp_protocol.into())?,
        authorities: arguments.otlp_ca.clone(),
        headers: arguments.otlp_headers.clone(),
        interval: Duration::from_secs(arguments.otlp_interval.into()),
        temporality: arguments.otlp_temporality.into(),
    }))
}

fn archive(arguments: &Arguments) -> Result<Option<ArchiveLocation>, LocationError> {
    arguments.archive.as_deref().map(str::parse).transpose()
}

impl Options {
    fn new(
        arguments: Arguments,
        archive: Option<ArchiveLocation>,
        otlp: Option<OtlpOptions>,
        target: Target,
    ) -> Self {
        let mut warnings = Vec::new();
        let max_deep_sample_pct = clamp_percentage(arguments.max_deep_sample, &mut warnings);
        let collector = otlp.as_ref().map(|otlp| &otlp.endpoint);
        warn_of_options_without_effect(&arguments, archive.as_ref(), collector, &target, &mut warnings);
        let is_file = !target.is_live();
        Self {
            target_text: arguments.target.to_string_lossy().into_owned(),
            filter: arguments.filter.filter(|expression| !expression.trim().is_empty()),
            ignored_port: (arguments.ignore_own_port && !is_file)
                .then_some(arguments.port.unwrap_or(DEFAULT_PORT)),
            host_networks: arguments.hosts.map(|networks| networks.to_vec()).unwrap_or_default(),
            host_auto: arguments.host_auto && is_file,
            periods: arguments.periods,
            summary: arguments.summary && is_file,
            serve: arguments.serve && is_file,
            pace: arguments.pace.filter(|_| is_file).unwrap_or(Pace::Max),
            max_deep_sample_pct,
            dns_ports: arguments.dns_ports.unwrap_or_default(),
            dns_timeout: Duration::from_millis(arguments.dns_timeout_ms),
            mode: arguments.mode.filter(|_| !is_file).map(Mode::from),
            hook: arguments.hook.map(HookChoice::from).unwrap_or_default(),
            force: arguments.force,
            threads: arguments.threads,
            busy_drain: arguments.busy_drain && !is_file,
            cpu_budget_pct: arguments.cpu_budget.filter(|_| !is_file),
            bpf_object: arguments.bpf_object.filter(|_| !is_file),
            public_suffix: arguments.public_suffix,
            client_prefix: arguments.client_prefix,
            geo_city: arguments.geo_city,
            geo_asn: arguments.geo_asn,
            listen: Listen {
                host: arguments.listen.unwrap_or_else(|| DEFAULT_HOST.to_owned()),
                port: arguments.port.unwrap_or(DEFAULT_PORT),
                allowed_hosts: arguments.allowed_hosts,
                allowed_origins: arguments.allowed_origins,
                tls: arguments
                    .tls_cert
                    .zip(arguments.tls_key)
                    .map(|(certificate, key)| TlsFiles { certificate, key }),
                token_file: arguments.auth_token_file,
            },
            otlp,
            labels: BTreeMap::new(),
            archive: archive.map(|location| ArchiveOptions {
                keep_days: arguments
                    .archive_keep
                    .filter(|_| !is_file && matches!(location, ArchiveLocation::Directory(_))),
                location,
                agent: AgentName::sanitised(&arguments.archive_agent.unwrap_or_else(machine_name)),
            }),
            no_sandbox: arguments.no_sandbox,
            allow_packets: arguments.allow_packets,
            log_format: arguments.log_format,
            warnings,
            target,
        }
    }
}

fn machine_name() -> String {
    let name = nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok());
    name.unwrap_or_else(|| "pktvisord".to_owned())
}

fn clamp_percentage(given: i64, warnings: &mut Vec<String>) -> u8 {
    let clamped = given.clamp(0, 100);
    if clamped != given {
        warnings.push(format!("--max-deep-sample is a percentage from 0 to 100, using {clamped}"));
    }
    u8::try_from(clamped).unwrap_or(100)
}
