//! The law of keepalived's VRRP, from any state and after any schedule of cuts, crashes, freezes and heals:
//!
//! - when the network was whole and quiet for 3 × `master_down` + 10 s, each virtual router has one master, which alone
//!   has the address: one of the highest priority, if such a one preempts;
//! - two hosts that both have an address and both claim it are never unreported;
//! - right after a master's gratuitous ARPs, and at the end, every cache is right, unless of two owners the one that
//!   announced itself last gave the address up and the other had no reason to announce it anew: he was not heard
//!   ([`Exception::HealWithoutGarp`], as recorded), or left by himself or with his group ([`Exception::LeftWithoutGarp`],
//!   as the source has it: priority 0 is answered with an advert only).
//!
//! With version 2 and 3, intervals, unicast, groups, tracked scripts, delayed and no preemption, refreshes, and with
//! masters that do not answer or answer once more.

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
    /// What the host checks does not work.
    Break(usize),
    Mend(usize),
}

/// Whether a host takes the place of a master with less.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Preempt {
    Always,
    Never,
    /// After this many seconds.
    After(u8),
}

/// What all three have in their files besides.
#[derive(Clone, Copy, Debug)]
struct Settings {
    version: u8,
    /// In hundredths of a second; version 2 has whole seconds only.
    interval_cs: u8,
    unicast: bool,
    /// Both virtual routers are one group.
    grouped: bool,
    /// A script is tracked, with this weight.
    script: Option<i16>,
    /// `garp_master_refresh 7`
    refreshes: bool,
    /// `lower_prio_no_advert`, `higher_prio_send_advert`.
    no_advert_to_lower: bool,
    advert_to_higher: bool,
}

/// A cluster, and what happens to it. Two virtual routers, the second with the priorities in the other order.
#[derive(Clone, Debug)]
struct Recipe {
    priorities: [u8; 3],
    preempts: [Preempt; 3],
    settings: Settings,
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
        host().prop_map(Trouble::Break),
        host().prop_map(Trouble::Mend),
    ]
}

fn settings() -> impl Strategy<Value = Settings> {
    let version = prop_oneof![Just((2, 100)), Just((2, 200)), Just((3, 100)), Just((3, 30))];
    let script = prop_oneof![Just(None), Just(Some(0)), Just(Some(-60)), Just(Some(40))];
    let flags = any::<[bool; 3]>();
    (version, 0u8..4, 0u8..4, script, flags).prop_map(|((version, interval_cs), unicast, group, script, flags)| {
        Settings {
            version,
            interval_cs,
            unicast: unicast == 0,
            grouped: group == 0,
            script,
            refreshes: flags == [true; 3],
            no_advert_to_lower: flags == [true, false, false],
            advert_to_higher: flags == [false, true, false],
        }
    })
}

fn recipe() -> impl Strategy<Value = Recipe> {
    let priorities = prop_oneof![
        Just([150, 100, 50]),
        Just([100, 100, 100]),
        Just([90, 200, 120]),
        [1u8..=254, 1u8..=254, 1u8..=254],
    ];
    let each = prop_oneof![Just(Preempt::Always), Just(Preempt::Never), Just(Preempt::After(4))];
    let preempts =
        prop_oneof![Just([Preempt::Always; 3]), Just([Preempt::Never; 3]), [each.clone(), each.clone(), each]];
    let troubles = prop::collection::vec((0..TROUBLED, trouble()), 0..12);
    (priorities, preempts, settings(), troubles).prop_map(|(priorities, preempts, settings, troubles)| Recipe {
        priorities,
        preempts,
        settings,
        troubles,
    })
}

impl Recipe {
    fn priority(&self, host: usize, router: usize) -> u8 {
        // A group goes nowhere if its members want different hosts.
        self.priorities[if router == 0 || self.settings.grouped { host } else { HOSTS.len() - 1 - host }]
    }

    /// With what a script that works adds.
    fn effective(&self, host: usize, router: usize) -> i32 {
        // A group's members have no weights: keepalived ignores such scripts.
        let more = self.settings.script.filter(|weight| *weight > 0 && !self.settings.grouped).unwrap_or(0);
        (i32::from(self.priority(host, router)) + i32::from(more)).clamp(1, 254)
    }

    /// The whole network has been quiet for 3 × `master_down` + 10 s.
    fn end(&self) -> Duration {
        let least = self.priorities.into_iter().min().expect("there are three");
        let interval = Duration::from_millis(u64::from(self.settings.interval_cs) * 10);
        let skew_of = if self.settings.version == 2 { Duration::from_secs(1) } else { interval };
        let skew = Duration::from_micros((256 - u64::from(least)) * (skew_of.nanos() / 1000) / 256);
        let master_down = interval.times(3) + skew;
        let quiet_from = Duration::from_millis(u64::from(BEGIN_TENTHS + TROUBLED + RESTART) * 100);
        quiet_from + master_down.times(3) + Duration::from_secs(10)
    }

