//! The closed list of reasons. A `Why` says what was decided *and on what grounds*; sentences are written once, in
//! `explain.rs`. Grouped by stage, in the order in which a packet meets them.
//!
//! A reason is `Copy` and at most 16 bytes. What does not fit (a scheduler's candidates) stands in an arena of the
//! trace, and the reason holds its index.

use super::record::{ConnState, Method, VrrpFlaw};
use crate::base::id::{IfaceId, PortId};
use crate::wire::Ipv4Addr;

/// An index into [`super::Trace::evidence`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub struct EvidenceId(pub u32);

/// An index into [`super::Trace::conflicts`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub struct ConflictId(pub u32);

/// Why something was done, accepted, dropped or chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub enum Why {
    // ── the cable ──────────────────────────────────────────────────────────────────────────────────────────────
    /// No signal: a cable is unplugged, or a machine at one end is off.
    LinkDown,
    /// The sender's queue was full.
    LinkQueueFull {
        /// Frames that were waiting.
        queued: u32,
    },
    /// The link lost it by its own stream of chance.
    LinkLoss {
        /// How often that happens, in parts per million.
        loss_ppm: u32,
    },
    /// Longer than the link carries.
    LinkTooLong {
        /// Octets after the Ethernet header.
        length: u32,
        /// What the link carries.
        mtu: u32,
    },

    // ── the switch ─────────────────────────────────────────────────────────────────────────────────────────────
    /// The destination is known to be behind this port.
    SwitchForwarded {
        /// Where it goes.
        port: PortId,
    },
    /// Broadcast or multicast: to all other ports.
    SwitchBroadcast,
    /// Nobody has been seen with this address: to all other ports.
    SwitchUnknown,
    /// The destination is behind the port it came from.
    SwitchSamePort,
    /// There is no other port with a signal.
    SwitchNoPort,
    /// A `cut` of the scenario stops this kind of frame between these ports.
    SwitchCut {
        /// Which cut, counted from 0 in script order.
        cut: u32,
    },
    /// The source address is now known to be behind this port.
    SwitchLearned {
        /// Where it was seen.
        port: PortId,
    },
    /// The source address moved here from another port.
    SwitchMoved {
        /// Where it was seen before.
        from: PortId,
    },

    /// A hub repeats everything to all other ports.
    HubRepeated,

    /// A puppet took the frame and kept it.
    PuppetTook,

    // ── ingress ────────────────────────────────────────────────────────────────────────────────────────────────
    /// The frame is for another MAC; a NIC that is not promiscuous does not take it.
    OtherHost,
    /// The interface is down.
    InterfaceDown,
    /// Not IPv4 and not ARP.
    UnknownEthertype {
        /// The EtherType.
        ethertype: u16,
    },
    /// Header or length fields make no sense.
    Malformed,
    /// The IPv4 header checksum is wrong.
    BadHeaderChecksum,
    /// The transport checksum is wrong.
    BadTransportChecksum,
    /// The host is switched off, crashed or frozen.
    HostDown,
    /// The source address cannot be right here: it is our own, or loopback, multicast or broadcast.
    Martian {
        /// The source.
        source: Ipv4Addr,
    },
    /// `rp_filter`: the way back to the source does not lead through this interface.
    ReversePath {
        /// The source.
        source: Ipv4Addr,
    },
    /// A fragment waits for the others.
    FragmentHeld {
        /// Octets that have come so far.
        so_far: u32,
    },
    /// All fragments are there.
    Reassembled {
        /// Octets of the whole packet.
        length: u32,
    },
    /// To a group that this host has not joined on this interface.
    MulticastNotJoined {
        /// The group.
        group: Ipv4Addr,
    },
    /// The others did not come in time (30 s).
    ReassemblyTimeout,

    // ── ARP ────────────────────────────────────────────────────────────────────────────────────────────────────
    /// The next hop's MAC is unknown: a question is broadcast.
    ArpAsk {
        /// Whose MAC is wanted.
        target: Ipv4Addr,
        /// The sender address in the question.
        sender: Ipv4Addr,
        /// 1 for the first of three.
        attempt: u8,
        /// `arp_announce` in force.
        announce: u8,
        /// Under which other values of `arp_announce` another sender address would stand there: bit n for value n.
        otherwise: u8,
    },
    /// The packet waits for the answer.
    ArpQueued {
        /// Whose MAC is wanted.
        target: Ipv4Addr,
    },
    /// The entry is old and in use: asked again, by unicast.
    ArpProbe {
        /// Whose MAC is confirmed.
        target: Ipv4Addr,
        /// 1 for the first of three.
        attempt: u8,
    },
    /// Answered: the address is this host's.
    ArpAnswer {
        /// The address.
        address: Ipv4Addr,
        /// The interface it stands on.
        holds_it_on: IfaceId,
        /// `arp_ignore` in force.
        ignore: u8,
        /// Under which other values of `arp_ignore` this host would have kept silent: bit n for value n.
        otherwise: u16,
    },
    /// Answered, though the address is behind another interface: `proxy_arp`, `proxy_arp_pvlan` or a published entry.
    ArpProxied {
        /// The address.
        address: Ipv4Addr,
        /// The interface by which this host reaches it.
        behind: IfaceId,
        /// An entry of `ip neigh add proxy` says so, not a setting.
        published: bool,
    },
    /// Not answered, though the address is this host's.
    ArpIgnored {
        /// The address.
        address: Ipv4Addr,
        /// The interface it stands on.
        holds_it_on: IfaceId,
        /// `arp_ignore` in force.
        ignore: u8,
    },
    /// Not answered: `arp_filter`, the way to the asker leads through another interface.
    ArpFilterRoute {
        /// The address asked for.
        address: Ipv4Addr,
    },
    /// `arptables` dropped it.
    ArpFiltered {
        /// The address the rule is about.
        address: Ipv4Addr,
        /// Which rule of the chain, from 1.
        rule: u16,
        /// Dropped on the way in, not out.
        inbound: bool,
    },
    /// `arptables` wrote another sender address.
    ArpMangled {
        /// What stood there.
        from: Ipv4Addr,
        /// What stands there now.
        to: Ipv4Addr,
        /// Which rule of the chain, from 1.
        rule: u16,
    },
    /// The question is not about an address of this host.
    ArpNotMine {
        /// The address asked for.
        address: Ipv4Addr,
    },
    /// The sender's MAC was noted.
    ArpLearned {
        /// The sender.
        address: Ipv4Addr,
    },
    /// Nothing was noted: there is no entry, and `arp_accept` does not let this message make one.
    ArpUnsolicited {
        /// The sender.
        address: Ipv4Addr,
    },
    /// Another MAC was offered within `locktime` of the last change: the first answer wins.
    ArpLocked {
        /// The sender.
        address: Ipv4Addr,
    },
    /// The entry was set by hand.
    ArpPermanent {
        /// The sender.
        address: Ipv4Addr,
    },
    /// Two hosts of one link claim one address. Noted by the lab, which sees both; the hosts do not.
    ArpConflict {
        /// Who, and against whom.
        conflict: ConflictId,
    },
    /// Nobody answered three questions.
    ArpFailed {
        /// Whose MAC was wanted.
        target: Ipv4Addr,
    },
    /// Too many packets were waiting for the answer; the oldest goes.
    ArpQueueFull {
        /// Whose MAC was wanted.
        target: Ipv4Addr,
    },

    // ── routing ────────────────────────────────────────────────────────────────────────────────────────────────
    /// The destination is this host's own.
    RouteLocal {
        /// The destination.
        address: Ipv4Addr,
        /// The interface it stands on.
        on: IfaceId,
    },
    /// The destination is on a link of this host.
    RouteLink {
        /// The destination.
        address: Ipv4Addr,
        /// The interface.
        by: IfaceId,
    },
    /// The destination is behind a router.
    RouteVia {
        /// The destination.
        address: Ipv4Addr,
        /// The router.
        gateway: Ipv4Addr,
        /// The interface.
        by: IfaceId,
    },
    /// No route.
    RouteNone {
        /// The destination.
        address: Ipv4Addr,
    },
    /// A route that refuses (`unreachable`, `prohibit`, `blackhole`).
    RouteRefused {
        /// The destination.
        address: Ipv4Addr,
    },

    // ── filters and NAT ────────────────────────────────────────────────────────────────────────────────────────
    /// An `iptables` rule dropped or rejected it.
    Filtered {
        /// Which rule of the chain, from 1; 0 for the policy.
        rule: u16,
        /// The hook.
        hook: Hook,
    },
    /// An `iptables` rule set the mark.
    Marked {
        /// The mark.
        mark: u32,
        /// Which rule of the chain, from 1.
        rule: u16,
    },
    /// MASQUERADE or SNAT wrote another source.
    Masqueraded {
        /// The new source.
        to: Ipv4Addr,
        /// Its port.
        port: u16,
    },
    /// An answer to a masqueraded flow: the destination is written back.
    Unmasqueraded {
        /// The destination.
        to: Ipv4Addr,
        /// Its port.
        port: u16,
    },
    /// No further flow can be tracked, or no port is free for its translation.
    NatTableFull,

    // ── input, output, forward ─────────────────────────────────────────────────────────────────────────────────
    /// Forwarded: one off the TTL.
    Forwarded {
        /// The TTL it leaves with.
        ttl: u8,
    },
    /// Not forwarded: `ip_forward` is 0.
    ForwardingOff,
    /// The TTL would become 0.
    TtlExpired {
        /// Who sent the packet.
        from: Ipv4Addr,
    },
    /// Longer than the way allows, and not to be fragmented.
    TooLong {
        /// Octets of the packet.
        length: u32,
        /// What the way allows.
        mtu: u32,
    },
    /// Sent in pieces.
    Fragmented {
        /// How many.
        pieces: u16,
        /// What the way allows.
        mtu: u32,
    },
    /// Taken out of its tunnel.
    Decapsulated {
        /// What stood in front.
        by: TunnelKind,
        /// Who wrapped it.
        from: Ipv4Addr,
    },
    /// A packet from a tunnel, and no device that is up opens it.
    NoTunnel {
        /// What stands in front.
        by: TunnelKind,
    },
    /// The GRE header is not understood, or its checksum is wrong.
    BadTunnelHeader {
        /// What stands in front.
        by: TunnelKind,
    },
    /// Given to a socket.
    Delivered {
        /// The port.
        port: u16,
    },
    /// A new connection was taken by a listener.
    Accepted {
        /// The port.
        port: u16,
    },
    /// The listener's queue is full.
    BacklogFull {
        /// The port.
        port: u16,
    },
    /// Nothing listens there: TCP answers RST, UDP ICMP port unreachable.
    NoListener {
        /// The port.
        port: u16,
    },
    /// An RST or a stray segment that belongs to nothing.
    StraySegment {
        /// The port.
        port: u16,
    },
    /// An echo request was answered.
    EchoAnswered,
    /// An ICMP message was taken note of.
    IcmpTaken {
        /// Its type.
        kind: u8,
        /// Its code.
        code: u8,
    },
    /// A smaller MTU on the way to a destination was learned (RFC 1191).
    PathMtuLearned {
        /// The destination.
        destination: Ipv4Addr,
        /// The MTU, in octets.
        mtu: u32,
    },
    /// An ICMP error is sent.
    IcmpSent {
        /// Its type.
        kind: u8,
        /// Its code.
        code: u8,
        /// To whom.
        to: Ipv4Addr,
    },
    /// No ICMP error may be sent about this packet (RFC 1122, section 3.2.2) or the rate limit holds.
    IcmpSuppressed,
    /// No such protocol here.
    NoProtocol {
        /// Its number.
        protocol: u8,
    },
    /// Sent by a dummy interface, which has no cable.
    DummySwallowed,

    // ── IPVS ───────────────────────────────────────────────────────────────────────────────────────────────────
    /// A virtual service, and no connection is known.
    IpvsNew {
        /// The VIP.
        address: Ipv4Addr,
        /// Its port.
        port: u16,
    },
    /// The packet belongs to a known connection.
    IpvsFound {
        /// Its state before this packet.
        state: ConnState,
    },
    /// No virtual service wants it: the host's own stack gets it.
    IpvsNotMine {
        /// The destination's port.
        port: u16,
    },
    /// A scheduler chose.
    IpvsScheduled {
        /// The grounds.
        evidence: EvidenceId,
    },
    /// No server can be had: ICMP port unreachable.
    IpvsNoDestination {
        /// The grounds.
        evidence: EvidenceId,
    },
    /// Known as a persistent client: same server, the scheduler is not asked.
    IpvsPersistent {
        /// The server.
        server: Ipv4Addr,
        /// Its port.
        port: u16,
    },
    /// A connection was noted.
    IpvsConn {
        /// Its state.
        state: ConnState,
        /// Its timeout, in seconds.
        timeout_s: u32,
        /// Whether it counts as active.
        active: bool,
    },
    /// A connection's state changed.
    IpvsState {
        /// Before.
        from: ConnState,
        /// After.
        to: ConnState,
        /// Its new timeout, in seconds.
        timeout_s: u32,
        /// Whether it counts as active.
        active: bool,
    },
    /// A connection ended.
    IpvsExpired {
        /// Its last state.
        state: ConnState,
    },
    /// Only a SYN makes a connection.
    IpvsNoSyn,
    /// The server was deleted; packets of its connections are dropped.
    IpvsServerGone,
    /// The old connection of this client port is over: scheduled anew.
    IpvsReused {
        /// Its state.
        state: ConnState,
    },
    /// The connection's server was deleted or has weight 0 and `expire_nodest_conn` is 1.
    IpvsNoDest,
    /// No room for another connection.
    IpvsTableFull,
    /// Brought to the server in this way.
    IpvsForward {
        /// The way.
        method: Method,
        /// The server.
        server: Ipv4Addr,
        /// Its port.
        port: u16,
    },
    /// A reply passes the director: its source is written back to the VIP.
    IpvsReply {
        /// The VIP.
        address: Ipv4Addr,
        /// Its port.
        port: u16,
    },
    /// The FTP helper noted an entry for a data connection.
    IpvsFtpExpects {
        /// The client.
        client: Ipv4Addr,
        /// Its port; 0 is any.
        from: u16,
        /// The VIP's port.
        to: u16,
    },
    /// The FTP helper wrote the VIP into an answer of the server.
    IpvsFtpRewritten {
        /// The VIP.
        address: Ipv4Addr,
        /// The port that the client is to connect to.
        port: u16,
    },
    /// A number of TCP was shifted, because an earlier payload of the server became longer or shorter.
    IpvsFtpShifted {
        /// By how much.
        by: i32,
    },
    /// An ICMP error about a connection was turned to its other end.
    IpvsIcmp {
        /// The ICMP type.
        kind: u8,
        /// To whom.
        to: Ipv4Addr,
    },
    /// FULLNAT: this local address and port stand for the client towards the server.
    IpvsLocal {
        /// The local address.
        address: Ipv4Addr,
        /// The port.
        port: u16,
        /// The address whose turn it was had been left out, as one time in twenty.
        skips: bool,
    },
    /// FULLNAT: no port of a local address is free towards this server; the next address is tried.
    IpvsLocalFull {
        /// The local address.
        address: Ipv4Addr,
        /// The server.
        server: Ipv4Addr,
    },
    /// FULLNAT: no local address can be had.
    IpvsNoLocal {
        /// How many the service has.
        addresses: u32,
    },
    /// FULLNAT: the destination of a server's packet is written back from the local address to the client.
    IpvsReturned {
        /// The client.
        client: Ipv4Addr,
        /// Its port.
        port: u16,
    },
    /// FULLNAT: the director's own initial sequence number stands in place of the client's.
    IpvsSequence {
        /// The number.
        first: u32,
    },
    /// FULLNAT: a connection was idle too long, and this end of it is told by RST.
    IpvsReset {
        /// Who is told.
        to: Ipv4Addr,
        /// At which port.
        port: u16,
    },
    /// FULLNAT: the time stamps of a SYN are overwritten.
    TimestampsRemoved,
    /// FULLNAT: the server's maximum segment size is lowered so that TOA fits.
    MssLowered {
        /// As the server said it.
        from: u16,
        /// As the client hears it.
        to: u16,
    },
    /// TOA was put into a segment.
    ToaAdded {
        /// The client it names.
        client: Ipv4Addr,
        /// Its port.
        port: u16,
    },
    /// TOA is not put into this segment.
    ToaNotDue {
        /// Why not.
        case: ToaCase,
    },
    /// Options were taken out of a segment to make room for TOA.
    ToaPruned {
        /// Octets that were won.
        octets: u8,
    },
    /// The TCP header has no room for TOA: the segment goes without.
    ToaNoRoom {
        /// Octets that are left.
        room: u8,
    },
    /// With TOA the packet would be too long: it goes without.
    ToaTooLong {
        /// Octets of the packet.
        length: u32,
        /// What the way allows.
        mtu: u32,
    },
    /// A real server's `toa` module took the client's address from the segment that completed the handshake.
    ToaTaken {
        /// The client: what `getpeername()` says from here on.
        client: Ipv4Addr,
        /// Its port.
        port: u16,
    },
    /// The `toa` module found no TOA in the segment that completed the handshake.
    ToaAbsent {
        /// Whom the program sees.
        peer: Ipv4Addr,
    },
    /// The segment that completed the handshake has a TOA, and no module reads it.
    ToaUnread {
        /// Whom the program sees.
        peer: Ipv4Addr,
    },
    /// `drop_packet`: one in so many packets that would begin a connection is dropped.
    IpvsFlood {
        /// So many.
        one_in: u32,
    },
    /// `drop_entry`: an entry ends to make room.
    IpvsShed {
        /// Its state.
        state: ConnState,
    },
    /// `ignore_tunneled`: neither this packet nor what is inside is looked at again.
    IpvsSetAside,
    /// The sync daemon will tell the backups of the connection.
    IpvsSync {
        /// The client's packets so far.
        packets: u32,
    },
    /// The backup daemon takes over what a master tells.
    IpvsSyncHeard {
        /// How many connections.
        connections: u8,
    },
    /// The backup daemon does not listen to masters of another syncid.
    IpvsSyncOther {
        /// The message's.
        sync_id: u8,
        /// The daemon's.
        own: u8,
    },
    /// Wrapped in an outer IP header.
    IpvsWrapped {
        /// What is put in front.
        by: TunnelKind,
        /// Outer source.
        from: Ipv4Addr,
        /// Outer destination.
        to: Ipv4Addr,
    },

    // ── VRRP ───────────────────────────────────────────────────────────────────────────────────────────────────
    /// No advert was accepted for as long as a backup waits: it becomes master.
    VrrpTimeout {
        /// The virtual router.
        vrid: u8,
        /// Its priority here.
        priority: u8,
    },
    /// A backup heard a master that may be: it waits anew.
    VrrpAccepted {
        /// The master.
        from: Ipv4Addr,
        /// The virtual router.
        vrid: u8,
        /// The master's priority.
        priority: u8,
    },
    /// A backup heard a master with less priority: its timer runs on.
    VrrpDiscarded {
        /// The master.
        from: Ipv4Addr,
        /// The virtual router.
        vrid: u8,
        /// The master's priority.
        priority: u8,
    },
    /// An advert was not believed.
    VrrpRejected {
        /// Who sent it.
        from: Ipv4Addr,
        /// The virtual router.
        vrid: u8,
        /// What is wrong with it.
        flaw: VrrpFlaw,
    },
    /// The master says that it leaves: priority 0.
    VrrpLeft {
        /// The master.
        from: Ipv4Addr,
        /// The virtual router.
        vrid: u8,
    },
    /// A master gives way to one with more right.
    VrrpYielded {
        /// The other.
        to: Ipv4Addr,
        /// The virtual router.
        vrid: u8,
        /// The other's priority.
        priority: u8,
    },
    /// A master answers one with less right.
    VrrpDefended {
        /// The other.
        from: Ipv4Addr,
        /// The virtual router.
        vrid: u8,
        /// The other's priority.
        priority: u8,
    },
    /// Something that is tracked is down: the virtual router takes no part.
    VrrpFault {
        /// The virtual router.
        vrid: u8,
    },
    /// Gratuitous ARP for a virtual address.
    VrrpAnnounced {
        /// The address.
        address: Ipv4Addr,
    },
}

/// What a tunnel puts in front of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub enum TunnelKind {
    /// An IPv4 header.
    Ipip,
    /// An IPv4 header and GRE.
    Gre,
    /// An IPv4 header, UDP and GUE.
    Gue,
}

/// Why a client's segment gets no TOA.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub enum ToaCase {
    /// It is the SYN: DPVS waits for the server's answer.
    Syn,
    /// It ends the connection.
    Reset,
    /// It acknowledges more than the server's SYN: the server has answered, so it knows the client.
    Known,
}

/// A netfilter hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "saved", derive(serde::Serialize, serde::Deserialize))]
pub enum Hook {
    /// Before routing.
    Prerouting,
    /// For this host.
    Input,
    /// Through this host.
    Forward,
    /// From this host.
    Output,
    /// Before it leaves.
    Postrouting,
}

const _: () = assert!(size_of::<Why>() <= 16, "a reason is at most 16 bytes");
