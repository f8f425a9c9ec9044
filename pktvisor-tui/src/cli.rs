//! The command line.

use std::{ffi::OsString, path::PathBuf};

use clap::{Parser, ValueEnum, ValueHint};

use crate::{client::DEFAULT_PORT, model::escape, theme::ThemeChoice};

/// Show one pktvisor agent, or a fleet of them, live in the terminal.
#[derive(Clone, Debug, Parser)]
#[command(name = "pktvisor", version, about, infer_long_args = true, max_term_width = 100)]
#[command(after_help = "Press ? inside for the keys.")]
pub struct TuiOptions {
    /// Port of each agent whose HOST does not name one.
    #[arg(short, long, default_value_t = DEFAULT_PORT)]
    pub port: u16,

    /// Agent to watch: a name, an address, host:port, or an http:// or https:// URL. A link-local address needs
    /// its interface, as in fe80::1%eth0. To watch a fleet, repeat the option or separate the
    /// agents by commas.
    #[arg(
        short = 'H',
        long = "host",
        value_name = "HOST",
        value_delimiter = ',',
        default_value = "localhost"
    )]
    pub hosts: Vec<String>,

    /// Trust certificates of these authorities, too (PEM): for agents with https:// whose certificate
    /// no authority of the system issued.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub tls_ca: Option<PathBuf>,

    /// Show every agent the token in the first line of this file. Use https://, because with http://
    /// the network can read it.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub auth_token_file: Option<PathBuf>,

    /// Print one snapshot on stdout and exit. If an agent does not answer, report it on stderr and
    /// exit with 1.
    #[arg(long)]
    pub once: bool,

    /// Format of the snapshot: `text`, or `json` (one object for each agent, one on each line).
    #[arg(long, value_enum, default_value_t = Format::Text, requires = "once")]
    pub format: Format,

    /// Show saved JSON instead of an agent: the output of `pktvisord FILE`, an answer of the HTTP
    /// API, or the output of `pktvisor --once --format json`.
    #[arg(long, value_name = "FILE", conflicts_with = "hosts")]
    pub snapshot: Option<PathBuf>,

    /// Minutes to show at first: 1 is the live period (default: 5, or as many as the agent keeps).
    #[arg(short, long, value_name = "MINUTES", value_parser = clap::value_parser!(u64).range(1..=1440))]
    pub window: Option<u64>,

    /// Colours; `auto` reads COLORFGBG and NO_COLOR.
    #[arg(long, value_enum, default_value_t = ThemeChoice::Auto)]
    pub theme: ThemeChoice,

    /// Use the mouse: click tabs and lists, scroll with the wheel. The terminal's own selection
    /// then needs Shift.
    #[arg(long)]
    pub mouse: bool,

    /// Give up on an agent's answer after this many milliseconds.
    #[arg(long, value_name = "MS", default_value_t = 2000, value_parser = clap::value_parser!(u64).range(50..=60_000))]
    pub timeout_ms: u64,
}

impl TuiOptions {
    /// Reads the command line of this process; ends it after `--help` and `--version`, and on wrong
    /// usage.
    pub fn from_command_line() -> Self {
        let arguments: Vec<OsString> = std::env::args_os().collect();
        Self::try_parse_from(&arguments).unwrap_or_else(|error| {
            // The message repeats arguments, which must not control the terminal.
            let printable = arguments.iter().map(|argument| escape(&argument.to_string_lossy()));
            Self::try_parse_from(printable).err().unwrap_or(error).exit()
        })
    }
}

/// Form of `--once`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For scripts.
    Json,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        TuiOptions::command().debug_assert();
    }

    #[test]
    fn hosts_are_repeated_or_comma_separated() {
        let options = TuiOptions::parse_from(["pktvisor", "-H", "ns1,ns2:99", "-H", "::1", "-p", "80"]);
        assert_eq!(options.hosts, ["ns1", "ns2:99", "::1"]);
        assert_eq!(options.port, 80);
    }

    #[test]
    fn without_options_the_agent_of_this_machine_is_watched() {
        let options = TuiOptions::parse_from(["pktvisor"]);
        assert_eq!((options.hosts.as_slice(), options.port), (&["localhost".to_owned()][..], 10853));
    }

    #[test]
    fn long_options_may_be_abbreviated_if_only_one_matches() {
        let options =
            TuiOptions::parse_from(["pktvisor", "--on", "--form", "json", "--win", "3", "--ho", "ns1"]);
        assert!(options.once && options.format == Format::Json && options.window == Some(3));
        assert_eq!(options.hosts, ["ns1"]);
        // `--theme` or `--timeout-ms`.
        assert!(TuiOptions::try_parse_from(["pktvisor", "--t", "dark"]).is_err());
    }

    #[test]
    fn a_port_above_65535_or_a_window_of_0_is_wrong_usage() {
        assert!(TuiOptions::try_parse_from(["pktvisor", "-p", "65536"]).is_err());
        assert!(TuiOptions::try_parse_from(["pktvisor", "--window", "0"]).is_err());
        assert!(TuiOptions::try_parse_from(["pktvisor", "--format", "json"]).is_err());
    }
}
