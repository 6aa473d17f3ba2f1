//! A host alone with its puppet: what stands on its disk, what is typed at boot, and what the puppet sends it. Frames go
//! over one cable to `eth0`.

use crate::replay::host_plan::Typist;
use sim_core::base::id::{LineId, NodeId, PortId};
use sim_core::base::time::{Duration, Instant};
use sim_core::kernel::Os;
use sim_core::nodes::host::{FilePlan, Host, HostPlan, NicPlan};
use sim_core::nodes::puppet::{Puppet, Sighting};
use sim_core::shell::Programs;
use sim_core::trace::{Level, NodeCard, PortCard, Trace};
use sim_core::wire::{Ipv4Addr, Mac};
use sim_core::world::{LinkSettings, Plan, Sim, Stopped};
use std::collections::BTreeMap;
use std::rc::Rc;

/// So many steps of the world are gone at most: what a run does is as long as its author wishes, a step is not.
const STEPS_MAX: usize = 20_000;

/// The host's address; its network has 24 bits.
pub(super) const HOST: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 11);
/// Its card.
pub(super) const HOST_MAC: Mac = Mac([2, 0, 0, 0, 1, 1]);
/// The puppet's address.
pub(super) const PUPPET: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 12);
/// Its card.
pub(super) const PUPPET_MAC: Mac = Mac([2, 0, 0, 0, 2, 1]);

/// What is on the host, and what happens to it.
#[derive(Debug, Default)]
pub(super) struct Lone<'a> {
    /// Files: path and content.
    pub(super) files: &'a [(&'a str, &'a [u8])],
    /// Lines typed at boot.
    pub(super) boot: &'a [&'a str],
    /// Frames that the puppet sends, each so many milliseconds after the beginning.
    pub(super) frames: Vec<(u64, Vec<u8>)>,
    /// The end, in milliseconds.
    pub(super) until_ms: u64,
}

impl Lone<'_> {
    /// Runs it and gives what happened.
    pub(super) fn run(self) -> Trace {
        let mut typist = Typist::default();
        let mut boot: Vec<LineId> = vec![typist.line("ip addr add 10.0.0.11/24 dev eth0; ip link set eth0 up")];
        boot.extend(self.boot.iter().map(|line| typist.line(line)));
        let nic = NicPlan { port: PortId(0), name: "eth0".into(), mac: HOST_MAC, mtu: 1500, address: None };
        let file = |(path, content): &(&str, &[u8])| FilePlan {
            path: (*path).into(),
            content: Rc::from(*content),
            mode: 0o644,
        };
        let host = HostPlan {
            node: NodeId(0),
            name: "lb1".into(),
            os: Os::Debian12,
            nics: vec![nic],
            gateway: None,
            ip_forward: true,
            files: self.files.iter().map(file).collect(),
            services: Vec::new(),
            boot,
            lines: typist.lines(),
            exec: Rc::new(Programs),
        };
        let sends = self.frames.into_iter().map(|(ms, bytes)| Sighting {
            at: Instant::ZERO + Duration::from_millis(ms),
            port: PortId(1),
            bytes: bytes.into(),
        });
        let answers = BTreeMap::from([(PUPPET, PUPPET_MAC), (Ipv4Addr::new(10, 0, 0, 13), PUPPET_MAC)]);
        let puppet = Puppet::sending(sends.collect()).answering(answers);
        let card = |name: &str| NodeCard { name: name.into(), role: "host".into(), is_switch: false };
        let port = |node| PortCard { node: NodeId(node), name: "eth0".into(), mac: None, address: None, peer: None };
        let mut sim = Sim::new(Plan {
            seed: 1,
            level: Level::Frames,
            nodes: vec![(card("lb1"), Box::new(Host::new(host))), (card("peer"), Box::new(puppet))],
            ports: vec![port(0), port(1)],
            cables: vec![(PortId(0), PortId(1), LinkSettings::default())],
            deeds: Vec::new(),
            until: Instant::ZERO + Duration::from_millis(self.until_ms),
        });
        for _ in 0..STEPS_MAX {
            match sim.step() {
                None => {}
                Some(Stopped::Livelock { at, .. }) => panic!("the host wakes forever at {at}"),
                Some(_) => break,
            }
        }
        sim.into_trace()
    }
}
