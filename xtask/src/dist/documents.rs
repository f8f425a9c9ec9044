//! Man pages and shell completions, as the programs print them about themselves (`PROGRAM --generate KIND`).

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

/// One kind of document: the word that asks a program for it, and where it lies, relative to the programs.
struct DocumentKind {
    word: &'static str,
    path: fn(&str) -> String,
}

const KINDS: &[DocumentKind] = &[
    DocumentKind { word: "man", path: man_page },
    DocumentKind { word: "bash", path: bash_completions },
    DocumentKind { word: "fish", path: fish_completions },
    DocumentKind { word: "zsh", path: zsh_completions },
];

/// The man page of `program`.
pub(crate) fn man_page(program: &str) -> String {
    format!("man/{program}.1")
}

/// Its completions for bash, under the name that bash-completion looks for.
pub(crate) fn bash_completions(program: &str) -> String {
    format!("completions/bash/{program}")
}

/// Its completions for fish.
pub(crate) fn fish_completions(program: &str) -> String {
    format!("completions/fish/{program}.fish")
}

/// Its completions for zsh.
pub(crate) fn zsh_completions(program: &str) -> String {
    format!("completions/zsh/_{program}")
}

/// Writes all documents of the `programs` in `directory` below it. Returns their paths, relative to it.
pub(crate) fn write(directory: &Path, programs: &[&str]) -> Result<Vec<String>> {
    let mut written = Vec::new();
    for program in programs {
        for DocumentKind { word, path } in KINDS {
            let path = path(program);
            let text = print(&directory.join(program), word)?;
            let file = directory.join(&path);
            let parent: PathBuf = file.parent().unwrap_or(directory).to_owned();
            fs::create_dir_all(&parent).with_context(|| format!("cannot create {}", parent.display()))?;
            fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
            written.push(path);
        }
    }
    Ok(written)
}

/// What a program prints about itself.
fn print(program: &Path, kind: &str) -> Result<Vec<u8>> {
    let line = format!("{} --generate {kind}", program.display());
    let output = Command::new(program)
        .args(["--generate", kind])
        .output()
        .with_context(|| format!("cannot start `{line}`"))?;
    if !output.status.success() || output.stdout.is_empty() {
        bail!("`{line}` failed ({}): {}", output.status, String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(output.stdout)
}
