//! The world of the speed measurements: one client with many lanes, a router, a director (LVS-NAT, round robin), a
//! switch, and any number of real servers.
//!
//! ```text
//!   client ── router ── director ── switch ── rs1 … rsR
//! ```
//! Not a scenario file, because its clients and servers are generators without a protocol, not programs of a Linux host.
//! The director's service is set up by the calls that `ipvsadm` makes.

use ipnet::Ipv4Net;
use sim_core::apps::load::{Load, LoadPlan};
use sim_core::apps::responder::Responder;
use sim_core::base::id::{LineId, NodeId, PortId};
use sim_core::base::time::{Duration, Instant};
use sim_core::ipvs::{ServerOptions, ServiceOptions};
use sim_core::kernel::process::{Next, Process};
use sim_core::kernel::syscall::Sys;
use sim_core::kernel::{Kernel, Os};
use sim_core::nodes::host::{Host, HostPlan, Lines, NicPlan};
use sim_core::nodes::switch::{AGEING, Switch};
use sim_core::shell::Programs;
use sim_core::trace::record::{Method, ServiceKey, Tunnel};
use sim_core::trace::{Level, NodeCard, PortCard};
use sim_core::wire::Mac;
use sim_core::wire::flow::{SocketAddr, Transport};
use sim_core::world::action::{Action, Deed};
use sim_core::world::node::Node;
use sim_core::world::{LinkSettings, Plan, Sim, Stopped};
use std::net::Ipv4Addr;
use std::rc::Rc;

/// How much work it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Star {
    /// Requests in all.
    pub requests: u64,
    /// Requests at once.
    pub lanes: u32,
    /// Real servers, 1 to 60,000.
    pub servers: u32,
    /// Octets of an answer.
    pub answer: usize,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Done {
    /// Requests that got their whole answer.
    pub answered: u64,
    /// The others.
    pub failed: u64,
}

/// The named works: name, requests, lanes, servers, octets of an answer.
pub const WORKS: &[(&str, Star)] = &[
    ("small", Star { requests: 20_000, lanes: 64, servers: 8, answer: 1_024 }),
    ("large", Star { requests: 500, lanes: 16, servers: 8, answer: 102_400 }),
    ("many", Star { requests: 20_000, lanes: 1_000, servers: 8, answer: 1_024 }),
];

const VIP: SocketAddr = SocketAddr { address: Ipv4Addr::new(10, 0, 2, 100), port: 80 };
const REQUEST_LENGTH: usize = 100;
const STAGGER: Duration = Duration::from_micros(10);
/// By then the director's lines have been typed.
const LOAD_BEGINS: Instant = Instant::from_nanos(10_000_000);
const CLIENT: NodeId = NodeId(0);
const LOAD_LINE: LineId = LineId(0);
const RESPONDER_LINE: LineId = LineId(1);
const SERVICE_LINE: LineId = LineId(2);

impl Star {
    /// The work with this name.
    pub fn named(name: &str) -> Option<Star> {
        WORKS.iter().find(|(known, _)| *known == name).map(|(_, star)| *star)
    }

    /// The world, before anything has happened.
    pub fn world(&self, seed: u64, level: Level) -> Sim {
        let lines: Rc<dyn Lines> = Rc::new(StarLines(*self));
        let mut builder = Builder { lines, nodes: Vec::new(), ports: Vec::new() };
        builder.host("client", "client", &["10.0.1.1/24"], Some("10.0.1.254"), Vec::new());
        builder.host("router", "router", &["10.0.1.254/24", "10.0.2.254/24"], None, Vec::new());
        builder.host(
            "director",
            "director",
            &["10.0.2.100/24", "10.3.255.254/16"],
            Some("10.0.2.254"),
            vec![SERVICE_LINE],
        );
        let first = builder.ports.len() as u32;
        builder.switch("switch", self.servers + 1);
        let mut cables = vec![(0, 1), (2, 3), (4, first)];
        for n in 0..self.servers {
            let address = format!("{}/16", server(n));
            builder.host(
                &format!("rs{}", n + 1),
                "real server",
                &[&address],
                Some("10.3.255.254"),
                vec![RESPONDER_LINE],
            );
            cables.push((first + 1 + n, builder.ports.len() as u32 - 1));
        }
        let settings = LinkSettings { queue: 4_096, ..LinkSettings::default() };
        Sim::new(Plan {
            seed,
            level,
            nodes: builder.nodes,
            ports: builder.ports,
            cables: cables.into_iter().map(|(a, b)| (PortId(a), PortId(b), settings)).collect(),
            deeds: vec![(LOAD_BEGINS, Deed::To(CLIENT, Action::Run(LOAD_LINE)))],
            until: Instant::from_nanos(3_600_000_000_000),
        })
    }

    /// Runs a world until the load has ended.
    ///
    /// # Errors
    /// Why it ended without that.
    pub fn run(sim: &mut Sim) -> Result<Done, String> {
        const LOOK_EVERY: Duration = Duration::from_millis(1);
        let mut until = LOAD_BEGINS;
        loop {
            let stopped = sim.run_until(until);
            if let Some(done) = outcome(sim) {
                return done;
            }
            match stopped {
                Stopped::Until if until < sim.until() => until += LOOK_EVERY,
                stopped => return Err(format!("the run ended before the load: {stopped:?}")),
            }
        }
    }
}

