//! Messages of the IPVS sync daemon: what a master tells its backups about its connections. Numbers are big-endian.
//!
//! ```text
//!   version 1   0 │ syncid │ size (2) │ count │ 1 │ 0 (2) ║ entry ║ padding to 4 ║ entry …
//!     entry     kind │ protocol │ size (2) │ flags (4) │ state (2) │ cport │ vport │ dport │ mark (4) │ timeout s (4)
//!               │ caddr │ vaddr │ daddr ║ options: type │ length │ …
//!   version 0   count │ syncid │ size (2) ║ entry …
//!     entry     0 │ protocol │ cport │ vport │ dport │ caddr │ vaddr │ daddr │ flags (2) │ state (2) ║ sequences (24)
//! ```
//! Follows Linux `ip_vs_sync.c`.
//!
//! # Not modelled
//! IPv6 entries are passed over. Sequence numbers and data of persistence engines are read and not kept.

use super::flow::SocketAddr;
use std::net::Ipv4Addr;

/// The group that messages are sent to.
pub const GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 81);
/// The port of the first thread.
pub const PORT: u16 = 8848;

/// Bits of an entry's flags.
pub mod flag {
    /// The forwarding method: 0 masquerading, 1 this host, 2 tunnel, 3 direct routing, 4 bypass.
    pub const METHOD: u32 = 0x7;
    /// Made from a message.
    pub const SYNC: u32 = 0x20;
    /// In the table.
    pub const HASHED: u32 = 0x40;
    /// The server's packets are not seen.
    pub const NO_OUTPUT: u32 = 0x80;
    /// Not counted as active.
    pub const INACTIVE: u32 = 0x100;
    /// Sequence numbers are shifted, in one direction or the other.
    pub const SEQUENCES: u32 = 0x600;
    /// The client's port is not known.
    pub const NO_CLIENT_PORT: u32 = 0x800;
    /// The template of a persistent client.
    pub const TEMPLATE: u32 = 0x1000;
}

/// A connection as a message tells of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SyncEntry {
    /// IP protocol; 0 for the template of a firewall mark.
    pub protocol: u8,
    /// Bits of [`flag`].
    pub flags: u32,
    /// The state's number in its protocol's list.
    pub state: u16,
    /// The client.
    pub client: SocketAddr,
    /// Whom it asked.
    pub virtual_: SocketAddr,
    /// Who serves it.
    pub server: SocketAddr,
    /// Its firewall mark; version 0 does not tell.
    pub mark: u32,
    /// Its timeout in seconds; 0 is not told.
    pub timeout_s: u32,
}

/// A message that is being written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    version: u8,
    bytes: Vec<u8>,
}

/// What a message begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// 0 or 1.
    pub version: u8,
    /// The master's syncid.
    pub sync_id: u8,
    /// How many entries it has.
    pub count: u8,
}

/// The entries of a message, one after another; an error ends them.
#[derive(Clone, Debug)]
pub struct Entries<'a> {
    header: Header,
    bytes: &'a [u8],
    at: usize,
    left: u8,
}

const HEADER_0: usize = 4;
const HEADER_1: usize = 8;
const ENTRY_0: usize = 24;
const ENTRY_1: usize = 36;
const SEQUENCES: usize = 24;
const SIZE_MASK: u16 = 0x0fff;
const IPV6: u8 = 1;
/// An option's type: this bit says that it may be passed over.
const MAY_SKIP: u8 = 0x40;

impl Draft {
    /// An empty message of version 0 or 1.
    pub fn new(version: u8, sync_id: u8) -> Draft {
        let bytes = match version {
            0 => vec![0, sync_id, 0, HEADER_0 as u8],
            _ => vec![0, sync_id, 0, HEADER_1 as u8, 0, 1, 0, 0],
        };
        Draft { version, bytes }
    }

    /// Its version.
    pub fn version(&self) -> u8 {
        self.version
    }

    /// Whether another entry fits into a message of at most `most` octets, and its count into one octet.
    pub fn has_room(&self, most: usize) -> bool {
        let (entry, count_at) = if self.version == 0 { (ENTRY_0, 0) } else { (ENTRY_1, 4) };
        self.bytes.len() + entry <= most && self.bytes[count_at] < u8::MAX
    }

