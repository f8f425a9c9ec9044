//! Command lines and their meaning.

mod no_effect;
mod target;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use capture_file::Pace;
use clap::CommandFactory;
use pktvisor_capture::attach::HookChoice;
use pktvisor_capture::interfaces::{Hardware, Interface, Interfaces};

use super::arguments::Arguments;
use super::choices::LogFormat;
use super::options::{Listen, Options, ParseError, TlsFiles, parse};
use super::target::Target;

/// A machine with a few interfaces.
struct Machine;

impl Interfaces for Machine {
    fn list(&self) -> io::Result<Vec<Interface>> {
        let up = |name: &str, addresses: &[&str]| Interface {
            name: name.to_owned(),
            is_up: true,
            has_carrier: true,
            index: 0,
            hardware: Hardware::default(),
            addresses: addresses.iter().map(|address| address.parse().unwrap()).collect(),
        };
        Ok(vec![
            Interface { is_up: false, has_carrier: false, ..up("dummy0", &["192.0.2.1", "fe80::1"]) },
            up("eth0", &["192.0.2.1", "2001:db8::1", "fe80::1"]),
            up("mirror0", &[]),
            up("10.9.9.9", &[]),
        ])
    }
}

/// Parses words after the program's name.
fn parsed(words: &[&str]) -> Result<Options, ParseError> {
    parse(["pktvisord"].iter().chain(words), &Machine)
}

fn options(words: &[&str]) -> Options {
    parsed(words).unwrap_or_else(|error| panic!("{words:?}: {error}"))
}

/// Exit code and message of a refused command line.
fn refused(words: &[&str]) -> (u8, String) {
    let error = parsed(words).expect_err("refused");
    (error.exit_code(), error.to_string())
}

fn file(path: impl AsRef<Path>) -> Target {
    Target::File(path.as_ref().to_owned())
}

#[test]
fn only_a_target_is_needed_and_the_rest_has_defaults() {
    let options = options(&["trace.pcap"]);
    assert_eq!(options.target, file("trace.pcap"));
    assert_eq!((options.listen.host.as_str(), options.listen.port), ("localhost", 10853));
    assert_eq!((options.periods, options.max_deep_sample_pct), (5, 100));
    assert_eq!(options.hook, HookChoice::Auto);
    assert_eq!(options.dns_ports.as_slice(), [53]);
    assert_eq!(options.dns_timeout, Duration::from_secs(5));
    assert_eq!((options.pace, options.log_format), (Pace::Max, LogFormat::Text));
    assert!(!options.summary && !options.serve && !options.public_suffix);
    assert_eq!((options.filter, options.geo_city, options.geo_asn), (None, None, None));
    assert!(options.host_networks.is_empty());
    assert!(options.warnings.is_empty());
}

#[test]
fn every_option_is_read() {
    let line = "-b udp -l 0.0.0.0 -p 0 --allow-host a.example,b --allow-host C.example. --allow-origin http://A.example:10853,https://b \
                --tls-cert c.pem --tls-key k.pem --auth-token-file token -H 192.0.2.0/24,2001:db8::1 --periods 10 --summary --serve --pace 2.5x \
                --geo-city c.mmdb --geo-asn a.mmdb --max-deep-sample 7 --dns-ports 53,5353 --dns-timeout-ms 250 \
                --public-suffix --log-format json -";
    let options = options(&line.split_whitespace().collect::<Vec<_>>());
    assert_eq!(options.target, Target::Stdin);
    assert_eq!(options.filter.as_deref(), Some("udp"));
    let allowed_hosts = ["a.example", "b", "C.example."].map(str::to_owned).to_vec();
    let allowed_origins = ["http://a.example:10853", "https://b"].map(str::to_owned).to_vec();
    assert_eq!(
        options.listen,
        Listen {
            host: "0.0.0.0".to_owned(),
            port: 0,
            allowed_hosts,
            allowed_origins,
            tls: Some(TlsFiles { certificate: "c.pem".into(), key: "k.pem".into() }),
            token_file: Some("token".into()),
        }
    );
    assert_eq!(options.host_networks, ["192.0.2.0/24".parse().unwrap(), "2001:db8::1/128".parse().unwrap()]);
    assert_eq!((options.periods, options.max_deep_sample_pct), (10, 7));
    assert_eq!(options.pace, "2.5x".parse().unwrap());
    assert_eq!(options.geo_city, Some(PathBuf::from("c.mmdb")));
    assert_eq!(options.geo_asn, Some(PathBuf::from("a.mmdb")));
    assert_eq!(options.dns_ports.as_slice(), [53, 5353]);
    assert_eq!(options.dns_timeout, Duration::from_millis(250));
    assert!(options.summary && options.serve && options.public_suffix);
    assert_eq!(options.log_format, LogFormat::Json);
    assert!(options.warnings.is_empty());
}

