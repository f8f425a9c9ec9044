//! Every option, defined once for parsing and help.

use std::ffi::OsString;
use std::path::PathBuf;

use capture_file::Pace;
use clap::Parser;
use clap::builder::ValueHint;
use pktvisor_common::classify::DnsPorts;
use pktvisor_metrics::ClientPrefix;

use super::choices::{HookArgument, LogFormat, ModeArgument, OtlpProtocolArgument, OtlpTemporalityArgument};
use super::labels;
use super::values::{self, HostSpec};

/// The port of the web server unless `-p` says otherwise.
pub(super) const DEFAULT_PORT: u16 = 10853;

/// The host of the web server unless `-l` says otherwise.
pub(super) const DEFAULT_HOST: &str = "localhost";

const CAPTURE: &str = "Capture";
const LIVE: &str = "Live capture";
const PERIODS: &str = "Periods";
const FILES: &str = "Capture files";
const DNS: &str = "DNS analysis";
const PLACES: &str = "Places and networks";
const OTLP: &str = "OpenTelemetry";
const ARCHIVE: &str = "Archive";
const AGENT: &str = "Agent";

const EXAMPLES: &str = "\
Examples:
  pktvisord trace.pcap.gz                       summarise a capture file as one line of JSON
  pktvisord -H 192.0.2.0/24 --summary t.pcap    the whole file as one period, seen from 192.0.2.0/24
  tcpdump -w - port 53 | pktvisord -            read a capture from a pipe
  pktvisord --archive DIR trace.pcap            also write each minute as a Parquet file
  pktvisord eth0                                watch an interface, http://localhost:10853/metrics
  pktvisord --serve --pace realtime t.pcap      replay as it happened, http://localhost:10853/metrics
  pktvisord -b 'udp port 53' --max-deep-sample 10 t.pcap
                                                count DNS over UDP only, analyse 10 % of its flows

Exit status: 0 done, 1 failure at run time (file, device, port, privilege), 2 wrong usage.";

/// Summarises the packets of an interface or a capture file, with a focus on DNS.
#[derive(Clone, Debug, Parser)]
#[command(name = "pktvisord", version, infer_long_args = true, after_help = EXAMPLES, max_term_width = 100)]
pub(super) struct Arguments {
    /// What to read: a capture file, `-` for a capture on stdin, an interface, one of its
    /// addresses, or `any`.
    ///
    /// A name with a `/`, or with `.pcap` or `.cap` in it, is a file. An address stands for the
    /// interface that owns it. Any other name is an interface, or else an existing file.
    #[arg(value_name = "TARGET", value_hint = ValueHint::FilePath)]
    pub(super) target: OsString,

    /// Count only packets that match a tcpdump filter expression.
    ///
    /// `len`, `greater` and `less` mean the length on the wire.
    #[arg(short = 'b', value_name = "BPF", help_heading = CAPTURE)]
    pub(super) filter: Option<String>,

    /// Networks that are HOST: comma-separated CIDRs or addresses, IPv4 and IPv6.
    ///
    /// Packets to HOST are in, packets from HOST are out. In a live capture the interface's
    /// addresses are always HOST. For a file, only the networks given here are.
    #[arg(short = 'H', value_name = "HOSTSPEC", help_heading = CAPTURE, value_parser = values::host_spec)]
    pub(super) hosts: Option<HostSpec>,

    /// File only: take the addresses that answer DNS most as HOST. The file is read twice.
    ///
    /// Servers that these addresses ask in turn are not HOST.
    #[arg(long, help_heading = CAPTURE, conflicts_with = "hosts")]
    pub(super) host_auto: bool,

    /// Live only: do not count TCP packets of the port that serves the metrics; they count as
    /// filtered.
    ///
    /// Otherwise the requests of scrapers and terminal UIs are part of the metrics.
    #[arg(long, help_heading = LIVE)]
    pub(super) ignore_own_port: bool,

