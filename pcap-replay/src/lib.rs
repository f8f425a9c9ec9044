//! Sends packet captures: [`send::send`] puts their packets onto an interface.
//!
//! Tests of live capture send with the library, and nothing else should depend on it: to read a capture use
//! `capture-file`, to generate traffic use `dns-traffic`. The binary puts the three together.

pub mod send;
