//! What is cabled to what, as a tree from the first client outwards: one line per node, so that a line can be chosen.

use sim_core::base::id::{NodeId, PortId};
use sim_core::trace::Trace;

/// A line of the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Branch {
    /// What stands before the name: `│  └─`.
    pub(crate) stem: String,
    /// The node.
    pub(crate) node: NodeId,
    /// Its port towards the node above it.
    pub(crate) up: Option<PortId>,
}

/// The tree of a run; nodes that nothing leads to begin trees of their own.
pub(crate) fn of(trace: &Trace) -> Vec<Branch> {
    let nodes = &trace.cast.nodes;
    let all = || (0..nodes.len() as u32).map(NodeId);
    let client = all().find(|node| &*nodes[node.index()].role == "client");
    let hosts = all().filter(|node| !nodes[node.index()].is_switch);
    let mut seen = vec![false; nodes.len()];
    let mut lines = Vec::new();
    for root in client.into_iter().chain(hosts).chain(all()) {
        if !std::mem::replace(&mut seen[root.index()], true) {
            grow(trace, Branch { stem: String::new(), node: root, up: None }, "", &mut seen, &mut lines);
        }
    }
    lines
}

/// Breadth is claimed before depth: what hangs at a node is drawn below it, not below one of its children.
fn grow(trace: &Trace, branch: Branch, stem: &str, seen: &mut [bool], lines: &mut Vec<Branch>) {
    let node = branch.node;
    lines.push(branch);
    let ports = &trace.cast.ports;
    let own = ports.iter().filter(|card| card.node == node).filter_map(|card| card.peer);
    let children: Vec<PortId> =
        own.filter(|peer| !std::mem::replace(&mut seen[ports[peer.index()].node.index()], true)).collect();
    for (port, index) in children.iter().zip(1..) {
        let last = index == children.len();
        let joint = format!("{stem}{}", if last { "└─" } else { "├─" });
        let below = format!("{stem}{}", if last { "  " } else { "│ " });
        let child = Branch { stem: joint, node: ports[port.index()].node, up: Some(*port) };
        if below.len() < STEM_MAX {
            grow(trace, child, &below, seen, lines);
        } else {
            lines.push(child);
        }
    }
}

/// Deeper than this a chain of machines is not indented further.
const STEM_MAX: usize = 60;
