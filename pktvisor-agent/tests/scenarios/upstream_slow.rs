//! The upstream answers 200 milliseconds late.

use std::time::Duration;

use crate::network::UPSTREAM;
use crate::screen::assert_shows;
use crate::stage::{Stage, require_name_servers};
use crate::watch::{Expected, Fault};

const DELAY: Duration = Duration::from_millis(200);

#[test]
fn an_upstream_that_answers_200_ms_late_is_slow_against_itself() {
    require_name_servers!();
    let (stage, proxy) = Stage::set_with_proxy();
    stage.assert_quiet();
    let fault = Fault::begins();
    proxy.set_delay(DELAY);
    let slow = Expected { kind: "server_slow", subject: ("server", UPSTREAM), companions: &[] };
    let finding = stage.agent.wait_until_found(&slow, &fault);
    assert_shows(&stage.network.resolver, &finding, "upstream_slow");
    proxy.set_delay(Duration::ZERO);
    stage.agent.wait_until_cleared();
}
