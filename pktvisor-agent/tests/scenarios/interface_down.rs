//! The watched interface goes down and up again.

use crate::network::WATCHED;
use crate::screen::assert_shows;
use crate::stage::{Stage, require_name_servers};
use crate::watch::{Expected, Fault};

#[test]
fn an_interface_that_is_down_is_named() {
    require_name_servers!();
    let stage = Stage::set();
    stage.assert_quiet();
    let fault = Fault::begins();
    stage.network.set_down();
    let expected = Expected { kind: "interface_down", subject: ("interface", WATCHED), companions: &[] };
    let finding = stage.agent.wait_until_found(&expected, &fault);
    assert_shows(&stage.network.resolver, &finding, "interface_down");
    stage.network.set_up();
    stage.agent.wait_until_cleared();
}
