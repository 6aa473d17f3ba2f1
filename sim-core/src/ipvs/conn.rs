//! The connection table: which server a client's flow has, in which state, until when.
//!
//! ```text
//!   client ──(client → virtual)──► requests ─┐
//!                                            ├─► entry ──► deadline (lazy timer)
//!   server ──(server → client)───► replies ──┘
//! ```
//! Entries stand in slots; two lookups lead to them, one per direction, by the keys that the forwarding method gives. An
//! entry has one timer at most: a packet only moves the deadline, and a timer that fires before it is set again.
//! Follows Linux `ip_vs_conn.c`, but ends an entry exactly on time, where the kernel's timer wheel is late.

use super::ftp::helper::Helper;
use super::service::ServerId;
use crate::base::map::Lookup;
use crate::base::time::{Duration, Instant};
use crate::trace::record::{ConnState, Method, ServiceKey};
use crate::wire::flow::{Flow, SocketAddr, Transport};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::Ipv4Addr;

/// An entry of the table, while it lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnId(u32);

/// What an entry is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A flow.
    Flow,
    /// A persistent client: the flows it begins go to this server.
    Template,
    /// One datagram of a one-packet service: never found again.
    OnePacket,
}

/// An entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conn {
    /// What it is for.
    pub kind: Kind,
    /// The protocol; none for the template of a firewall-mark service, which covers all.
    pub transport: Option<Transport>,
    /// The client; port 0 for a template.
    pub client: SocketAddr,
    /// Whom the client addressed.
    pub virtual_: SocketAddr,
    /// The real server.
    pub server: SocketAddr,
    /// How packets are brought there.
    pub method: Method,
    /// Its state.
    pub state: ConnState,
    /// The firewall mark it began with.
    pub mark: u32,
    /// Packets of the client so far.
    pub in_packets: u32,
    /// When it ends, unless a packet comes.
    pub expires: Instant,
    /// Made from a message of the sync daemon.
    pub from_sync: bool,
    /// The server's place in the tables; none when an entry is bound to none.
    pub(super) dest: Option<ServerId>,
    /// How long it lives after each packet.
    pub(super) timeout: Duration,
    /// The answers do not pass here.
    pub(super) one_way: bool,
    /// Counted as active by its server.
    pub(super) active: bool,
    /// The template that made it.
    pub(super) control: Option<ConnId>,
    /// How many entries it has made that live.
    pub(super) controls: u32,
    /// The client's port is not known yet: any port will do, and is then noted (data connections of passive FTP).
    pub(super) any_client_port: bool,
    /// What the FTP helper keeps of it.
    pub(super) helper: Option<Helper>,
    /// What FULLNAT keeps of it.
    pub(super) crossing: Option<Box<Crossing>>,
    /// What the sync daemon last told of it.
    pub(super) told: Told,
}

/// A connection that FULLNAT makes two of: the director's end towards the server, and how sequence numbers differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Crossing {
    /// The local address and port.
    pub(super) local: SocketAddr,
    /// The service that lent the address.
    pub(super) service: ServiceKey,
    /// How long it lives in ESTABLISHED, if the service says so.
    pub(super) established: Option<Duration>,
    /// What is added to the client's sequence numbers; none before its first SYN.
    pub(super) delta: Option<u32>,
    /// What the client acknowledges while it has only heard the server's SYN: until then it is introduced by TOA.
    pub(super) first_data: Option<u32>,
    /// The server's last acknowledgment, as it wrote it: where a reset to it stands in the sequence.
    pub(super) server_ack: u32,
    /// The end of what the server has sent: where a reset to the client stands in the sequence.
    pub(super) server_end: u32,
}

/// What the backups know of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Told {
    /// Its state.
    pub(super) state: ConnState,
    /// When it would end, in ticks of 4 ms; the lowest two bits count how often that was repeated.
    pub(super) until: u64,
}

impl Default for Told {
    fn default() -> Self {
        Told { state: ConnState::None, until: 0 }
    }
}

/// The table.
#[derive(Debug, Default)]
pub struct Connections {
    slots: Vec<Slot>,
    free: Vec<u32>,
    requests: Lookup<Key, ConnId>,
    replies: Lookup<Key, ConnId>,
    /// Entries whose client's port is not known yet.
    any_port: u32,
    /// Deadline, slot and generation in one number, earliest first.
    timers: BinaryHeap<Reverse<u128>>,
}

