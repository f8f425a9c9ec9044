//! Many clients query random names of one zone ("water torture").

use crate::load::DatagramSenders;
use crate::screen::assert_shows;
use crate::stage::{Stage, require_name_servers};
use crate::watch::{Expected, Fault};
use crate::zones::{self, VICTIM};

#[test]
fn a_flood_of_random_names_is_found_by_its_zone_although_each_name_is_rare() {
    require_name_servers!();
    let stage = Stage::set();
    stage.assert_quiet();
    let fault = Fault::begins();
    let flood = DatagramSenders::start(&stage.network.clients, 20..80, 600, zones::random_subdomains());
    let expected = Expected { kind: "random_subdomains", subject: ("zone", VICTIM), companions: &[] };
    let finding = stage.agent.wait_until_found(&expected, &fault);
    assert!(finding.who.is_empty(), "60 clients are many: {finding:?}");
    assert_shows(&stage.network.resolver, &finding, "random_subdomains");
    drop(flood);
    stage.agent.wait_until_cleared();
}
