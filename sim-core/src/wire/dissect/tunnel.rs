//! The headers of tunnels between an outer IPv4 header and the packet inside: GRE, and GUE behind UDP.

use super::{F, Protocol, Reader, Value};
use crate::wire::{checksum, gre};

impl Reader<'_> {
    /// GUE has no port of its own: a datagram is taken for one that has a whole IPv4 header where GUE's ends.
    pub(super) fn is_ip_header(&self, at: usize) -> bool {
        let header = self.bytes.get(at..at + 20);
        header.is_some_and(|header| header[0] == 0x45 && checksum::is_right(header))
    }

    pub(super) fn gue(&mut self, at: usize, inside: usize, end: usize) {
        self.start(Protocol::Gue, at, inside);
        self.put(F::GueVersion, at, 1, Value::Number(u64::from(self.bytes[at] >> 6)));
        self.number(F::GueInside, at + 1, 1);
        self.close();
        self.ip(inside, end);
    }

    pub(super) fn gre(&mut self, at: usize, end: usize) {
        if !self.open_within(Protocol::Gre, at, 4, end) {
            return;
        }
        let flags = self.word(at);
        self.number(F::GreFlags, at, 2);
        self.put(F::GreFlagChecksum, at, 1, Value::Flag(flags & 0x8000 != 0));
        self.number(F::GreProtocol, at + 2, 2);
        let Some(header) = self.bytes.get(at..end.min(self.bytes.len())).and_then(gre::length_of) else {
            self.close();
            return self.data(at + 4, end);
        };
        if header > 4 {
            self.number(F::GreChecksum, at + 4, 2);
        }
        self.widen(at + header);
        self.close();
        self.ip(at + header, end);
    }
}
