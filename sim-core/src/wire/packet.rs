//! An IPv4 packet inside a host: bytes, plus what is not in them (mark, the interface it came by). Look through a view
//! (`packet.ip()`), use the value, let the view go; edits are in `rewrite.rs` and nowhere else.

use super::buffer::Buffer;
use crate::base::id::IfaceId;
use smoltcp::wire::Ipv4Packet;

/// A network-layer packet on its way through a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    buffer: Buffer,
    /// Netfilter's mark (`fwmark`); 0 is none.
    pub mark: u32,
    /// The interface it arrived on; none for packets of this host's own.
    pub iif: Option<IfaceId>,
    /// The interface it must leave by: a socket is bound to it, or chose it for multicast.
    pub oif: Option<IfaceId>,
    /// A multicast packet of this host's own, of which its own programs hear a copy (`IP_MULTICAST_LOOP`).
    pub loops: bool,
    /// The frame was addressed to everybody or to a group.
    pub broadcast: bool,
    /// Octets of the largest fragment it was put together from; 0 if it came whole. It leaves in pieces no larger.
    pub largest_piece: u16,
    /// IPVS has sent it on its way: it does not look at it again on this host.
    pub by_ipvs: bool,
}

impl Packet {
    /// The packet in `buffer`, which begins with the IPv4 header.
    pub fn new(buffer: Buffer) -> Self {
        Packet {
            buffer,
            mark: 0,
            iif: None,
            oif: None,
            loops: false,
            broadcast: false,
            largest_piece: 0,
            by_ipvs: false,
        }
    }

    /// All octets, from the IPv4 header on.
    pub fn bytes(&self) -> &[u8] {
        self.buffer.bytes()
    }

    /// The octets, for `rewrite.rs`.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        self.buffer.bytes_mut()
    }

    /// The first `count` octets, for `rewrite.rs`: what is known of the payload behind them stays known.
    pub fn head_mut(&mut self, count: usize) -> &mut [u8] {
        self.buffer.head_mut(count)
    }

    /// The ids that travel with the packet.
    pub fn buffer(&self) -> &Buffer {
        &self.buffer
    }

    /// The buffer, for stripping, growing, and for the ids.
    pub fn buffer_mut(&mut self) -> &mut Buffer {
        &mut self.buffer
    }

    /// The IPv4 header and payload. Ingress has checked that header and lengths are sound.
    ///
    /// # Panics
    /// If they are not: only packets that passed ingress or were made by this host are handed around as `Packet`.
    pub fn ip(&self) -> Ipv4Packet<&[u8]> {
        Ipv4Packet::new_checked(self.bytes()).expect("ingress has checked the header")
    }

    /// The IPv4 header alone. What follows may be shorter than it says: a packet that was cut off in a quotation.
    pub fn header(&self) -> Ipv4Packet<&[u8]> {
        Ipv4Packet::new_unchecked(self.bytes())
    }

    /// What follows the IPv4 header, to the end of the packet.
    pub fn payload(&self) -> &[u8] {
        let header = usize::from(self.bytes()[0] & 0x0f) * 4;
        &self.bytes()[header..]
    }

    /// The buffer, to be dropped into a pool.
    pub fn into_buffer(self) -> Buffer {
        self.buffer
    }
}