    /// The scenario file.
    fn text(&self) -> String {
        let mut hosts = String::new();
        for (host, name) in HOSTS.iter().enumerate() {
            let address = 11 + host;
            let instances: String = (0..ROUTERS.len()).map(|router| self.instance(host, router)).collect();
            let (check, group) = (self.check(), if self.settings.grouped { GROUP } else { "" });
            hosts.push_str(&format!(
                r##"
        "{name}": (nics: {{ "eth0": (to: "lan", address: "10.0.0.{address}/24") }},
            files: {{ "/etc/keepalived/keepalived.conf": Text(r#"
{check}{group}{instances}"#) }},
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
            item(TROUBLED, format!("on: \"{host}\", run: \"rm -f /tmp/broken\""));
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

impl Recipe {
    fn check(&self) -> String {
        let weight = |weight| {
            format!("vrrp_script chk {{\n script \"test ! -e /tmp/broken\"\n interval 1\n weight {weight}\n}}\n")
        };
        self.settings.script.map(weight).unwrap_or_default()
    }

    fn instance(&self, host: usize, router: usize) -> String {
        let Settings { version, interval_cs, unicast, script, refreshes, .. } = self.settings;
        let ((vrid, vip), priority) = (ROUTERS[router], self.priority(host, router));
        let interval = format!("{}.{:02}", interval_cs / 100, interval_cs % 100);
        let mut more = String::new();
        match self.preempts[host] {
            Preempt::Always => {}
            Preempt::Never => more.push_str(" nopreempt\n"),
            Preempt::After(seconds) => more.push_str(&format!(" preempt_delay {seconds}\n")),
        }
        if unicast {
            let peers = (0..HOSTS.len()).filter(|peer| *peer != host).map(|peer| format!("  10.0.0.{}\n", 11 + peer));
            more.push_str(&format!(" unicast_peer {{\n{} }}\n", peers.collect::<String>()));
        }
        for (is, line) in [
            (script.is_some(), " track_script {\n  chk\n }\n"),
            (refreshes, " garp_master_refresh 7\n"),
            (self.settings.no_advert_to_lower, " lower_prio_no_advert\n"),
            (self.settings.advert_to_higher, " higher_prio_send_advert\n"),
        ] {
            more.push_str(if is { line } else { "" });
        }
        format!(
            "vrrp_instance VI_{vrid} {{\n state BACKUP\n interface eth0\n virtual_router_id {vrid}\n priority \
             {priority}\n version {version}\n advert_int {interval}\n{more} virtual_ipaddress {{\n {vip}/24\n }}\n}}\n"
        )
    }
}

const GROUP: &str = "vrrp_sync_group VG_1 {\n group {\n  VI_51\n  VI_52\n }\n}\n";

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
            Trouble::Break(host) => format!("on: \"{}\", run: \"touch /tmp/broken\"", name(host)),
            Trouble::Mend(host) => format!("on: \"{}\", run: \"rm -f /tmp/broken\"", name(host)),
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

/// Why a cache may be wrong at the end, and all that is let pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exception {
    /// The recorded heal without a gratuitous ARP: of two owners the one that announced itself last heard the other first
    /// and gave the address up; the other never heard it, and has no reason to announce the address anew.
    HealWithoutGarp,
    /// The same, but the one that announced itself last left by itself or with its group (two virtual routers in a group,
    /// and adverts that go one way only): the other hears priority 0 or nothing, and keepalived answers priority 0 with an
    /// advert only.
    LeftWithoutGarp,
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
        let priority = |host: usize| self.recipe.effective(host, self.router);
        let best = (0..HOSTS.len()).map(priority).max().expect("there are three");
        let takes = |host: usize| self.recipe.preempts[host] != Preempt::Never;
        if (0..HOSTS.len()).any(|host| priority(host) == best && takes(host)) {
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
        let Some(announced) = self.announced(master) else {
            prop_assert!(false, "the master of {} never announced it", self.vip());
            return Ok(());
        };
        let exception =
            (0..HOSTS.len()).filter(|host| *host != master).find_map(|host| self.exception(host, announced));
        if exception.is_some() {
            prop_assert!(!self.reported().is_empty(), "{:?}, and there never were two owners", exception);
            return Ok(());
        }
        let whole_from = Instant::ZERO + Duration::from_millis(u64::from(BEGIN_TENTHS + TROUBLED) * 100);
        if announced > whole_from {
            self.all_believe(master, announced + MOMENT)?;
        }
        self.all_believe(master, self.end)
    }

    /// Whether another host announced itself after the master did, and is the reason why a cache is wrong.
    fn exception(&self, host: usize, announced: Instant) -> Option<Exception> {
        let claimed = self.announced(host).filter(|claimed| *claimed > announced)?;
        let vrid = ROUTERS[self.router].0;
        let yielded = self.trace.events.iter().rev().find_map(|event| {
            let (at, node) = self.at(event);
            match event.kind {
                Kind::Decided(Why::VrrpYielded { to, vrid: of, .. }) if of == vrid && node == self.id(HOSTS[host]) => {
                    Some((at, to))
                }
                _ => None,
            }
        });
        let Some((_, stronger)) = yielded.filter(|(at, _)| *at + MOMENT > claimed) else {
            return Some(Exception::LeftWithoutGarp);
        };
        // Who made it yield had not heard it: he would have defended himself, by gratuitous ARPs too.
        let stronger = (0..HOSTS.len()).find(|other| self.address(*other) == stronger)?;
        let own = self.address(host);
        let heard = self.last(|event, node| {
            let is_it = matches!(event.kind, Kind::Decided(Why::VrrpDefended { from, vrid: of, .. })
                if from == own && of == vrid);
            is_it && node == self.id(HOSTS[stronger])
        });
        heard.is_none_or(|heard| heard + MOMENT < claimed).then_some(Exception::HealWithoutGarp)
    }

    fn address(&self, host: usize) -> Ipv4Addr {
        Ipv4Addr::new(10, 0, 0, 11 + host as u8)
    }

    fn announced(&self, host: usize) -> Option<Instant> {
        self.last(|event, node| {
            event.kind == Kind::Decided(Why::VrrpAnnounced { address: self.vip() }) && node == self.id(HOSTS[host])
        })
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