    /// Live only: how to capture packets [default: inline, or afpacket if inline is unavailable].
    ///
    /// If you give a mode and it is unavailable, the agent tries no other mode and fails with the
    /// reason.
    #[arg(long, value_name = "MODE", help_heading = LIVE)]
    pub(super) mode: Option<ModeArgument>,

    /// Live only: where inline mode counts received packets [default: auto].
    ///
    /// If the hook is unavailable, the agent uses the other one and reports the reason.
    #[arg(long, value_name = "HOOK", help_heading = LIVE)]
    pub(super) hook: Option<HookArgument>,

    /// Live only: use tap mode on an interface that has addresses or routes; the agent then takes
    /// the host's traffic.
    #[arg(long, help_heading = LIVE)]
    pub(super) force: bool,

    /// Live: number of threads that analyse DNS [default: 1; in tap mode one for each receive queue,
    /// as long as there are two processors for each]. File: 1, or more to read and to analyse at the
    /// same time [default: all processors].
    ///
    /// Live, all packets between two hosts go to the same thread. A file has at most three threads of
    /// use: one unpacks it if it is compressed, one counts packets, one analyses DNS. The numbers are
    /// the same with any number of threads.
    #[arg(long, value_name = "N", help_heading = CAPTURE, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(super) threads: Option<u16>,

    /// Live only: poll for packets without pauses; each thread that analyses DNS then needs its own
    /// processor.
    #[arg(long, help_heading = LIVE, conflicts_with = "cpu_budget")]
    pub(super) busy_drain: bool,

    /// Live only: analyse a smaller share of DNS flows if the agent needs more than this percentage
    /// of one processor.
    #[arg(long, value_name = "PCT", help_heading = LIVE, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(super) cpu_budget: Option<u32>,

    /// Live only: load the kernel programs from this file instead of the built-in ones (`cargo
    /// xtask build-ebpf`).
    #[arg(long, value_name = "FILE", help_heading = LIVE, value_hint = ValueHint::FilePath)]
    pub(super) bpf_object: Option<PathBuf>,

    /// Number of 60-second periods to keep, 1 to 1440.
    ///
    /// Periods older than the newest 10 keep at most 64 entries in each list.
    #[arg(long, value_name = "P", default_value = "5", help_heading = PERIODS, allow_negative_numbers = true)]
    #[arg(value_parser = values::periods)]
    pub(super) periods: usize,

    /// File only: use one period for the whole file.
    #[arg(long, help_heading = PERIODS)]
    pub(super) summary: bool,

    /// File only: keep serving over HTTP after printing the summary.
    #[arg(long, help_heading = FILES)]
    pub(super) serve: bool,

    /// File only: replay against the clock: `realtime`, a multiple like `10x` or `0.5x`, or `max`
    /// [default: max].
    #[arg(long, value_name = "PACE", help_heading = FILES)]
    pub(super) pace: Option<Pace>,

    /// Analyse at most this percentage of DNS flows, 0 to 100.
    ///
    /// Counters stay exact at any rate; names and transactions cover the analysed flows only.
    #[arg(long, value_name = "N", default_value = "100", help_heading = DNS, allow_negative_numbers = true)]
    #[arg(value_parser = values::percentage)]
    pub(super) max_deep_sample: i64,

    /// Ports whose traffic is DNS, comma-separated [default: 53].
    ///
    /// `53,5353,5355` adds mDNS and LLMNR.
    #[arg(long, value_name = "LIST", help_heading = DNS, value_parser = values::dns_ports)]
    pub(super) dns_ports: Option<DnsPorts>,

    /// How long a query waits for its response, in milliseconds.
    #[arg(long, value_name = "MS", default_value = "5000", help_heading = DNS)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=600_000))]
    pub(super) dns_timeout_ms: u64,

    /// Count the labels of names from the registrable domain (example.co.uk) instead of from the
    /// top.
    #[arg(long, help_heading = DNS)]
    pub(super) public_suffix: bool,

