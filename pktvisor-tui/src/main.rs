//! `pktvisor`, the terminal UI: see the library.

use std::process::ExitCode;

use pktvisor_tui::{cli::TuiOptions, model::escape, run};

fn main() -> ExitCode {
    match run::run(&TuiOptions::from_command_line()) {
        Ok(code) => code,
        Err(error) => {
            // It names files and arguments.
            eprintln!("pktvisor: {}", escape(&error.to_string()));
            ExitCode::FAILURE
        }
    }
}
