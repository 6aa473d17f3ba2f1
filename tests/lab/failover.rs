//! The law of keepalived's VRRP, from any state and after any schedule of cuts, crashes, freezes and heals:
//!
//! - when the network was whole and quiet for 3 × `master_down` + 10 s, each virtual router has one master, which alone
//!   has the address: one of the highest priority, if such a one preempts;
//! - two hosts that both have an address and both claim it are never unreported;
//! - right after a master's gratuitous ARPs, and at the end, every cache is right, with one exception, which the law
//!   names: [`Exception::HealWithoutGarp`].

use crate::lan::Alone;
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use scenarios::Options;
use scenarios::problem::SourceFile;
use sim_core::base::id::NodeId;
use sim_core::base::time::{Duration, Instant};
use sim_core::trace::moment::Moment;
use sim_core::trace::record::VrrpState;
use sim_core::trace::{Event, Kind, Trace, Why};
use std::net::Ipv4Addr;
use std::sync::Arc;

/// Something goes wrong, at a tenth of a second, on one of the three.
#[derive(Clone, Debug)]
enum Trouble {
    Unplug(usize),
    Plug(usize),
    CutOneWay(usize, usize),
    CutAdverts(usize),
    Heal,
    Kill(usize),
    Stop(usize),
    Start(usize),
    Freeze(usize),
    Thaw(usize),
    Crash(usize),
    PowerOn(usize),
    /// Which host, which virtual router's.
    DeleteAddress(usize, usize),
}

/// A cluster, and what happens to it. Two virtual routers, the second with the priorities in the other order.
#[derive(Clone, Debug)]
struct Recipe {
    priorities: [u8; 3],
    preempts: [bool; 3],
    version: u8,
    troubles: Vec<(u16, Trouble)>,
}

/// Troubles begin then, when each router has its first master.
const BEGIN_TENTHS: u16 = 50;
/// Troubles happen in this many tenths of a second.
const TROUBLED: u16 = 300;
/// And then, whoever was told to stop has stopped, everybody is started that does not run.
const RESTART: u16 = 15;
const HOSTS: [&str; 3] = ["n1", "n2", "n3"];
/// Virtual router and address.
const ROUTERS: [(u8, Ipv4Addr); 2] = [(51, Ipv4Addr::new(10, 0, 0, 100)), (52, Ipv4Addr::new(10, 0, 0, 200))];
/// What takes its way through the network is there by then.
const MOMENT: Duration = Duration::from_millis(20);

fn trouble() -> impl Strategy<Value = Trouble> {
    let host = || 0usize..3;
    prop_oneof![
        host().prop_map(Trouble::Unplug),
        host().prop_map(Trouble::Plug),
        (host(), host()).prop_map(|(from, to)| Trouble::CutOneWay(from, to)),
        host().prop_map(Trouble::CutAdverts),
        Just(Trouble::Heal),
        host().prop_map(Trouble::Kill),
        host().prop_map(Trouble::Stop),
        host().prop_map(Trouble::Start),
        host().prop_map(Trouble::Freeze),
        host().prop_map(Trouble::Thaw),
        host().prop_map(Trouble::Crash),
        host().prop_map(Trouble::PowerOn),
        (host(), 0usize..2).prop_map(|(host, router)| Trouble::DeleteAddress(host, router)),
    ]
}

fn recipe() -> impl Strategy<Value = Recipe> {
    let priorities = prop_oneof![
        Just([150, 100, 50]),
        Just([100, 100, 100]),
        Just([90, 200, 120]),
        [1u8..=254, 1u8..=254, 1u8..=254],
    ];
    let preempts = prop_oneof![Just([true; 3]), Just([false; 3]), any::<[bool; 3]>()];
    let troubles = prop::collection::vec((0..TROUBLED, trouble()), 0..12);
    (priorities, preempts, 2u8..=3, troubles).prop_map(|(priorities, preempts, version, troubles)| Recipe {
        priorities,
        preempts,
        version,
        troubles,
    })
}

