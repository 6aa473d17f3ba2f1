//! Fragments wait for each other (RFC 815). Follows Linux `ip_fragment.c`: fragments that overlap end the whole packet,
//! and what is not complete after `ipfrag_time` is dropped.

use crate::base::time::{Duration, Instant};
use crate::tables::sysctl::Sysctl;
use crate::trace::Why;
use crate::wire::packet::Packet;
use crate::wire::rewrite;
use crate::world::node::Cx;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// Packets of which some fragments have come.
#[derive(Debug, Default)]
pub struct Reassembly {
    partial: BTreeMap<Key, Partial>,
    due: BTreeMap<(Instant, Key), ()>,
    octets: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    source: Ipv4Addr,
    destination: Ipv4Addr,
    identification: u16,
    protocol: u8,
}

#[derive(Debug)]
struct Partial {
    due: Instant,
    /// By offset; they do not overlap.
    pieces: BTreeMap<usize, Packet>,
    /// Octets of the whole payload, once the last fragment has come.
    end: Option<usize>,
    octets: usize,
}

/// `net.ipv4.ipfrag_high_thresh`.
const OCTETS_MAX: usize = 4 * 1024 * 1024;
const PACKET_MAX: usize = 65_535;

impl Reassembly {
    /// The packet, if it is whole or becomes so with this fragment. None: it is held, or was dropped.
    pub(crate) fn whole(&mut self, packet: Packet, sysctl: &Sysctl, cx: &mut Cx) -> Option<Packet> {
        let ip = packet.ip();
        if !ip.more_frags() && ip.frag_offset() == 0 {
            return Some(packet);
        }
        let key = Key {
            source: ip.src_addr(),
            destination: ip.dst_addr(),
            identification: ip.ident(),
            protocol: ip.next_header().into(),
        };
        let (at, more) = (usize::from(ip.frag_offset()), ip.more_frags());
        let length = packet.payload().len();
        let uneven = more && !length.is_multiple_of(8);
        if length == 0 || uneven || at + length + usize::from(ip.header_len()) > PACKET_MAX {
            return end(packet, Why::Malformed, cx);
        }
        if self.octets + length > OCTETS_MAX {
            return end(packet, Why::FragmentHeld { so_far: self.octets as u32 }, cx);
        }
        let due = cx.now + Duration::from_secs(sysctl.hot().fragment_timeout_s);
        let partial = self.partial.entry(key).or_insert_with(|| {
            self.due.insert((due, key), ());
            Partial { due, pieces: BTreeMap::new(), end: None, octets: 0 }
        });
        if partial.pieces.get(&at).is_some_and(|piece| piece.payload() == packet.payload()) {
            let so_far = partial.octets as u32;
            return end(packet, Why::FragmentHeld { so_far }, cx);
        }
        if !partial.fits(at, length, more) {
            self.forget(key, cx);
            return end(packet, Why::Malformed, cx);
        }
        if !more {
            partial.end = Some(at + length);
        }
        partial.octets += length;
        self.octets += length;
        partial.pieces.insert(at, packet);
        let so_far = partial.octets;
        if partial.end != Some(so_far) {
            cx.note(Why::FragmentHeld { so_far: so_far as u32 });
            return None;
        }
        let partial = self.partial.remove(&key)?;
        self.due.remove(&(partial.due, key));
        self.octets -= partial.octets;
        Some(join(partial, cx))
    }

    /// When a packet's time is over.
    pub(crate) fn next_wake(&self) -> Option<Instant> {
        self.due.first_key_value().map(|((at, _), ())| *at)
    }

    /// A packet whose time is over: its first fragment, if that had come, for the ICMP error (RFC 792, code 1).
    pub(crate) fn expire(&mut self, cx: &mut Cx) -> Option<Option<Packet>> {
        let ((at, key), ()) = self.due.first_key_value().map(|(key, ())| (*key, ()))?;
        if at > cx.now {
            return None;
        }
        let mut partial = self.take(key)?;
        let first = partial.pieces.remove(&0);
        for (_, piece) in partial.pieces {
            cx.take_up(piece.buffer());
            cx.drop(Why::ReassemblyTimeout);
            cx.recycle(piece.into_buffer());
        }
        Some(first)
    }

    fn forget(&mut self, key: Key, cx: &mut Cx) {
        let circumstances = cx.context();
        for (_, piece) in self.take(key).into_iter().flat_map(|partial| partial.pieces) {
            cx.take_up(piece.buffer());
            cx.drop(Why::Malformed);
            cx.recycle(piece.into_buffer());
        }
        cx.resume(circumstances);
    }

    fn take(&mut self, key: Key) -> Option<Partial> {
        let partial = self.partial.remove(&key)?;
        self.due.remove(&(partial.due, key));
        self.octets -= partial.octets;
        Some(partial)
    }
}

impl Partial {
    /// Whether a piece can stand there: it overlaps none, and the end stays where it is.
    fn fits(&self, at: usize, length: usize, more: bool) -> bool {
        let before = self.pieces.range(..=at).next_back().map_or(0, |(start, piece)| start + piece.payload().len());
        let after = self.pieces.range(at..).next().map_or(usize::MAX, |(start, _)| *start);
        let last = self.pieces.last_key_value().map_or(0, |(start, piece)| start + piece.payload().len());
        let ends_well = match (self.end, more) {
            (Some(end), true) => at + length <= end,
            (Some(end), false) => at + length == end,
            (None, true) => true,
            (None, false) => last <= at + length,
        };
        before <= at && at + length <= after && ends_well
    }
}

/// The pieces in one packet, which keeps the first one's id.
fn join(partial: Partial, cx: &mut Cx) -> Packet {
    let largest = partial.pieces.values().map(|piece| piece.bytes().len()).max().unwrap_or(0);
    let mut pieces = partial.pieces.into_values();
    let first = pieces.next().expect("a whole packet has a first piece");
    let header = usize::from(first.ip().header_len());
    let mut buffer = cx.new_buffer(header + partial.octets);
    buffer.packet = first.buffer().packet;
    buffer.cause = cx.cause;
    let bytes = buffer.bytes_mut();
    bytes[..first.bytes().len()].copy_from_slice(first.bytes());
    let mut at = first.bytes().len();
    for piece in pieces {
        bytes[at..at + piece.payload().len()].copy_from_slice(piece.payload());
        at += piece.payload().len();
        cx.recycle(piece.into_buffer());
    }
    let mut whole = Packet::new(buffer);
    whole.iif = first.iif;
    whole.mark = first.mark;
    whole.broadcast = first.broadcast;
    whole.largest_piece = largest as u16;
    rewrite::set_fragment(&mut whole, 0, false);
    cx.recycle(first.into_buffer());
    cx.packet = whole.buffer().packet;
    cx.note(Why::Reassembled { length: whole.bytes().len() as u32 });
    whole
}

fn end(packet: Packet, why: Why, cx: &mut Cx) -> Option<Packet> {
    cx.drop(why);
    cx.recycle(packet.into_buffer());
    None
}
