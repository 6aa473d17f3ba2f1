//! Captures that Wireshark opens: one interface block per network card, each frame with its direction and, where
//! something was decided, a comment with code and sentence.
//!
//! Virtual time 0 is 2000-01-01 00:00:00 UTC, in nanoseconds. The same trace gives the same octets on every machine.

use crate::About;
use pcap_file::pcapng::PcapNgWriter;
use pcap_file::pcapng::blocks::enhanced_packet::{EnhancedPacketBlock, EnhancedPacketOption};
use pcap_file::pcapng::blocks::interface_description::{InterfaceDescriptionBlock, InterfaceDescriptionOption};
use pcap_file::pcapng::blocks::name_resolution::{Ipv4Record, NameResolutionBlock, Record};
use pcap_file::pcapng::blocks::section_header::{SectionHeaderBlock, SectionHeaderOption};
use pcap_file::{DataLink, Endianness, PcapError};
use sim_core::base::id::{NodeId, PortId};
use sim_core::base::time::EPOCH_UNIX_SECONDS;
use sim_core::trace::capture::Captured;
use sim_core::trace::notes::Notes;
use sim_core::trace::record::ServiceKey;
use sim_core::trace::{Cast, Trace};
use sim_core::wire::Ipv4Addr;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::time::Duration;

/// Which end of a frame's way is captured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Side {
    /// Outbound at the sender and inbound at the receiver.
    #[default]
    Both,
    /// At the sender only.
    Out,
    /// At the receiver only.
    In,
}

/// Which frames go into a capture.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Which end.
    pub side: Side,
    /// Only the cards of these hosts; none is all.
    pub on: Option<BTreeSet<NodeId>>,
    /// Only the frames with these numbers; none is all.
    pub frames: Option<BTreeSet<u32>>,
}

/// Writes a capture; returns how many frames it has.
///
/// # Errors
/// Of the writer.
pub fn write(out: impl Write, trace: &Trace, about: &About, selection: &Selection) -> io::Result<u32> {
    let ports: Vec<PortId> = cards(trace).filter(|port| selection.has_node(owner(trace, *port))).collect();
    write_ports(out, trace, &Notes::of(trace), about, selection, &ports)
}

/// One capture per network card: its file name (`server4.eth0.pcapng`) and content, in the order of the cards.
///
/// # Errors
/// None that a capture in memory can have; passed on from the library.
pub fn split<'a>(
    trace: &'a Trace,
    about: &'a About,
    selection: &'a Selection,
) -> impl Iterator<Item = io::Result<(String, Vec<u8>)>> + 'a {
    let notes = Notes::of(trace);
    let chosen = cards(trace).filter(|port| selection.has_node(owner(trace, *port)));
    chosen.map(move |port| {
        let mut file = Vec::new();
        write_ports(&mut file, trace, &notes, about, selection, &[port])?;
        Ok((format!("{}.pcapng", trace.port_name(port).replace(':', ".")), file))
    })
}

fn write_ports(
    out: impl Write,
    trace: &Trace,
    notes: &Notes,
    about: &About,
    selection: &Selection,
    ports: &[PortId],
) -> io::Result<u32> {
    let mut writer = PcapNgWriter::with_section_header(out, section(about)).map_err(into_io)?;
    let mut numbers: BTreeMap<PortId, u32> = BTreeMap::new();
    for (port, number) in ports.iter().zip(0..) {
        writer.write_pcapng_block(interface(&trace.cast, *port)).map_err(into_io)?;
        numbers.insert(*port, number);
    }
    writer.write_pcapng_block(names(trace)).map_err(into_io)?;
    let mut count = 0;
    for frame in trace.captured_frames().filter(|frame| selection.takes(frame)) {
        let Some(interface) = numbers.get(&frame.port) else { continue };
        let comments = notes.comments(trace, frame.number);
        writer.write_pcapng_block(packet(&frame, *interface, &comments)).map_err(into_io)?;
        count += 1;
    }
    writer.into_inner().flush()?;
    Ok(count)
}

impl Selection {
    fn has_node(&self, node: NodeId) -> bool {
        self.on.as_ref().is_none_or(|on| on.contains(&node))
    }

    fn takes(&self, frame: &Captured) -> bool {
        let side = match self.side {
            Side::Both => true,
            Side::Out => frame.outbound,
            Side::In => !frame.outbound,
        };
        side && self.frames.as_ref().is_none_or(|frames| frames.contains(&frame.number))
    }
}

