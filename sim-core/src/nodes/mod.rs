//! Room nodes.

pub mod host;
pub mod puppet;
pub mod switch;
