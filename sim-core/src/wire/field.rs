//! The names of what stands in a frame: protocols and fields, spelled as Wireshark spells them, so that a filter that
//! is written here works there; what Wireshark has no name for begins with `lab.`. The table [`FIELDS`] is what the filter language, its suggestions and the documentation
//! loop over.

/// A protocol, which is a layer of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    /// Ethernet II.
    Eth,
    /// RFC 826.
    Arp,
    /// RFC 791.
    Ip,
    /// RFC 792.
    Icmp,
    /// RFC 9293.
    Tcp,
    /// RFC 768.
    Udp,
    /// RFC 2784.
    Gre,
    /// Generic UDP Encapsulation, around an IPv4 packet.
    Gue,
    /// The TCP option by which FULLNAT names a client.
    Toa,
    /// RFC 3768.
    Vrrp,
    /// Messages of the IPVS sync daemon (`wire/sync.rs`).
    Ipvs,
    /// The first line of a request or answer on port 80 or 8080.
    Http,
    /// Octets that no protocol above explains.
    Data,
}

/// What kind of value a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// A number without a sign.
    Number,
    /// True or false; compared as 1 and 0.
    Flag,
    /// An Ethernet address.
    Mac,
    /// An IPv4 address; may be compared with a network.
    Address,
    /// Text.
    Text,
}

/// One field by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldRow {
    /// Which.
    pub field: FieldName,
    /// Wireshark's name, or one of ours behind `lab.`.
    pub name: &'static str,
    /// Its kind.
    pub kind: FieldKind,
    /// What it is called in a list of headers.
    pub title: &'static str,
}

/// A field of a protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each variant is its row in FIELDS, which says what it is")]
pub enum FieldName {
    EthDst,
    EthSrc,
    EthType,
    ArpHwType,
    ArpProtoType,
    ArpHwSize,
    ArpProtoSize,
    ArpOpcode,
    ArpSrcMac,
    ArpSrcIp,
    ArpDstMac,
    ArpDstIp,
    ArpIsGratuitous,
    ArpIsProbe,
    IpVersion,
    IpHeaderLength,
    IpDsField,
    IpDscp,
    IpEcn,
    IpLength,
    IpId,
    IpFlagDf,
    IpFlagMf,
    IpFragmentOffset,
    IpTtl,
    IpProtocol,
    IpChecksum,
    IpSrc,
    IpDst,
    IcmpType,
    IcmpCode,
    IcmpChecksum,
    IcmpIdent,
    IcmpSeq,
    IcmpMtu,
    TcpSrcPort,
    TcpDstPort,
    TcpSeq,
    TcpAck,
    TcpHeaderLength,
    TcpFlags,
    TcpCwr,
    TcpEce,
    TcpUrg,
    TcpAckFlag,
    TcpPush,
    TcpReset,
    TcpSyn,
    TcpFin,
    TcpWindow,
    TcpChecksum,
    TcpUrgentPointer,
    TcpOptionKind,
    TcpMss,
    TcpWindowScale,
    TcpTimestamp,
    TcpTimestampEcho,
    TcpExperiment,
    TcpLength,
    ToaPort,
    ToaAddress,
    UdpSrcPort,
    UdpDstPort,
    UdpLength,
    UdpChecksum,
    GreFlags,
    GreFlagChecksum,
    GreProtocol,
    GreChecksum,
    GueVersion,
    GueInside,
    VrrpVersion,
    VrrpType,
    VrrpId,
    VrrpPriority,
    VrrpAddressCount,
    VrrpAuthType,
    VrrpInterval,
    VrrpChecksum,
    VrrpAddress,
    VrrpAuthString,
    SyncCount,
    SyncId,
    SyncSize,
    SyncVersion,
    SyncProtocol,
    SyncFlags,
    SyncFlags0,
    SyncState,
    SyncClientPort,
    SyncVirtualPort,
    SyncServerPort,
    SyncMark,
    SyncTimeout,
    SyncClient,
    SyncVirtual,
    SyncServer,
    HttpMethod,
    HttpUri,
    HttpCode,
    DataLength,
}

const fn row(field: FieldName, name: &'static str, kind: FieldKind, title: &'static str) -> FieldRow {
    FieldRow { field, name, kind, title }
}

use FieldKind::{Address, Flag, Mac, Number, Text};
use FieldName as F;

