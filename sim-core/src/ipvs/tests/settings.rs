//! What `net.ipv4.vs.*` changes: the defences against floods, what has no server, what is set aside.

use super::*;
use crate::ipvs::sync::Role;
use crate::ipvs::{DaemonOptions, Outgoing};
use crate::trace::Why;
use crate::trace::record::ConnState;
use crate::wire::sync;

#[test]
fn drop_entry_ends_half_open_connections_and_spares_those_that_are_used() {
    let mut lab = Lab::with_servers("rr", &[1]);
    for port in 1000..1400 {
        lab.open(port);
    }
    for port in 1000..1100 {
        lab.send(port, ACK);
    }
    lab.set("drop_entry", "3");
    lab.wait(40);
    let states = |wanted: ConnState| lab.ipvs.connections().iter().filter(|conn| conn.state == wanted).count();
    let half_open = states(ConnState::SynRecv);
    assert!((40..160).contains(&half_open), "after 40 of 32 parts, drawn anew each second: {half_open} of 300");
    assert_eq!(states(ConnState::Established), 100);
    assert_eq!(lab.counts(11), (half_open as u32 + 100, 0));
}

#[test]
fn drop_packet_drops_one_in_ten_first_packets_and_automatic_modes_need_little_memory() {
    let mut lab = Lab::with_servers("rr", &[1]);
    lab.set("drop_packet", "3");
    lab.wait(1);
    let dropped = (1000..1100).filter(|port| matches!(lab.send(*port, SYN), Verdict::Drop(_, Why::IpvsFlood { .. })));
    assert_eq!(dropped.count(), 10);
    lab.set("drop_packet", "2");
    lab.wait(1);
    assert_eq!(lab.tables.sysctl.get("net.ipv4.vs.drop_packet").as_deref(), Ok("1"), "memory is not short");
    assert!((2000..2100).all(|port| matches!(lab.send(port, SYN), Verdict::Stolen(_))));
    lab.set("amemthresh", "1199168");
    lab.wait(1);
    assert_eq!(lab.tables.sysctl.get("net.ipv4.vs.drop_packet").as_deref(), Ok("2"), "half of it is free");
    let dropped = (3000..3100).filter(|port| matches!(lab.send(*port, SYN), Verdict::Drop(..)));
    assert_eq!(dropped.count(), 50);
}

#[test]
fn with_secure_tcp_a_one_way_director_calls_a_syn_synack() {
    let mut lab = Lab::with_servers("rr", &[1]);
    lab.set("secure_tcp", "3");
    lab.wait(1);
    lab.open(1000);
    assert_eq!(lab.conn(1000).map(|conn| conn.state), Some(ConnState::SynAck));
    assert_eq!(lab.counts(11), (1, 0));
}

#[test]
fn cache_bypass_sends_a_marked_packet_without_a_server_to_where_it_was_addressed() {
    let mut lab = Lab::new();
    lab.add_service(ServiceKey::Mark(1), service("dh"));
    let web = SocketAddr { address: Ipv4Addr::new(10, 0, 0, 77), port: 80 };
    let client = SocketAddr { address: CLIENT, port: 1000 };
    let mut marked = || {
        let mut packet = tcp(client, web, SYN);
        packet.mark = 1;
        lab.input(packet)
    };
    assert!(matches!(marked(), Verdict::Drop(_, Why::IpvsNoDestination { .. })));
    lab.set("cache_bypass", "1");
    let mut packet = tcp(client, web, SYN);
    packet.mark = 1;
    let Verdict::Stolen(xmit) = lab.input(packet) else { panic!("it goes on") };
    assert_eq!((xmit.packet.ip().dst_addr(), xmit.route.next_hop), (web.address, web.address));
    let conn = lab.ipvs.connections().iter().next().expect("it is noted");
    assert_eq!((conn.method, conn.server.to_string().as_str()), (Method::Bypass, "0.0.0.0:0"));
    lab.wait(61);
    assert!(lab.ipvs.connections().is_empty());
}