#[test]
fn long_options_may_be_abbreviated_where_unambiguous() {
    let options = options(&["--sum", "--per=3", "--max", "50", "--geo-c", "c.mmdb", "-"]);
    assert!(options.summary);
    assert_eq!((options.periods, options.max_deep_sample_pct), (3, 50));
    assert_eq!(options.geo_city, Some(PathBuf::from("c.mmdb")));
    for ambiguous in [["--s", "-", ""], ["--geo", "x", "-"], ["--p", "3", "-"], ["--dns", "53", "-"]] {
        assert_eq!(refused(&ambiguous).0, 2, "{ambiguous:?}");
    }
}

#[test]
fn a_deep_sample_outside_0_to_100_is_clamped_with_a_warning() {
    for (given, used) in [
        ("-1", 0),
        ("-99999999999999999999", 0),
        ("101", 100),
        ("99999999999999999999", 100),
        ("0", 0),
        ("100", 100),
    ] {
        for words in [vec!["--max-deep-sample", given, "-"], vec![&format!("--max-deep-sample={given}"), "-"]]
        {
            let options = options(&words);
            assert_eq!(options.max_deep_sample_pct, used, "{given}");
            let is_clamped = !["0", "100"].contains(&given);
            assert_eq!(options.warnings.len(), usize::from(is_clamped), "{given}: {:?}", options.warnings);
        }
    }
}

#[test]
fn periods_are_1_to_1440() {
    assert_eq!(options(&["--periods", "1", "-"]).periods, 1);
    assert_eq!(options(&["--periods", "1440", "-"]).periods, 1440);
    for bad in ["0", "1441", "-3", "x", "", "1.5", "99999999999999999999"] {
        let (code, message) = refused(&["--periods", bad, "-"]);
        assert_eq!(code, 2, "{bad}");
        assert!(message.contains("give a whole number of minutes to keep, from 1 to 1440"), "{message}");
    }
}

#[test]
fn wrong_usage_is_exit_code_2_and_names_the_option() {
    let cases: [(&[&str], &str); 15] = [
        (&[], "TARGET"),
        (&["a.pcap", "b.pcap"], "b.pcap"),
        (&["--unknown", "-"], "--unknown"),
        (&["-p", "65536", "-"], "-p"),
        (&["-p", "http", "-"], "-p"),
        (&["-H", "192.0.2.0/33", "-"], "\"192.0.2.0/33\" is not a network"),
        (&["-H", "10.0.0.1,,::1", "-"], "\"\" is not a network"),
        (&["--dns-ports", "53,0", "-"], "0 is no DNS port"),
        (&["--dns-ports", "53,dns", "-"], "\"dns\" is not a port"),
        (&["--dns-ports", "1,2,3,4,5,6,7,8,9", "-"], "too many DNS ports"),
        (&["--dns-timeout-ms", "0", "-"], "--dns-timeout-ms"),
        (&["--pace", "fast", "-"], "\"fast\" is not understood"),
        (&["--allow-host", "a,,b", "-"], "\"\" is not a host name"),
        (&["--allow-host", "a:80", "-"], "\"a:80\" is not a host name"),
        (&["--allow-origin", "*", "-"], "\"*\" is not an origin"),
    ];
    for (words, expected) in cases {
        let (code, message) = refused(words);
        assert_eq!(code, 2, "{words:?}");
        assert!(message.contains(expected), "{words:?}: {message}");
    }
    assert_eq!(refused(&["--max-deep-sample", "half", "-"]).0, 2);
    assert_eq!(refused(&["--log-format", "xml", "-"]).0, 2);
}