    /// List the networks of the clients that ask HOST, cut at these lengths: bits of IPv4, bits of IPv6.
    ///
    /// `24,56` is the usual choice.
    #[arg(long, value_name = "V4,V6", help_heading = DNS, value_parser = values::client_prefix)]
    pub(super) client_prefix: Option<ClientPrefix>,

    /// City or country database in MaxMind's format (.mmdb); read again when the file changes, and
    /// on SIGHUP.
    #[arg(long, value_name = "FILE", help_heading = PLACES, value_hint = ValueHint::FilePath)]
    pub(super) geo_city: Option<PathBuf>,

    /// ASN or ISP database in MaxMind's format (.mmdb); read again when the file changes, and on
    /// SIGHUP.
    #[arg(long, value_name = "FILE", help_heading = PLACES, value_hint = ValueHint::FilePath)]
    pub(super) geo_asn: Option<PathBuf>,

    /// Push all metrics to this OpenTelemetry collector, such as `http://collector.example:4317` or
    /// `https://collector.example`.
    ///
    /// Metrics wait in bounded memory while the collector is away. Of a capture file, the result is
    /// pushed at its end.
    #[arg(long, value_name = "URL", help_heading = OTLP, value_hint = ValueHint::Url)]
    pub(super) otlp_endpoint: Option<String>,

    /// Trust these authorities (PEM) besides those of the system, for an https:// collector.
    #[arg(long, value_name = "FILE", help_heading = OTLP, requires = "otlp_endpoint", value_hint = ValueHint::FilePath)]
    pub(super) otlp_ca: Option<PathBuf>,

    /// Send the headers of this file with each push: NAME: VALUE in each line.
    ///
    /// Services ask for keys and tokens in headers.
    #[arg(long, value_name = "FILE", help_heading = OTLP, requires = "otlp_endpoint", value_hint = ValueHint::FilePath)]
    pub(super) otlp_headers: Option<PathBuf>,

    /// How to push.
    #[arg(long, value_name = "PROTOCOL", default_value = "grpc", help_heading = OTLP, requires = "otlp_endpoint")]
    pub(super) otlp_protocol: OtlpProtocolArgument,

    /// Seconds between two pushes, 1 to 3600.
    #[arg(long, value_name = "S", default_value = "60", help_heading = OTLP, requires = "otlp_endpoint")]
    #[arg(value_parser = clap::value_parser!(u16).range(1..=3600))]
    pub(super) otlp_interval: u16,

    /// What counters and histograms refer to.
    #[arg(long, value_name = "KIND", default_value = "cumulative", help_heading = OTLP)]
    #[arg(requires = "otlp_endpoint")]
    pub(super) otlp_temporality: OtlpTemporalityArgument,

    /// Write each closed period as a Parquet file: to a directory, or to an object store.
    ///
    /// Stores are s3://BUCKET/PREFIX, gs://BUCKET/PREFIX (Google), az://CONTAINER/PREFIX (Azure) and
    /// https://HOST/PREFIX (WebDAV). Their keys are in the variables AWS_*, GOOGLE_*, AZURE_* and
    /// WEBDAV_*. While a store is away, up to 120 files wait in memory.
    #[arg(long, value_name = "URL", help_heading = ARCHIVE, value_hint = ValueHint::DirPath)]
    pub(super) archive: Option<String>,

    /// The name of this agent in the archive [default: the name of the machine].
    ///
    /// Characters other than letters, digits, `.`, `-` and `_` become `_`.
    #[arg(long, value_name = "NAME", help_heading = ARCHIVE, requires = "archive")]
    pub(super) archive_agent: Option<String>,

    /// Live only: delete this agent's files that are older than this many days.
    ///
    /// Only in a directory. An object store has rules of its own for that.
    #[arg(long, value_name = "DAYS", help_heading = ARCHIVE, requires = "archive")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub(super) archive_keep: Option<u32>,

