//! The defences against floods: every second it is looked whether they are due, by the settings and by how much memory
//! is free.
//!
//! | setting | what it does |
//! |---|---|
//! | `drop_entry` | entries of half-open and idle connections end: a 32nd of the table each second, by chance |
//! | `drop_packet` | of the packets that would begin a connection, every n-th is dropped |
//! | `secure_tcp` | stricter state tables ([`super::state::Manner::Guarded`]) |
//!
//! 0 is off, 3 is on; 1 is on while memory is short, and the kernel writes 2 in its place for as long. Memory in the lab
//! is always as a machine of 2.3 GB has it when nothing happens, so only a large `amemthresh` makes it short. Follows
//! Linux `ip_vs_ctl.c` (`update_defense_level`) and `ip_vs_conn.c` (`ip_vs_random_dropentry`).

use super::Ipvs;
use super::conn::{Conn, Kind};
use crate::base::time::{Duration, Instant};
use crate::tables::Tables;
use crate::tables::sysctl::Vs;
use crate::trace::record::ConnState;
use crate::trace::{Stage, Why};
use crate::wire::flow::Transport;
use crate::world::node::Cx;

/// What the defences are at.
#[derive(Debug, Default)]
pub(super) struct Defence {
    /// When it is looked again.
    due: Option<Instant>,
    drops_entries: bool,
    /// Every how many first packets one is dropped; 0 is none.
    drop_rate: i64,
    /// How many until then.
    drop_counter: i64,
    /// `secure_tcp` is on.
    pub(super) guards: bool,
    /// Of idle entries with so many packets, how many are spared until the next one ends.
    spared: [u8; SAMPLED],
}

const PERIOD: Duration = Duration::from_secs(1);
/// Pages that are free.
const FREE_PAGES: i64 = 599_584;
/// Entries with more packets than these are never dropped.
const SAMPLED: usize = 9;
const IDLE: Duration = Duration::from_secs(60);
/// The kernel's table has so many chains; a 32nd of them is drawn each second.
const CHAINS: u64 = 4096;
const DRAWN: u64 = CHAINS / 32;

/// What a mode comes to.
struct Level {
    is_on: bool,
    /// The kernel writes it in place of what was set.
    mode: u8,
}

fn level(mode: u8, is_short: bool) -> Level {
    match mode {
        0 => Level { is_on: false, mode },
        1 | 2 => Level { is_on: is_short, mode: if is_short { 2 } else { 1 } },
        _ => Level { is_on: true, mode },
    }
}

impl Defence {
    /// Settings may have changed.
    pub(super) fn heed(&mut self, settings: &Vs, now: Instant) {
        let is_wanted = [settings.drop_entry, settings.drop_packet, settings.secure_tcp] != [0; 3];
        if is_wanted && self.due.is_none() {
            self.due = Some(Instant::from_nanos((now.secs() + 1) * PERIOD.nanos()));
        }
    }

    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Whether the packet that would begin a connection is one of those that are dropped.
    pub(super) fn drops_packet(&mut self) -> Option<Why> {
        if self.drop_rate == 0 {
            return None;
        }
        self.drop_counter -= 1;
        if self.drop_counter > 0 {
            return None;
        }
        self.drop_counter = self.drop_rate;
        Some(Why::IpvsFlood { one_in: self.drop_rate.unsigned_abs() as u32 })
    }

    /// Whether an entry is one of those that are in nobody's way.
    fn drops_entry(&mut self, conn: &Conn, now: Instant) -> bool {
        match conn.kind {
            Kind::Template => return conn.state != ConnState::Assured,
            Kind::Flow | Kind::OnePacket => {}
        }
        match (conn.transport, conn.state) {
            (Some(Transport::Tcp), ConnState::SynRecv | ConnState::SynAck) => return true,
            (Some(Transport::Tcp), ConnState::Established) | (Some(Transport::Udp) | None, _) => {}
            (Some(Transport::Tcp), _) => return false,
        }
        let is_idle = now + conn.timeout >= conn.expires + IDLE;
        let packets = conn.in_packets as usize;
        if !is_idle || packets == 0 || packets >= SAMPLED {
            return false;
        }
        let spared = &mut self.spared[packets];
        *spared = spared.saturating_sub(1);
        if *spared > 0 {
            return false;
        }
        *spared = packets as u8;
        true
    }
}

impl Ipvs {
    /// Once a second, while a defence is set.
    pub(super) fn wake_defence(&mut self, tables: &mut Tables, cx: &mut Cx) {
        if self.defence.due.is_none_or(|due| due > cx.now) {
            return;
        }
        let settings = tables.sysctl.vs();
        let threshold = settings.amemthresh;
        let is_short = FREE_PAGES < threshold;
        let modes = [settings.drop_entry, settings.drop_packet, settings.secure_tcp];
        let always = settings.am_droprate;
        let levels = modes.map(|mode| level(mode, is_short));
        self.defence.drops_entries = levels[0].is_on;
        self.defence.drop_rate = match modes[1] {
            _ if !levels[1].is_on => 0,
            3 => always,
            _ => threshold / (threshold - FREE_PAGES),
        };
        if modes[1] != 3 {
            self.defence.drop_counter = self.defence.drop_rate;
        }
        self.defence.guards = levels[2].is_on;
        for ((name, mode), level) in ["drop_entry", "drop_packet", "secure_tcp"].into_iter().zip(modes).zip(levels) {
            if level.mode != mode {
                let written = tables.sysctl.set(&format!("net.ipv4.vs.{name}"), &level.mode.to_string(), cx);
                assert!(written.is_ok(), "the kernel writes modes that there are");
            }
        }
        self.defence.due = (modes != [0; 3]).then(|| cx.now + PERIOD);
        if self.defence.drops_entries {
            self.shed(cx);
        }
    }

    /// Ends entries of a 32nd of the table.
    fn shed(&mut self, cx: &mut Cx) {
        let mut drawn = [false; CHAINS as usize];
        for _ in 0..DRAWN {
            drawn[cx.rng.below(CHAINS) as usize] = true;
        }
        let before = cx.context();
        for id in self.conns.ids() {
            let conn = self.conns.get(id);
            if conn.controls > 0 || !drawn[chain_of(conn)] || !self.defence.drops_entry(conn, cx.now) {
                continue;
            }
            cx.stage = Stage::Ipvs;
            cx.note(Why::IpvsShed { state: conn.state });
            self.end(id, cx);
            cx.resume(before);
        }
    }
}

/// Where an entry would hang in the kernel's table, as far as anybody can tell.
fn chain_of(conn: &Conn) -> usize {
    const GOLDEN_RATIO: u32 = 0x61c8_8647;
    let mixed = conn.client.address.to_bits() ^ u32::from(conn.client.port) << 16 ^ conn.virtual_.address.to_bits();
    (mixed.wrapping_mul(GOLDEN_RATIO) >> (32 - CHAINS.ilog2())) as usize
}
