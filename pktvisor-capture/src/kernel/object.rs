//! The BPF object that was built into the agent.

/// The object, if there was one when the agent was built.
pub fn embedded() -> Option<&'static [u8]> {
    #[cfg(bpf_object)]
    return Some(aya::include_bytes_aligned!(env!("PKTVISOR_EMBEDDED_BPF_OBJECT")));
    #[cfg(not(bpf_object))]
    None
}