impl Recipe {
    fn priority(&self, host: usize, router: usize) -> u8 {
        self.priorities[if router == 0 { host } else { HOSTS.len() - 1 - host }]
    }

    /// The whole network has been quiet for 3 × `master_down` + 10 s.
    fn end(&self) -> Duration {
        let least = self.priorities.into_iter().min().expect("there are three");
        let master_down = Duration::from_secs(3) + Duration::from_micros((256 - u64::from(least)) * 1_000_000 / 256);
        let quiet_from = Duration::from_millis(u64::from(BEGIN_TENTHS + TROUBLED + RESTART) * 100);
        quiet_from + master_down.times(3) + Duration::from_secs(10)
    }

    /// The scenario file.
    fn text(&self) -> String {
        let mut hosts = String::new();
        for (host, name) in HOSTS.iter().enumerate() {
            let nopreempt = if self.preempts[host] { "" } else { "nopreempt" };
            let (version, address) = (self.version, 11 + host);
            let mut instances = String::new();
            for (router, (vrid, vip)) in ROUTERS.iter().enumerate() {
                let priority = self.priority(host, router);
                instances.push_str(&format!(
                    "vrrp_instance VI_{vrid} {{\n state BACKUP\n interface eth0\n virtual_router_id {vrid}\n priority \
                     {priority}\n version {version}\n advert_int 1\n {nopreempt}\n virtual_ipaddress {{\n {vip}/24\n \
                     }}\n}}\n"
                ));
            }
            hosts.push_str(&format!(
                r##"
        "{name}": (nics: {{ "eth0": (to: "lan", address: "10.0.0.{address}/24") }},
            files: {{ "/etc/keepalived/keepalived.conf": Text(r#"
{instances}"#) }},
            boot: Text("keepalived -D")),"##
            ));
        }
        let mut script = String::new();
        let mut item = |tenths: u16, action: String| {
            let at = BEGIN_TENTHS + tenths;
            script.push_str(&format!("        (at: \"{}.{}s\", {action}),\n", at / 10, at % 10));
        };
        for (tenths, trouble) in &self.troubles {
            item(*tenths, trouble.action());
        }
        for host in HOSTS {
            item(TROUBLED, format!("thaw: \"{host}\""));
            item(TROUBLED, format!("plug: \"{host}:eth0\""));
            item(TROUBLED, format!("power_on: \"{host}\""));
            item(TROUBLED + RESTART, format!("on: \"{host}\", run: \"keepalived -D\""));
        }
        item(TROUBLED, "heal: ()".to_owned());
        let [(_, first), (_, second)] = ROUTERS;
        format!(
            r#"Scenario(
    title: "trouble", about: "", until: "70s",
    switches: {{ "lan": () }},
    hosts: {{{hosts}
        "client": (nics: {{ "eth0": (to: "lan", address: "10.0.0.50/24") }}),
    }},
    script: [
        (at: "4.5s", on: "client", run: "ping -q -i 0.5 -c 130 {first}"),
        (at: "4.6s", on: "client", run: "ping -q -i 0.5 -c 130 {second}"),
{script}    ],
    expect: [],
)"#
        )
    }
}

impl Trouble {
    fn action(&self) -> String {
        let name = |host: &usize| HOSTS[*host];
        match self {
            Trouble::Unplug(host) => format!("unplug: \"{}:eth0\"", name(host)),
            Trouble::Plug(host) => format!("plug: \"{}:eth0\"", name(host)),
            Trouble::CutOneWay(from, to) => {
                format!("cut: (switch: \"lan\", from: [\"{}\"], to: [\"{}\"])", name(from), name(to))
            }
            Trouble::CutAdverts(host) => {
                format!("cut: (switch: \"lan\", from: [\"{}\"], packet: \"vrrp\")", name(host))
            }
            Trouble::Heal => "heal: ()".to_owned(),
            Trouble::Kill(host) => format!("on: \"{}\", run: \"killall -9 keepalived\"", name(host)),
            Trouble::Stop(host) => format!("on: \"{}\", run: \"killall keepalived\"", name(host)),
            Trouble::Start(host) => format!("on: \"{}\", run: \"keepalived -D\"", name(host)),
            Trouble::Freeze(host) => format!("freeze: \"{}\"", name(host)),
            Trouble::Thaw(host) => format!("thaw: \"{}\"", name(host)),
            Trouble::Crash(host) => format!("crash: \"{}\"", name(host)),
            Trouble::PowerOn(host) => format!("power_on: \"{}\"", name(host)),
            Trouble::DeleteAddress(host, router) => {
                format!("on: \"{}\", run: \"ip addr del {}/24 dev eth0\"", name(host), ROUTERS[*router].1)
            }
        }
    }
}

/// So many cases in the normal tests; `PROPTEST_CASES` asks for others.
fn config() -> ProptestConfig {
    let given = ProptestConfig::default();
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { given.cases } else { 24 };
    ProptestConfig { cases, ..given }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn when_all_is_well_again_there_is_one_master(recipe in recipe()) {
        let text = recipe.text();
        let file = Arc::new(SourceFile { name: "trouble.ron".into(), text: text.clone() });
        let model = scenarios::load_text(&file, &Alone)
            .map_err(|problems| TestCaseError::fail(format!("{problems:#?}\n{text}")))?;
        let mut sim = scenarios::assemble(&model, Options::default());
        sim.run_until(Instant::ZERO + recipe.end());
        for router in 0..ROUTERS.len() {
            Law { recipe: &recipe, trace: sim.trace(), end: sim.now(), router }.check()?;
        }
    }
}

/// Why a cache may be wrong at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exception {
    /// The recorded heal without a gratuitous ARP: of two owners, one gives the address up, and the other, who did not
    /// hear it as a master of lower priority, has no reason to announce the address anew.
    HealWithoutGarp,
}

/// The law for one virtual router.
struct Law<'a> {
    recipe: &'a Recipe,
    trace: &'a Trace,
    end: Instant,
    router: usize,
}

