//! What a run leaves behind: captures, ladders, journeys, events and reports. Everything here reads a trace and writes
//! text or octets; nothing decides or recomputes.

pub mod dispute;
pub mod failover;
pub mod headers;
pub mod journey;
pub mod json;
pub mod ladder;
pub mod layout;
pub mod live;
pub mod outage;
pub mod pcapng;
pub mod report;
pub mod saved;
pub mod story;
pub mod timeline;

/// What every output says about its run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// The scenario's name.
    pub scenario: String,
    /// Its title.
    pub title: String,
    /// The seed.
    pub seed: u64,
    /// All 128 bits of the digest, as hexadecimal digits; `none` if nothing was recorded.
    pub digest: String,
}