/// The entries there can be: some 600 MB. Linux stops when its memory ends.
const MOST: usize = 1 << 22;

#[derive(Debug, Default)]
struct Slot {
    conn: Option<Conn>,
    /// The keys it is found by.
    keys: (Option<Key>, Option<Key>),
    /// The next older entry with the same reply key: two VIPs that lead one client port to one server.
    older: Option<ConnId>,
    /// The time of its live timer.
    armed: Instant,
    /// Counts the entries that stood here, so that a timer knows its own.
    generation: u32,
}

/// A flow, packed for hashing; templates have keys of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key(u64, u64);

impl Key {
    fn of(flow: &Flow) -> Key {
        let protocol = match flow.transport {
            Transport::Tcp => 6,
            Transport::Udp => 17,
        };
        Key::pack(protocol, flow.source, flow.destination)
    }

    fn template(transport: Option<Transport>, client: SocketAddr, virtual_: SocketAddr) -> Key {
        let protocol = match transport {
            None => 0x100,
            Some(Transport::Tcp) => 0x106,
            Some(Transport::Udp) => 0x111,
        };
        Key::pack(protocol, client, virtual_)
    }

    fn pack(protocol: u64, source: SocketAddr, destination: SocketAddr) -> Key {
        let addresses = u64::from(source.address.to_bits()) << 32 | u64::from(destination.address.to_bits());
        Key(addresses, u64::from(source.port) << 48 | u64::from(destination.port) << 32 | protocol)
    }
}

impl ConnId {
    /// Its place in the table.
    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}

