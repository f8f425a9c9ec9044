//! Sends packet captures: [`send::send`] puts their packets onto an interface.
//!
//! Only tests of live capture should depend on this library: to read a capture use `capture-file`,
//! to generate traffic use `dns-traffic`. The binary combines the three.

pub mod send;
