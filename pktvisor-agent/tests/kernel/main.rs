//! The kernel programs, run by BPF_PROG_TEST_RUN: they need no interface, but root and a kernel
//! with BPF.
//!
//! ```text
//! support     loads and runs programs, or prints why that is impossible
//! captures    the available files
//! corpus      packets to run them with
//! verifier    the verdict of the kernel on the object
//! equality    kernel and file replay count and sample the same packets
//! segments    buffers of many packets, and rotation of periods
//! ```

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../support/captures.rs"]
mod captures;
mod corpus;
mod equality;
mod segments;
mod support;
mod verifier;