impl Connections {
    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The entries, in the order of their slots. (The kernel's order comes from a hash with a secret of the boot.)
    pub fn iter(&self) -> impl Iterator<Item = &Conn> {
        self.slots.iter().filter_map(|slot| slot.conn.as_ref())
    }

    /// The ids of all entries, in the order of their slots.
    pub(super) fn ids(&self) -> Vec<ConnId> {
        (0..self.slots.len() as u32).map(ConnId).filter(|id| self.slots[id.0 as usize].conn.is_some()).collect()
    }

    /// The entry that a client's packet belongs to.
    pub fn request(&self, flow: &Flow) -> Option<ConnId> {
        let known = self.requests.get(&Key::of(flow)).copied();
        if known.is_some() || self.any_port == 0 {
            return known;
        }
        let from_any_port = Flow { source: SocketAddr { port: 0, ..flow.source }, ..*flow };
        self.requests.get(&Key::of(&from_any_port)).copied().filter(|id| self.get(*id).any_client_port)
    }

    /// The entry that a server's packet belongs to.
    pub fn reply(&self, flow: &Flow) -> Option<ConnId> {
        if self.replies.is_empty() {
            return None;
        }
        self.replies.get(&Key::of(flow)).copied()
    }

    /// The template of a client (its address already masked, its port 0).
    pub fn template(&self, transport: Option<Transport>, client: SocketAddr, virtual_: SocketAddr) -> Option<ConnId> {
        self.requests.get(&Key::template(transport, client, virtual_)).copied()
    }

    /// An entry.
    ///
    /// # Panics
    /// If it has ended.
    pub fn get(&self, id: ConnId) -> &Conn {
        self.slots[id.0 as usize].conn.as_ref().expect("a connection that is named lives")
    }

    /// Whether an entry with this id still lives.
    pub(super) fn holds(&self, id: ConnId) -> bool {
        self.slots[id.0 as usize].conn.is_some()
    }

    /// An entry, to be changed.
    pub(super) fn get_mut(&mut self, id: ConnId) -> &mut Conn {
        self.slots[id.0 as usize].conn.as_mut().expect("a connection that is named lives")
    }

    /// Puts an entry in, to be found by the flows of its two directions. A one-packet entry is not found by anything and
    /// has no timer.
    ///
    /// # Errors
    /// The entry, if the table is full.
    pub(super) fn insert(&mut self, conn: Conn, keys: (Flow, Option<Flow>)) -> Result<ConnId, Conn> {
        if self.len() >= MOST {
            return Err(conn);
        }
        let keys = match conn.kind {
            Kind::Flow => (Some(Key::of(&keys.0)), keys.1.as_ref().map(Key::of)),
            Kind::Template => (Some(Key::template(conn.transport, conn.client, conn.virtual_)), None),
            Kind::OnePacket => (None, None),
        };
        let slot = self.free.pop().unwrap_or(self.slots.len() as u32);
        if slot as usize == self.slots.len() {
            self.slots.push(Slot { armed: Instant::NEVER, ..Slot::default() });
        }
        let id = ConnId(slot);
        self.any_port += u32::from(conn.any_client_port);
        let older = keys.1.and_then(|key| self.replies.insert(key, id));
        if let Some(key) = keys.0 {
            self.requests.insert(key, id);
        }
        let place = &mut self.slots[slot as usize];
        place.generation = place.generation.wrapping_add(1);
        (place.conn, place.keys, place.older) = (Some(conn), keys, older);
        Ok(id)
    }

    /// Takes an entry out.
    pub(super) fn remove(&mut self, id: ConnId) -> Conn {
        let place = &mut self.slots[id.0 as usize];
        let conn = place.conn.take().expect("a connection ends once");
        let (keys, older) = (std::mem::take(&mut place.keys), place.older.take());
        place.armed = Instant::NEVER;
        self.any_port -= u32::from(conn.any_client_port);
        self.unlink(id, keys, older);
        self.free.push(id.0);
        conn
    }

    /// The client's port of an entry that began without one has become known: it is found by other flows from here on.
    pub(super) fn set_client_port(&mut self, id: ConnId, keys: (Flow, Option<Flow>)) {
        let place = &mut self.slots[id.0 as usize];
        let (old, older) = (std::mem::take(&mut place.keys), place.older.take());
        self.unlink(id, old, older);
        let keys = (Some(Key::of(&keys.0)), keys.1.as_ref().map(Key::of));
        let older = keys.1.and_then(|key| self.replies.insert(key, id));
        if let Some(key) = keys.0 {
            self.requests.insert(key, id);
        }
        let place = &mut self.slots[id.0 as usize];
        (place.keys, place.older) = (keys, older);
        let conn = place.conn.as_mut().expect("a connection that is named lives");
        if std::mem::take(&mut conn.any_client_port) {
            self.any_port -= 1;
        }
    }

    fn unlink(&mut self, id: ConnId, keys: (Option<Key>, Option<Key>), older: Option<ConnId>) {
        if let Some(key) = keys.0
            && self.requests.get(&key) == Some(&id)
        {
            self.requests.remove(&key);
        }
        if let Some(key) = keys.1 {
            self.unlink_reply(key, id, older);
        }
    }

    /// Gives a template a key that no packet has, so that a new one can stand in its place; its timer goes on.
    pub(super) fn forget_key(&mut self, id: ConnId) {
        if let Some(key) = self.slots[id.0 as usize].keys.0.take() {
            self.requests.remove(&key);
        }
    }

    /// Moves the deadline of an entry.
    pub(super) fn restart(&mut self, id: ConnId, expires: Instant) {
        self.get_mut(id).expires = expires;
        let place = &self.slots[id.0 as usize];
        if expires < place.armed {
            self.arm(id, expires);
        }
    }

    /// An entry whose deadline has come; its timer is then gone.
    pub(super) fn due(&mut self, now: Instant) -> Option<ConnId> {
        while let Some(&Reverse(timer)) = self.timers.peek() {
            let at = Instant::from_nanos((timer >> 64) as u64);
            if at > now {
                return None;
            }
            self.timers.pop();
            let id = ConnId((timer >> 32) as u32);
            let place = &mut self.slots[id.0 as usize];
            let Some(conn) = &place.conn else { continue };
            if place.generation != timer as u32 || place.armed != at {
                continue;
            }
            let expires = conn.expires;
            place.armed = Instant::NEVER;
            if expires <= now {
                return Some(id);
            }
            self.arm(id, expires);
        }
        None
    }

    /// When a timer fires next; it may find nothing to end.
    pub(super) fn next_timer(&self) -> Option<Instant> {
        self.timers.peek().map(|&Reverse(timer)| Instant::from_nanos((timer >> 64) as u64))
    }

    fn arm(&mut self, id: ConnId, at: Instant) {
        let place = &mut self.slots[id.0 as usize];
        place.armed = at;
        let timer = u128::from(at.nanos()) << 64 | u128::from(id.0) << 32 | u128::from(place.generation);
        self.timers.push(Reverse(timer));
    }

    fn unlink_reply(&mut self, key: Key, id: ConnId, older: Option<ConnId>) {
        let Some(&newest) = self.replies.get(&key) else { return };
        if newest == id {
            match older {
                Some(older) => self.replies.insert(key, older),
                None => self.replies.remove(&key),
            };
            return;
        }
        let mut at = newest;
        while let Some(next) = self.slots[at.0 as usize].older {
            if next == id {
                self.slots[at.0 as usize].older = older;
                return;
            }
            at = next;
        }
    }
}

impl Conn {
    /// An entry of no server of this host.
    pub(super) fn unbound(
        kind: Kind,
        transport: Option<Transport>,
        client: SocketAddr,
        virtual_: SocketAddr,
        method: Method,
    ) -> Conn {
        Conn {
            kind,
            transport,
            client,
            virtual_,
            server: SocketAddr { address: Ipv4Addr::UNSPECIFIED, port: 0 },
            method,
            state: ConnState::None,
            mark: 0,
            in_packets: 0,
            expires: Instant::NEVER,
            from_sync: false,
            dest: None,
            timeout: Duration::from_secs(3),
            one_way: false,
            active: true,
            control: None,
            controls: 0,
            any_client_port: false,
            helper: None,
            crossing: None,
            told: Told::default(),
        }
    }

