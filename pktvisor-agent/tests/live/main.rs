//! The binary on live interfaces, end to end: in network namespaces that a test makes and removes,
//! with real traffic and HTTP requests.
//!
//! Each test states a fact that an operator may rely on. The tests need root and network
//! namespaces, most of them the kernel programs (`cargo xtask build-ebpf`, before the agent is
//! built). If something is missing, a test prints that and is skipped.
//!
//! | file | is |
//! |---|---|
//! | `agent`, `network`, `dns`, `traffic`, `compare` | helpers |
//! | `inline`, `tap`, `afpacket` | a capture mode, compared with the known traffic |
//! | `any`, `absence`, `addresses`, `tags`, `gso` | other kinds of links and packets, and their changes |
//! | `start`, `own_port` | the first packet that counts, and packets that do not count |
//! | `moments` | a document describes one moment |
//! | `cost` | CPU time by role of the threads |
//! | `watching` | what clients look into: a focus, the last seconds, packets |
//! | `overload`, `neighbours`, `signals`, `traces` | overload, other programs, signals, and the end of the agent |

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod absence;
mod addresses;
mod afpacket;
mod agent;
mod any;
mod compare;
mod cost;
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
mod watching;