/// Every field, in the order in which it stands in a frame.
pub const FIELDS: &[FieldRow] = &[
    row(F::EthDst, "eth.dst", Mac, "destination"),
    row(F::EthSrc, "eth.src", Mac, "source"),
    row(F::EthType, "eth.type", Number, "type"),
    row(F::ArpHwType, "arp.hw.type", Number, "hardware type"),
    row(F::ArpProtoType, "arp.proto.type", Number, "protocol type"),
    row(F::ArpHwSize, "arp.hw.size", Number, "hardware size"),
    row(F::ArpProtoSize, "arp.proto.size", Number, "protocol size"),
    row(F::ArpOpcode, "arp.opcode", Number, "opcode"),
    row(F::ArpSrcMac, "arp.src.hw_mac", Mac, "sender MAC"),
    row(F::ArpSrcIp, "arp.src.proto_ipv4", Address, "sender IP"),
    row(F::ArpDstMac, "arp.dst.hw_mac", Mac, "target MAC"),
    row(F::ArpDstIp, "arp.dst.proto_ipv4", Address, "target IP"),
    row(F::ArpIsGratuitous, "arp.isgratuitous", Flag, "gratuitous"),
    row(F::ArpIsProbe, "arp.isprobe", Flag, "probe"),
    row(F::IpVersion, "ip.version", Number, "version"),
    row(F::IpHeaderLength, "ip.hdr_len", Number, "header length"),
    row(F::IpDsField, "ip.dsfield", Number, "DS field"),
    row(F::IpDscp, "ip.dsfield.dscp", Number, "DSCP"),
    row(F::IpEcn, "ip.dsfield.ecn", Number, "ECN"),
    row(F::IpLength, "ip.len", Number, "length"),
    row(F::IpId, "ip.id", Number, "id"),
    row(F::IpFlagDf, "ip.flags.df", Flag, "don't fragment"),
    row(F::IpFlagMf, "ip.flags.mf", Flag, "more fragments"),
    row(F::IpFragmentOffset, "ip.frag_offset", Number, "fragment offset"),
    row(F::IpTtl, "ip.ttl", Number, "ttl"),
    row(F::IpProtocol, "ip.proto", Number, "protocol"),
    row(F::IpChecksum, "ip.checksum", Number, "checksum"),
    row(F::IpSrc, "ip.src", Address, "source"),
    row(F::IpDst, "ip.dst", Address, "destination"),
    row(F::IcmpType, "icmp.type", Number, "type"),
    row(F::IcmpCode, "icmp.code", Number, "code"),
    row(F::IcmpChecksum, "icmp.checksum", Number, "checksum"),
    row(F::IcmpIdent, "icmp.ident", Number, "identifier"),
    row(F::IcmpSeq, "icmp.seq", Number, "sequence"),
    row(F::IcmpMtu, "icmp.mtu", Number, "MTU of next hop"),
    row(F::TcpSrcPort, "tcp.srcport", Number, "source port"),
    row(F::TcpDstPort, "tcp.dstport", Number, "destination port"),
    row(F::TcpSeq, "tcp.seq_raw", Number, "sequence"),
    row(F::TcpAck, "tcp.ack_raw", Number, "acknowledgment"),
    row(F::TcpHeaderLength, "tcp.hdr_len", Number, "header length"),
    row(F::TcpFlags, "tcp.flags", Number, "flags"),
    row(F::TcpCwr, "tcp.flags.cwr", Flag, "CWR"),
    row(F::TcpEce, "tcp.flags.ece", Flag, "ECE"),
    row(F::TcpUrg, "tcp.flags.urg", Flag, "URG"),
    row(F::TcpAckFlag, "tcp.flags.ack", Flag, "ACK"),
    row(F::TcpPush, "tcp.flags.push", Flag, "PSH"),
    row(F::TcpReset, "tcp.flags.reset", Flag, "RST"),
    row(F::TcpSyn, "tcp.flags.syn", Flag, "SYN"),
    row(F::TcpFin, "tcp.flags.fin", Flag, "FIN"),
    row(F::TcpWindow, "tcp.window_size_value", Number, "window"),
    row(F::TcpChecksum, "tcp.checksum", Number, "checksum"),
    row(F::TcpUrgentPointer, "tcp.urgent_pointer", Number, "urgent pointer"),
    row(F::TcpOptionKind, "tcp.option_kind", Number, "option"),
    row(F::TcpMss, "tcp.options.mss_val", Number, "MSS"),
    row(F::TcpWindowScale, "tcp.options.wscale.shift", Number, "window scale"),
    row(F::TcpTimestamp, "tcp.options.timestamp.tsval", Number, "timestamp"),
    row(F::TcpTimestampEcho, "tcp.options.timestamp.tsecr", Number, "timestamp echo"),
    row(F::TcpExperiment, "tcp.options.experimental.exid", Number, "experiment"),
    row(F::TcpLength, "tcp.len", Number, "payload length"),
    row(F::ToaPort, "lab.toa.port", Number, "client's port"),
    row(F::ToaAddress, "lab.toa.address", Address, "client"),
    row(F::UdpSrcPort, "udp.srcport", Number, "source port"),
    row(F::UdpDstPort, "udp.dstport", Number, "destination port"),
    row(F::UdpLength, "udp.length", Number, "length"),
    row(F::UdpChecksum, "udp.checksum", Number, "checksum"),
    row(F::GreFlags, "gre.flags_and_version", Number, "flags"),
    row(F::GreFlagChecksum, "gre.flags.checksum", Flag, "has checksum"),
    row(F::GreProtocol, "gre.proto", Number, "protocol"),
    row(F::GreChecksum, "gre.checksum", Number, "checksum"),
    row(F::GueVersion, "lab.gue.version", Number, "version"),
    row(F::GueInside, "lab.gue.proto", Number, "protocol inside"),
    row(F::VrrpVersion, "vrrp.version", Number, "version"),
    row(F::VrrpType, "vrrp.type", Number, "type"),
    row(F::VrrpId, "vrrp.virt_rtr_id", Number, "virtual router"),
    row(F::VrrpPriority, "vrrp.prio", Number, "priority"),
    row(F::VrrpAddressCount, "vrrp.addr_count", Number, "addresses"),
    row(F::VrrpAuthType, "vrrp.auth_type", Number, "auth type"),
    row(F::VrrpInterval, "vrrp.adver_int", Number, "interval"),
    row(F::VrrpChecksum, "vrrp.checksum", Number, "checksum"),
    row(F::VrrpAddress, "vrrp.ip_addr", Address, "address"),
    row(F::VrrpAuthString, "vrrp.auth_string", Text, "password"),
    row(F::SyncCount, "ipvs.conncount", Number, "connections"),
    row(F::SyncId, "ipvs.syncid", Number, "syncid"),
    row(F::SyncSize, "ipvs.size", Number, "size"),
    row(F::SyncVersion, "ipvs.version", Number, "version"),
    row(F::SyncProtocol, "ipvs.proto", Number, "protocol"),
    row(F::SyncFlags, "ipvs.flags.v1", Number, "flags"),
    row(F::SyncFlags0, "ipvs.flags", Number, "flags"),
    row(F::SyncState, "ipvs.state", Number, "state"),
    row(F::SyncClientPort, "ipvs.cport", Number, "client port"),
    row(F::SyncVirtualPort, "ipvs.vport", Number, "virtual port"),
    row(F::SyncServerPort, "ipvs.dport", Number, "server port"),
    row(F::SyncMark, "ipvs.fwmark", Number, "firewall mark"),
    row(F::SyncTimeout, "ipvs.timeout", Number, "timeout"),
    row(F::SyncClient, "ipvs.caddr", Address, "client"),
    row(F::SyncVirtual, "ipvs.vaddr", Address, "virtual address"),
    row(F::SyncServer, "ipvs.daddr", Address, "server"),
    row(F::HttpMethod, "http.request.method", Text, "method"),
    row(F::HttpUri, "http.request.uri", Text, "URI"),
    row(F::HttpCode, "http.response.code", Number, "status"),
    row(F::DataLength, "data.len", Number, "length"),
];