    /// The client's flow.
    pub fn request_flow(&self) -> Flow {
        let transport = self.transport.unwrap_or(Transport::Tcp);
        Flow { transport, source: self.client, destination: self.virtual_ }
    }

    /// The director's own end towards the server, under FULLNAT.
    pub fn local(&self) -> Option<SocketAddr> {
        self.crossing.as_ref().map(|crossing| crossing.local)
    }

    /// Seconds left, rounded down, as `ipvsadm -Lc` shows them.
    pub fn seconds_left(&self, now: Instant) -> u64 {
        self.expires.since(now).secs()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(host: u8, port: u16) -> SocketAddr {
        SocketAddr { address: Ipv4Addr::new(10, 0, 0, host), port }
    }

    fn conn(client: SocketAddr, virtual_: SocketAddr) -> Conn {
        let conn = Conn::unbound(Kind::Flow, Some(Transport::Tcp), client, virtual_, Method::Nat);
        Conn { server: at(9, 80), active: false, ..conn }
    }

    fn put(table: &mut Connections, client: SocketAddr, virtual_: SocketAddr) -> ConnId {
        let conn = conn(client, virtual_);
        let request = conn.request_flow();
        let reply = Flow { source: conn.server, destination: client, ..request };
        table.insert(conn, (request, Some(reply))).expect("there is room")
    }

    #[test]
    fn a_refreshed_entry_ends_at_its_last_deadline_and_not_before() {
        let mut table = Connections::default();
        let id = put(&mut table, at(1, 1000), at(100, 80));
        let s = |s: u64| Instant::from_nanos(s * 1_000_000_000);
        table.restart(id, s(60));
        table.restart(id, s(900));
        assert_eq!(table.due(s(60)), None, "the timer finds the deadline moved");
        assert_eq!(table.next_timer(), Some(s(900)));
        table.restart(id, s(120));
        assert_eq!(table.due(s(119)), None);
        assert_eq!(table.due(s(120)), Some(id));
        table.remove(id);
        assert_eq!(table.due(s(2000)), None, "the old timer does not end another entry");
        assert!(table.is_empty());
    }

    #[test]
    fn a_timer_of_an_ended_entry_leaves_the_next_one_in_its_slot_alone() {
        let mut table = Connections::default();
        let s = |s: u64| Instant::from_nanos(s * 1_000_000_000);
        let first = put(&mut table, at(1, 1000), at(100, 80));
        table.restart(first, s(10));
        table.remove(first);
        let second = put(&mut table, at(1, 1001), at(100, 80));
        table.restart(second, s(20));
        assert_eq!(table.due(s(10)), None);
        assert_eq!(table.due(s(20)), Some(second));
    }

    #[test]
    fn when_two_vips_lead_to_one_server_the_newest_gets_the_reply_and_then_the_older_again() {
        let mut table = Connections::default();
        let first = put(&mut table, at(1, 1000), at(100, 80));
        let second = put(&mut table, at(1, 1000), at(101, 80));
        let third = put(&mut table, at(1, 1000), at(102, 80));
        let reply = Flow { transport: Transport::Tcp, source: at(9, 80), destination: at(1, 1000) };
        assert_eq!(table.reply(&reply), Some(third));
        table.remove(second);
        table.remove(third);
        assert_eq!(table.reply(&reply), Some(first));
        table.remove(first);
        assert_eq!(table.reply(&reply), None);
    }
}