    /// Serve metrics on this address or name [default: localhost].
    #[arg(short = 'l', value_name = "HOST", help_heading = AGENT, value_hint = ValueHint::Hostname)]
    pub(super) listen: Option<String>,

    /// Serve metrics on this port; 0 takes a free one [default: 10853].
    #[arg(short = 'p', value_name = "PORT", help_heading = AGENT)]
    pub(super) port: Option<u16>,

    /// Answer requests on loopback addresses also for these host names: comma-separated, or repeat
    /// the option.
    ///
    /// Addresses, `localhost`, the name of this machine and the HOST of `-l` are always allowed. The
    /// agent answers 403 to requests for other names, so that a web page whose name points to
    /// 127.0.0.1 cannot read the metrics. With `-l` and another address, every name is allowed.
    #[arg(long = "allow-host", value_name = "NAME,...", value_delimiter = ',', help_heading = AGENT)]
    #[arg(value_hint = ValueHint::Hostname, value_parser = values::host_name)]
    pub(super) allowed_hosts: Vec<String>,

    /// Serve over TLS with this certificate, followed by those that lead to its authority (PEM).
    ///
    /// Read at start: restart the agent to renew it.
    #[arg(long, value_name = "FILE", help_heading = AGENT, requires = "tls_key", value_hint = ValueHint::FilePath)]
    pub(super) tls_cert: Option<PathBuf>,

    /// The private key of the certificate (PEM).
    #[arg(long, value_name = "FILE", help_heading = AGENT, requires = "tls_cert", value_hint = ValueHint::FilePath)]
    pub(super) tls_key: Option<PathBuf>,

    /// Answer only requests that show the token in the first line of this file.
    ///
    /// Programs send it as `Authorization: Bearer TOKEN`. A browser asks for it: leave the name empty, the
    /// password is the token. `/healthz` needs none.
    #[arg(long, value_name = "FILE", help_heading = AGENT, value_hint = ValueHint::FilePath)]
    pub(super) auth_token_file: Option<PathBuf>,

    /// Give every series this label, such as `site=ams1`; repeat the option for more.
    ///
    /// At most 16. Names that the metrics or Prometheus use, such as `direction` or `instance`, are
    /// reserved.
    #[arg(long = "label", value_name = "NAME=VALUE", help_heading = AGENT, value_parser = labels::label)]
    pub(super) labels: Vec<(String, String)>,

    /// Do not restrict the process to the files and system calls that it needs.
    ///
    /// At start the agent gives up opening other files, connecting to other machines and running
    /// programs, as far as the kernel can enforce it (Landlock, seccomp). Use this option if a
    /// debugger or a library that you preload needs more.
    #[arg(long, help_heading = AGENT)]
    pub(super) no_sandbox: bool,

    /// Let clients have DNS packets: `/api/v1/packets` streams them as pcapng.
    ///
    /// Without it the agent answers 403: metrics have names and addresses, but packets have all that
    /// was said.
    #[arg(long, help_heading = AGENT)]
    pub(super) allow_packets: bool,

    /// Let web pages of these origins read the metrics in a browser: comma-separated, or repeat the
    /// option.
    ///
    /// The page of one agent shows several agents (`/?agents=host1:10853,host2:10853`) if the others
    /// allow its origin, such as `http://host1:10853`.
    #[arg(long = "allow-origin", value_name = "ORIGIN,...", value_delimiter = ',', help_heading = AGENT)]
    #[arg(value_hint = ValueHint::Url, value_parser = values::origin)]
    pub(super) allowed_origins: Vec<String>,

    /// Format of the messages on stderr.
    ///
    /// RUST_LOG selects the messages; the default is `info`.
    #[arg(long, value_name = "FORMAT", default_value = "text", help_heading = AGENT)]
    pub(super) log_format: LogFormat,
}
