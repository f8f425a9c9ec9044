//! The kernel programs, run by BPF_PROG_TEST_RUN: they need root and a kernel with BPF, but no
//! interface.
//!
//! ```text
//! support     loads and runs programs, or says why this machine cannot
//! captures    the available capture files
//! corpus      packets to run them with
//! verifier    whether the verifier accepts the object
//! equality    kernel and file replay count and sample the same
//! segments    buffers of many packets, and rotated periods
//! ```

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../support/captures.rs"]
mod captures;
mod corpus;
mod equality;
mod segments;
mod support;
mod verifier;