impl Law<'_> {
    fn check(&self) -> TestCaseResult {
        let master = self.one_master()?;
        self.conflicts_are_reported()?;
        self.caches_are_right(master)
    }

    fn vip(&self) -> Ipv4Addr {
        ROUTERS[self.router].1
    }

    fn id(&self, name: &str) -> NodeId {
        let node = self.trace.cast.nodes.iter().position(|card| &*card.name == name);
        NodeId(node.expect("the host is there") as u32)
    }

    fn at(&self, event: &Event) -> (Instant, NodeId) {
        let step = self.trace.steps[event.step as usize];
        (step.at, step.node)
    }

    // ── one master ──

    fn one_master(&self) -> Result<usize, TestCaseError> {
        let moment = Moment::at(self.trace, self.end);
        let vrid = ROUTERS[self.router].0;
        let is_master = |host: &usize| {
            let tables = moment.node(self.id(HOSTS[*host]));
            tables.vrrp().any(|record| record.vrid == vrid && record.state == VrrpState::Master)
        };
        let masters: Vec<usize> = (0..HOSTS.len()).filter(is_master).collect();
        prop_assert_eq!(masters.len(), 1, "masters of {}: {:?}", vrid, masters);
        let owners: Vec<usize> = (0..HOSTS.len())
            .filter(|host| moment.node(self.id(HOSTS[*host])).addresses().any(|record| record.address == self.vip()))
            .collect();
        prop_assert_eq!(&owners, &masters, "who has the address of {}", vrid);
        let priority = |host: usize| self.recipe.priority(host, self.router);
        let best = (0..HOSTS.len()).map(priority).max().expect("there are three");
        if (0..HOSTS.len()).any(|host| priority(host) == best && self.recipe.preempts[host]) {
            prop_assert_eq!(priority(masters[0]), best, "the priority of the master of {}", vrid);
        }
        Ok(masters[0])
    }

    // ── no two owners unreported ──

    /// Each time that a host claims the address while another has it that has claimed it, that stands in the trace.
    fn conflicts_are_reported(&self) -> TestCaseResult {
        let mut has = [false; HOSTS.len()];
        let mut has_claimed = [false; HOSTS.len()];
        let reported: Vec<Instant> = self.reported();
        for event in &self.trace.events {
            let (at, node) = self.at(event);
            let Some(host) = HOSTS.iter().position(|name| self.id(name) == node) else { continue };
            match event.kind {
                Kind::Address(record) => {
                    let record = &self.trace.addresses[record as usize];
                    if record.address == self.vip() {
                        has[host] = record.present;
                        has_claimed[host] &= record.present;
                    }
                }
                Kind::Sent { bytes, .. } if self.claims(bytes) => {
                    let is_contested = (0..HOSTS.len()).any(|other| other != host && has[other] && has_claimed[other]);
                    has_claimed[host] |= has[host];
                    if has[host] && is_contested {
                        prop_assert!(reported.contains(&at), "two owners of {} at {:?}", self.vip(), at);
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn reported(&self) -> Vec<Instant> {
        let own = self.trace.conflicts.iter().filter(|conflict| conflict.address == self.vip());
        own.map(|conflict| conflict.claim.at).collect()
    }

    /// Whether a frame is an ARP message under the address.
    fn claims(&self, bytes: sim_core::base::id::BytesId) -> bool {
        let (head, tail) = self.trace.bytes(bytes);
        let frame: Vec<u8> = head.iter().chain(tail).take(42).copied().collect();
        frame.get(12..14) == Some(&[8, 6]) && frame.get(28..32) == Some(&self.vip().octets())
    }

    // ── caches ──

    fn caches_are_right(&self, master: usize) -> TestCaseResult {
        let announced = self.last(|event, node| {
            event.kind == Kind::Decided(Why::VrrpAnnounced { address: self.vip() }) && node == self.id(HOSTS[master])
        });
        let given_up = self.last(|event, node| match event.kind {
            Kind::Address(at) => {
                let record = &self.trace.addresses[at as usize];
                record.address == self.vip() && !record.present && node != self.id(HOSTS[master])
            }
            _ => false,
        });
        let exception = match (announced, given_up) {
            // An old master gives the address up within milliseconds of the advert, before or after the announcement.
            (Some(announced), Some(given_up)) if given_up > announced + MOMENT => Some(Exception::HealWithoutGarp),
            (Some(_), _) => None,
            (None, _) => Some(Exception::HealWithoutGarp),
        };
        match (exception, announced) {
            (Some(Exception::HealWithoutGarp), _) => {
                prop_assert!(!self.reported().is_empty(), "no gratuitous ARP, and there never were two owners");
            }
            (None, Some(announced)) => {
                let whole_from = Instant::ZERO + Duration::from_millis(u64::from(BEGIN_TENTHS + TROUBLED) * 100);
                if announced > whole_from {
                    self.all_believe(master, announced + MOMENT)?;
                }
                self.all_believe(master, self.end)?;
            }
            (None, None) => {}
        }
        Ok(())
    }

    /// Every host but the master itself that has an entry for the address has the master's MAC in it.
    fn all_believe(&self, master: usize, at: Instant) -> TestCaseResult {
        let moment = Moment::at(self.trace, at);
        let mac = |host: NodeId| self.trace.cast.ports.iter().find(|port| port.node == host).and_then(|port| port.mac);
        let right = mac(self.id(HOSTS[master]));
        for name in HOSTS.iter().chain(&["client"]).filter(|name| **name != HOSTS[master]) {
            let entries = moment.node(self.id(name)).neighbours();
            for entry in entries.filter(|entry| entry.address == self.vip() && entry.mac.is_some()) {
                prop_assert_eq!(entry.mac, right, "what {} believes of {} at {:?}", name, self.vip(), at);
            }
        }
        Ok(())
    }

    fn last(&self, is: impl Fn(&Event, NodeId) -> bool) -> Option<Instant> {
        let found = self.trace.events.iter().rev().find(|event| is(event, self.at(event).1));
        found.map(|event| self.at(event).0)
    }
}
