//! One sentence per reason, with its evidence.

use super::{Names, evidence};
use crate::base::id::NodeId;
use crate::trace::record::{ConnState, Method};
use crate::trace::why::{Hook, ToaCase, TunnelKind};
use crate::trace::{Trace, Why};

/// What a reason says, in one sentence without a full stop. `node` is where it was decided.
pub fn sentence(trace: &Trace, node: NodeId, why: Why) -> String {
    let names = Names::new(trace, node);
    match why {
        Why::LinkDown => "there is no signal: a cable is unplugged or the machine at its other end is off".into(),
        Why::LinkQueueFull { queued } => format!("the queue of this link is full: {queued} frames are waiting"),
        Why::LinkLoss { loss_ppm } => {
            format!("the link lost it by chance; the scenario lets it lose {} %", percent(loss_ppm))
        }
        Why::LinkTooLong { length, mtu } => format!("{length} octets are more than the link carries ({mtu})"),
        Why::SwitchForwarded { port } => {
            format!("the destination MAC was last seen behind the port to {}", names.behind(port))
        }
        Why::SwitchBroadcast => "a broadcast goes out by all other ports".into(),
        Why::SwitchUnknown => "nobody has been seen with the destination MAC: it goes out by all other ports".into(),
        Why::SwitchSamePort => "the destination is behind the port it came from, so it has already heard it".into(),
        Why::SwitchNoPort => "no other port of the switch has a signal, so it goes nowhere".into(),
        Why::SwitchCut { cut } => format!("cut {} of the scenario stops it here", cut + 1),
        Why::SwitchLearned { port } => {
            format!("the source MAC is now known to be behind the port to {}", names.behind(port))
        }
        Why::SwitchMoved { from } => {
            format!("the source MAC moved here; it was behind the port to {}", names.behind(from))
        }
        Why::HubRepeated => "a hub repeats every frame by all other ports, whoever it is for".into(),
        Why::PuppetTook => "a test's puppet takes every frame and keeps a copy".into(),
        Why::OtherHost => "the frame is addressed to another MAC, so this network card does not take it".into(),
        Why::InterfaceDown => "the interface is down".into(),
        Why::UnknownEthertype { ethertype } => format!("EtherType 0x{ethertype:04x} is neither IPv4 nor ARP"),
        Why::Malformed => "its header or length fields make no sense".into(),
        Why::BadHeaderChecksum => "the IPv4 header checksum is wrong: it was damaged on the way".into(),
        Why::BadTransportChecksum => "the TCP, UDP or ICMP checksum is wrong: it was damaged on the way".into(),
        Why::HostDown => "this host is switched off, crashed or frozen, and hears nothing".into(),
        Why::Martian { source } => {
            format!("a packet from outside cannot come from {source}: it is this host's own, or no sender's address")
        }
        Why::ReversePath { source } => {
            format!("rp_filter: this host would not answer {} through the interface it came by", names.host(source))
        }
        Why::FragmentHeld { so_far } => format!("a fragment waits for the others; {so_far} octets are here so far"),
        Why::Reassembled { length } => format!("all fragments are here: a packet of {length} octets"),
        Why::MulticastNotJoined { group } => format!("no program here has joined the group {group}"),
        Why::ReassemblyTimeout => "the other fragments did not come within 30 s".into(),
        Why::ArpAsk { target, sender, attempt, .. } => format!(
            "the MAC of {} is not known: asked for it as {sender}{}",
            names.host(target),
            if attempt > 1 { format!(", attempt {attempt} of 3") } else { String::new() }
        ),
        Why::ArpQueued { target } => format!("the packet waits until {} says its MAC", names.host(target)),
        Why::ArpProbe { target, attempt } => {
            format!(
                "the entry for {} is old but in use: asked again by unicast, attempt {attempt} of 3",
                names.host(target)
            )
        }
        Why::ArpAnswer { address, holds_it_on, ignore, .. } => {
            format!("{address} is its own address, on {} (arp_ignore={ignore})", names.interface(holds_it_on))
        }
        Why::ArpProxied { address, behind, published } => format!(
            "{} is behind {}: answered in its place ({})",
            names.host(address),
            names.interface(behind),
            if published { "a published entry" } else { "proxy_arp" }
        ),
        Why::ArpIgnored { address, holds_it_on, ignore } => format!(
            "{address} is its own address, on {}, but arp_ignore={ignore} forbids it",
            names.interface(holds_it_on)
        ),
        Why::ArpFilterRoute { address } => {
            format!("{address} is its own address, but arp_filter: the asker is reached by another interface")
        }
        Why::ArpFiltered { address, rule, inbound } => {
            format!("dropped by rule {rule} of arptables {}, for {address}", if inbound { "IN" } else { "OUT" })
        }
        Why::ArpMangled { from, to, rule } => {
            format!("rule {rule} of arptables OUT wrote {to} as the sender instead of {from}")
        }
        Why::ArpNotMine { address } => format!("{address} is not an address of this host"),
        Why::ArpLearned { address } => format!("noted which MAC {} has", names.host(address)),
        Why::ArpUnsolicited { address } => {
            format!(
                "not noted: there is no entry for {}, and nobody here had asked (arp_accept=0)",
                names.host(address)
            )
        }
        Why::ArpLocked { address } => {
            format!("another MAC for {address}, within a second of the last change: the first answer stays")
        }
        Why::ArpPermanent { address } => format!("the entry for {address} was set by hand, so ARP does not change it"),
        Why::ArpConflict { conflict } => evidence::conflict(trace, conflict),
        Why::ArpFailed { target } => {
            format!("nobody said which MAC {} has, though asked three times", names.host(target))
        }
        Why::ArpQueueFull { target } => {
            format!("too many packets wait for the MAC of {}: the oldest goes", names.host(target))
        }
        Why::RouteLocal { address, on } => {
            format!("{address} is this host's own (on {}): the packet goes to INPUT", names.interface(on))
        }
        Why::RouteLink { address, by } => {
            format!("{} is on the link of {}: straight to it", names.host(address), names.interface(by))
        }
        Why::RouteVia { address, gateway, by } => {
            format!("{address} is on no own link: by {} to gateway {}", names.interface(by), names.host(gateway))
        }
        Why::RouteNone { address } => format!("there is no route to {address}"),
        Why::RouteRefused { address } => format!("a route says that {address} must not be reached"),
        Why::Filtered { rule: 0, hook } => format!("the policy of the iptables chain {} drops it", hook_name(hook)),
        Why::Filtered { rule, hook } => format!("iptables rule {rule} of {} stopped it", hook_name(hook)),
        Why::Marked { mark, rule } => format!("iptables rule {rule} gave the packet the mark {mark}"),
        Why::Masqueraded { to, port } => format!("the source is now {to}:{port}, so that answers come back here"),
        Why::Unmasqueraded { to, port } => {
            format!("an answer to a masqueraded flow: the destination is {}:{port} again", names.host(to))
        }
        Why::PathMtuLearned { destination, mtu } => {
            format!("packets to {} must not be longer than {mtu} octets from now on", names.host(destination))
        }
        Why::DummySwallowed => "a dummy interface has no cable: the packet ends here".into(),
        Why::NatTableFull => "no further flow can be tracked, or no port is free for its translation".into(),
        Why::Forwarded { ttl } => format!("not for this host, and ip_forward=1: sent on, TTL now {ttl}"),
        Why::ForwardingOff => "not for this host, and ip_forward=0: it is no router".into(),
        Why::TtlExpired { from } => format!("the TTL would become 0; {} is told", names.host(from)),
        Why::TooLong { length, mtu } => {
            format!("{length} octets do not fit into {mtu}, and DF forbids to cut the packet; its sender is told")
        }
        Why::Fragmented { pieces, mtu } => format!("cut into {pieces} fragments, because the way takes {mtu} octets"),
        Why::Decapsulated { by, from } => {
            let (device, header) = match by {
                TunnelKind::Ipip => ("tunl0", "the outer header"),
                TunnelKind::Gre => ("a gre device", "outer header and GRE"),
                TunnelKind::Gue => ("fou and tunl0", "outer header, UDP and GUE"),
            };
            format!("{device} took off {header} that {} had put on", names.host(from))
        }
        Why::NoTunnel { by: TunnelKind::Ipip } => "an IP-in-IP packet, but no tunl0 that is up could open it".into(),
        Why::NoTunnel { by: TunnelKind::Gre } => "a GRE packet, but no gre device that is up could open it".into(),
        Why::NoTunnel { by: TunnelKind::Gue } => "a GUE packet, but no tunl0 that is up could open it".into(),
        Why::BadTunnelHeader { by } => match by {
            TunnelKind::Ipip => "what the outer header is about makes no sense".into(),
            TunnelKind::Gre => "its GRE header is of a kind that is not opened here, or its checksum is wrong".into(),
            TunnelKind::Gue => "its GUE header is of a kind that is not opened here".into(),
        },
        Why::Delivered { port } => format!("the program at port {port} gets it"),
        Why::Accepted { port } => format!("a program listens on port {port}: a new connection"),
        Why::BacklogFull { port } => format!("the listener on port {port} has too many connections waiting"),
        Why::NoListener { port } => format!("no program listens on port {port}"),
        Why::StraySegment { port } => format!("it belongs to no connection at port {port}"),
        Why::EchoAnswered => "a ping: answered".into(),
        Why::IcmpTaken { kind, code } => format!("took note of the ICMP message {}", icmp_name(kind, code)),
        Why::IcmpSent { kind, code, to } => format!("told {} by ICMP: {}", names.host(to), icmp_name(kind, code)),
        Why::IcmpSuppressed => "no ICMP error may be sent about this packet, or too many were sent already".into(),
        Why::NoProtocol { protocol } => format!("nothing here understands IP protocol {protocol}"),
        Why::IpvsNew { address, port } => {
            format!("{address}:{port} is a virtual service, and no connection is known: a new one")
        }
        Why::IpvsFound { state } => {
            format!("it belongs to a known connection ({state}), so no server needs to be chosen")
        }
        Why::IpvsNotMine { port } => format!("IPVS has no service for port {port}: the host's own programs get it"),
        Why::IpvsScheduled { evidence } => evidence::chosen(&names, trace, evidence),
        Why::IpvsNoDestination { evidence } => evidence::nobody(&names, trace, evidence),
        Why::IpvsPersistent { server, port } => {
            format!(
                "persistence: this client was sent to {} before, and stays at port {port} there",
                names.host(server)
            )
        }
        Why::IpvsConn { state, timeout_s, active } => {
            format!("noted the connection: {state} for {timeout_s} s{}", counts(state, active))
        }
        Why::IpvsState { from, to, timeout_s, active } => {
            format!("the connection goes from {from} to {to}, for {timeout_s} s{}", counts(to, active))
        }
        Why::IpvsExpired { state } => {
            format!("no packet came for the whole timeout: the connection ({state}) is forgotten")
        }
        Why::IpvsNoSyn => "no connection is known and this is no SYN: IPVS leaves it to the host".into(),
        Why::IpvsServerGone => "its connection leads to a server that was deleted: dropped without a word".into(),
        Why::IpvsReused { state } => {
            format!("a SYN from a port whose old connection is over ({state}): scheduled anew (conn_reuse_mode)")
        }
        Why::IpvsNoDest => "its server is gone and expire_nodest_conn=1: the connection is forgotten".into(),
        Why::IpvsTableFull => "there is no room for another connection: dropped".into(),
        Why::IpvsForward { method, server, port } => forward(method, &names.host(server), port),
        Why::IpvsReply { address, port } => {
            format!("an answer of a real server: its source becomes {address}:{port}, which the client had asked")
        }
        Why::IpvsFtpExpects { client, from: 0, to } => {
            format!(
                "FTP helper: {client} will open its data connection to port {to}; from which port, nobody knows yet"
            )
        }
        Why::IpvsFtpExpects { client, from, to } => {
            format!(
                "FTP helper: the server will open its data connection to {client}:{from}, for the client from port {to}"
            )
        }
        Why::IpvsFtpRewritten { address, port } => {
            format!("FTP helper: the answer names the server's own address: it is made to say {address}, port {port}")
        }
        Why::IpvsFtpShifted { by } => {
            format!("FTP helper: a rewritten answer changed its length, so TCP's numbers are shifted by {by}")
        }
        Why::IpvsIcmp { kind, to } => {
            format!("an ICMP message ({kind}) about a connection of IPVS goes on to {}", names.host(to))
        }
        Why::VrrpTimeout { vrid, priority } => {
            format!(
                "no master of virtual router {vrid} was heard for too long: this host becomes it (priority {priority})"
            )
        }
        Why::VrrpAccepted { from, vrid, priority } => {
            format!("{} is master of virtual router {vrid} with priority {priority}: waits anew", names.host(from))
        }
        Why::VrrpDiscarded { from, vrid, priority } => format!(
            "{} is master of virtual router {vrid} with less priority ({priority}): not counted, the timer runs on",
            names.host(from)
        ),
        Why::VrrpRejected { from, vrid, flaw } => {
            format!("an advert of {} for virtual router {vrid} with {}: not believed", names.host(from), flaw.words())
        }
        Why::VrrpLeft { from, vrid } => {
            format!("{} says that it is no longer master of virtual router {vrid} (priority 0)", names.host(from))
        }
        Why::VrrpYielded { to, vrid, priority } => format!(
            "{} has more right to virtual router {vrid} (priority {priority}): this host is backup again",
            names.host(to)
        ),
        Why::VrrpDefended { from, vrid, priority } => format!(
            "{} says that it is master of virtual router {vrid}, with less right (priority {priority}): told otherwise",
            names.host(from)
        ),
        Why::VrrpFault { vrid } => {
            format!("something that is tracked is down: this host takes no part in virtual router {vrid}")
        }
        Why::VrrpAnnounced { address } => format!("everybody is told that {address} is here (gratuitous ARP)"),
        Why::IpvsLocal { address, port, skips } => {
            let skips = if skips { " (one address was left out, as one time in twenty)" } else { "" };
            format!("the local address {address}:{port} stands for the client: free longest towards this server{skips}")
        }
        Why::IpvsLocalFull { address, server } => {
            format!("no port of the local address {address} is free towards {}: the next is tried", names.host(server))
        }
        Why::IpvsNoLocal { addresses: 0 } => {
            "the service has no local address (--add-laddr), so FullNat cannot make a connection: dropped".into()
        }
        Why::IpvsNoLocal { addresses } => {
            format!("none of the {addresses} local addresses has a port left: dropped without a word")
        }
        Why::IpvsReturned { client, port } => {
            format!("the local address becomes the client again: {}, port {port}", names.host(client))
        }
        Why::IpvsSequence { first } => {
            format!("the server sees {first} as first sequence number: local addresses serve many clients in turn")
        }
        Why::IpvsReset { to, port } => {
            format!("nothing came for too long in ESTABLISHED: RST to {}, port {port}", names.host(to))
        }
        Why::TimestampsRemoved => {
            "the time stamps of the SYN are overwritten: those of two clients at one local port would not agree".into()
        }
        Why::MssLowered { from, to } => format!("the server's MSS {from} becomes {to}, so that TOA finds room"),
        Why::ToaAdded { client, port } => {
            format!("TOA: the option (kind 254) names the client, {}, port {port}", names.host(client))
        }
        Why::ToaNotDue { case: ToaCase::Syn } => "no TOA in the SYN: it comes with the client's next segment".into(),
        Why::ToaNotDue { case: ToaCase::Reset } => "no TOA in a reset".into(),
        Why::ToaNotDue { case: ToaCase::Known } => {
            "no TOA: the client acknowledges more than the server's SYN, so the server knows it".into()
        }
        Why::ToaPruned { octets } => format!("{octets} octets of TCP options are taken out to make room for TOA"),
        Why::ToaNoRoom { room } => format!("no TOA: the TCP header has room for {room} octets more, not for 8"),
        Why::ToaTooLong { length, mtu } => {
            format!("no TOA: {length} octets and 8 more do not fit into {mtu}")
        }
        Why::ToaTaken { client, port } => {
            format!(
                "module toa: for the program the client is {}, port {port}, not the local address",
                names.host(client)
            )
        }
        Why::ToaAbsent { peer } => {
            format!("module toa found no TOA in the segment that completed the handshake: the client is {peer}")
        }
        Why::ToaUnread { peer } => {
            format!("a TOA names the client, but the module toa is not loaded: the program sees {}", names.host(peer))
        }
        Why::IpvsWrapped { by, from, to } => {
            let headers = match by {
                TunnelKind::Ipip => "an outer header is",
                TunnelKind::Gre => "an outer header and GRE are",
                TunnelKind::Gue => "an outer header, UDP and GUE are",
            };
            format!("{headers} put on, from {from} to {}", names.host(to))
        }
        Why::IpvsFlood { one_in } => {
            format!("drop_packet: one in {one_in} packets that would begin a connection is dropped, and this is one")
        }
        Why::IpvsShed { state } => format!("drop_entry: a connection in {state} that nobody uses ends to make room"),
        Why::IpvsSetAside => "ignore_tunneled=1: IPVS will not look at what is inside".into(),
        Why::IpvsSync { packets } => {
            format!("the sync daemon will tell the backups of it (packet {packets} of the client)")
        }
        Why::IpvsSyncHeard { connections } => {
            format!("a master tells of {connections} connection(s): they are noted as its own connections would be")
        }
        Why::IpvsSyncOther { sync_id, own } => {
            format!("a message of syncid {sync_id}: this backup listens to {own} only, and drops it")
        }
    }
}

