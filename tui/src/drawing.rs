//! The topology as one drawing, from the first client outwards.
//!
//! ```text
//!   client .254.92 ──(outside)── router ──(lan)──┬── server4  director     .92.4  VIP 172.25.92.100
//!                                                ├── server5  real server  .92.5  VIP, silent
//!                                                └── server6  real server  .92.6  VIP, silent
//! ```

use pcap_out::layout::pad;
use sim_core::base::id::{NodeId, PortId};
use sim_core::base::time::Instant;
use sim_core::trace::moment::Moment;
use sim_core::trace::record::ServiceKey;
use sim_core::trace::{Kind, Trace, Why};
use sim_core::wire::Ipv4Addr;
use std::collections::BTreeSet;
use unicode_width::UnicodeWidthStr;

/// More hosts of one role at one switch are shown as the first three and the last.
const SIBLINGS_MAX: usize = 8;
const DEPTH_MAX: usize = 12;

/// The drawing, one line each. `at` is when the tables are looked at (after boot).
pub(crate) fn topology(trace: &Trace, at: Instant, width: usize) -> Vec<String> {
    let nodes = &trace.cast.nodes;
    let is_host = |node: &NodeId| !nodes[node.index()].is_switch;
    let all = || (0..nodes.len() as u32).map(NodeId);
    let first =
        all().filter(is_host).find(|node| &*nodes[node.index()].role == "client").or_else(|| all().find(is_host));
    let Some(first) = first else { return Vec::new() };
    let shared = shared_prefix(trace);
    let mut lines = Vec::new();
    let mut drawer = Drawer::new(trace, at, true, "");
    for (inline, prefix) in [(true, ""), (true, &*shared), (false, &*shared)] {
        drawer = Drawer::new(trace, at, inline, prefix);
        lines = drawer.host(first, 0);
        if lines.iter().all(|line| line.width() + 2 <= width) {
            break;
        }
    }
    for rest in all().filter(is_host) {
        if !drawer.drawn.contains(&rest) {
            lines.extend(drawer.host(rest, 0));
        }
    }
    lines.iter().map(|line| format!("  {line}").trim_end().to_string()).collect()
}

struct Drawer<'a> {
    trace: &'a Trace,
    moment: Moment<'a>,
    drawn: BTreeSet<NodeId>,
    /// Switches stand on the line of the host before them, not below it.
    inline: bool,
    /// What all addresses begin with and is left out: `172.25`.
    shared: String,
}

/// The first one or two octets of all hosts' addresses, if they are the same.
fn shared_prefix(trace: &Trace) -> String {
    let addresses: Vec<[u8; 4]> =
        trace.cast.ports.iter().filter_map(|card| card.address).map(|net| net.addr().octets()).collect();
    let Some(first) = addresses.first() else { return String::new() };
    let same = (0..2).take_while(|at| addresses.iter().all(|address| address[*at] == first[*at])).count();
    first[..same].iter().map(u8::to_string).collect::<Vec<_>>().join(".")
}

impl<'a> Drawer<'a> {
    fn new(trace: &'a Trace, at: Instant, inline: bool, shared: &str) -> Self {
        Drawer { trace, moment: Moment::at(trace, at), drawn: BTreeSet::new(), inline, shared: shared.to_string() }
    }

    /// A host and everything behind it that is not drawn yet.
    fn host(&mut self, host: NodeId, depth: usize) -> Vec<String> {
        self.drawn.insert(host);
        let switches: Vec<NodeId> = self.neighbours(host).into_iter().filter(|node| self.drawn.insert(*node)).collect();
        let branches: Vec<Vec<String>> = match depth {
            0..DEPTH_MAX => switches.into_iter().map(|switch| self.switch(switch, depth)).collect(),
            _ => Vec::new(),
        };
        let label = if branches.is_empty() { self.leaf(host) } else { self.trunk(host) };
        if self.inline { beside(&label, &branches, " ", "") } else { below(&label, &branches) }
    }

    /// A switch and the hosts behind it.
    fn switch(&mut self, switch: NodeId, depth: usize) -> Vec<String> {
        let card = &self.trace.cast.nodes[switch.index()];
        let label = match &*card.role {
            "hub" if !card.name.contains("hub") => format!("({}, hub)", card.name),
            _ => format!("({})", card.name),
        };
        let hosts: Vec<NodeId> =
            self.neighbours(switch).into_iter().filter(|node| !self.drawn.contains(node)).collect();
        let shown = abridged(&hosts);
        self.drawn.extend(hosts.iter().copied());
        let branches: Vec<Vec<String>> = shown
            .into_iter()
            .map(|host| match host {
                Ok(host) => self.host(host, depth + 1),
                Err(left_out) => vec![format!("… {left_out} more …")],
            })
            .collect();
        beside(&label, &branches, "", " ")
    }

    /// What is cabled to a node, in the order of its ports.
    fn neighbours(&self, node: NodeId) -> Vec<NodeId> {
        let ports = &self.trace.cast.ports;
        let own = ports.iter().filter(|port| port.node == node);
        let mut found: Vec<NodeId> =
            own.filter_map(|port| port.peer).map(|peer: PortId| ports[peer.index()].node).collect();
        found.dedup();
        found
    }

    /// A host with nothing behind it: name, role, address, VIPs.
    fn leaf(&self, host: NodeId) -> String {
        let card = &self.trace.cast.nodes[host.index()];
        let (name_width, role_width) = self.column_widths();
        let role = if *card.role == *card.name { "" } else { &card.role };
        let text = format!("{}  {}  {}", pad(&card.name, name_width), pad(role, role_width), self.address(host));
        format!("{text}{}", self.vips(host))
    }

