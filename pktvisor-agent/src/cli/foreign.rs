//! Options that users of tcpdump type from habit, and what to write instead.

use std::ffi::OsString;

use clap::CommandFactory;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::arguments::Arguments;

/// Short and long forms of options whose value is TARGET in this program.
const TARGETS: [(&str, &str); 2] = [("-i", "--interface"), ("-r", "--read-file")];

/// Explains an option of tcpdump that this program does not have. Any other error stays as it is.
pub(super) fn explain(error: clap::Error, words: &[OsString]) -> clap::Error {
    let Some(ContextValue::String(option)) = error.get(ContextKind::InvalidArg) else { return error };
    let is_unknown = error.kind() == ErrorKind::UnknownArgument;
    let known = TARGETS.iter().find(|(short, long)| {
        // "-i" of "-ieth0", "--interface" of "--interface=eth0".
        is_unknown && (option == short || option.split('=').next() == Some(*long))
    });
    let Some((short, long)) = known else { return error };
    let named = value(words, short, long);
    let example = named.as_deref().unwrap_or(if *short == "-r" { "trace.pcap" } else { "eth0" });
    let option = option.split('=').next().unwrap_or(option);
    Arguments::command()
        .error(ErrorKind::UnknownArgument, format!("TARGET is given without {option}: pktvisord {example}"))
}

/// The value of the option in any of its spellings: "-i eth0", "-ieth0", "--interface eth0",
/// "--interface=eth0".
fn value(words: &[OsString], short: &str, long: &str) -> Option<String> {
    let mut words = words.iter().skip(1).map(|word| word.to_string_lossy());
    while let Some(word) = words.next() {
        let value = if word == short || word == long {
            words.next().map(|next| next.into_owned())
        } else if let Some(value) = word.strip_prefix(long).and_then(|rest| rest.strip_prefix('=')) {
            Some(value.to_owned())
        } else {
            word.strip_prefix(short).map(|value| value.trim_start_matches('=').to_owned())
        };
        if value.is_some() {
            return value.filter(|value| !value.is_empty());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use pktvisor_capture::interfaces::SystemInterfaces;

    use super::super::parse;

    fn refused(words: &[&str]) -> (u8, String) {
        let words = ["pktvisord"].iter().chain(words);
        let error = parse(words, &SystemInterfaces).expect_err("wrong usage");
        (error.exit_code(), error.to_string())
    }

    #[test]
    fn an_interface_given_as_to_tcpdump_is_explained() {
        for words in [
            &["-i", "eth7"][..],
            &["-ieth7"],
            &["-i=eth7"],
            &["--interface", "eth7"],
            &["--interface=eth7"],
            &["--summary", "-i", "eth7", "-b", "udp"],
            &["x.pcap", "-i", "eth7"],
        ] {
            let (code, message) = refused(words);
            assert_eq!(code, 2, "{words:?}");
            let option = if words.concat().contains("--interface") { "--interface" } else { "-i" };
            let expected = format!("error: TARGET is given without {option}: pktvisord eth7\n");
            assert!(message.starts_with(&expected), "{words:?}: {message}");
        }
        assert!(refused(&["-i"]).1.starts_with("error: TARGET is given without -i: pktvisord eth0\n"));
    }

    #[test]
    fn a_file_given_as_to_tcpdump_is_explained() {
        let (code, message) = refused(&["-r", "a.pcap"]);
        assert_eq!(code, 2);
        assert!(message.starts_with("error: TARGET is given without -r: pktvisord a.pcap\n"), "{message}");
    }

    #[test]
    fn other_unknown_options_are_refused_without_advice() {
        for words in [["-n", "eth0"], ["--inter", "eth0"], ["-I", "eth0"]] {
            assert!(!refused(&words).1.contains("TARGET is given without"), "{words:?}");
        }
    }
}