    /// Adds an entry.
    pub fn push(&mut self, entry: &SyncEntry) {
        let bytes = &mut self.bytes;
        let ends = [entry.client, entry.virtual_, entry.server];
        let count_at = if self.version == 0 {
            bytes.extend([0, entry.protocol]);
            ends.iter().for_each(|end| bytes.extend(end.port.to_be_bytes()));
            ends.iter().for_each(|end| bytes.extend(end.address.octets()));
            bytes.extend((entry.flags as u16).to_be_bytes());
            bytes.extend(entry.state.to_be_bytes());
            0
        } else {
            bytes.extend([0, entry.protocol]);
            bytes.extend((ENTRY_1 as u16).to_be_bytes());
            bytes.extend(entry.flags.to_be_bytes());
            bytes.extend(entry.state.to_be_bytes());
            ends.iter().for_each(|end| bytes.extend(end.port.to_be_bytes()));
            bytes.extend(entry.mark.to_be_bytes());
            bytes.extend(entry.timeout_s.to_be_bytes());
            ends.iter().for_each(|end| bytes.extend(end.address.octets()));
            4
        };
        bytes[count_at] = bytes[count_at].wrapping_add(1);
        let size = (bytes.len() as u16).to_be_bytes();
        bytes[2..4].copy_from_slice(&size);
    }

    /// The octets.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// Reads a message: its header, and an iterator over its entries. None if it is shorter than its header or does not have
/// the size that it says.
pub fn read(bytes: &[u8]) -> Option<(Header, Entries<'_>)> {
    let size = usize::from(u16::from_be_bytes([*bytes.get(2)?, *bytes.get(3)?]));
    if size != bytes.len() {
        return None;
    }
    let is_1 = bytes.len() >= HEADER_1 && bytes[0] == 0 && bytes[5..8] == [1, 0, 0];
    let (version, count, at) = if is_1 { (1, bytes[4], HEADER_1) } else { (0, bytes[0], HEADER_0) };
    let header = Header { version, sync_id: bytes[1], count };
    Some((header, Entries { header, bytes, at, left: count }))
}

impl Iterator for Entries<'_> {
    /// An entry, none for one that is passed over, or what is wrong with the rest of the message.
    type Item = Result<Option<SyncEntry>, &'static str>;

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let read = if self.header.version == 0 { self.next_0().map(Some) } else { self.next_1() };
        if read.is_err() {
            self.left = 0;
        }
        Some(read)
    }
}

impl Entries<'_> {
    /// Where the next entry begins.
    pub fn position(&self) -> usize {
        self.at
    }

    fn next_0(&mut self) -> Result<SyncEntry, &'static str> {
        let entry = self.bytes.get(self.at..self.at + ENTRY_0).ok_or("the entry is cut short")?;
        let flags = u32::from(word(entry, 20));
        let end =
            |port: usize, address: usize| SocketAddr { address: address_at(entry, address), port: word(entry, port) };
        let found = SyncEntry {
            protocol: entry[1],
            flags,
            state: word(entry, 22),
            client: end(2, 8),
            virtual_: end(4, 12),
            server: end(6, 16),
            mark: 0,
            timeout_s: 0,
        };
        self.at += ENTRY_0 + if flags & flag::SEQUENCES != 0 { SEQUENCES } else { 0 };
        if self.at > self.bytes.len() {
            return Err("the sequence numbers are cut short");
        }
        Ok(found)
    }

    fn next_1(&mut self) -> Result<Option<SyncEntry>, &'static str> {
        let head = self.bytes.get(self.at..self.at + ENTRY_1).ok_or("the entry is cut short")?;
        let (version, size) = (word(head, 2) >> 12, usize::from(word(head, 2) & SIZE_MASK));
        let whole = self.bytes.get(self.at..self.at + size).ok_or("the entry is longer than the message")?;
        if version != 0 {
            return Err("an entry of a version that is not known");
        }
        self.at += size.next_multiple_of(4);
        if whole.len() < ENTRY_1 {
            return Err("the entry says that it is shorter than any");
        }
        match head[0] {
            IPV6 => return Ok(None),
            0 => check_options(&whole[ENTRY_1..])?,
            _ => return Err("a kind of entry that is not known"),
        }
        let end =
            |port: usize, address: usize| SocketAddr { address: address_at(head, address), port: word(head, port) };
        Ok(Some(SyncEntry {
            protocol: head[1],
            flags: long(head, 4),
            state: word(head, 8),
            client: end(10, 24),
            virtual_: end(12, 28),
            server: end(14, 32),
            mark: long(head, 16),
            timeout_s: long(head, 20),
        }))
    }
}

