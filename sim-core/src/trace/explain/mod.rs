//! What a reason says to a student: a stable code, one clear sentence with its evidence, and a page per code.
//!
//! Sentences speak from the host where the decision was made ("this host"). Nothing here decides anything: it reads what
//! the trace holds.

mod evidence;
pub mod pages;
mod sentence;

pub use pages::{Page, all as all_pages, page};
pub use sentence::sentence;

/// The scheduler of this name, as records name it.
#[cfg(feature = "saved")]
pub(in crate::trace) fn scheduler_named(name: &str) -> Option<&'static str> {
    evidence::scheduler_named(name)
}

use super::record::Method;
use super::{Kind, Trace, Why};
use crate::base::id::{EventId, IfaceId, NodeId, PortId};
use crate::wire::Ipv4Addr;

/// The stable code of a reason: `IPVS.DR`. A scheduler's comes from its evidence: `IPVS.RR`.
pub fn code(trace: &Trace, why: Why) -> &'static str {
    match why {
        Why::LinkDown => "LINK.DOWN",
        Why::LinkQueueFull { .. } => "LINK.QUEUE",
        Why::LinkLoss { .. } => "LINK.LOSS",
        Why::LinkTooLong { .. } => "LINK.MTU",
        Why::SwitchForwarded { .. } => "SWITCH.KNOWN",
        Why::SwitchBroadcast => "SWITCH.BROADCAST",
        Why::SwitchUnknown => "SWITCH.FLOOD",
        Why::SwitchSamePort => "SWITCH.SAMEPORT",
        Why::SwitchNoPort => "SWITCH.NOPORT",
        Why::SwitchCut { .. } => "SWITCH.CUT",
        Why::SwitchLearned { .. } => "SWITCH.LEARN",
        Why::SwitchMoved { .. } => "SWITCH.MOVED",
        Why::HubRepeated => "HUB.REPEAT",
        Why::PuppetTook => "PUPPET.TOOK",
        Why::OtherHost => "NIC.OTHER",
        Why::InterfaceDown => "NIC.DOWN",
        Why::UnknownEthertype { .. } => "NIC.TYPE",
        Why::Malformed => "IP.MALFORMED",
        Why::BadHeaderChecksum => "IP.CHECKSUM",
        Why::BadTransportChecksum => "SOCKET.CHECKSUM",
        Why::HostDown => "HOST.DOWN",
        Why::Martian { .. } => "IP.MARTIAN",
        Why::ReversePath { .. } => "IP.RPFILTER",
        Why::FragmentHeld { .. } => "IP.FRAGMENT",
        Why::Reassembled { .. } => "IP.REASSEMBLED",
        Why::MulticastNotJoined { .. } => "IP.GROUP",
        Why::ReassemblyTimeout => "IP.INCOMPLETE",
        Why::ArpAsk { .. } => "ARP.ASK",
        Why::ArpQueued { .. } => "ARP.WAIT",
        Why::ArpProbe { .. } => "ARP.PROBE",
        Why::ArpAnswer { .. } => "ARP.ANSWER",
        Why::ArpProxied { .. } => "ARP.PROXY",
        Why::ArpIgnored { .. } => "ARP.IGNORED",
        Why::ArpFilterRoute { .. } => "ARP.ROUTE",
        Why::ArpFiltered { .. } => "ARP.FILTERED",
        Why::ArpMangled { .. } => "ARP.MANGLED",
        Why::ArpNotMine { .. } => "ARP.OTHER",
        Why::ArpLearned { .. } => "ARP.LEARNED",
        Why::ArpUnsolicited { .. } => "ARP.UNSOLICITED",
        Why::ArpLocked { .. } => "ARP.LOCKED",
        Why::ArpPermanent { .. } => "ARP.PERMANENT",
        Why::ArpConflict { .. } => "ARP.CONFLICT",
        Why::ArpFailed { .. } => "ARP.FAILED",
        Why::ArpQueueFull { .. } => "ARP.QUEUE",
        Why::RouteLocal { .. } => "ROUTE.LOCAL",
        Why::RouteLink { .. } => "ROUTE.LINK",
        Why::RouteVia { .. } => "ROUTE.VIA",
        Why::RouteNone { .. } => "ROUTE.NONE",
        Why::RouteRefused { .. } => "ROUTE.REFUSED",
        Why::Filtered { .. } => "FILTER.DROP",
        Why::Marked { .. } => "FILTER.MARK",
        Why::Masqueraded { .. } => "NAT.SNAT",
        Why::Unmasqueraded { .. } => "NAT.BACK",
        Why::NatTableFull => "NAT.FULL",
        Why::Forwarded { .. } => "FORWARD",
        Why::ForwardingOff => "FORWARD.OFF",
        Why::TtlExpired { .. } => "IP.TTL",
        Why::TooLong { .. } => "IP.MTU",
        Why::Fragmented { .. } => "IP.FRAGMENTED",
        Why::Decapsulated { .. } => "TUNNEL.UNWRAP",
        Why::NoTunnel { .. } => "TUNNEL.NONE",
        Why::BadTunnelHeader { .. } => "TUNNEL.BAD",
        Why::Delivered { .. } => "DELIVERED",
        Why::Accepted { .. } => "SOCKET.ACCEPT",
        Why::BacklogFull { .. } => "SOCKET.BACKLOG",
        Why::NoListener { .. } => "SOCKET.NONE",
        Why::StraySegment { .. } => "SOCKET.STRAY",
        Why::EchoAnswered => "ICMP.ECHO",
        Why::IcmpTaken { .. } => "ICMP.TAKEN",
        Why::PathMtuLearned { .. } => "ICMP.PMTU",
        Why::DummySwallowed => "EGRESS.DUMMY",
        Why::IcmpSent { .. } => "ICMP.SENT",
        Why::IcmpSuppressed => "ICMP.SILENT",
        Why::NoProtocol { .. } => "IP.PROTOCOL",
        Why::IpvsNew { .. } => "IPVS.NEW",
        Why::IpvsFound { .. } => "IPVS.FOUND",
        Why::IpvsNotMine { .. } => "IPVS.NONE",
        Why::IpvsScheduled { evidence } => evidence::scheduler_code(trace, evidence),
        Why::IpvsNoDestination { .. } => "IPVS.NOSERVER",
        Why::IpvsPersistent { .. } => "IPVS.PERSIST",
        Why::IpvsConn { .. } => "IPVS.CONN",
        Why::IpvsState { .. } => "IPVS.STATE",
        Why::IpvsExpired { .. } => "IPVS.EXPIRED",
        Why::IpvsNoSyn => "IPVS.NOSYN",
        Why::IpvsServerGone => "IPVS.GONE",
        Why::IpvsReused { .. } => "IPVS.REUSED",
        Why::IpvsNoDest => "IPVS.NODEST",
        Why::IpvsTableFull => "IPVS.FULL",
        Why::VrrpTimeout { .. } => "VRRP.TIMEOUT",
        Why::VrrpAccepted { .. } => "VRRP.HEARD",
        Why::VrrpDiscarded { .. } => "VRRP.DISCARD",
        Why::VrrpRejected { .. } => "VRRP.REJECT",
        Why::VrrpLeft { .. } => "VRRP.LEAVES",
        Why::VrrpYielded { .. } => "VRRP.YIELD",
        Why::VrrpDefended { .. } => "VRRP.DEFEND",
        Why::VrrpFault { .. } => "VRRP.FAULT",
        Why::VrrpAnnounced { .. } => "VRRP.GARP",
        Why::IpvsForward { method, .. } => match method {
            Method::Nat => "IPVS.NAT",
            Method::Dr => "IPVS.DR",
            Method::Tun => "IPVS.TUN",
            Method::FullNat => "IPVS.FULLNAT",
            Method::Local => "IPVS.LOCAL",
            Method::Bypass => "IPVS.BYPASS",
        },
        Why::IpvsReply { .. } => "IPVS.REPLY",
        Why::IpvsFtpExpects { .. } => "IPVS.FTP",
        Why::IpvsFtpRewritten { .. } => "IPVS.FTP.PASV",
        Why::IpvsFtpShifted { .. } => "IPVS.FTP.SEQ",
        Why::IpvsIcmp { .. } => "IPVS.ICMP",
        Why::IpvsLocal { .. } => "FULLNAT.LIP",
        Why::IpvsLocalFull { .. } => "FULLNAT.LIP.FULL",
        Why::IpvsNoLocal { .. } => "FULLNAT.LIP.NONE",
        Why::IpvsReturned { .. } => "FULLNAT.BACK",
        Why::IpvsSequence { .. } => "FULLNAT.SEQ",
        Why::IpvsReset { .. } => "FULLNAT.RST",
        Why::TimestampsRemoved => "FULLNAT.TIMESTAMPS",
        Why::MssLowered { .. } => "FULLNAT.MSS",
        Why::ToaAdded { .. } => "TOA.ADDED",
        Why::ToaNotDue { .. } => "TOA.NOTDUE",
        Why::ToaPruned { .. } => "TOA.PRUNED",
        Why::ToaNoRoom { .. } => "TOA.NOROOM",
        Why::ToaTooLong { .. } => "TOA.MTU",
        Why::ToaTaken { .. } => "TOA.TAKEN",
        Why::ToaAbsent { .. } => "TOA.ABSENT",
        Why::ToaUnread { .. } => "TOA.UNREAD",
        Why::IpvsFlood { .. } => "IPVS.FLOOD",
        Why::IpvsShed { .. } => "IPVS.SHED",
        Why::IpvsSetAside => "IPVS.ASIDE",
        Why::IpvsSync { .. } => "IPVS.SYNC",
        Why::IpvsSyncHeard { .. } => "IPVS.SYNCHEARD",
        Why::IpvsSyncOther { .. } => "IPVS.SYNCOTHER",
        Why::IpvsWrapped { .. } => "IPVS.WRAPPED",
    }
}

