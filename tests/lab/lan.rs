//! Random LANs: one switch or hub, two to six hosts, a VIP anywhere, any settings, cables of any length, and what is
//! typed when. A LAN is written as a scenario and run from that text, so a case that breaks a law can be opened as it is.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestCaseResult, TestError, TestRunner};
use scenarios::problem::{SourceFile, render};
use scenarios::{Options, Source};
use sim_core::base::id::NodeId;
use sim_core::trace::Trace;
use sim_core::trace::record::{NeighbourRecord, NeighbourState};
use sim_core::wire::Mac;
use std::fmt::Write as _;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;

/// The address that hosts share.
pub(crate) const VIP: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 100);

/// A LAN and its story.
#[derive(Clone, Debug)]
pub(crate) struct Lan {
    pub(crate) seed: u64,
    pub(crate) hub: bool,
    pub(crate) ageing_ms: u64,
    pub(crate) until_ms: u64,
    pub(crate) stations: Vec<Station>,
    /// When, on which host, what.
    pub(crate) script: Vec<(u64, usize, Act)>,
}

/// A host.
#[derive(Clone, Debug)]
pub(crate) struct Station {
    pub(crate) vip: Holds,
    /// `arp_ignore` of `all` and of `eth0`.
    pub(crate) ignore: (u8, u8),
    /// `arp_announce` of `all` and of `eth0`.
    pub(crate) announce: (u8, u8),
    /// `arp_accept` of `all`.
    pub(crate) accept: u8,
    /// The two rules of arptables.
    pub(crate) arptables: (bool, bool),
    /// The length of its cable.
    pub(crate) delay_us: u32,
}

/// Where a host holds the VIP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holds {
    Nothing,
    OnLo,
    OnDummy,
    /// On eth0, in the subnet of the host's own address.
    OnEth0,
    /// On eth0, with a prefix of 32.
    OnEth0Alone,
}

/// Something that is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    Ping(usize),
    PingVip,
    PingAsVip(usize),
    /// `arping -U`
    Announce,
    /// `arping -A`
    AnnounceByAnswer,
    Take,
    Give,
    Flush,
    /// The host's cable gets another length.
    Delay(u32),
    /// Announcements of the host are lost in the switch, until `Heal`.
    LoseAnnouncements,
    Heal,
}

impl Station {
    /// Nothing set, no VIP.
    pub(crate) const PLAIN: Station = Station {
        vip: Holds::Nothing,
        ignore: (0, 0),
        announce: (0, 0),
        accept: 0,
        arptables: (false, false),
        delay_us: 50,
    };
}

/// `h1` is the first.
pub(crate) fn name(station: usize) -> String {
    format!("h{}", station + 1)
}

/// The MAC of a host's card, as the loader derives it.
pub(crate) fn mac(station: usize) -> Mac {
    Mac([2, 0, 0, 0, station as u8 + 1, 1])
}

/// Its own address.
pub(crate) fn own(station: usize) -> Ipv4Addr {
    Ipv4Addr::new(10, 0, 0, station as u8 + 1)
}

/// Hosts come first among the nodes.
pub(crate) fn node(station: usize) -> NodeId {
    NodeId(station as u32)
}

impl Lan {
    /// The scenario file.
    pub(crate) fn ron(&self, title: &str, about: &str) -> String {
        let kind = match self.hub {
            true => "kind: Hub".to_string(),
            false => format!("mac_aging: \"{}ms\"", self.ageing_ms),
        };
        let mut text = format!(
            "Scenario(\n    title: {title:?},\n    about: {about:?},\n    seed: {}, until: \"{}ms\",\n    \
             link: (rate: \"1Gbit\", delay: \"50us\"),\n    switches: {{ \"lan\": ({kind}) }},\n    hosts: {{\n",
            self.seed, self.until_ms
        );
        for (station, index) in self.stations.iter().zip(0..) {
            let (name, own, delay) = (name(index), own(index), station.delay_us);
            let _ = writeln!(
                text,
                "        \"{name}\": (role: Host, nics: {{ \"eth0\": (to: \"lan\", address: \"{own}/24\", link: (delay: \"{delay}us\")) }},"
            );
            let lines: Vec<String> = station.boot(index).iter().map(|line| format!("{line:?}")).collect();
            let _ = writeln!(text, "            boot: [{}]),", lines.join(", "));
        }
        text.push_str("    },\n    script: [\n");
        for (at, station, act) in &self.script {
            let on = name(*station);
            let done = match act {
                Act::Delay(delay) => format!("set_link: (\"{on}:eth0\", (delay: \"{delay}us\"))"),
                Act::LoseAnnouncements => {
                    format!("cut: (switch: \"lan\", from: [\"{on}\"], packet: \"arp.isgratuitous == 1\")")
                }
                Act::Heal => "heal: ()".to_string(),
                typed => format!("on: \"{on}\", run: {:?}", typed.line(&self.stations[*station], *station)),
            };
            let _ = writeln!(text, "        (at: \"{at}ms\", {done}),");
        }
        text.push_str("    ],\n    expect: [Always(ChecksumsCorrect)],\n)\n");
        text
    }

