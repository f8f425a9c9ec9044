//! The counters of the filter programs that the agent generates: entries of a per-processor array
//! of `u64`.

/// Packets that the filter took out.
pub const FILTERED: u32 = 0;
/// Packets among them with a VLAN tag, if the expression does not mention tags.
pub const FILTERED_TAGGED: u32 = 1;
/// How many counters there are.
pub const FILTERED_ENTRIES: usize = 2;
