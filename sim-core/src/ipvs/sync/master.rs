//! The master's side: which packets are worth a message, and how entries gather in messages.
//!
//! A thread looks every second (1.024 s, as the kernel's timer wheel has it): it sends the messages that are full, and
//! the one being filled once its first entry has waited 2 s. A full message is sent 20 ms later, the eighth at once.

use super::daemon::Daemon;
use crate::base::time::{Duration, Instant};
use crate::ipvs::Ipvs;
use crate::ipvs::conn::{Conn, ConnId, Kind};
use crate::ipvs::forward::Pools;
use crate::ipvs::log::{Line, Log};
use crate::tables::Tables;
use crate::tables::sysctl::Vs;
use crate::tables::verdict::Xmit;
use crate::trace::record::{ConnState, Method};
use crate::trace::{Stage, Why};
use crate::wire::Ipv4Addr;
use crate::wire::checksum;
use crate::wire::flow::Transport;
use crate::wire::packet::Packet;
use crate::wire::sync::{Draft, SyncEntry, flag};
use crate::world::node::Cx;
use smoltcp::wire::{IpProtocol, Ipv4Packet, UdpPacket};
use std::collections::VecDeque;

/// The master daemon.
#[derive(Debug)]
pub(super) struct Master {
    pub(super) daemon: Daemon,
    source: Ipv4Addr,
    threads: Vec<Thread>,
    /// Beginning of a slot of the timer wheel.
    slot: Instant,
}

/// One of its threads.
#[derive(Debug)]
struct Thread {
    /// Its socket's port.
    port: u16,
    /// The message being filled, and since when.
    filling: Option<(Draft, Instant)>,
    full: VecDeque<Draft>,
    /// Messages that became full since the thread last found none.
    haste: u32,
    /// When it looks next.
    due: Instant,
    /// Messages that it sends.
    sending: VecDeque<Draft>,
}

const CHECK: Duration = Duration::from_secs(1);
/// A slot of the timer wheel that a timer of a second stands in.
const SLOT: Duration = Duration::from_millis(32);
const OLD: Duration = Duration::from_secs(2);
const AFTER_FULL: Duration = Duration::from_millis(20);
const HASTE: u32 = 8;
const IP_HEADER: usize = 20;
const UDP_HEADER: usize = 8;
/// Ticks of the kernel's clock in a second (`CONFIG_HZ`).
const HZ: u64 = 250;

impl Ipvs {
    /// A packet of a connection was counted, or its timer was set anew: if a master runs and it is time, the connection
    /// is told to the backups, and the template that made it too.
    pub(in crate::ipvs) fn offer(&mut self, id: ConnId, packets: u32, settings: &Vs, cx: &mut Cx) {
        let Some(master) = &mut self.sync.master else { return };
        let (mut at, mut count) = (id, packets);
        loop {
            let conn = self.conns.get_mut(at);
            let wanted = conn.kind != Kind::OnePacket && conn.method != Method::FullNat;
            let is_needed = wanted && needed(conn, count, settings, cx.now);
            if is_needed {
                let entry = entry_of(conn);
                cx.note(Why::IpvsSync { packets: count });
                master.put(at, &entry, settings, cx.now);
            }
            if settings.sync_version == 0 && !is_needed {
                return;
            }
            let Some(control) = conn.control else { return };
            let template = self.conns.get_mut(control);
            if template.kind == Kind::Template {
                template.in_packets = template.in_packets.wrapping_add(1);
                count = template.in_packets;
            } else {
                count = settings.sync_threshold.0;
            }
            at = control;
        }
    }
}

