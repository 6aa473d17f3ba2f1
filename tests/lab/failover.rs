//! Laws of keepalived's VRRP: whatever was cut, killed, frozen or unplugged, when the network is whole and quiet again
//! there is one master.

use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use scenarios::problem::SourceFile;
use scenarios::{Options, Source};
use sim_core::base::time::{Duration, Instant};
use sim_core::trace::moment::Moment;
use sim_core::trace::record::VrrpState;
use sim_core::trace::{Kind, Trace, Why};
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
    DeleteAddress(usize),
}

/// A cluster, and what happens to it.
#[derive(Clone, Debug)]
struct Recipe {
    priorities: [u8; 3],
    preempts: bool,
    version: u8,
    troubles: Vec<(u16, Trouble)>,
}

/// Troubles happen in this many tenths of a second.
const TROUBLED: u16 = 300;
const HOSTS: [&str; 3] = ["n1", "n2", "n3"];
const VIP: &str = "10.0.0.100";

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
        host().prop_map(Trouble::DeleteAddress),
    ]
}

fn recipe() -> impl Strategy<Value = Recipe> {
    let priorities = prop_oneof![Just([150, 100, 50]), Just([100, 100, 100]), Just([90, 200, 120])];
    let troubles = prop::collection::vec((0..TROUBLED, trouble()), 0..10);
    (priorities, any::<bool>(), 2u8..=3, troubles).prop_map(|(priorities, preempts, version, troubles)| Recipe {
        priorities,
        preempts,
        version,
        troubles,
    })
}

impl Recipe {
    /// The scenario file.
    fn text(&self) -> String {
        let mut hosts = String::new();
        for (number, (name, priority)) in HOSTS.iter().zip(self.priorities).enumerate() {
            let nopreempt = if self.preempts { "" } else { "nopreempt" };
            let version = self.version;
            let address = 11 + number;
            hosts.push_str(&format!(
                r##"
        "{name}": (nics: {{ "eth0": (to: "lan", address: "10.0.0.{address}/24") }},
            files: {{ "/etc/keepalived/keepalived.conf": Text(r#"
vrrp_instance VI_1 {{
    state BACKUP
    interface eth0
    virtual_router_id 51
    priority {priority}
    version {version}
    advert_int 1
    {nopreempt}
    virtual_ipaddress {{
        {VIP}/24
    }}
}}
"#) }},
            boot: Text("keepalived -D")),"##
            ));
        }
        let mut script = String::new();
        let mut item = |tenths: u16, action: String| {
            script.push_str(&format!("        (at: \"{}.{}s\", {action}),\n", 5 + tenths / 10, tenths % 10));
        };
        for (tenths, trouble) in &self.troubles {
            item(*tenths, trouble.action());
        }
        for host in HOSTS {
            item(TROUBLED, format!("thaw: \"{host}\""));
            item(TROUBLED, format!("plug: \"{host}:eth0\""));
            item(TROUBLED, format!("power_on: \"{host}\""));
            item(TROUBLED + 1, format!("on: \"{host}\", run: \"keepalived -D\""));
        }
        item(TROUBLED, "heal: ()".to_owned());
        format!(
            r#"Scenario(
    title: "trouble", about: "", until: "70s",
    switches: {{ "lan": () }},
    hosts: {{{hosts}
        "client": (nics: {{ "eth0": (to: "lan", address: "10.0.0.50/24") }}),
    }},
    script: [
        (at: "4.5s", on: "client", run: "ping -q -i 0.5 -c 130 {VIP}"),
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
            Trouble::DeleteAddress(host) => {
                format!("on: \"{}\", run: \"ip addr del {VIP}/24 dev eth0\"", name(host))
            }
        }
    }
}

struct Alone;

impl Source for Alone {
    fn read(&self, _: &str) -> Result<String, String> {
        Err("No such file or directory".into())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn when_all_is_well_again_there_is_one_master(recipe in recipe()) {
        let text = recipe.text();
        let file = Arc::new(SourceFile { name: "trouble.ron".into(), text: text.clone() });
        let model = scenarios::load_text(&file, &Alone)
            .map_err(|problems| TestCaseError::fail(format!("{problems:#?}\n{text}")))?;
        let mut sim = scenarios::assemble(&model, Options::default());
        sim.run_until(Instant::ZERO + Duration::from_secs(70));
        check(&recipe, sim.trace(), sim.now())?;
    }
}

fn check(recipe: &Recipe, trace: &Trace, end: Instant) -> TestCaseResult {
    let moment = Moment::at(trace, end);
    let node = |name: &str| trace.cast.nodes.iter().position(|card| &*card.name == name).expect("the host is there");
    let id = |name: &str| sim_core::base::id::NodeId(node(name) as u32);
    let masters: Vec<usize> = (0..3)
        .filter(|host| moment.node(id(HOSTS[*host])).vrrp().any(|record| record.state == VrrpState::Master))
        .collect();
    prop_assert_eq!(masters.len(), 1, "masters: {:?}", masters);
    let master = masters[0];
    let best = *recipe.priorities.iter().max().expect("there are three");
    if recipe.preempts {
        prop_assert_eq!(recipe.priorities[master], best);
    }
    let vip: std::net::Ipv4Addr = VIP.parse().expect("an address");
    let owners: Vec<usize> =
        (0..3).filter(|host| moment.node(id(HOSTS[*host])).addresses().any(|record| record.address == vip)).collect();
    prop_assert_eq!(&owners, &masters, "who holds the address");
    // The one exception: who never heard of the other master sends no gratuitous ARP when that one yields.
    let position = |event: &sim_core::trace::Event| trace.steps[event.step as usize];
    let given_up = trace.events.iter().rposition(|event| match event.kind {
        Kind::Address(at) => {
            let record = &trace.addresses[at as usize];
            record.address == vip && !record.present && record.node != id(HOSTS[master])
        }
        _ => false,
    });
    let announced = trace.events.iter().enumerate().any(|(at, event)| {
        let is_garp = event.kind == Kind::Decided(Why::VrrpAnnounced { address: vip });
        is_garp && position(event).node == id(HOSTS[master]) && given_up.is_none_or(|given_up| at > given_up)
    });
    let mac = trace.cast.ports.iter().find(|port| port.node == id(HOSTS[master])).and_then(|port| port.mac);
    for entry in moment.node(id("client")).neighbours().filter(|entry| entry.address == vip && announced) {
        prop_assert_eq!(entry.mac, mac, "the client believes");
    }
    Ok(())
}
