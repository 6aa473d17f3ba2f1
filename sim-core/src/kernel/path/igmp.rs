//! IGMP version 3: a host says which groups it joins and leaves (RFC 3376). Follows Linux `net/ipv4/igmp.c`.
//!
//! Group records come without sources: CHANGE_TO_EXCLUDE joins, CHANGE_TO_INCLUDE leaves. A `macvlan` says it with the
//! MAC of the interface below, where keepalived's own filter rules bring it.

use super::send;
use crate::kernel::Kernel;
use crate::tables::memberships::{News, Report};
use crate::trace::Stage;
use crate::trace::record::LinkKind;
use crate::wire::checksum;
use crate::wire::packet::Packet;
use crate::world::node::{Cx, Outbox};
use std::net::Ipv4Addr;

/// IPv4 header with the option "router alert".
const HEADER: usize = 24;
const REPORT: usize = 8;
const RECORD: usize = 8;
const ROUTER_ALERT: [u8; 4] = [0x94, 4, 0, 0];
const MEMBERSHIP_REPORT: u8 = 0x22;
const CHANGE_TO_INCLUDE: u8 = 3;
const CHANGE_TO_EXCLUDE: u8 = 4;
/// Who listens to reports: routers that speak version 3.
const ROUTERS: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 22);
const PROTOCOL: u8 = 2;

/// Sends the reports that are due.
pub(super) fn wake(kernel: &mut Kernel, out: &mut Outbox, cx: &mut Cx) {
    while let Some(report) = kernel.tables.memberships.next_report(cx.now, cx.rng) {
        let circumstances = cx.context();
        report_by(kernel, &report, out, cx);
        cx.resume(circumstances);
    }
}

fn report_by(kernel: &mut Kernel, report: &Report, out: &mut Outbox, cx: &mut Cx) {
    let interfaces = &kernel.tables.interfaces;
    let Some(interface) = interfaces.get(report.iface).filter(|interface| interface.running()) else { return };
    let oif = match interface.kind {
        LinkKind::Macvlan { parent, .. } => parent,
        LinkKind::Ethernet(_) => report.iface,
        LinkKind::Loopback | LinkKind::Dummy | LinkKind::Ipip | LinkKind::Gre => return,
    };
    let source = interface.addresses.first().map_or(Ipv4Addr::UNSPECIFIED, |address| address.address);
    // Its own step: what woke the kernel is no packet.
    let mut buffer = cx.new_buffer(HEADER + REPORT + RECORD * report.records.len());
    write(buffer.bytes_mut(), source, report);
    buffer.cause = cx.cause;
    cx.packet = buffer.packet;
    cx.stage = Stage::Output;
    let mut packet = Packet::new(buffer);
    packet.oif = Some(oif);
    send(kernel, packet, out, cx);
}

fn write(bytes: &mut [u8], source: Ipv4Addr, report: &Report) {
    let length = bytes.len() as u16;
    let (header, body) = bytes.split_at_mut(HEADER);
    header[..2].copy_from_slice(&[0x46, 0xc0]);
    header[2..4].copy_from_slice(&length.to_be_bytes());
    // Identification 0, may not be fragmented; one hop.
    header[6] = 0x40;
    (header[8], header[9]) = (1, PROTOCOL);
    header[12..16].copy_from_slice(&source.octets());
    header[16..20].copy_from_slice(&ROUTERS.octets());
    header[20..].copy_from_slice(&ROUTER_ALERT);
    let sum = !checksum::sum(header);
    header[10..12].copy_from_slice(&sum.to_be_bytes());
    body[0] = MEMBERSHIP_REPORT;
    body[6..8].copy_from_slice(&(report.records.len() as u16).to_be_bytes());
    for (record, (news, group)) in body[REPORT..].chunks_exact_mut(RECORD).zip(&report.records) {
        record[0] = match news {
            News::Left => CHANGE_TO_INCLUDE,
            News::Joined => CHANGE_TO_EXCLUDE,
        };
        record[4..].copy_from_slice(&group.octets());
    }
    let sum = !checksum::sum(body);
    body[2..4].copy_from_slice(&sum.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::IfaceId;

    #[test]
    fn a_report_has_the_octets_of_the_kernel_s() {
        let group = Ipv4Addr::new(224, 0, 0, 18);
        let report = Report { iface: IfaceId(2), records: vec![(News::Joined, group)] };
        let mut bytes = [0; 40];
        write(&mut bytes, Ipv4Addr::new(10, 0, 0, 12), &report);
        // As Linux 6.18 sent it when keepalived joined.
        let expected = [
            0x46, 0xc0, 0, 0x28, 0, 0, 0x40, 0, 1, 2, 0xf9, 0xed, 10, 0, 0, 12, 224, 0, 0, 0x16, 0x94, 4, 0, 0, 0x22,
            0, 0xf9, 0xeb, 0, 0, 0, 1, 4, 0, 0, 0, 224, 0, 0, 0x12,
        ];
        assert_eq!(bytes, expected);
    }
}
