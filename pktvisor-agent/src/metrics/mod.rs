//! What is remembered: counters and sketches in a ring of 60-second periods.
