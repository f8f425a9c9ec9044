//! Sends packet captures: [`send::send`] puts their packets onto an interface.
//!
//! The library is what tests of live capture send with, and nothing else should depend on it: whoever wants to read a
//! capture needs `capture-file`, and whoever wants made-up traffic `dns-traffic`. The binary puts the three together.

pub mod send;
