//! One client sends queries that cannot be parsed.

use crate::load::DatagramSenders;
use crate::network::client;
use crate::screen::assert_shows;
use crate::stage::{Stage, require_name_servers};
use crate::watch::{Expected, Fault};
use crate::zones;

const BROKEN: u32 = 50;

#[test]
fn a_client_that_sends_malformed_queries_is_named() {
    require_name_servers!();
    let stage = Stage::set();
    stage.assert_quiet();
    let clients = BROKEN..BROKEN + 1;
    let fault = Fault::begins();
    let flood = DatagramSenders::start(&stage.network.clients, clients, 100, zones::malformed_queries());
    let address = client(BROKEN);
    let expected = Expected { kind: "malformed_client", subject: ("client", &address), companions: &[] };
    let finding = stage.agent.wait_until_found(&expected, &fault);
    assert_shows(&stage.network.resolver, &finding, "malformed_client");
    drop(flood);
    stage.agent.wait_until_cleared();
}
