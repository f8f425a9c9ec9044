//! The kernel programs, run by BPF_PROG_TEST_RUN: they need no interface, but root and a kernel with BPF.
//!
//! ```text
//! support     loads programs, runs them, or says why that cannot be done here
//! captures    the files that are at hand
//! corpus      packets to run them with
//! verifier    what the kernel makes of the object
//! equality    kernel and file replay count and choose the same
//! segments    buffers of many packets, and the turns of periods
//! ```

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../support/captures.rs"]
mod captures;
mod corpus;
mod equality;
mod segments;
mod support;
mod verifier;