fn check_options(mut options: &[u8]) -> Result<(), &'static str> {
    while let Some((kind, rest)) = options.split_first() {
        let (&length, data) = rest.split_first().ok_or("an option is cut short")?;
        if length == 0 || usize::from(length) > data.len() {
            return Err("an option's length makes no sense");
        }
        let is_known = match kind & !MAY_SKIP {
            1 => usize::from(length) == SEQUENCES,
            2 | 3 => true,
            _ => kind & MAY_SKIP != 0,
        };
        if !is_known {
            return Err("an option that is not known");
        }
        options = &data[usize::from(length)..];
    }
    Ok(())
}

fn word(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([bytes[at], bytes[at + 1]])
}

fn long(bytes: &[u8], at: usize) -> u32 {
    u32::from(word(bytes, at)) << 16 | u32::from(word(bytes, at + 2))
}

fn address_at(bytes: &[u8], at: usize) -> Ipv4Addr {
    Ipv4Addr::from(long(bytes, at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Two connections as a Linux 6.1 sent them.
    const RECORDED: &str = "00070050020100000006002400000083000127130050005000000000000003840a00010a0a0002640a0002160006\
                            002400000183000427130050005000000000000000780a00010a0a0002640a000216";

    fn octets(hex: &str) -> Vec<u8> {
        let digits: Vec<u8> = hex.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
        digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
    }

    fn entries(bytes: &[u8]) -> Vec<SyncEntry> {
        read(bytes).unwrap().1.map(|entry| entry.unwrap().unwrap()).collect()
    }

    fn end(last: u8, port: u16) -> SocketAddr {
        SocketAddr { address: Ipv4Addr::new(10, 0, 2, last), port }
    }

    #[test]
    fn a_recorded_message_is_read_and_written_again() {
        let bytes = octets(RECORDED);
        let found = entries(&bytes);
        let client = SocketAddr { address: Ipv4Addr::new(10, 0, 1, 10), port: 10_003 };
        let first = SyncEntry {
            protocol: 6,
            flags: 0x83,
            state: 1,
            client,
            virtual_: end(100, 80),
            server: end(22, 80),
            mark: 0,
            timeout_s: 900,
        };
        assert_eq!(found, [first, SyncEntry { flags: 0x183, state: 4, timeout_s: 120, ..first }]);
        let mut draft = Draft::new(1, 7);
        found.iter().for_each(|entry| draft.push(entry));
        assert_eq!(draft.into_bytes(), bytes);
    }

    #[test]
    fn version_0_is_told_from_version_1_by_its_header_and_has_no_timeout() {
        let mut draft = Draft::new(0, 9);
        let entry = SyncEntry {
            protocol: 17,
            flags: 0x83,
            state: 0,
            client: end(1, 5000),
            virtual_: end(100, 53),
            server: end(21, 53),
            mark: 0,
            timeout_s: 0,
        };
        draft.push(&entry);
        let bytes = draft.into_bytes();
        assert_eq!((bytes.len(), bytes[0]), (28, 1));
        assert_eq!(entries(&bytes), [entry]);
    }

    #[test]
    fn a_message_holds_40_connections_in_1472_octets() {
        let mut draft = Draft::new(1, 0);
        let mut count = 0;
        while draft.has_room(1472) {
            draft.push(&entries(&octets(RECORDED))[0]);
            count += 1;
        }
        assert_eq!((count, draft.into_bytes().len()), (40, 1448));
    }

    proptest! {
        #[test]
        fn any_octets_are_read_to_an_end(mut bytes in prop::collection::vec(any::<u8>(), 4..300)) {
            let size = (bytes.len() as u16).to_be_bytes();
            bytes[2..4].copy_from_slice(&size);
            let (header, entries) = read(&bytes).unwrap();
            prop_assert!(entries.count() <= usize::from(header.count));
        }
    }
}