#[test]
fn an_empty_filter_counts_every_packet() {
    assert_eq!(options(&["-b", " ", "-"]).filter, None);
}

#[test]
fn host_of_an_interface_is_its_addresses_and_hostspec() {
    let machine = Machine.list().unwrap();
    let text = |options: Options| {
        let live = options.live_config().map(|config| config.host.host_set(&machine));
        let hosts = live.unwrap_or_else(|| options.file_hosts());
        hosts.networks().iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(text(options(&["-H", "10.0.0.0/8", "x.pcap"])), "10.0.0.0/8");
    assert_eq!(text(options(&["x.pcap"])), "");
    let eth0 = "192.0.2.1/32 2001:db8::1/128 fe80::1/128";
    assert_eq!(text(options(&["eth0"])), eth0);
    assert_eq!(text(options(&["-H", "10.1.2.3/8", "eth0"])), format!("10.0.0.0/8 {eth0}"));
    assert_eq!(text(options(&["any"])), eth0);
}

#[test]
fn help_and_version_are_exit_code_0() {
    let (code, version) = refused(&["--version"]);
    assert_eq!((code, version.as_str()), (0, "pktvisord 4.0.0\n"));
    let (code, help) = refused(&["--help"]);
    assert_eq!(code, 0);
    for expected in ["Examples:", "Exit status:", "-b <BPF>", "--max-deep-sample <N>", "[default: 10853]"] {
        assert!(help.contains(expected), "{expected} is not in\n{help}");
    }
}

#[test]
fn the_definition_of_the_command_line_is_valid() {
    Arguments::command().debug_assert();
}

#[test]
fn hostspec_takes_spaces_host_bits_and_both_families() {
    let options = options(&["-H", "10.1.2.3/8, 192.0.2.1 ,2001:db8::/32", "-"]);
    let hosts = options.file_hosts();
    for inside in ["10.255.0.1", "192.0.2.1", "2001:db8:1::"] {
        assert!(hosts.contains_address(inside.parse().unwrap()), "{inside}");
    }
    assert!(!hosts.contains_address("192.0.2.2".parse().unwrap()));
}

#[test]
fn the_own_port_is_ignored_on_request_and_only_live() {
    assert_eq!(options(&["eth0"]).ignored_port, None);
    assert_eq!(options(&["eth0", "--ignore-own-port"]).ignored_port, Some(10853));
    assert_eq!(options(&["any", "--ignore-own-port", "-p", "99"]).ignored_port, Some(99));
    let of_file = options(&["--ignore-own-port", "trace.pcap"]);
    assert_eq!(of_file.ignored_port, None);
    assert!(
        of_file.warnings.iter().any(|warning| warning.contains("--ignore-own-port")),
        "{:?}",
        of_file.warnings
    );
    assert!(
        options(&["trace.pcap", "-b", "tcp"])
            .file_filter()
            .is_some_and(|filter| filter.expression() == "tcp")
    );
}

#[test]
fn a_password_in_the_url_of_the_archive_is_not_printed() {
    let (code, message) = refused(&["--archive", "https://fleet:secret@store.example/dns", "trace.pcap"]);
    assert_eq!(code, 2);
    assert!(message.contains("invalid value for '--archive <URL>'"), "{message}");
    assert!(message.contains("set WEBDAV_USERNAME and WEBDAV_PASSWORD"), "{message}");
    assert!(!message.contains("secret"), "{message}");
}
