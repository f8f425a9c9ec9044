//! An agent at a link-local address, over a real link: the address leads nowhere without its
//! interface.

mod support;

use std::net::SocketAddr;

use pktvisor_api::{App, AppInfo};
use pktvisor_tui::model::SavedAgent;
use support::{
    fake_agent::{FakeAgent, Reply},
    sample,
};
use testbed::{Namespace, Need, Veth};

/// An agent on a port of its own of every address of this namespace.
fn agent() -> FakeAgent {
    let agent = FakeAgent::start_on("[::]:0".parse::<SocketAddr>().expect("an address"));
    let app = App {
        app: AppInfo { version: "3.0.7".to_owned(), periods: 5, ..AppInfo::default() },
        ..App::default()
    };
    agent
        .on("app", Reply::json(serde_json::to_vec(&app).expect("it serialises")))
        .on("rates", Reply::json(r#"{"packets":{"in":412,"out":390}}"#))
        .on("window/5", Reply::json(sample::OLDER_WINDOW));
    agent
}

#[test]
fn an_agent_is_reached_at_a_link_local_address_through_the_interface_that_is_named() {
    testbed::require!(Need::Namespaces, Need::Program("ethtool"));
    let (here, there) = (Namespace::new(), Namespace::new());
    let pair = Veth::new(&here, &there).addresses("fe80::53:1/64", "fe80::53:2/64").create();
    let agent = there.run(agent);
    let (port, interface) = (agent.address.port(), pair.left.name());
    let index = here.run(|| std::fs::read_to_string(format!("/sys/class/net/{interface}/ifindex")));
    let index = index.expect("it exists").trim().to_owned();

    for host in [
        format!("[fe80::53:2%{interface}]:{port}"),
        format!("[fe80::53:2%25{interface}]:{port}"),
        format!("http://[fe80::53:2%25{interface}]:{port}/"),
        format!("[fe80::53:2%{index}]:{port}"),
        format!("fe80::53:2%{interface}"),
    ] {
        let mut command = here.command(env!("CARGO_BIN_EXE_pktvisor"));
        command.args(["--once", "--format", "json", "-p", &port.to_string(), "-H", &host]);
        let output = command.output().expect("it runs");
        assert!(output.status.success(), "{host}: {output:?}");
        let saved: SavedAgent = serde_json::from_slice(&output.stdout).expect("one object");
        assert!(saved.agent.starts_with("[fe80::53:2%") && !saved.metrics.is_empty(), "{host}: {saved:?}");
    }

    let mut command = here.command(env!("CARGO_BIN_EXE_pktvisor"));
    let output = command.args(["--once", "-H", "[fe80::53:2%lo]:1"]).output().expect("it runs");
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(error.contains("interface lo does not exist, is down, or has no IPv6 address"), "{error}");
    // Its end would wait for a connection to it, which this namespace cannot make.
    std::mem::forget(agent);
}
