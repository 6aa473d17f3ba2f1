//! Why a header field changed at a host, or why it did not. Read from the decisions of the visit.

use super::fields::{self, FieldRow};
use super::model::{Model, Overlay};
use super::scene::Scene;
use super::theme::Ink;
use pcap_out::layout::wrap;
use sim_core::trace::record::Method;
use sim_core::trace::{Kind, Why, explain};
use sim_core::wire::field::FieldName as F;

/// The explanation of the field under the cursor.
///
/// # Errors
/// That there is none.
pub(crate) fn text(model: &Model) -> Result<Overlay, String> {
    let run = model.run();
    let found = Scene::at(run, model.cursor).and_then(|scene| Some((chosen(model, &scene)?, scene)));
    let (field, scene) = found.ok_or("there is no field here")?;
    let row = field.name.row();
    let mut lines = vec![(Ink::Title, format!("{} ({})", row.title, row.name))];
    let shown = match (&field.before, &field.after) {
        (Some(before), Some(after)) if before == after => format!("{before}, the same before and after"),
        (Some(before), Some(after)) => format!("{before} before, {after} after"),
        (Some(before), None) => format!("{before} as it came in"),
        (None, Some(after)) => format!("{after} as it left"),
        (None, None) => String::new(),
    };
    lines.push((Ink::Plain, shown));
    lines.push((Ink::Plain, String::new()));
    for part in reasons(&scene, &field) {
        lines.extend(wrap(&part, 70).into_iter().map(|line| (Ink::Plain, line)));
        lines.push((Ink::Plain, String::new()));
    }
    lines.push((Ink::Faint, format!("filter: {}", as_text(&field))));
    Ok(Overlay::Text { title: format!("Why, at {}", run.trace.node_name(scene.node)), lines, scroll: 0 })
}

/// The field under the cursor as a filter.
pub(crate) fn as_filter(model: &Model) -> Option<String> {
    let run = model.run();
    let scene = Scene::at(run, model.cursor)?;
    Some(as_text(&chosen(model, &scene)?))
}

fn as_text(field: &FieldRow) -> String {
    format!("{} == {}", field.name.row().name, field.literal)
}

fn chosen(model: &Model, scene: &Scene) -> Option<FieldRow> {
    let rows = fields::rows(scene);
    let all = fields::only_fields(&rows);
    all.get(model.at.field.min(all.len().checked_sub(1)?)).map(|field| (*field).clone())
}

/// The rule that applies to this field, then what was decided here about it.
fn reasons(scene: &Scene, field: &FieldRow) -> Vec<String> {
    let trace = &scene.run.trace;
    let decided: Vec<Why> = scene
        .visit
        .iter()
        .flat_map(|visit| &visit.events)
        .filter(|id| **id <= scene.id)
        .filter_map(|id| match trace.event(*id).kind {
            Kind::Decided(why) => Some(why),
            _ => None,
        })
        .collect();
    let method = decided.iter().find_map(|why| match why {
        Why::IpvsForward { method, .. } => Some(*method),
        _ => None,
    });
    let mut said = vec![rule(field, method)];
    let concerns = |why: &&Why| match field.name {
        F::EthDst | F::EthSrc => {
            matches!(why, Why::RouteLink { .. } | Why::RouteVia { .. } | Why::ArpAsk { .. } | Why::IpvsForward { .. })
        }
        F::IpTtl | F::IpChecksum => matches!(why, Why::Forwarded { .. } | Why::IpvsForward { .. }),
        F::IpSrc | F::TcpSrcPort | F::UdpSrcPort => {
            matches!(why, Why::IpvsReply { .. } | Why::Masqueraded { .. } | Why::IpvsForward { .. })
        }
        F::IpDst | F::TcpDstPort | F::UdpDstPort => {
            matches!(why, Why::IpvsForward { .. } | Why::Unmasqueraded { .. } | Why::IpvsScheduled { .. })
        }
        F::ArpSrcIp => matches!(why, Why::ArpMangled { .. } | Why::ArpAsk { .. } | Why::ArpAnswer { .. }),
        F::ArpSrcMac => matches!(why, Why::ArpAnswer { .. }),
        _ => false,
    };
    for why in decided.iter().filter(concerns) {
        said.push(format!("{}: {}", explain::code(trace, *why), explain::sentence(trace, scene.node, *why)));
    }
    said
}

/// What holds for this field at any host, for this way of forwarding.
fn rule(field: &FieldRow, method: Option<Method>) -> String {
    let text = match (field.name, field.changed, method) {
        (F::EthDst, true, _) => {
            "A frame goes from card to card: at every host that sends a packet on, the destination MAC becomes that of the next hop."
        }
        (F::EthSrc, true, _) => "The source MAC is always that of the card which sends the frame on this cable.",
        (F::EthDst | F::EthSrc, false, _) => {
            "MACs name the two cards at the ends of this cable only; they change at the next host that sends the packet on."
        }
        (F::IpTtl, true, _) => "Each host that sends a packet on takes one off, so that a packet in a circle dies.",
        (F::IpTtl, false, _) => "Only a host that sends a packet on takes one off; a switch or the receiver does not.",
        (F::IpChecksum, true, _) => {
            "It covers the IPv4 header; a field of the header changed, so it was brought up to date."
        }
        (F::IpChecksum, false, _) => "It covers the IPv4 header, in which nothing changed.",
        (F::IpDst | F::IpSrc, false, Some(Method::Dr)) => {
            "Direct routing touches no address: the real server must own the VIP itself, and answers the client as the VIP."
        }
        (F::TcpDstPort | F::UdpDstPort | F::TcpSrcPort | F::UdpSrcPort, false, Some(Method::Dr | Method::Tun)) => {
            "Only NAT and FULLNAT can change ports: here the real server must listen on the port of the virtual service."
        }
        (F::IpDst, true, Some(Method::Nat)) => "NAT writes the real server's address in the place of the VIP.",
        (F::IpSrc, true, None) => "The source was translated: for the receiver the packet comes from this address.",
        (F::IpDst, true, _) => "The destination was translated to where the packet is to go.",
        (F::IpSrc | F::IpDst, false, _) => {
            "Addresses name the two ends of the whole way; a router leaves them alone, only translation changes them."
        }
        (F::TcpChecksum | F::UdpChecksum, true, _) => {
            "It covers the addresses too: with an address or a port the checksum changes, by the difference only."
        }
        (F::TcpChecksum | F::UdpChecksum, false, _) => "It covers addresses, ports and data, of which nothing changed.",
        (F::IpId, false, _) => "The sender numbers its packets; nobody on the way changes that.",
        (F::TcpSeq | F::TcpAck, false, _) => "Sequence numbers belong to the two ends; nobody on the way changes them.",
        (F::ArpSrcIp, _, _) => "Who hears this message may note that this address is at the sender's MAC.",
        (_, true, _) => "It changed at this host.",
        (_, false, _) => "Nothing on the way changes it.",
    };
    text.to_string()
}
