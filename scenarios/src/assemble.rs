//! From a model to a world: nodes, ports and cables in file order, lines numbered, the script as deeds.

use crate::model::{self, Model, Role};
use sim_core::base::id::{LineId, NodeId, PortId};
use sim_core::base::rng::Stream;
use sim_core::base::time::{Duration, Instant};
use sim_core::kernel::process::Process;
use sim_core::nodes::host::{FilePlan, Host, HostPlan, Lines, NicPlan};
use sim_core::nodes::switch::{Switch, SwitchKind};
use sim_core::shell::{Line, Programs, Shell};
use sim_core::trace::{Level, NodeCard, PortCard};
use sim_core::world::action::{Action, Deed};
use sim_core::world::node::Node;
use sim_core::world::{LinkSettings, Plan, Sim};
use std::rc::Rc;

/// What may differ from what the scenario says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// How much is recorded.
    pub level: Level,
    /// Where chance begins; none is the scenario's.
    pub seed: Option<u64>,
    /// When the run ends; none is the scenario's.
    pub until: Option<Instant>,
}

impl Default for Options {
    fn default() -> Self {
        Options { level: Level::Everything, seed: None, until: None }
    }
}

/// The typed lines of all hosts, by number.
#[derive(Debug)]
struct TypedLines(Vec<Line>);

impl Lines for TypedLines {
    fn text(&self, line: LineId) -> &str {
        &self.0[line.index()].text
    }

    fn start(&self, line: LineId) -> Box<dyn Process> {
        self.go_on(line, None)
    }

    fn go_on(&self, line: LineId, before: Option<Box<dyn Process>>) -> Box<dyn Process> {
        Shell::typed(&self.0[line.index()], before)
    }
}

/// The world of a scenario, before anything has happened. Hosts come first, then switches.
pub fn assemble(model: &Model, options: Options) -> Sim {
    let mut lines: Vec<Line> = Vec::new();
    let mut number = |line: &Line| {
        lines.push(line.clone());
        LineId(lines.len() as u32 - 1)
    };
    let boots: Vec<Vec<LineId>> = model.hosts.iter().map(|host| host.boot.iter().map(&mut number).collect()).collect();
    let scripts: Vec<Vec<LineId>> = model
        .script
        .iter()
        .map(|item| match &item.deed {
            model::Deed::Run { lines, .. } => lines.iter().map(&mut number).collect(),
            _ => Vec::new(),
        })
        .collect();
    let lines: Rc<dyn Lines> = Rc::new(TypedLines(lines));
    let mut ports: Vec<PortCard> = Vec::new();
    let mut nodes: Vec<(NodeCard, Box<dyn Node>)> = Vec::new();
    let mut nic_ports: Vec<Vec<PortId>> = Vec::new();
    for ((host, boot), index) in model.hosts.iter().zip(boots).zip(0..) {
        let node = NodeId(index);
        let mut nics = Vec::new();
        for nic in &host.nics {
            let port = PortId(ports.len() as u32);
            let name: Box<str> = nic.name.as_str().into();
            ports.push(PortCard { node, name: name.clone(), mac: Some(nic.mac), address: nic.address, peer: None });
            nics.push(NicPlan { port, name, mac: nic.mac, mtu: nic.link.mtu, address: nic.address });
        }
        nic_ports.push(nics.iter().map(|nic| nic.port).collect());
        let card = NodeCard { name: host.name.as_str().into(), role: host.role.label().into(), is_switch: false };
        nodes.push((card, Box::new(Host::new(plan(host, node, nics, boot, &lines)))));
    }
    let mut cables: Vec<(PortId, PortId, LinkSettings)> = Vec::new();
    for (switch, index) in model.switches.iter().zip(0..) {
        let node = NodeId(model.hosts.len() as u32 + index as u32);
        let first = ports.len() as u32;
        for (host, host_ports) in model.hosts.iter().zip(&nic_ports) {
            for (nic, port) in host.nics.iter().zip(host_ports).filter(|(nic, _)| nic.switch == index) {
                let name = format!("to {}:{}", host.name, nic.name).into();
                cables.push((*port, PortId(ports.len() as u32), nic.link));
                ports.push(PortCard { node, name, mac: None, address: None, peer: None });
            }
        }
        let label = match switch.kind {
            SwitchKind::Switch { .. } => "switch",
            SwitchKind::Hub => "hub",
        };
        let card = NodeCard { name: switch.name.as_str().into(), role: label.into(), is_switch: true };
        let own = (first..ports.len() as u32).map(PortId);
        nodes.push((card, Box::new(Switch::of_kind(node, own, switch.kind))));
    }
    let (seed, until) = (options.seed.unwrap_or(model.seed), options.until.unwrap_or(model.until));
    let mut deeds = Vec::new();
    for (item, lines) in model.script.iter().zip(scripts) {
        if let model::Deed::Wear { host, mtbf, mttr } = &item.deed {
            let mut chance = Stream::named(seed, &format!("wear/{}", model.hosts[*host].name));
            deeds.extend(wear(NodeId(*host as u32), *mtbf, *mttr, item.at, until, &mut chance));
            continue;
        }
        for turn in 0..u64::from(item.times) {
            let at = item.at + item.every.times(turn);
            deeds.extend(deeds_of(model, &item.deed, &lines, &nic_ports).into_iter().map(|deed| (at, deed)));
        }
    }
    Sim::new(Plan { seed, level: options.level, nodes, ports, cables, deeds, until })
}

