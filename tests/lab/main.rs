//! The lab's own tests: scenarios, laws, outputs. One binary.

mod laws;
