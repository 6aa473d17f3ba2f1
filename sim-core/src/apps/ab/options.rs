//! What `ab` was told.

use crate::base::time::Duration;
use crate::wire::flow::SocketAddr;

/// Below this many requests nothing is said on the way.
pub(super) const HEARTBEAT_FROM: u64 = 150;

/// What was typed.
#[derive(Clone, Debug)]
pub struct Options {
    /// The host of the URL.
    pub host: String,
    /// Its address and port.
    pub remote: SocketAddr,
    /// The path.
    pub path: String,
    /// The URL as it stands in the trace.
    pub url: String,
    /// `-n`.
    pub requests: u64,
    /// `-c`.
    pub lanes: u64,
    /// `-t`.
    pub longest: Option<Duration>,
    /// `-s`: the longest an answer may take.
    pub patience: Duration,
    /// `-k`.
    pub keeps: bool,
    /// `-i`: HEAD.
    pub head_only: bool,
    /// `-r`: errors do not end it.
    pub goes_on: bool,
    /// `-q`: no progress.
    pub quiet: bool,
    /// `-H`: further header lines.
    pub headers: Vec<String>,
}
