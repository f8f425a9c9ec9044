//! The choice of DNS flows for deep analysis.