#[test]
fn schedule_icmp_makes_a_connection_from_an_error() {
    let mut lab = Lab::with_servers("rr", &[1]);
    let client = SocketAddr { address: CLIENT, port: 1000 };
    let error = |lab: &mut Lab| {
        let quoted = tcp(vip(), client, ACK);
        let mut icmp = vec![3, 1, 0, 0, 0, 0, 0, 0];
        icmp.extend_from_slice(quoted.bytes());
        smoltcp::wire::Icmpv4Packet::new_unchecked(&mut icmp).fill_checksum();
        lab.input(packet(CLIENT, VIP, IpProtocol::Icmp, &icmp))
    };
    assert!(matches!(error(&mut lab), Verdict::Accept(_)));
    lab.set("schedule_icmp", "1");
    assert!(matches!(error(&mut lab), Verdict::Stolen(_)));
    assert_eq!(lab.conn(1000).map(|conn| conn.state), Some(ConnState::None));
    lab.wait(4);
    assert!(lab.conn(1000).is_none(), "it lives for 3 s");
}

#[test]
fn ignore_tunneled_sets_aside_what_is_of_no_known_protocol() {
    let mut lab = Lab::with_servers("rr", &[1]);
    let inner = tcp(SocketAddr { address: CLIENT, port: 1000 }, vip(), SYN);
    let outer = || packet(CLIENT, DIP, IpProtocol::Unknown(4), inner.bytes());
    let is_aside = |verdict| matches!(verdict, Verdict::Accept(packet) if packet.by_ipvs);
    assert!(!is_aside(lab.input(outer())));
    lab.set("ignore_tunneled", "1");
    assert!(is_aside(lab.input(outer())));
}

#[test]
fn without_run_estimation_counters_and_rates_stand_still() {
    let mut lab = Lab::with_servers("rr", &[1]);
    let shown = |lab: &Lab| lab.ipvs.total().shown(lab.ipvs.estimated(lab.now)).conns;
    lab.open(1000);
    lab.wait(2);
    assert_eq!(shown(&lab), 1);
    lab.set("run_estimation", "0");
    lab.open(1001);
    lab.wait(20);
    assert_eq!(shown(&lab), 1);
    lab.set("run_estimation", "1");
    lab.wait(2);
    assert_eq!(shown(&lab), 2);
}

#[test]
fn conntrack_is_refused() {
    let mut lab = Lab::new();
    let done = lab.with(|_, tables, cx| tables.sysctl.set("net.ipv4.vs.conntrack", "1", cx));
    assert!(done.is_err());
}

// ── the sync daemon ──

fn daemon(sync_id: u8) -> DaemonOptions {
    DaemonOptions { interface: "eth0".into(), sync_id, longest: 0, group: Ipv4Addr::UNSPECIFIED, port: 0, ttl: 0 }
}

impl Lab {
    fn start(&mut self, role: Role, sync_id: u8) {
        self.with(|ipvs, tables, cx| ipvs.start_daemon(role, &daemon(sync_id), tables, cx)).expect("none runs");
    }

    /// The messages that leave while time passes.
    fn messages(&mut self, seconds: u64) -> Vec<Packet> {
        let mut messages = Vec::new();
        for _ in 0..seconds {
            self.wait(1);
            while let Some(outgoing) = self.with(|ipvs, tables, cx| ipvs.poll_transmit(tables, cx)) {
                let Outgoing::By(xmit) = outgoing else { panic!("a message has its way") };
                messages.push(xmit.packet);
            }
        }
        messages
    }

    fn hear(&mut self, mut message: Packet) {
        message.iif = self.tables.interfaces.named("eth0").map(|interface| interface.id);
        if self.ipvs.hears(&message) {
            self.with(|ipvs, tables, cx| ipvs.take_message(&message, tables, cx));
        }
    }
}

fn entries(message: &Packet) -> Vec<sync::SyncEntry> {
    let (_, entries) = sync::read(&message.payload()[8..]).expect("a message");
    entries.map(|entry| entry.expect("sound").expect("IPv4")).collect()
}

