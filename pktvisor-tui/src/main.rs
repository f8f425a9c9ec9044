//! `pktvisor`, the terminal UI: see the library.

use std::process::ExitCode;

use clap::Parser;
use pktvisor_common::text::{EscapedLines, has_control};
use pktvisor_tui::{cli::Options, run};

fn main() -> ExitCode {
    let options = match Options::try_parse() {
        Ok(options) => options,
        Err(error) => return refuse(&error),
    };
    match run::run(&options) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("pktvisor: {}", EscapedLines(error));
            ExitCode::FAILURE
        }
    }
}

/// Shows the help, or what is wrong with the command line, whose control characters do nothing to the terminal.
fn refuse(error: &clap::Error) -> ExitCode {
    // Without colours where there would be other control characters than theirs.
    if arguments_have_controls() {
        eprint!("{}", EscapedLines(error));
    } else {
        // Where it cannot be written, nobody reads.
        let _ = error.print();
    }
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

/// Whether the command line has control characters, which clap would repeat as they are.
fn arguments_have_controls() -> bool {
    std::env::args_os().any(|argument| has_control(&argument.to_string_lossy()))
}