impl FieldName {
    /// Its row.
    pub fn row(self) -> &'static FieldRow {
        &FIELDS[self as usize]
    }
}

impl Protocol {
    /// Every protocol, in the order of its name's meaning.
    pub const ALL: [Protocol; 13] = [
        Protocol::Eth,
        Protocol::Arp,
        Protocol::Ip,
        Protocol::Icmp,
        Protocol::Tcp,
        Protocol::Udp,
        Protocol::Gre,
        Protocol::Gue,
        Protocol::Toa,
        Protocol::Vrrp,
        Protocol::Ipvs,
        Protocol::Http,
        Protocol::Data,
    ];

    /// Wireshark's name, as a filter uses it; `lab.` in front of ours.
    pub const fn name(self) -> &'static str {
        match self {
            Protocol::Eth => "eth",
            Protocol::Arp => "arp",
            Protocol::Ip => "ip",
            Protocol::Icmp => "icmp",
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
            Protocol::Gre => "gre",
            Protocol::Gue => "lab.gue",
            Protocol::Toa => "lab.toa",
            Protocol::Vrrp => "vrrp",
            Protocol::Ipvs => "ipvs",
            Protocol::Http => "http",
            Protocol::Data => "data",
        }
    }

    /// Its name in a list of headers.
    pub const fn title(self) -> &'static str {
        match self {
            Protocol::Eth => "Ethernet",
            Protocol::Arp => "ARP",
            Protocol::Ip => "IPv4",
            Protocol::Icmp => "ICMP",
            Protocol::Tcp => "TCP",
            Protocol::Udp => "UDP",
            Protocol::Gre => "GRE",
            Protocol::Gue => "GUE",
            Protocol::Toa => "TOA",
            Protocol::Vrrp => "VRRP",
            Protocol::Ipvs => "IPVS sync daemon",
            Protocol::Http => "HTTP",
            Protocol::Data => "Data",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_stands_in_the_order_of_the_names() {
        for (index, row) in FIELDS.iter().enumerate() {
            assert_eq!(row.field as usize, index, "{}", row.name);
        }
        assert_eq!(FIELDS.len(), FieldName::DataLength as usize + 1);
    }
}