#[test]
fn a_connection_is_told_of_at_its_third_packet_and_at_its_end() {
    let mut lab = Lab::with_servers("rr", &[1]);
    lab.start(Role::Master, 7);
    lab.open(1000);
    lab.send(1000, ACK);
    assert!(lab.messages(4).is_empty(), "two packets are not enough");
    lab.send(1000, ACK);
    assert_eq!(lab.messages(2).len(), 0, "2 s are not over");
    let messages = lab.messages(2);
    assert_eq!(entries(&messages[0]).iter().map(|entry| entry.state).collect::<Vec<_>>(), [1]);
    lab.send(1000, FIN);
    let messages = lab.messages(4);
    let [told] = entries(&messages[0])[..] else { panic!("one connection") };
    assert_eq!((told.state, told.timeout_s, told.flags), (4, 120, 0x183));
}

#[test]
fn a_backup_has_the_connections_of_its_syncid_and_counts_them_for_its_servers() {
    let mut master = Lab::with_servers("rr", &[1]);
    master.start(Role::Master, 7);
    master.open(1000);
    master.send(1000, ACK);
    master.send(1000, ACK);
    let message = master.messages(4).remove(0);
    for (own, heard) in [(7, 1), (0, 1), (8, 0)] {
        let mut backup = Lab::with_servers("rr", &[1]);
        backup.start(Role::Backup, own);
        backup.hear(message.clone());
        assert_eq!(backup.counts(11), (heard, 0), "syncid {own}");
    }
    let mut backup = Lab::with_servers("rr", &[1]);
    backup.start(Role::Backup, 0);
    backup.hear(message.clone());
    assert!(matches!(backup.send(1000, ACK), Verdict::Stolen(_)), "it goes on here");
    backup.set("backup_only", "1");
    assert!(matches!(backup.send(1000, ACK), Verdict::Accept(_)), "only a backup");
    backup.with(|ipvs, tables, _| ipvs.stop_daemon(Role::Backup, tables)).expect("it runs");
    assert!(!backup.ipvs.hears(&message));
    backup.wait(901);
    assert_eq!(backup.counts(11), (0, 0));
}

#[test]
fn a_backup_without_the_server_still_knows_the_way() {
    let mut master = Lab::with_servers("rr", &[1]);
    master.start(Role::Master, 7);
    master.open(1000);
    master.send(1000, ACK);
    master.send(1000, ACK);
    let message = master.messages(4).remove(0);
    let mut backup = Lab::with_servers("rr", &[]);
    backup.start(Role::Backup, 7);
    backup.hear(message.clone());
    assert!(matches!(backup.send(1000, ACK), Verdict::Stolen(_)));
    backup.add(server(11, 1));
    assert_eq!(backup.counts(11), (0, 0));
    backup.hear(message);
    assert_eq!(backup.counts(11), (1, 0), "bound by the next message");
}

#[test]
fn a_template_goes_with_its_connection_and_alone_with_sync_persist_mode() {
    for (mode, told) in [("0", 2), ("1", 1)] {
        let mut lab = Lab::new();
        lab.add_service(key(), ServiceOptions { persistent: Some(persistence(300)), ..service("rr") });
        lab.add(server(11, 1));
        lab.set("sync_persist_mode", mode);
        lab.start(Role::Master, 7);
        lab.open(1000);
        for _ in 0..2 {
            lab.send(1000, ACK);
        }
        let messages = lab.messages(4);
        let entries = entries(&messages[0]);
        let templates = entries.iter().filter(|entry| entry.flags & sync::flag::TEMPLATE != 0).count();
        // The template is told of at each use.
        assert_eq!((entries.len() - templates, templates), (told - 1, 3), "sync_persist_mode {mode}");
    }
}

#[test]
fn version_0_is_understood_and_gives_the_timeout_of_the_state() {
    let mut master = Lab::with_servers("rr", &[1]);
    master.set("sync_version", "0");
    master.start(Role::Master, 7);
    master.open(1000);
    master.send(1000, ACK);
    master.send(1000, ACK);
    let message = master.messages(4).remove(0);
    assert_eq!(message.payload().len(), 8 + 4 + 24);
    let mut backup = Lab::with_servers("rr", &[1]);
    backup.start(Role::Backup, 7);
    backup.hear(message);
    let conn = backup.conn(1000).expect("it is known");
    assert_eq!((conn.state, conn.seconds_left(backup.now)), (ConnState::Established, 900));
}
