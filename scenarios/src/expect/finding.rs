//! What a judgement comes to, and how it names hosts.

use crate::model::HostIndex;
use sim_core::base::id::NodeId;

/// A finding: nothing if it holds, or what was observed.
pub(super) type Finding = Result<(), Vec<String>>;

/// Hosts come first among the nodes, in file order.
pub(super) fn node(host: HostIndex) -> NodeId {
    NodeId(host as u32)
}