/// The code and the sentence of an event that is a decision.
pub fn decision(trace: &Trace, event: EventId) -> Option<(&'static str, String)> {
    match trace.event(event).kind {
        Kind::Decided(why) => Some((code(trace, why), sentence(trace, trace.step_of(event).node, why))),
        _ => None,
    }
}

/// Names for numbers, from what the trace knows.
pub(super) struct Names<'a> {
    trace: &'a Trace,
    node: NodeId,
}

impl<'a> Names<'a> {
    pub(super) fn new(trace: &'a Trace, node: NodeId) -> Self {
        Names { trace, node }
    }

    /// `eth0`. Where interfaces were not recorded, from the order of the cards: `lo` is 1, then the cables.
    pub(super) fn interface(&self, id: IfaceId) -> String {
        let recorded = self.trace.interfaces.iter().find(|record| record.node == self.node && record.id == id);
        if let Some(record) = recorded {
            return record.name.to_string();
        }
        let mut own = self.trace.cast.ports.iter().filter(|port| port.node == self.node);
        match usize::from(id.0).checked_sub(2).and_then(|index| own.nth(index)) {
            Some(port) => port.name.to_string(),
            None if id.0 == 1 => "lo".to_string(),
            None => format!("interface {}", id.0),
        }
    }

    /// Who is at the other end of a switch's port: `server4`.
    pub(super) fn behind(&self, port: PortId) -> String {
        let ports = &self.trace.cast.ports;
        let peer = ports.get(port.index()).and_then(|card| card.peer).and_then(|peer| ports.get(peer.index()));
        match (peer, ports.get(port.index())) {
            (Some(peer), _) => self.trace.node_name(peer.node).to_string(),
            (None, Some(card)) => card.name.to_string(),
            (None, None) => format!("port {}", port.0),
        }
    }

    /// `172.25.92.6 (server6)`, where the address is one that an installer set.
    pub(super) fn host(&self, address: Ipv4Addr) -> String {
        let owner = self.trace.cast.ports.iter().find(|port| port.address.is_some_and(|net| net.addr() == address));
        match owner {
            Some(port) => format!("{address} ({})", self.trace.node_name(port.node)),
            None => address.to_string(),
        }
    }
}

#[cfg(test)]
mod tests;
