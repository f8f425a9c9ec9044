//! The commands of a developer: setup, run, test, bench, dist.
//!
//! One file per subcommand (`cargo xtask NAME`), over a few shared pieces: [`command`] starts
//! programs, [`apt`] installs packages, [`steps`] and [`tally`] report, [`measure`] times a
//! process. `cargo xtask` compiles this crate before anything else, so it depends on little.

mod apt;
mod bare_root;
mod bench;
mod bpf_toolchain;
mod build_ebpf;
mod command;
mod dependencies;
mod dist;
mod fuzz;
mod http;
mod measure;
mod node_tools;
mod python_tools;
mod run;
mod setup;
mod soak;
mod steps;
mod tally;
mod test;
mod test_fleet;
mod test_fresh;
mod test_image;
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
    /// Run every check that must pass before a change lands: format, lints, dependencies, tests,
    /// release build, real captures
    Test(test::TestArguments),
    /// Test a fleet: several agents with what collects from them
    TestFleet,
    /// Try the README's commands on a bare Debian or Ubuntu
    TestFresh(test_fresh::TestFreshArguments),
    /// Build the container image and run it
    TestImage(test_image::TestImageArguments),
    /// Install the Debian package of the release build into a bare Debian
    TestPackage,
    /// Test the kernel half on another kernel, in a virtual machine
    TestVm(test_vm::TestVmArguments),
    /// Run every fuzz target
    Fuzz(fuzz::FuzzArguments),
    /// Run the agent for minutes under hostile traffic, and see that nothing grows
    Soak(soak::SoakArguments),
    /// Build the kernel programs
    BuildEbpf(build_ebpf::BuildEbpfArguments),
    /// Measure the cost of a packet
    Bench(bench::BenchArguments),
    /// Build the shipped programs, optimised for typical traffic, and pack them
    Dist(dist::DistArguments),
}

fn main() -> ExitCode {
    let result = match XtaskArguments::parse().task {
        Task::Setup(arguments) => setup::run(&arguments).map(|()| ExitCode::SUCCESS),
        Task::Run(arguments) => run::run(&arguments),
        Task::Test(arguments) => test::run(&arguments),
        Task::TestFleet => test_fleet::run(),
        Task::TestFresh(arguments) => test_fresh::run(&arguments).map(|()| ExitCode::SUCCESS),
        Task::TestImage(arguments) => test_image::run(&arguments).map(|()| ExitCode::SUCCESS),
        Task::TestPackage => test_package::run().map(|()| ExitCode::SUCCESS),
        Task::TestVm(arguments) => test_vm::run(&arguments).map(|()| ExitCode::SUCCESS),
        Task::Fuzz(arguments) => fuzz::run(&arguments).map(|()| ExitCode::SUCCESS),
        Task::Soak(arguments) => soak::run(&arguments).map(|()| ExitCode::SUCCESS),
        Task::BuildEbpf(arguments) => build_ebpf::run(&arguments).map(|()| ExitCode::SUCCESS),
        Task::Bench(arguments) => bench::run(&arguments).map(|()| ExitCode::SUCCESS),
        Task::Dist(arguments) => dist::run(&arguments).map(|()| ExitCode::SUCCESS),
    };
    result.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}