fn forward(method: Method, server: &str, port: u16) -> String {
    match method {
        Method::Nat => format!("Masq (-m): the destination becomes {server} port {port}"),
        Method::Dr => format!("Route (-g): the same packet, to the MAC of {server}"),
        Method::Tun => format!("Tunnel (-i): the packet stays whole inside a new one for {server}"),
        Method::FullNat => format!("FullNat (-b): source and destination change; it goes to {server} port {port}"),
        Method::Local => format!("the server is this host itself, at port {port}"),
        Method::Bypass => format!("no server: sent to {server}, where it was going anyway (cache_bypass)"),
    }
}

/// Which of the two counters of `ipvsadm -L` the connection stands in.
fn counts(state: ConnState, active: bool) -> &'static str {
    match state {
        ConnState::Assured => "",
        _ if active => " (counts as ActiveConn)",
        ConnState::Established
        | ConnState::SynSent
        | ConnState::SynRecv
        | ConnState::SynAck
        | ConnState::None
        | ConnState::FinWait
        | ConnState::TimeWait
        | ConnState::Close
        | ConnState::CloseWait
        | ConnState::LastAck
        | ConnState::Listen
        | ConnState::Udp => " (counts as InActConn)",
    }
}

fn hook_name(hook: Hook) -> &'static str {
    match hook {
        Hook::Prerouting => "PREROUTING",
        Hook::Input => "INPUT",
        Hook::Forward => "FORWARD",
        Hook::Output => "OUTPUT",
        Hook::Postrouting => "POSTROUTING",
    }
}

/// The words of RFC 792 for a type and code.
fn icmp_name(kind: u8, code: u8) -> String {
    match (kind, code) {
        (0, _) => "echo reply".into(),
        (3, 0) => "network unreachable".into(),
        (3, 1) => "host unreachable".into(),
        (3, 2) => "protocol unreachable".into(),
        (3, 3) => "port unreachable".into(),
        (3, 4) => "fragmentation needed".into(),
        (3, 9 | 10 | 13) => "administratively prohibited".into(),
        (3, code) => format!("unreachable, code {code}"),
        (5, _) => "redirect".into(),
        (8, _) => "echo request".into(),
        (11, 0) => "time exceeded".into(),
        (11, _) => "reassembly time exceeded".into(),
        (kind, code) => format!("type {kind}, code {code}"),
    }
}

/// Parts per million as a percentage: `5`, `0.1`.
fn percent(ppm: u32) -> String {
    let text = format!("{}.{:04}", ppm / 10_000, ppm % 10_000);
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}
