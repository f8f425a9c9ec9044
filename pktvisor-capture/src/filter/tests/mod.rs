//! What a filter says of a packet, on a file and in the kernel.

mod agreement;
mod expressions;
mod list;
mod live;
mod long;
mod packets;
mod savefiles;

use super::test_run;
