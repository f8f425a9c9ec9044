//! Sends packet captures, and generates them.
//!
//! [`send::send`] puts the packets of a capture onto an interface.
//! [`generate::Generator`] makes packets of which the right summary is known.

pub mod generate;
pub mod send;