/// Whether to tell of a connection after so many packets of its client (Linux `ip_vs_sync_conn_needed`).
fn needed(conn: &mut Conn, packets: u32, settings: &Vs, now: Instant) -> bool {
    let is_template = conn.kind == Kind::Template;
    let mut forced = false;
    if !is_template && settings.sync_persist_mode && conn.control.is_some() {
        return false;
    }
    if !is_template && conn.transport == Some(Transport::Tcp) {
        let told = matches!(
            conn.state,
            ConnState::Established | ConnState::FinWait | ConnState::Close | ConnState::CloseWait | ConnState::TimeWait
        );
        if !told {
            return false;
        }
        forced = conn.state != conn.told.state;
    }
    let ticks = |span: Duration| span.nanos() / (1_000_000_000 / HZ);
    let now_ticks = now.nanos() / (1_000_000_000 / HZ);
    let timeout = ticks(conn.timeout);
    let end = (now_ticks + timeout) & !3;
    let mut repeats = 0;
    if !(forced && conn.state != ConnState::Established) {
        let refresh = settings.sync_refresh_period_s * HZ;
        let least = (timeout / 2).max(10 * HZ);
        if refresh > 0 && end.abs_diff(conn.told.until) < refresh.min(least) {
            let done = (conn.told.until & 3) as u8;
            let again_at = (conn.told.until + refresh / 8).saturating_sub(timeout);
            if done >= settings.sync_retries || now_ticks < again_at {
                return false;
            }
            repeats = u64::from(done) + 1;
        }
        let (threshold, period) = settings.sync_threshold;
        let is_time = match packets.checked_rem(period) {
            Some(rest) => is_template || rest == threshold,
            None => refresh > 0 || packets == threshold,
        };
        if !is_time {
            return false;
        }
    }
    conn.told.state = conn.state;
    conn.told.until = end | repeats;
    true
}

/// A connection as a message tells of it.
fn entry_of(conn: &Conn) -> SyncEntry {
    let method = match conn.method {
        Method::Nat | Method::FullNat => 0,
        Method::Local => 1,
        Method::Tun => 2,
        Method::Dr => 3,
        Method::Bypass => 4,
    };
    let bit = |is_set: bool, bit: u32| if is_set { bit } else { 0 };
    let is_template = conn.kind == Kind::Template;
    let state = match conn.state {
        ConnState::Assured => 1,
        ConnState::Udp => 0,
        other => other as u16,
    };
    SyncEntry {
        protocol: match conn.transport {
            Some(Transport::Tcp) => 6,
            Some(Transport::Udp) => 17,
            None => 0,
        },
        flags: method
            | bit(conn.from_sync, flag::SYNC)
            | bit(conn.one_way, flag::NO_OUTPUT)
            | bit(!conn.active, flag::INACTIVE)
            | bit(conn.any_client_port, flag::NO_CLIENT_PORT)
            | bit(is_template, flag::TEMPLATE),
        state,
        client: conn.client,
        virtual_: conn.virtual_,
        server: conn.server,
        mark: conn.mark,
        timeout_s: conn.timeout.secs() as u32,
    }
}

impl Master {
    pub(super) fn new(daemon: Daemon, tables: &Tables, cx: &mut Cx) -> Master {
        let own = tables.interfaces.get(daemon.iface).and_then(|interface| interface.addresses.first());
        let source = own.map_or(Ipv4Addr::UNSPECIFIED, |address| address.address);
        let (low, high) = tables.sysctl.hot().local_ports;
        let first = cx.now + CHECK;
        let threads = (0..daemon.ports)
            .map(|_| Thread {
                port: low + cx.rng.below(u64::from(high - low) + 1) as u16,
                filling: None,
                full: VecDeque::new(),
                haste: 0,
                due: first,
                sending: VecDeque::new(),
            })
            .collect();
        Master { daemon, source, threads, slot: first }
    }

    /// Adds an entry to the message that its thread fills.
    fn put(&mut self, id: ConnId, entry: &SyncEntry, settings: &Vs, now: Instant) {
        let (most, sync_id) = (self.daemon.options.longest as usize, self.daemon.options.sync_id);
        let count = self.threads.len();
        let thread = &mut self.threads[id.index() & (count - 1)];
        let version = settings.sync_version;
        let is_done = |draft: &Draft| draft.version() != version || !draft.has_room(most);
        if let Some((draft, _)) = thread.filling.take_if(|(draft, _)| is_done(draft)) {
            thread.queue(draft, settings, now);
        }
        let (draft, _) = thread.filling.get_or_insert_with(|| (Draft::new(version, sync_id), now));
        draft.push(entry);
    }

