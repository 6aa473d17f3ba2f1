//! Room nodes.

pub mod puppet;
pub mod switch;