/// The network cards of hosts, in file order.
fn cards(trace: &Trace) -> impl Iterator<Item = PortId> + '_ {
    let ports = trace.cast.ports.iter().zip((0..).map(PortId));
    ports.filter(|(card, _)| !trace.cast.nodes[card.node.index()].is_switch).map(|(_, port)| port)
}

fn owner(trace: &Trace, port: PortId) -> NodeId {
    trace.cast.ports[port.index()].node
}

pub(crate) fn section(about: &About) -> SectionHeaderBlock<'static> {
    let About { scenario, title, seed, digest } = about;
    let comment = format!(
        "scenario {scenario}: {title}\nseed {seed}, digest {digest}\n\
         simulated by lvslab; time 0 of the run is 2000-01-01 00:00:00 UTC"
    );
    SectionHeaderBlock {
        endianness: Endianness::Little,
        major_version: 1,
        minor_version: 0,
        section_length: -1,
        options: vec![
            SectionHeaderOption::Comment(Cow::Owned(comment)),
            SectionHeaderOption::OS(Cow::Borrowed("Linux 6.1 (simulated)")),
            SectionHeaderOption::UserApplication(Cow::Borrowed(concat!("lvslab ", env!("CARGO_PKG_VERSION")))),
        ],
    }
}

pub(crate) fn interface(cast: &Cast, port: PortId) -> InterfaceDescriptionBlock<'static> {
    let card = &cast.ports[port.index()];
    let node = &cast.nodes[card.node.index()];
    let mut options = vec![
        InterfaceDescriptionOption::IfName(Cow::Owned(format!("{}:{}", node.name, card.name))),
        InterfaceDescriptionOption::IfDescription(Cow::Owned(node.role.to_string())),
    ];
    if let Some(net) = card.address {
        let octets = [net.addr().octets(), net.netmask().octets()].concat();
        options.push(InterfaceDescriptionOption::IfIpv4Addr(Cow::Owned(octets)));
    }
    if let Some(mac) = card.mac {
        options.push(InterfaceDescriptionOption::IfMacAddr(Cow::Owned(mac.as_bytes().to_vec())));
    }
    options.push(InterfaceDescriptionOption::IfTsResol(9));
    InterfaceDescriptionBlock { linktype: DataLink::ETHERNET, snaplen: 0, options }
}

fn packet<'a>(frame: &'a Captured, interface_id: u32, comments: &[(&str, String)]) -> EnhancedPacketBlock<'a> {
    const INBOUND: u32 = 1;
    const OUTBOUND: u32 = 2;
    let comments = comments.iter().map(|(code, text)| EnhancedPacketOption::Comment(format!("{code}  {text}").into()));
    let flags = EnhancedPacketOption::Flags(if frame.outbound { OUTBOUND } else { INBOUND });
    EnhancedPacketBlock {
        interface_id,
        timestamp: Duration::from_secs(EPOCH_UNIX_SECONDS) + Duration::from_nanos(frame.at.nanos()),
        original_len: frame.length,
        data: Cow::Borrowed(&frame.bytes),
        options: comments.chain([flags]).collect(),
    }
}

/// The hosts' own addresses under their names, and the addresses of virtual services as `VIP`.
fn names(trace: &Trace) -> NameResolutionBlock<'static> {
    let mut names: BTreeMap<Ipv4Addr, String> = BTreeMap::new();
    let services: BTreeSet<Ipv4Addr> = trace.services.iter().filter_map(|service| vip(service.key)).collect();
    for (address, number) in services.iter().zip(1..) {
        names.insert(*address, if services.len() == 1 { "VIP".to_string() } else { format!("VIP{number}") });
    }
    for card in &trace.cast.ports {
        if let Some(net) = card.address {
            names.insert(net.addr(), trace.node_name(card.node).to_string());
        }
    }
    let record = |(address, name): (Ipv4Addr, String)| {
        Record::Ipv4(Ipv4Record { ip_addr: Cow::Owned(address.octets().to_vec()), names: vec![Cow::Owned(name)] })
    };
    NameResolutionBlock { records: names.into_iter().map(record).collect(), options: Vec::new() }
}

fn vip(key: ServiceKey) -> Option<Ipv4Addr> {
    match key {
        ServiceKey::Address(_, end) => Some(end.address),
        ServiceKey::Mark(_) => None,
    }
}

pub(crate) fn into_io(error: PcapError) -> io::Error {
    match error {
        PcapError::IoError(error) => error,
        other => io::Error::other(other),
    }
}