    /// Runs the scenario.
    pub(crate) fn run(&self) -> Trace {
        let file = Arc::new(SourceFile { name: "law.ron".into(), text: self.ron("law", "law") });
        let model = scenarios::load_text(&file, &Alone).unwrap_or_else(|problems| panic!("{}", render(&problems)));
        let mut sim = scenarios::assemble(&model, Options::default());
        sim.run();
        sim.into_trace()
    }
}

impl Station {
    /// What is typed at boot, cures first.
    fn boot(&self, index: usize) -> Vec<String> {
        let mut lines = Vec::new();
        let mut set = |key: &str, value: u8| {
            if value != 0 {
                lines.push(format!("sysctl -q -w net.ipv4.conf.{key}={value}"));
            }
        };
        set("all.arp_ignore", self.ignore.0);
        set("eth0.arp_ignore", self.ignore.1);
        set("all.arp_announce", self.announce.0);
        set("eth0.arp_announce", self.announce.1);
        set("all.arp_accept", self.accept);
        if self.arptables.0 {
            lines.push(format!("arptables -A INPUT -d {VIP} -j DROP"));
        }
        if self.arptables.1 {
            lines.push(format!("arptables -A OUTPUT -s {VIP} -j mangle --mangle-ip-s {}", own(index)));
        }
        match self.vip {
            Holds::Nothing => {}
            Holds::OnDummy => {
                lines.push("ip link add dummy0 type dummy".to_string());
                lines.push("ip link set dummy0 up".to_string());
                lines.push(self.take());
            }
            Holds::OnLo | Holds::OnEth0 | Holds::OnEth0Alone => lines.push(self.take()),
        }
        lines
    }

    fn place(&self) -> String {
        match self.vip {
            Holds::OnLo => format!("{VIP}/32 dev lo"),
            Holds::OnDummy => format!("{VIP}/32 dev dummy0"),
            Holds::OnEth0 => format!("{VIP}/24 dev eth0"),
            Holds::Nothing | Holds::OnEth0Alone => format!("{VIP}/32 dev eth0"),
        }
    }

    fn take(&self) -> String {
        format!("ip addr add {}", self.place())
    }
}

impl Act {
    fn line(self, station: &Station, index: usize) -> String {
        let peer = |target: usize| own(if target == index { target + 1 } else { target });
        match self {
            Act::Ping(target) => format!("ping -q -c 1 -W 1 {}", peer(target)),
            Act::PingVip => format!("ping -q -c 1 -W 1 {VIP}"),
            Act::PingAsVip(target) => format!("ping -q -c 1 -W 1 -I {VIP} {}", peer(target)),
            Act::Announce => format!("arping -q -c 1 -U -I eth0 {VIP}"),
            Act::AnnounceByAnswer => format!("arping -q -c 1 -A -I eth0 {VIP}"),
            Act::Take => station.take(),
            Act::Give => format!("ip addr del {}", station.place()),
            Act::Flush => "ip neigh flush dev eth0".to_string(),
            Act::Delay(_) | Act::LoseAnnouncements | Act::Heal => unreachable!("these are not typed"),
        }
    }
}

/// The entries for the VIP that were ever usable: whose table, and the entry.
pub(crate) fn beliefs(trace: &Trace) -> impl Iterator<Item = &NeighbourRecord> {
    trace.neighbours.iter().filter(|record| {
        let usable = !matches!(record.state, NeighbourState::Failed | NeighbourState::Incomplete);
        record.address == VIP && record.present && usable && record.mac.is_some()
    })
}

