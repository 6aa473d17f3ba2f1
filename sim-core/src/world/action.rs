//! What the script does to the world, and what of it a node is told.

use super::link::LinkChange;
use crate::base::id::{LineId, NodeId, PortId};
use crate::trace::Cast;
use crate::trace::filter::Filter;
use crate::wire::frame::Frame;

/// Something the script does at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// To one node: type a line, switch off, freeze and so on.
    To(NodeId, Action),
    /// Pulls the cable at this port: the signal goes at both ends, and what was under way is lost.
    Unplug(PortId),
    /// Plugs it in again.
    Plug(PortId),
    /// Changes the cable at this port, in both directions.
    SetLink(PortId, LinkChange),
    /// A switch stops some frames, one way. It is counted from 0 among the deeds of this kind.
    Cut {
        /// The switch.
        switch: NodeId,
        /// Frames that come from the side of one of these; none: from anywhere.
        from: Option<Vec<NodeId>>,
        /// Frames that would go to the side of one of these; none: to anywhere.
        to: Option<Vec<NodeId>>,
        /// Frames that pass this filter only. The loader refuses filters that ask what only a capture knows.
        packet: Option<Filter>,
    },
    /// Ends all cuts of this switch.
    Heal {
        /// The switch.
        switch: NodeId,
    },
}

/// What the script does to a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Start, and run the boot lines: at t = 0, before anything of the script.
    Boot,
    /// Type a line on a terminal of its own. The host owns the line.
    Run(LineId),
    /// The cable of a port got or lost its signal.
    Carrier {
        /// The port.
        port: PortId,
        /// Got it.
        up: bool,
    },
    /// Switch off: everything in memory is lost, and the cables keep their signal.
    PowerOff,
    /// Switch on, and run the boot lines again.
    PowerOn,
    /// `kill -9` of everything, and silence.
    Crash,
    /// Stop as if the machine were suspended.
    Freeze,
    /// Go on after `Freeze`.
    Thaw,
    /// A switch stops some frames. Hosts ignore it: the loader lets it be said to switches only.
    Cut(Cut),
    /// A switch ends all its cuts.
    Heal,
}

/// Frames that a switch stops.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Its number in the script, from 0.
    pub number: u32,
    /// The ports they come in by; none: any.
    pub from: Option<Vec<PortId>>,
    /// The ports they would leave by; none: any.
    pub to: Option<Vec<PortId>>,
    /// What they are; none: anything.
    pub packet: Option<Filter>,
}

impl Deed {
    /// In the words of a scenario file: `unplug n1:eth0`, `cut in lan from n1 to n2: vrrp`. Empty for what is said
    /// elsewhere: a typed line.
    pub fn said(&self, cast: &Cast) -> String {
        let node = |node: &NodeId| cast.nodes[node.index()].name.to_string();
        let port = |port: &PortId| {
            let card = &cast.ports[port.index()];
            format!("{}:{}", node(&card.node), card.name)
        };
        let side = |word: &str, nodes: &Option<Vec<NodeId>>| match nodes {
            Some(nodes) => format!(" {word} {}", nodes.iter().map(node).collect::<Vec<_>>().join(", ")),
            None => String::new(),
        };
        match self {
            Deed::To(_, Action::Boot | Action::Run(_)) => String::new(),
            Deed::To(node_id, Action::Carrier { up: true, .. }) => format!("signal at {}", node(node_id)),
            Deed::To(node_id, Action::Carrier { up: false, .. }) => format!("no signal at {}", node(node_id)),
            Deed::To(node_id, Action::PowerOff) => format!("power_off {}", node(node_id)),
            Deed::To(node_id, Action::PowerOn) => format!("power_on {}", node(node_id)),
            Deed::To(node_id, Action::Crash) => format!("crash {}", node(node_id)),
            Deed::To(node_id, Action::Freeze) => format!("freeze {}", node(node_id)),
            Deed::To(node_id, Action::Thaw) => format!("thaw {}", node(node_id)),
            Deed::To(switch, Action::Cut(_)) => format!("cut in {}", node(switch)),
            Deed::To(switch, Action::Heal) => format!("heal {}", node(switch)),
            Deed::Unplug(at) => format!("unplug {}", port(at)),
            Deed::Plug(at) => format!("plug {}", port(at)),
            Deed::SetLink(at, change) => format!("set_link {}{}", port(at), change.said()),
            Deed::Cut { switch, from, to, packet } => {
                let what = packet.as_ref().map_or(String::new(), |packet| format!(": {}", packet.text()));
                format!("cut in {}{}{}{what}", node(switch), side("from", from), side("to", to))
            }
            Deed::Heal { switch } => format!("heal {}", node(switch)),
        }
    }
}

impl Cut {
    /// Whether the cut stops a frame that comes in by `from` on its way to `to`.
    pub fn stops(&self, frame: &Frame, from: PortId, to: PortId) -> bool {
        let is_among = |ports: &Option<Vec<PortId>>, port| ports.as_ref().is_none_or(|ports| ports.contains(&port));
        let is_meant = |filter: &Filter| filter.matches_frame(frame.bytes());
        is_among(&self.from, from) && is_among(&self.to, to) && self.packet.as_ref().is_none_or(is_meant)
    }
}
