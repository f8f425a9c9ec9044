//! One client sends most of the queries.

use crate::load::{Client, Transport};
use crate::network::client;
use crate::screen::assert_shows;
use crate::stage::{Stage, require_name_servers};
use crate::watch::{Expected, Fault};
use crate::zones;

const GREEDY: u32 = 30;

#[test]
fn a_client_far_above_the_others_is_named() {
    require_name_servers!();
    let stage = Stage::set();
    stage.assert_quiet();
    let queries = zones::ordinary_queries(GREEDY);
    let fault = Fault::begins();
    let load = Client::start(&stage.network.clients, GREEDY, 1500, Transport::Udp, &queries);
    let address = client(GREEDY);
    let expected = Expected { kind: "greedy_client", subject: ("client", &address), companions: &[] };
    let finding = stage.agent.wait_until_found(&expected, &fault);
    assert_shows(&stage.network.resolver, &finding, "greedy_client");
    drop(load);
    stage.agent.wait_until_cleared();
}
