//! The man page and the shell completions of a program, made from its command line.
//!
//! Each of our programs defines its options once, for clap. `PROGRAM --generate man` prints its man page, and
//! `PROGRAM --generate bash` (or `fish`, `zsh`) its completions. `cargo xtask dist` packs what the programs print. So help,
//! man page and completions cannot differ. `--generate` is not an option of the program: it only counts as the first
//! argument.

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Command, ValueEnum};
use clap_complete::Shell;

/// The word that asks for a [`CommandDocument`].
const REQUEST: &str = "--generate";

/// The exit code of clap for wrong usage.
const WRONG_USAGE: u8 = 2;

/// What a program can print about its command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum CommandDocument {
    /// The man page, in section 1, as roff.
    Man,
    /// Completions for bash.
    Bash,
    /// Completions for fish.
    Fish,
    /// Completions for zsh.
    Zsh,
}

/// Prints the document that the command line of this process asks for, and returns the exit code of the process. `None` if
/// it asks for none.
pub fn answer(command: impl FnOnce() -> Command) -> Option<ExitCode> {
    let request = CommandDocument::requested(std::env::args_os())?;
    let command = command();
    let name = command.get_name().to_owned();
    let code = match request {
        Err(reason) => {
            complain(&name, &reason);
            ExitCode::from(WRONG_USAGE)
        }
        Ok(document) => match document.write(command, &mut io::stdout().lock()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                complain(&name, &format!("cannot write to stdout: {error}"));
                ExitCode::FAILURE
            }
        },
    };
    Some(code)
}

/// Writes one line to stderr, and ignores that stderr may be closed.
fn complain(program: &str, reason: &str) {
    let _ = writeln!(io::stderr(), "{program}: {reason}");
}

impl CommandDocument {
    /// The document that the arguments of a process ask for, or a sentence that names the possible ones.
    fn requested(arguments: impl IntoIterator<Item = OsString>) -> Option<Result<Self, String>> {
        let mut arguments = arguments.into_iter().skip(1);
        if arguments.next()? != REQUEST {
            return None;
        }
        let kind = arguments.next().filter(|_| arguments.next().is_none());
        let document = kind.as_deref().and_then(|kind| Self::from_str(kind.to_str()?, false).ok());
        Some(document.ok_or_else(|| {
            let kinds = Self::value_variants().iter().filter_map(Self::to_possible_value);
            let kinds: Vec<_> = kinds.map(|kind| kind.get_name().to_owned()).collect();
            format!("{REQUEST} needs one of these words after it, and nothing else: {}", kinds.join(", "))
        }))
    }

    /// Writes the document about `command`.
    ///
    /// # Errors
    ///
    /// Those of `to`.
    fn write(self, mut command: Command, to: &mut dyn Write) -> io::Result<()> {
        let shell = match self {
            Self::Man => return clap_mangen::Man::new(command).render(to),
            Self::Bash => Shell::Bash,
            Self::Fish => Shell::Fish,
            Self::Zsh => Shell::Zsh,
        };
        let name = command.get_name().to_owned();
        // clap_complete panics if it cannot write, as a reader that has gone makes it.
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut command, name, &mut script);
        to.write_all(&script)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Arg;

    fn requested(words: &[&str]) -> Option<Result<CommandDocument, String>> {
        CommandDocument::requested(words.iter().map(OsString::from))
    }

    fn written(document: CommandDocument) -> String {
        let command = Command::new("prog")
            .about("Does it")
            .arg(Arg::new("wide").long("wide").help("As wide as it goes").action(clap::ArgAction::SetTrue));
        let mut text = Vec::new();
        document.write(command, &mut text).expect("memory takes everything");
        String::from_utf8(text).expect("documents are text")
    }

    #[test]
    fn only_the_first_argument_asks_for_a_document() {
        assert_eq!(requested(&["prog", "--generate", "man"]), Some(Ok(CommandDocument::Man)));
        assert_eq!(requested(&["prog", "--generate", "zsh"]), Some(Ok(CommandDocument::Zsh)));
        for words in [&["prog"][..], &["prog", "eth0", "--generate", "man"], &["prog", "--generated"]] {
            assert_eq!(requested(words), None, "{words:?}");
        }
    }

    #[test]
    fn a_request_for_no_known_document_names_the_known_ones() {
        for words in [
            &["prog", "--generate"][..],
            &["prog", "--generate", "pdf"],
            &["prog", "--generate", "man", "eth0"],
        ] {
            let reason = requested(words).expect("a request").expect_err("no document");
            assert!(reason.ends_with(": man, bash, fish, zsh"), "{words:?}: {reason}");
        }
    }

    #[test]
    fn every_document_describes_the_options() {
        for (document, option) in [
            (CommandDocument::Man, r"\-\-wide"),
            (CommandDocument::Bash, "--wide"),
            (CommandDocument::Fish, "-l wide"),
            (CommandDocument::Zsh, "--wide"),
        ] {
            let text = written(document);
            assert!(text.contains(option), "{document:?}: {text}");
        }
        assert!(written(CommandDocument::Man).contains(".TH prog 1"));
    }

    #[test]
    fn a_closed_pipe_is_an_error() {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        for document in [CommandDocument::Man, CommandDocument::Bash] {
            let error = document.write(Command::new("prog"), &mut Closed).expect_err("no reader");
            assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
        }
    }
}
