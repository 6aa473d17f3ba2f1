//! The hosts of a case on their switches, as a world: every host is one of the lab's own.
//!
//! Hosts are attached in reverse order: a Linux bridge floods to the port added last first, and that host is also the
//! first to answer.

use super::host_plan::{self, Typist};
use super::stage::{Port, Stage};
use sim_core::base::id::{NodeId, PortId};
use sim_core::base::time::{Duration, Instant};
use sim_core::nodes::switch::Switch;
use sim_core::trace::{Level, NodeCard, PortCard};
use sim_core::wire::Mac;
use sim_core::world::action::Deed as Script;
use sim_core::world::link::LinkSettings;
use sim_core::world::node::Node;
use sim_core::world::sim::Plan;

const MAC_AGEING: Duration = Duration::from_secs(300);
const CABLE: LinkSettings =
    LinkSettings { rate_bps: 100_000_000_000, delay: Duration::from_nanos(500), queue: 1000, mtu: 1500, loss_ppm: 0 };

/// Hosts and cards in the order of the world: the host plugged in last comes first.
pub(super) struct Lan<'a> {
    pub(super) stage: &'a Stage<'a>,
    pub(super) hosts: Vec<&'a str>,
    /// The card with each port number.
    pub(super) cards: Vec<&'a Port>,
}

impl<'a> Lan<'a> {
    pub(super) fn of(stage: &'a Stage<'a>) -> Self {
        let mut hosts: Vec<&str> = Vec::new();
        for port in stage.ports.iter().rev() {
            if !hosts.contains(&&*port.host) {
                hosts.push(&port.host);
            }
        }
        let cards = hosts.iter().flat_map(|host| stage.ports.iter().filter(move |port| port.host == *host)).collect();
        Lan { stage, hosts, cards }
    }

    pub(super) fn port(&self, host: &str, device: &str) -> Option<PortId> {
        let at = self.cards.iter().position(|card| card.host == host && card.device == device)?;
        Some(PortId(at as u32))
    }

    /// The world: the hosts with their cards, then the switches.
    pub(super) fn plan(&self, typist: Typist, deeds: Vec<(Instant, Script)>, until: Instant, level: Level) -> Plan {
        let lan = self;
        let lines = typist.lines();
        let mut nodes: Vec<(NodeCard, Box<dyn Node>)> = Vec::new();
        let mut ports: Vec<PortCard> = Vec::new();
        let card = |name: &str, is_switch| NodeCard { name: name.into(), role: "host".into(), is_switch };
        let numbered = || lan.cards.iter().enumerate().map(|(at, card)| (PortId(at as u32), *card));
        for (number, host) in lan.hosts.iter().enumerate() {
            let node = NodeId(number as u32);
            let own = numbered().filter(|(_, card)| card.host == *host);
            let cards: Vec<_> = own.map(|(port, card)| (port, card.device.clone(), card.mac, card.mtu)).collect();
            ports.extend(cards.iter().map(|(_, name, mac, _)| port_card(node, name, Some(*mac))));
            nodes.push((card(host, false), Box::new(host_plan::host(node, host, &cards, lines.clone()))));
        }
        let mut switches: Vec<&str> = lan.cards.iter().map(|card| &*card.switch).collect();
        switches.sort_unstable();
        switches.dedup();
        let mut cables = Vec::new();
        for name in switches {
            let node = NodeId(nodes.len() as u32);
            let first = ports.len() as u32;
            for (port, card) in numbered().filter(|(_, card)| card.switch == name) {
                cables.push((port, PortId(ports.len() as u32), CABLE));
                ports.push(port_card(node, &card.host, None));
            }
            let own = (first..ports.len() as u32).map(PortId);
            nodes.push((card(name, true), Box::new(Switch::new(node, own, MAC_AGEING))));
        }
        Plan { seed: 1, level, nodes, ports, cables, deeds, until }
    }
}

fn port_card(node: NodeId, name: &str, mac: Option<Mac>) -> PortCard {
    PortCard { node, name: name.into(), mac, address: None, peer: None }
}
