//! The binary on live interfaces, end to end: in network namespaces that a test makes and removes, with real traffic,
//! asked over HTTP.
//!
//! Each test states what an operator may rely on. They need root and network namespaces, most of them the kernel programs
//! (`cargo xtask build-ebpf`, before the agent is built); where something is missing a test says so and is skipped.
//!
//! | file | is |
//! |---|---|
//! | `agent`, `network`, `dns`, `traffic`, `compare` | what the tests are made of |
//! | `inline`, `tap`, `afpacket` | a way of capture, against what is known of the traffic |
//! | `any`, `absence`, `addresses`, `tags`, `gso` | links and packets of other kinds, and what becomes of them |
//! | `start`, `own_port` | what is counted from when on, and what is not |
//! | `moments` | that a document is of one moment |
//! | `overload`, `neighbours`, `signals`, `traces` | what the agent does to others, and what it leaves behind |

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod absence;
mod addresses;
mod afpacket;
mod agent;
mod any;
mod compare;
mod dns;
mod gso;
mod inline;
mod moments;
mod neighbours;
mod network;
mod overload;
mod own_port;
mod signals;
mod start;
mod tags;
mod tap;
mod traces;
mod traffic;
