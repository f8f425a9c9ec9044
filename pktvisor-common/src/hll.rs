//! HyperLogLog registers as Apache DataSketches fills them.
