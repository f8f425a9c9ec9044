//! `pktvisord`, the agent.

mod closed_stdout;

use std::process::ExitCode;

use pktvisor_agent::cli::{self, LogFormat, Options, ParseError};
use pktvisor_agent::credentials::Credentials;
use pktvisor_agent::{run, sandbox, stderr};
use pktvisor_capture::interfaces::SystemInterfaces;
use terminal_text::{Escaped, EscapedLines, has_control};

fn main() -> ExitCode {
    pktvisor_memory::allocator::return_large_blocks();
    if let Some(code) = command_docs::answer(cli::command) {
        return code;
    }
    match cli::parse(std::env::args_os(), &SystemInterfaces) {
        Ok(options) => run_with(&options),
        Err(error) => refuse(&error),
    }
}

fn run_with(options: &Options) -> ExitCode {
    cli::logging::init(options.log_format);
    for warning in &options.warnings {
        tracing::warn!("{}", Escaped(warning));
    }
    match start(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The reason is printed even if RUST_LOG turns off all messages.
            match options.log_format {
                LogFormat::Text => {
                    stderr::line(&format!("pktvisord: {}", EscapedLines(format_args!("{error:#}"))))
                }
                LogFormat::Json => tracing::error!("{error:#}"),
            }
            ExitCode::FAILURE
        }
    }
}

fn start(options: &Options) -> anyhow::Result<()> {
    let credentials = Credentials::read(options)?;
    // Before any thread starts and anything is read from outside.
    let sandbox = sandbox::enter(options)?;
    closed_stdout::check(options)?;
    run::run(options, credentials, sandbox)
}

fn refuse(error: &ParseError) -> ExitCode {
    match error {
        // Help and version go to stdout, wrong usage to stderr. An error of writing them is
        // ignored: nobody reads.
        ParseError::Usage(error) => {
            // Without colours if other control characters than theirs have to be escaped.
            if arguments_have_controls() {
                stderr::line(EscapedLines(error).to_string().trim_end());
            } else {
                drop(error.print());
            }
        }
        ParseError::Target(error) => stderr::line(&format!("pktvisord: {}", Escaped(error))),
    }
    ExitCode::from(error.exit_code())
}

/// Whether the command line has control characters, which clap would print as they are.
fn arguments_have_controls() -> bool {
    std::env::args_os().any(|argument| has_control(&argument.to_string_lossy()))
}
