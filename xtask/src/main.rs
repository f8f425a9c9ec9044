//! Everything a developer types: setup, run, test, bench, dist.
//!
//! One file per subcommand (`cargo xtask NAME`), over a few shared pieces: [`command`] starts programs, [`apt`]
//! installs packages, [`steps`] and [`tally`] report, [`measure`] times a process. `cargo xtask` compiles this crate
//! before anything else, so it depends on little.

mod apt;
mod bench;
mod bpf_toolchain;
mod build_ebpf;
mod command;
mod dependencies;
mod dist;
mod measure;
mod run;
mod setup;
mod steps;
mod tally;
mod test;
mod test_package;
mod test_vm;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "xtask", bin_name = "cargo xtask", about = "What a developer of pktvisor types", version)]
struct XtaskArguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Install what the build and the tests need (Debian, Ubuntu)
    Setup(setup::SetupArguments),
    /// Build the agent and the terminal UI, summarise the bundled capture and serve it on localhost
    Run(run::RunArguments),
    /// Everything that must hold before a change lands: format, lints, dependencies, tests, release build, real captures
    Test(test::TestArguments),
    /// The Debian package of the release build, installed into a bare Debian
    TestPackage,
    /// The tests of the kernel half on another kernel, in a virtual machine
    TestVm(test_vm::TestVmArguments),
    /// Build the kernel programs
    BuildEbpf(build_ebpf::BuildEbpfArguments),
    /// Measure what a packet costs
    Bench(bench::BenchArguments),
    /// Build what is shipped, optimised for the traffic it will see, and pack it
    Dist(dist::DistArguments),
}

fn main() -> ExitCode {
    let result = match XtaskArguments::parse().task {
        Task::Setup(arguments) => setup::run(&arguments).map(|()| ExitCode::SUCCESS),
        Task::Run(arguments) => run::run(&arguments),
        Task::Test(arguments) => test::run(&arguments),
        Task::TestPackage => test_package::run().map(|()| ExitCode::SUCCESS),
        Task::TestVm(arguments) => test_vm::run(&arguments).map(|()| ExitCode::SUCCESS),
        Task::BuildEbpf(arguments) => build_ebpf::run(&arguments).map(|()| ExitCode::SUCCESS),
        Task::Bench(arguments) => bench::run(&arguments).map(|()| ExitCode::SUCCESS),
        Task::Dist(arguments) => dist::run(&arguments).map(|()| ExitCode::SUCCESS),
    };
    result.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}
