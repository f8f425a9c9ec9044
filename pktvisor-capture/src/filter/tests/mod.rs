//! What a filter says of a packet, on a file and in the kernel.

mod agreement;
mod expressions;
mod list;
mod live;
mod packets;
mod test_run;