/// What the load printed, once it has ended.
fn outcome(sim: &Sim) -> Option<Result<Done, String>> {
    let load = sim.trace().commands.iter().find(|command| command.line == Some(LOAD_LINE))?;
    load.ended?;
    let mut numbers = load.stdout.split(' ').filter_map(|word| word.parse().ok());
    Some(match (numbers.next(), numbers.next()) {
        (Some(answered), Some(failed)) => Ok(Done { answered, failed }),
        _ => Err(format!("the load ended with {:?}: {}", load.exit, load.stderr)),
    })
}

fn server(n: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(Ipv4Addr::new(10, 3, 0, 1).to_bits() + n)
}

struct Builder {
    lines: Rc<dyn Lines>,
    nodes: Vec<(NodeCard, Box<dyn Node>)>,
    ports: Vec<PortCard>,
}

impl Builder {
    fn host(&mut self, name: &str, role: &str, addresses: &[&str], gateway: Option<&str>, boot: Vec<LineId>) {
        let node = NodeId(self.nodes.len() as u32);
        let mut nics = Vec::new();
        for (n, address) in addresses.iter().enumerate() {
            let port = PortId(self.ports.len() as u32);
            let [_, high, mid, low] = node.0.to_be_bytes();
            let mac = Mac([2, 0, high, mid, low, n as u8]);
            let name: Box<str> = format!("eth{n}").into();
            let address: Option<Ipv4Net> = address.parse().ok();
            self.ports.push(PortCard { node, name: name.clone(), mac: Some(mac), address, peer: None });
            nics.push(NicPlan { port, name, mac, mtu: 1_500, address });
        }
        let plan = HostPlan {
            node,
            name: name.into(),
            os: Os::Debian12,
            ip_forward: nics.len() > 1,
            nics,
            gateway: gateway.and_then(|gateway| gateway.parse().ok()),
            files: Vec::new(),
            services: Vec::new(),
            boot,
            lines: self.lines.clone(),
            exec: Rc::new(Programs),
        };
        let card = NodeCard { name: name.into(), role: role.into(), is_switch: false };
        self.nodes.push((card, Box::new(Host::new(plan))));
    }

    fn switch(&mut self, name: &str, ports: u32) {
        let node = NodeId(self.nodes.len() as u32);
        let first = self.ports.len() as u32;
        for n in 0..ports {
            self.ports.push(PortCard { node, name: format!("p{n}").into(), mac: None, address: None, peer: None });
        }
        let card = NodeCard { name: name.into(), role: "switch".into(), is_switch: true };
        let switch = Switch::new(node, (first..first + ports).map(PortId), AGEING);
        self.nodes.push((card, Box::new(switch)));
    }
}

/// What is started on the hosts of the star.
#[derive(Debug)]
struct StarLines(Star);

impl Lines for StarLines {
    fn text(&self, line: LineId) -> &str {
        match line {
            LOAD_LINE => "load",
            RESPONDER_LINE => "respond",
            LineId(_) => "ipvsadm",
        }
    }

    fn start(&self, line: LineId) -> Box<dyn Process> {
        let StarLines(star) = self;
        match line {
            LOAD_LINE => Box::new(Load::new(LoadPlan {
                remote: VIP,
                request: vec![b'?'; REQUEST_LENGTH].into(),
                answer: Some(star.answer as u64),
                requests: star.requests,
                lanes: star.lanes,
                stagger: STAGGER,
            })),
            RESPONDER_LINE => Box::new(Responder::new(VIP.port, REQUEST_LENGTH, vec![b'!'; star.answer].into())),
            LineId(_) => Box::new(ServiceSetup { servers: star.servers }),
        }
    }
}

/// Makes the virtual service and its real servers.
#[derive(Debug)]
struct ServiceSetup {
    servers: u32,
}

impl Process for ServiceSetup {
    fn wake(&mut self, sys: &mut Sys) -> Next {
        let key = ServiceKey::Address(Transport::Tcp, VIP);
        let options = ServiceOptions {
            scheduler: "rr".into(),
            flags: 0,
            persistent: None,
            one_packet: false,
            conn_timeout: None,
        };
        let Kernel { ipvs, tables, .. } = sys.kernel;
        let mut done = ipvs.add_service(key, &options, sys.cx);
        for n in 0..self.servers {
            let server = SocketAddr { address: server(n), port: VIP.port };
            let options =
                ServerOptions { server, method: Method::Nat, tunnel: Tunnel::Ipip, weight: 1, upper: 0, lower: 0 };
            done = done.and_then(|()| ipvs.add_server(key, &options, tables, sys.cx));
        }
        Next::Exit(i32::from(done.is_err()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_request_of_the_star_is_answered_and_the_level_changes_nothing() {
        let star = Star { requests: 30, lanes: 4, servers: 3, answer: 3_000 };
        let run = |level| {
            let mut sim = star.world(1, level);
            assert_eq!(Star::run(&mut sim), Ok(Done { answered: 30, failed: 0 }));
            (sim.counters().packet_hops, sim.digest())
        };
        let everything = run(Level::Everything);
        assert_eq!(run(Level::Frames), everything);
        assert_eq!(run(Level::Counters), (everything.0, None));
        assert!(everything.1.is_some());
    }
}
