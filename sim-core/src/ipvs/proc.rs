//! `/proc/net/ip_vs`, `ip_vs_conn`, `ip_vs_conn_sync`, `ip_vs_stats` as text.
//!
//! Servers stand in the kernel's order here; services and connections in the order in which they were made, since the
//! kernel's own comes from a hash.

use super::Ipvs;
use super::service::Service;
use super::stats::Counts;
use crate::base::time::Instant;
use crate::trace::record::ServiceKey;
use crate::wire::flow::{SocketAddr, Transport};
use std::fmt::Write as _;

/// Timer ticks a second of the recorded kernel (`CONFIG_HZ`).
const HZ: u64 = 250;

/// `/proc/net/ip_vs`.
pub fn services(ipvs: &Ipvs) -> String {
    let mut text = String::from(
        "IP Virtual Server version 1.2.1 (size=4096)\n\
         Prot LocalAddress:Port Scheduler Flags\n\
         \x20 -> RemoteAddress:Port Forward Weight ActiveConn InActConn\n",
    );
    for service in ipvs.services() {
        service_line(service, &mut text);
        for server in ipvs.servers(service).iter() {
            let _ = writeln!(
                text,
                "  -> {}      {:<7} {:<6} {:<10} {:<10}",
                hex(server.address, ':'),
                server.method.listed(),
                server.weight,
                server.active,
                server.inactive()
            );
        }
    }
    text
}

/// `/proc/net/ip_vs_conn`.
pub fn connections(ipvs: &Ipvs, now: Instant) -> String {
    let mut text = String::from("Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData\n");
    for conn in ipvs.connections().iter() {
        let _ = writeln!(
            text,
            "{:<3} {} {} {} {:<11} {:>7}",
            conn.transport.map_or("IP", Transport::name),
            hex(conn.client, ' '),
            hex(conn.virtual_, ' '),
            hex(conn.server, ' '),
            conn.state,
            conn.seconds_left(now)
        );
    }
    text
}

/// `/proc/net/ip_vs_conn_sync`: the connections and where they come from.
pub fn origins(ipvs: &Ipvs, now: Instant) -> String {
    let mut text = String::from("Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Origin Expires\n");
    for conn in ipvs.connections().iter() {
        let _ = writeln!(
            text,
            "{:<3} {} {} {} {:<11} {:<6} {:>7}",
            conn.transport.map_or("IP", Transport::name),
            hex(conn.client, ' '),
            hex(conn.virtual_, ' '),
            hex(conn.server, ' '),
            conn.state,
            if conn.from_sync { "SYNC" } else { "LOCAL" },
            conn.seconds_left(now)
        );
    }
    text
}

/// `/proc/net/ip_vs_stats`: all numbers in hexadecimal.
pub fn stats(ipvs: &Ipvs, now: Instant) -> String {
    let line = |counts: Counts| {
        let Counts { conns, in_packets, out_packets, in_bytes, out_bytes } = counts;
        format!("{conns:>8X} {in_packets:>8X} {out_packets:>8X} {in_bytes:>16X} {out_bytes:>16X}\n")
    };
    let mut text = String::from("   Total Incoming Outgoing         Incoming         Outgoing\n");
    text += "   Conns  Packets  Packets            Bytes            Bytes\n";
    text += &line(ipvs.total().shown(ipvs.estimated(now)));
    text += "\n Conns/s   Pkts/s   Pkts/s          Bytes/s          Bytes/s\n";
    text += &line(ipvs.total().rates(ipvs.estimated(now)));
    text
}

fn service_line(service: &Service, text: &mut String) {
    let name = match service.key {
        ServiceKey::Address(transport, address) => format!("{}  {}", transport.name(), hex(address, ':')),
        ServiceKey::Mark(mark) => format!("FWM  {mark:08X}"),
    };
    let ops = if service.one_packet { "ops " } else { "" };
    let _ = write!(text, "{name} {} {ops}", service.scheduler_name);
    if let Some(persistence) = service.persistent {
        let ticks = persistence.timeout.secs() * HZ;
        let _ = write!(text, "persistent {ticks} {:08X}", persistence.mask.to_bits());
    } else {
        text.push(' ');
    }
    text.push('\n');
}

fn hex(address: SocketAddr, between: char) -> String {
    format!("{:08X}{between}{:04X}", address.address.to_bits(), address.port)
}
