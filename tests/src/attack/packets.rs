//! Frames against every reader of octets, then against a director with everything that takes packets; what was
//! recorded of it is read as the screens and captures read it.

use super::director;
use super::frames;
use super::lone::Lone;
use sim_core::trace::filter::Filter;
use sim_core::wire::arp::Arp;
use sim_core::wire::flow::Flow;
use sim_core::wire::{dissect, gre, gue, summary, sync, tcp_option, toa};

/// Reads the octets in every way, then sends them as a row of frames.
pub(super) fn attack(octets: &[u8]) {
    read(octets);
    let (frames, last) = frames::read(octets, 100);
    let filters = ["tcp.flags.syn == 1 || udp.length > 8", "icmp && ip.ttl in {1..64}", "vrrp.prio > 0 or lab.toa"];
    let filters: Vec<Filter> = filters.iter().filter_map(|text| Filter::parse(text).ok()).collect();
    for (_, frame) in &frames {
        read(frame);
        read(frame.get(14..).unwrap_or_default());
        read(frame.get(34..).unwrap_or_default());
        for filter in &filters {
            filter.matches_frame(frame);
        }
    }
    let trace = Lone { boot: director::BOOT, frames, until_ms: last.min(60_000) + 1_000, ..Lone::default() }.run();
    for frame in trace.captured_frames() {
        frame.dissect();
    }
}

fn read(octets: &[u8]) {
    for length in [octets.len(), octets.len() + 100] {
        let frame = dissect::dissect(octets, length);
        for field in &frame.fields {
            field.show(octets);
        }
        if let Some(flow) = frame.flow() {
            assert_eq!(flow.reversed().reversed(), flow, "there and back");
        }
        summary::line(octets, length);
        summary::brief(octets, length);
    }
    if let Some(arp) = Arp::parse(octets) {
        let mut written = octets.to_vec();
        arp.write(&mut written);
        assert_eq!(Arp::parse(&written), Some(arp), "what is written is what was read");
    }
    Arp::of_frame(octets);
    let _ = (gre::open(octets), gre::length_of(octets), gue::open(octets));
    if let Some((_, entries)) = sync::read(octets) {
        assert!(entries.count() <= 256, "a message counts its entries in one octet");
    }
    assert!(tcp_option::walk(octets).count() <= octets.len(), "every option has an octet");
    let _ = (toa::Toa::find(octets), toa::Toa::parse(octets));
    if octets.len() >= 20 {
        let address = |at: usize| std::net::Ipv4Addr::new(octets[at], octets[at + 1], octets[at + 2], octets[at + 3]);
        Flow::of_parts(address(12), address(16), octets[9].into(), &octets[20..]);
    }
}
