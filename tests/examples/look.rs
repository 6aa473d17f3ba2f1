//! tmp
use pcap_out::story::Archive;
use pcap_out::*;
fn main() {
    let star = scenarios::star::Star { requests: 2, lanes: 1, servers: 2, answer: 300 };
    let mut sim = star.world(1, sim_core::trace::Level::Everything);
    println!("{:?}", scenarios::star::Star::run(&mut sim));
    let trace = sim.into_trace();
    let about = About { scenario: "star".into(), title: "t".into(), seed: 1, digest: "x".into() };
    let mut v = Vec::new();
    pcapng::write(&mut v, &trace, &about, &Default::default()).unwrap();
    std::fs::write("/tmp/star.pcapng", v).unwrap();
    let archive = Archive::of(&trace);
    println!("conns {}", archive.conversations.count());
    let syn = sim_core::trace::select::Selector::new(&trace)
        .select(&sim_core::trace::filter::Filter::parse("tcp.flags.syn == 1").unwrap());
    println!("{syn:?}");
    for n in [syn[0], syn[syn.len() / 4]] {
        println!("{}", journey::frame(&archive, n, journey::Manner { width: 100, all: false }).unwrap());
    }
}
