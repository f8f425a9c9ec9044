//! An answer has become too large for UDP: clients get it truncated and try again over TCP.

use crate::load::{Client, Transport};
use crate::screen::assert_shows;
use crate::stage::{Stage, require_name_servers};
use crate::watch::{Expected, Fault};
use crate::zones::{LARGE_ANSWER, LARGE_ZONE};

#[test]
fn truncated_answers_and_the_queries_over_tcp_that_follow_them_are_found() {
    require_name_servers!();
    let stage = Stage::set();
    stage.assert_quiet();
    let queries = format!("{LARGE_ANSWER} TXT\n");
    let start = |n, transport| Client::start(&stage.network.clients, n, 50, transport, &queries);
    let fault = Fault::begins();
    let load: Vec<_> = (40..44).flat_map(|n| [start(n, Transport::Udp), start(n, Transport::Tcp)]).collect();
    let expected = Expected { kind: "truncation_storm", subject: ("zone", LARGE_ZONE), companions: &[] };
    let finding = stage.agent.wait_until_found(&expected, &fault);
    assert_shows(&stage.network.resolver, &finding, "truncation_storm");
    drop(load);
    stage.agent.wait_until_cleared();
}