    /// A host with something behind it: name and address.
    fn trunk(&self, host: NodeId) -> String {
        let card = &self.trace.cast.nodes[host.index()];
        let vips = self.vips(host);
        let role = match &*card.role {
            "client" | "router" | "host" => String::new(),
            role => format!(" ({role})"),
        };
        match self.own_ports(host) {
            1 => format!("{}{role} {}{vips}", card.name, self.address(host)),
            _ => format!("{}{role}{vips}", card.name),
        }
    }

    fn own_ports(&self, host: NodeId) -> usize {
        self.trace.cast.ports.iter().filter(|port| port.node == host).count()
    }

    fn column_widths(&self) -> (usize, usize) {
        let hosts = self.trace.cast.nodes.iter().filter(|card| !card.is_switch);
        hosts.fold((0, 0), |(name, role), card| (name.max(card.name.width()), role.max(card.role.width())))
    }

    /// `172.25.92.4`, of its first card.
    fn address(&self, host: NodeId) -> String {
        let own = self.trace.cast.ports.iter().filter(|port| port.node == host);
        let short = |address: Ipv4Addr| {
            let text = address.to_string();
            text.strip_prefix(&self.shared).map_or(text.clone(), str::to_string)
        };
        let all: Vec<String> = own.filter_map(|port| port.address).map(|net| short(net.addr())).collect();
        all.join(", ")
    }

    /// `  VIP 172.25.92.100`, and whether the host answers ARP for it.
    fn vips(&self, host: NodeId) -> String {
        let services: BTreeSet<Ipv4Addr> = self.trace.services.iter().filter_map(|service| vip(service.key)).collect();
        let holds: Vec<&Ipv4Addr> = services
            .iter()
            .filter(|vip| self.moment.node(host).addresses().any(|record| record.address == **vip))
            .collect();
        if holds.is_empty() {
            return String::new();
        }
        let list: Vec<String> = holds.iter().map(ToString::to_string).collect();
        let has_services = self.moment.node(host).services().next().is_some();
        let (mut answers, mut silent) = (false, false);
        for (event, index) in self.trace.events.iter().zip(0..) {
            let Kind::Decided(why) = event.kind else { continue };
            let about = match why {
                Why::ArpAnswer { address, .. } | Why::ArpIgnored { address, .. } | Why::ArpFiltered { address, .. } => {
                    address
                }
                _ => continue,
            };
            let at = self.trace.step_of(sim_core::base::id::EventId(index)).node;
            if at == host && holds.contains(&&about) {
                answers |= matches!(why, Why::ArpAnswer { .. });
                silent |= !matches!(why, Why::ArpAnswer { .. });
            }
        }
        match (has_services, answers, silent) {
            (true, ..) => format!("  VIP {}", list.join(", ")),
            (false, false, false) => "  VIP".to_string(),
            (false, true, _) => "  VIP, answers for it".to_string(),
            (false, false, true) => "  VIP, kept quiet".to_string(),
        }
    }
}

/// Puts branches behind a label: on its line, with `lead` and `tail` around the joint.
fn beside(label: &str, branches: &[Vec<String>], lead: &str, tail: &str) -> Vec<String> {
    let stem = " ".repeat(label.width() + lead.width() + 2);
    let mut lines = Vec::new();
    for (branch, index) in branches.iter().zip(1..) {
        let (alone, last) = (branches.len() == 1, index == branches.len());
        let joint = match index {
            1 if alone => format!("{label}{lead}──{tail}"),
            1 => format!("{label}{lead}──┬──{tail}"),
            _ => format!("{stem}{}──{tail}", if last { "└" } else { "├" }),
        };
        let under = match alone {
            true => " ".repeat(joint.width()),
            false => format!("{stem}{}  {}", if last { " " } else { "│" }, " ".repeat(tail.width())),
        };
        lines.push(format!("{joint}{}", branch[0]));
        lines.extend(branch[1..].iter().map(|line| format!("{under}{line}")));
    }
    if lines.is_empty() { vec![label.to_string()] } else { lines }
}

/// Puts branches below a label.
fn below(label: &str, branches: &[Vec<String>]) -> Vec<String> {
    let mut lines = vec![label.to_string()];
    for (branch, index) in branches.iter().zip(1..) {
        let last = index == branches.len();
        lines.push(format!("{}{}", if last { "└──" } else { "├──" }, branch[0]));
        let under = if last { "   " } else { "│  " };
        lines.extend(branch[1..].iter().map(|line| format!("{under}{line}")));
    }
    lines
}

/// The hosts to show; an `Err` says how many are left out at that place.
fn abridged(hosts: &[NodeId]) -> Vec<Result<NodeId, usize>> {
    if hosts.len() <= SIBLINGS_MAX {
        return hosts.iter().copied().map(Ok).collect();
    }
    let left_out = hosts.len() - 4;
    let mut shown: Vec<Result<NodeId, usize>> = hosts[..3].iter().copied().map(Ok).collect();
    shown.push(Err(left_out));
    shown.push(Ok(hosts[hosts.len() - 1]));
    shown
}

fn vip(key: ServiceKey) -> Option<Ipv4Addr> {
    match key {
        ServiceKey::Address(_, end) => Some(end.address),
        ServiceKey::Mark(_) => None,
    }
}
