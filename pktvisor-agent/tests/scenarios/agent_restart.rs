//! The agent is restarted, at first in ordinary traffic, then during an incident.

use crate::stage::{Stage, require_name_servers};
use crate::upstream_dies::DEAD_UPSTREAM;
use crate::watch::Fault;

#[test]
fn a_restarted_agent_invents_nothing_and_finds_an_incident_again() {
    require_name_servers!();
    let mut stage = Stage::set();
    // Answers to queries from before its start have no query, and it does not know what is usual.
    stage.restart_agent();
    stage.assert_quiet();

    let fault = Fault::begins();
    stage.upstream.hang();
    stage.agent.wait_until_found(&DEAD_UPSTREAM, &fault);
    // It knows nothing of what was before its start.
    let restart = Fault::begins();
    stage.restart_agent();
    stage.agent.wait_until_found(&DEAD_UPSTREAM, &restart);
    stage.end_outage();
    stage.agent.wait_until_cleared();
}