    pub(super) fn wake(&mut self, now: Instant) {
        for thread in self.threads.iter_mut().filter(|thread| thread.due <= now) {
            thread.sending.append(&mut thread.full);
            thread.haste = 0;
            if let Some((draft, _)) = thread.filling.take_if(|(_, since)| now.since(*since) >= OLD) {
                thread.sending.push_back(draft);
            }
            let slots = (now + CHECK).since(self.slot).nanos() / SLOT.nanos() + 1;
            thread.due = self.slot + SLOT.times(slots);
        }
    }

    pub(super) fn next_wake(&self) -> Instant {
        self.threads.iter().map(|thread| thread.due).min().unwrap_or(Instant::NEVER)
    }

    /// The next message as a datagram, with its way.
    pub(super) fn next_datagram(
        &mut self,
        pools: &mut Pools,
        log: &mut Log,
        tables: &Tables,
        cx: &mut Cx,
    ) -> Option<Xmit> {
        let Daemon { options, iface, .. } = &self.daemon;
        for (number, thread) in self.threads.iter_mut().enumerate() {
            while let Some(draft) = thread.sending.pop_front() {
                let source = Some(self.source);
                let Ok(route) = tables.routes.lookup_by(*iface, options.group, source, 0, &tables.interfaces) else {
                    log.say(Line::SendFailed);
                    continue;
                };
                let message = draft.into_bytes();
                let mut buffer = cx.new_buffer(IP_HEADER + UDP_HEADER + message.len());
                let bytes = buffer.bytes_mut();
                bytes[IP_HEADER + UDP_HEADER..].copy_from_slice(&message);
                write_udp(
                    &mut bytes[IP_HEADER..],
                    (self.source, thread.port),
                    (options.group, options.port + number as u16),
                );
                write_ip(bytes, self.source, options.group, options.ttl, pools.take_id());
                cx.packet = buffer.packet;
                cx.stage = Stage::Ipvs;
                return Some(Xmit { packet: Packet::new(buffer), route });
            }
        }
        None
    }
}

impl Thread {
    /// A message is full. It is lost if too many wait.
    fn queue(&mut self, draft: Draft, settings: &Vs, now: Instant) {
        if self.full.len() as i64 >= settings.sync_qlen_max {
            return;
        }
        if self.full.is_empty() {
            self.due = self.due.min(now + AFTER_FULL);
        }
        self.full.push_back(draft);
        self.haste += 1;
        if self.haste == HASTE {
            self.due = now;
        }
    }
}

fn write_udp(bytes: &mut [u8], from: (Ipv4Addr, u16), to: (Ipv4Addr, u16)) {
    let length = bytes.len() as u16;
    let mut udp = UdpPacket::new_unchecked(&mut *bytes);
    udp.set_src_port(from.1);
    udp.set_dst_port(to.1);
    udp.set_len(length);
    udp.set_checksum(0);
    let sum = match !checksum::transport_sum(from.0, to.0, IpProtocol::Udp.into(), bytes) {
        0 => 0xffff,
        sum => sum,
    };
    UdpPacket::new_unchecked(bytes).set_checksum(sum);
}

fn write_ip(bytes: &mut [u8], source: Ipv4Addr, destination: Ipv4Addr, ttl: u8, id: u16) {
    let length = bytes.len() as u16;
    let mut ip = Ipv4Packet::new_unchecked(bytes);
    ip.set_version(4);
    ip.set_header_len(IP_HEADER as u8);
    ip.set_total_len(length);
    ip.set_ident(id);
    ip.set_hop_limit(ttl);
    ip.set_next_header(IpProtocol::Udp);
    ip.set_src_addr(source);
    ip.set_dst_addr(destination);
    ip.fill_checksum();
}
