//! Agents and answers for tests: a busy name server, and everything that can be wrong with one.

#![allow(dead_code, reason = "each test binary uses its part")]

pub(crate) mod fake_agent;
pub(crate) mod sample;
pub(crate) mod states;
