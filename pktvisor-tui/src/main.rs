//! `pktvisor`, the terminal UI: see the library.

use std::process::ExitCode;

use clap::CommandFactory;
use command_docs::CommandDocument;
use pktvisor_tui::{cli::TuiOptions, model::escape, run};

fn main() -> ExitCode {
    if let Some(document) = CommandDocument::requested(std::env::args_os()) {
        return print(document);
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

/// Prints the man page or the completions of a shell.
fn print(document: CommandDocument) -> ExitCode {
    match document.write(TuiOptions::command(), &mut std::io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("pktvisor: cannot write to stdout: {error}");
            ExitCode::FAILURE
        }
    }
}