/// Any length of cable: mostly short, sometimes so long that `locktime` passes between two answers.
pub(crate) fn any_delay() -> impl Strategy<Value = u32> {
    prop_oneof![4 => 1u32..200, 2 => 1_000u32..20_000, 1 => 100_000u32..700_000]
}

/// How many cases a law is tried with: `PROPTEST_CASES`, else 1,000.
fn cases() -> u32 {
    from_outside("PROPTEST_CASES").and_then(|number| number.try_into().ok()).unwrap_or(1_000)
}

/// A number that the long run gives.
#[expect(clippy::disallowed_methods, reason = "how much is tried, and with which cases, is not part of a world")]
fn from_outside(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Tries a law with many LANs. One that breaks it is made as small as possible and written as a scenario.
pub(crate) fn hold(law: &str, lans: impl Strategy<Value = Lan>, holds: impl Fn(&Lan) -> TestCaseResult) {
    let config = Config { cases: cases(), failure_persistence: None, max_shrink_iters: 4_000, ..Config::default() };
    let found = TestRunner::new_with_rng(config, fixed()).run(&lans, |lan| holds(&lan));
    if let Err(TestError::Fail(reason, lan)) = found {
        let path = write(law, &lan, &reason.to_string());
        panic!("{law}: {reason}\nlvslab run {}", path.display());
    }
    found.unwrap_or_else(|error| panic!("{law}: {error}"));
}

/// The same cases in every run, unless `LAW_SEED` says otherwise: a test that fails, fails again.
fn fixed() -> proptest::test_runner::TestRng {
    let seed = from_outside("LAW_SEED").unwrap_or(0);
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    proptest::test_runner::TestRng::from_seed(proptest::test_runner::RngAlgorithm::ChaCha, &bytes)
}

/// Writes a LAN that breaks a law where `lvslab` can open it.
fn write(law: &str, lan: &Lan, reason: &str) -> PathBuf {
    let name: String = law.chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).collect();
    let path = crate::lvslab::folder().join(format!("{name}.ron"));
    std::fs::write(&path, lan.ron(law, reason)).expect("a file below target can be written");
    path
}

pub(crate) struct Alone;

impl Source for Alone {
    fn read(&self, _: &str) -> Result<String, String> {
        Err("No such file or directory".into())
    }
}

/// What a law says if it does not hold.
pub(crate) fn broken(what: String) -> TestCaseError {
    TestCaseError::fail(what)
}

#[test]
fn a_case_that_breaks_a_law_is_made_small_and_can_be_opened() {
    let station = (any_delay(), any::<bool>()).prop_map(|(delay_us, holds)| Station {
        vip: if holds { Holds::OnLo } else { Holds::Nothing },
        delay_us,
        ..Station::PLAIN
    });
    let act = prop_oneof![Just(Act::PingVip), Just(Act::Ping(0)), Just(Act::Flush)];
    let script = prop::collection::vec((500u64..4_000, 0usize..2, act), 1..8);
    let lans = (prop::collection::vec(station, 2..=6), script).prop_map(|(stations, script)| Lan {
        seed: 1,
        hub: false,
        ageing_ms: 300_000,
        until_ms: 6_000,
        stations,
        script,
    });
    // The law is wrong on purpose: somebody does find the VIP.
    let law = "test: nobody ever finds the VIP";
    let nobody = |lan: &Lan| match beliefs(&lan.run()).next() {
        Some(record) => Err(broken(format!("{} does", name(record.node.index())))),
        None => Ok(()),
    };
    let said = std::panic::catch_unwind(|| hold(law, lans, nobody)).expect_err("the law is wrong");
    let said = said.downcast_ref::<String>().expect("a panic with a text").clone();
    let path = said.lines().find_map(|line| line.strip_prefix("lvslab run ")).expect("it says how to open it");
    let text = std::fs::read_to_string(path).expect("it was written");
    let typed = text.lines().filter(|line| line.contains("(at:")).count();
    let hosts = text.lines().filter(|line| line.contains("role: Host")).count();
    assert!(typed == 1 && hosts <= 3, "one ping shows it:\n{text}");
    let shown = crate::lvslab::prints(&["run", path]);
    assert!(shown.contains(law) && shown.contains("ping -q -c 1 -W 1 10.0.0.100"), "{shown}");
    std::fs::remove_file(path).expect("it was there a moment ago");
}
