//! The man page and the shell completions of a program, made from its command line.
//!
//! Each of our programs defines its options once, for clap. `PROGRAM --generate man` prints its man page, and
//! `PROGRAM --generate bash` (or `fish`, `zsh`) its completions. `cargo xtask dist` packs what the programs print. So help,
//! man page and completions cannot differ. `--generate` is no option of the program: it only counts as the first argument,
//! with one value after it.

use std::ffi::OsString;
use std::io::{self, Write};

use clap::{Command, ValueEnum};
use clap_complete::Shell;

/// The word that asks for a [`CommandDocument`].
const REQUEST: &str = "--generate";

/// What a program can print about its command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CommandDocument {
    /// The man page, in section 1, as roff.
    Man,
    /// Completions for bash.
    Bash,
    /// Completions for fish.
    Fish,
    /// Completions for zsh.
    Zsh,
}

impl CommandDocument {
    /// The document that the arguments of a process ask for: `PROGRAM --generate KIND` and nothing else.
    pub fn requested(arguments: impl IntoIterator<Item = OsString>) -> Option<Self> {
        let mut arguments = arguments.into_iter().skip(1);
        let request = arguments.next()?;
        let kind = arguments.next()?;
        let is_request = request == REQUEST && arguments.next().is_none();
        is_request.then(|| Self::from_str(kind.to_str()?, false).ok()).flatten()
    }

    /// Writes the document about `command`.
    ///
    /// # Errors
    ///
    /// Those of `to`.
    pub fn write(self, mut command: Command, to: &mut dyn Write) -> io::Result<()> {
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

    fn requested(words: &[&str]) -> Option<CommandDocument> {
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
    fn only_the_request_alone_asks_for_a_document() {
        assert_eq!(requested(&["prog", "--generate", "man"]), Some(CommandDocument::Man));
        assert_eq!(requested(&["prog", "--generate", "zsh"]), Some(CommandDocument::Zsh));
        for words in [
            &["prog"][..],
            &["prog", "--generate"],
            &["prog", "--generate", "pdf"],
            &["prog", "--generate", "man", "eth0"],
            &["prog", "eth0", "--generate", "man"],
        ] {
            assert_eq!(requested(words), None, "{words:?}");
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
