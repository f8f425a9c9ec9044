//! Reads, paces, generates and sends packet captures.
