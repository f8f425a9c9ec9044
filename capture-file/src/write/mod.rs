//! Writing capture files: pcap for files, pcapng for streams of packets of several link types.

mod pcap;
mod pcapng;

pub use pcap::{PcapWriter, WriteError};
pub use pcapng::PcapngEncoder;