/// A host's failures and repairs from `at` to `until`.
fn wear(
    host: NodeId,
    mtbf: Duration,
    mttr: Duration,
    at: Instant,
    until: Instant,
    chance: &mut Stream,
) -> Vec<(Instant, Deed)> {
    let mut deeds = Vec::new();
    let mut now = at;
    loop {
        for (mean, action) in [(mtbf, Action::PowerOff), (mttr, Action::PowerOn)] {
            // Two failures never lie closer together than a millisecond, so that there is an end to them.
            now += chance.exponential(mean).max(Duration::from_millis(1));
            if now >= until {
                return deeds;
            }
            deeds.push((now, Deed::To(host, action)));
        }
    }
}

fn plan(host: &model::Host, node: NodeId, nics: Vec<NicPlan>, boot: Vec<LineId>, lines: &Rc<dyn Lines>) -> HostPlan {
    let file = |(path, text): &(String, String)| FilePlan {
        path: path.as_str().into(),
        content: text.as_bytes().into(),
        mode: if text.starts_with("#!") { 0o755 } else { 0o644 },
    };
    HostPlan {
        node,
        name: host.name.as_str().into(),
        os: host.os,
        nics,
        gateway: host.gateway,
        ip_forward: host.role == Role::Router,
        files: host.files.iter().map(file).collect(),
        services: host.services.iter().map(|service| (*service).into()).collect(),
        boot,
        lines: Rc::clone(lines),
        exec: Rc::new(Programs),
    }
}

fn deeds_of(model: &Model, deed: &model::Deed, lines: &[LineId], ports: &[Vec<PortId>]) -> Vec<Deed> {
    let node = |host: &usize| NodeId(*host as u32);
    let switches = |one: &Option<usize>| -> Vec<NodeId> {
        let all = 0..model.switches.len();
        let chosen = all.filter(|index| one.is_none_or(|one| one == *index));
        chosen.map(|index| NodeId((model.hosts.len() + index) as u32)).collect()
    };
    let port = |nic: &model::NicIndex| ports[nic.host][nic.nic];
    match deed {
        model::Deed::Run { host, .. } => lines.iter().map(|line| Deed::To(node(host), Action::Run(*line))).collect(),
        model::Deed::Carrier { nic, up: true } => vec![Deed::Plug(port(nic))],
        model::Deed::Carrier { nic, up: false } => vec![Deed::Unplug(port(nic))],
        model::Deed::PowerOff(host) => vec![Deed::To(node(host), Action::PowerOff)],
        model::Deed::PowerOn(host) => vec![Deed::To(node(host), Action::PowerOn)],
        model::Deed::Crash(host) => vec![Deed::To(node(host), Action::Crash)],
        model::Deed::Freeze(host) => vec![Deed::To(node(host), Action::Freeze)],
        model::Deed::Thaw(host) => vec![Deed::To(node(host), Action::Thaw)],
        model::Deed::SetLink { nic, change } => vec![Deed::SetLink(port(nic), *change)],
        model::Deed::Cut(cut) => {
            let hosts = |list: &Option<Vec<usize>>| list.as_ref().map(|list| list.iter().map(node).collect());
            let one =
                |switch| Deed::Cut { switch, from: hosts(&cut.from), to: hosts(&cut.to), packet: cut.packet.clone() };
            switches(&cut.switch).into_iter().map(one).collect()
        }
        // It has deeds at many times, which `assemble` draws.
        model::Deed::Wear { .. } => Vec::new(),
        model::Deed::Heal(switch) => switches(switch).into_iter().map(|switch| Deed::Heal { switch }).collect(),
    }
}
