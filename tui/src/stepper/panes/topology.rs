//! What is cabled to what, the state of hosts and cables, and the frame in flight on its cable.

use super::brush::{cut, framed, line, list, start};
use crate::stepper::model::Model;
use crate::stepper::pane::PaneId;
use crate::stepper::theme::Ink;
use crate::stepper::tree::Branch;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use sim_core::base::id::{NodeId, PortId};
use sim_core::trace::Kind;
use sim_core::trace::record::{LinkKind, ServiceKey, VrrpState};
use sim_core::wire::summary;
use std::collections::BTreeSet;

/// A frame on a cable: from port to port.
struct Flight {
    from: PortId,
    text: String,
}

/// Draws it.
pub(crate) fn view(frame: &mut Frame, area: Rect, model: &Model) {
    let inside = framed(frame, area, model, PaneId::Topology, "TOPOLOGY");
    let run = model.run();
    let flight = flight(model);
    let width = inside.width as usize;
    let vips: BTreeSet<std::net::Ipv4Addr> = run
        .trace
        .services
        .iter()
        .filter_map(|record| match record.key {
            ServiceKey::Address(_, end) => Some(end.address),
            ServiceKey::Mark(_) => None,
        })
        .chain(run.trace.vrrp.iter().flat_map(|record| record.addresses.iter().copied()))
        .collect();
    let here = row(model);
    let first = start(run.tree.len(), here, inside.height as usize);
    let lines: Vec<Line> = run
        .tree
        .iter()
        .skip(first)
        .take(inside.height as usize)
        .map(|branch| one(model, branch, flight.as_ref(), &vips, width))
        .collect();
    list(frame, inside, model, PaneId::Topology, lines, Some(here - first));
}

/// The line of the host that is looked at.
pub(crate) fn row(model: &Model) -> usize {
    let node = model.node();
    model.run().tree.iter().position(|branch| branch.node == node).unwrap_or(0)
}

/// The frame that leaves or comes in at this event.
fn flight(model: &Model) -> Option<Flight> {
    let run = model.run();
    let event = run.trace.events.get(model.cursor.0 as usize)?;
    let (port, bytes, length, leaves) = match event.kind {
        Kind::Sent { port, bytes, length } => (port, bytes, length, true),
        Kind::Received { port, bytes, length } => (port, bytes, length, false),
        _ => return None,
    };
    let peer = run.trace.cast.ports[port.index()].peer?;
    let from = if leaves { port } else { peer };
    let (head, tail) = run.trace.bytes(bytes);
    Some(Flight { from, text: summary::brief(&[head, tail].concat(), length as usize) })
}

fn one(
    model: &Model,
    branch: &Branch,
    flight: Option<&Flight>,
    vips: &BTreeSet<std::net::Ipv4Addr>,
    width: usize,
) -> Line<'static> {
    let run = model.run();
    let card = &run.trace.cast.nodes[branch.node.index()];
    let is_here = branch.node == model.node();
    let mark = if is_here { "▌" } else { " " };
    let name = if card.is_switch { format!("({})", card.name) } else { card.name.to_string() };
    let role = if *card.role == *card.name || card.is_switch { "" } else { &card.role };
    let mut pieces = vec![
        (Ink::Plain, mark.to_string()),
        (Ink::Faint, branch.stem.clone()),
        (if is_here { Ink::Here } else { Ink::Plain }, format!("{name} ")),
    ];
    // The cable of this line is the one towards the node above it.
    if let (Some(flight), Some(up)) = (flight, branch.up) {
        let down = run.trace.cast.ports[up.index()].peer;
        let text = cut(&flight.text, 24);
        if flight.from == up {
            pieces.push((Ink::Changed, format!("↑▐{text}▌ ")));
        } else if Some(flight.from) == down {
            pieces.push((Ink::Changed, format!("↓▐{text}▌ ")));
        }
    }
    pieces.extend(state(model, branch.node, branch.up));
    pieces.push((Ink::Faint, format!("{role} ")));
    pieces.push((Ink::Plain, addresses(model, branch.node, vips)));
    line(model, &pieces, width)
}

/// `.92.4  VIP .92.100`: the installer's addresses, and the VIPs it holds now.
fn addresses(model: &Model, node: NodeId, vips: &BTreeSet<std::net::Ipv4Addr>) -> String {
    let run = model.run();
    let own = run.trace.cast.ports.iter().filter(|port| port.node == node).filter_map(|port| port.address);
    let mut text = own.map(|net| net.addr().to_string()).collect::<Vec<_>>().join(" ");
    let held: BTreeSet<_> = model.tables.node(&run.trace, node).addresses().map(|record| record.address).collect();
    for vip in vips.intersection(&held).take(4) {
        text.push_str(&format!("  VIP {vip}"));
    }
    text
}

/// What is not as it should be, and who is master.
fn state(model: &Model, node: NodeId, up: Option<PortId>) -> Vec<(Ink, String)> {
    let run = model.run();
    let tables = model.tables.node(&run.trace, node);
    let mut pieces = Vec::new();
    let cards: Vec<_> = tables.interfaces().filter(|record| matches!(record.kind, LinkKind::Ethernet(_))).collect();
    if !cards.is_empty() && cards.iter().all(|record| !record.up) {
        pieces.push((Ink::Bad, "off ".to_string()));
    } else if cards.iter().any(|record| record.up && !record.carrier && up.is_some()) {
        pieces.push((Ink::Bad, "no carrier ".to_string()));
    }
    for record in tables.vrrp().take(2) {
        let ink = match record.state {
            VrrpState::Master => Ink::Good,
            VrrpState::Fault => Ink::Bad,
            VrrpState::Backup | VrrpState::Init => Ink::Faint,
        };
        pieces.push((ink, format!("{} ", record.state)));
    }
    pieces
}
