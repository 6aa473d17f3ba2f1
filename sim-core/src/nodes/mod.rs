//! Room nodes.
