//! The web page in headless Chromium: what it shows, what it does not run, and whom it asks.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod away;
mod browser;
mod fleet;
mod hostile;
mod one_agent;
#[path = "../support/mod.rs"]
mod support;
mod union;

use support::Served;

/// The bundled capture: three periods of generated traffic.
const DEMO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../captures/demo.pcap");

/// The HOST of its traffic.
const HOST: &str = "192.0.2.0/28,2001:db8:53::/64";

/// Returns from the test, and reports it as skipped, where there is no browser.
macro_rules! require_browser {
    () => {
        testbed::require!(testbed::Need::Program("chromium"), testbed::Need::Program("chromedriver"))
    };
}
pub(crate) use require_browser;

/// An agent that has read the bundled capture.
fn agent(options: &[&str]) -> Served {
    let mut agent = Served::start(&[options, &["-H", HOST, DEMO]].concat());
    agent.line();
    agent
}
