//! The watched interface is deleted and made again.

use crate::network::WATCHED;
use crate::screen::assert_shows;
use crate::stage::{Stage, require_name_servers};
use crate::watch::{Expected, Fault};

#[test]
fn an_interface_that_is_gone_is_named() {
    require_name_servers!();
    let mut stage = Stage::set();
    stage.assert_quiet();
    let fault = Fault::begins();
    stage.network.unplug();
    let expected = Expected { kind: "interface_gone", subject: ("interface", WATCHED), companions: &[] };
    let finding = stage.agent.wait_until_found(&expected, &fault);
    assert_shows(&stage.network.resolver, &finding, "interface_gone");
    stage.network.plug();
    stage.agent.wait_until_cleared();
}
