//! The upstream hangs: queries to it stay without an answer.

use std::time::Duration;

use crate::network::UPSTREAM;
use crate::screen::assert_shows;
use crate::stage::{Stage, require_name_servers};
use crate::watch::{Expected, Fault};

/// The clients get no answer either, and then SERVFAIL.
pub(crate) const DEAD_UPSTREAM: Expected<'static> = Expected {
    kind: "server_unanswered",
    subject: ("server", UPSTREAM),
    companions: &["server_srvfail", "zone_srvfail", "server_slow"],
};

#[test]
fn an_upstream_that_hangs_is_named() {
    require_name_servers!();
    let mut stage = Stage::set();
    stage.assert_quiet();
    let fault = Fault::begins();
    stage.upstream.hang();
    let finding = stage.agent.wait_until_found(&DEAD_UPSTREAM, &fault);
    assert_shows(&stage.network.resolver, &finding, "upstream_dies");
    // The resolver asks it less and less.
    stage.agent.assert_still_found_for(&DEAD_UPSTREAM, Duration::from_secs(20));
    stage.end_outage();
    stage.agent.wait_until_cleared();
}
