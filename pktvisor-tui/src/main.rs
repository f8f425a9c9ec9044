//! `pktvisor`, the terminal UI: see the library.

use std::process::ExitCode;

use clap::Parser;
use pktvisor_tui::{cli::Options, run};

fn main() -> ExitCode {
    match run::run(&Options::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("pktvisor: {error:#}");
            ExitCode::FAILURE
        }
    }
}
