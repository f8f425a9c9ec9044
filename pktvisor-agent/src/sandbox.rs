//! Enters the sandbox: which files the options need, and how the agent reports what holds.

use std::path::{Path, PathBuf};

use pktvisor_api::{SandboxInfo, SandboxState};
use pktvisor_sandbox::{Needs, Protection, Sandbox};

use crate::archive;
use crate::cli::{Options, Target};

/// Restricts the process to what these options need, unless they turn that off. Call it before any
/// thread starts.
///
/// # Errors
///
/// The directory of the archive, which has to exist before, cannot be created.
pub fn enter(options: &Options) -> anyhow::Result<SandboxInfo> {
    let mut needs = Needs { readable: readable(options), ..Needs::default() };
    // Landlock allows ports, not addresses: the name of the collector is looked up again each time.
    needs.ports.extend(options.otlp.iter().map(|otlp| otlp.endpoint.port()));
    archive::prepare(options, &mut needs)?;
    if options.no_sandbox {
        return Ok(SandboxInfo::default());
    }
    let Sandbox { files, connections, system_calls } = pktvisor_sandbox::enter(&needs);
    for (what, protection) in
        [("files", &files), ("connections", &connections), ("system calls", &system_calls)]
    {
        if let Protection::Unavailable(reason) = protection {
            tracing::debug!("sandbox: {what} are not restricted: {reason}");
        }
    }
    Ok(SandboxInfo {
        files: state(&files),
        connections: state(&connections),
        system_calls: state(&system_calls),
    })
}

/// Logs what holds.
pub(crate) fn announce(info: SandboxInfo) {
    let [files, connections, system_calls] = [info.files, info.connections, info.system_calls].map(name);
    tracing::info!("sandbox: files {files}, connections {connections}, system calls {system_calls}");
}

fn state(protection: &Protection) -> SandboxState {
    match protection {
        Protection::Enforced => SandboxState::Enforced,
        Protection::Partial => SandboxState::Partial,
        Protection::Unavailable(_) => SandboxState::Unavailable,
    }
}

fn name(state: SandboxState) -> &'static str {
    match state {
        SandboxState::Enforced => "restricted",
        SandboxState::Partial => "partly restricted",
        SandboxState::Unavailable => "not restricted, because the kernel cannot",
        SandboxState::Off => "not restricted",
    }
}

/// The files that the agent may open now or later.
fn readable(options: &Options) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = options.bpf_object.iter().cloned().collect();
    if let Target::File(path) = &options.target {
        paths.push(path.clone());
    }
    // A database is replaced by another file of its name, so its directory has to be readable; if
    // the name is a link, also that of the file behind it.
    for database in [&options.geo_city, &options.geo_asn].into_iter().flatten() {
        paths.extend(directory(database));
        paths.extend(database.canonicalize().ok().as_deref().and_then(directory));
    }
    paths
}

fn directory(file: &Path) -> Option<PathBuf> {
    let parent = file.parent()?;
    Some(if parent.as_os_str().is_empty() { PathBuf::from(".") } else { parent.to_owned() })
}
