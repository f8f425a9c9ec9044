//! `pktvisor`, the terminal UI: see the library.

use std::process::ExitCode;

use clap::CommandFactory;
use pktvisor_tui::{cli::TuiOptions, model::escape, run};

fn main() -> ExitCode {
    if let Some(code) = command_docs::answer(TuiOptions::command) {
        return code;
    }
    match run::run(&TuiOptions::from_command_line()) {
        Ok(code) => code,
        Err(error) => {
            // It names files and arguments.
            eprintln!("pktvisor: {}", escape(&error.to_string()));
            ExitCode::FAILURE
        }
    }
}
