//! The comparison with the real thing: recordings of a real Linux and a real keepalived, read, replayed and compared.
//!
//! ```text
//!   recording   what was recorded: cases, what was done, what every NIC saw
//!   replay      the same done to the lab, and what came out compared
//!   differences the table of differences that are accepted, each with its reason
//!   score       the figures
//!   attack      where a stranger's text or octets come in, for the fuzzers
//! ```
//! The tests of the whole lab live in `lab/`.

pub mod attack;
pub mod differences;
pub mod recording;
pub mod replay;
pub mod score;
