//! Agents and answers for tests: a busy name server, and its possible failures.

#![allow(dead_code, reason = "each test binary uses its part")]

pub(crate) mod busy_period;
pub(crate) mod fake_agent;
pub(crate) mod sample;
pub(crate) mod states;
