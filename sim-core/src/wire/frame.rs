//! A frame: bytes from the Ethernet destination to the end of the payload (no preamble, no FCS), in a buffer that has
//! room in front for the headers of tunnels. A frame has one owner and is moved; only a flood copies.

use super::Mac;
use super::packet::Packet;
use crate::base::id::PacketId;

pub use super::buffer::{Buffer, HEADROOM, Held, Tail};

/// Length of an Ethernet header, in octets.
pub const ETHERNET_HEADER: usize = 14;
/// EtherType of IPv4.
pub const ETHERTYPE_IPV4: u16 = 0x0800;
/// EtherType of ARP.
pub const ETHERTYPE_ARP: u16 = 0x0806;

/// A frame on a link or in a switch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame(Buffer);

impl Frame {
    /// The frame whose bytes, Ethernet header included, are in `buffer`.
    pub fn new(buffer: Buffer) -> Self {
        Frame(buffer)
    }

    /// A frame of the given bytes, as a puppet or a test sends it.
    pub fn from_bytes(bytes: &[u8], packet: PacketId) -> Self {
        let mut buffer = Buffer::zeroed(bytes.len(), packet, Vec::new());
        buffer.bytes_mut().copy_from_slice(bytes);
        Frame(buffer)
    }

    /// All octets, from the destination address on.
    pub fn bytes(&self) -> &[u8] {
        self.0.bytes()
    }

    /// The ids that travel with the frame.
    pub fn buffer(&self) -> &Buffer {
        &self.0
    }

    /// The ids that travel with the frame, to be changed.
    pub fn buffer_mut(&mut self) -> &mut Buffer {
        &mut self.0
    }

    /// Whether the Ethernet header is complete.
    pub fn is_whole(&self) -> bool {
        self.bytes().len() >= ETHERNET_HEADER
    }

    /// Destination address.
    ///
    /// # Panics
    /// If the header is not complete (see [`Frame::is_whole`]), as do the next three.
    pub fn destination(&self) -> Mac {
        Mac::from_bytes(&self.bytes()[0..6])
    }

    /// Source address.
    pub fn source(&self) -> Mac {
        Mac::from_bytes(&self.bytes()[6..12])
    }

    /// EtherType.
    pub fn ethertype(&self) -> u16 {
        u16::from_be_bytes([self.bytes()[12], self.bytes()[13]])
    }

    /// What follows the header.
    pub fn payload(&self) -> &[u8] {
        &self.bytes()[ETHERNET_HEADER..]
    }

    /// A packet with an Ethernet header in front.
    pub fn around(packet: Packet, destination: Mac, source: Mac, ethertype: u16) -> Frame {
        let mut buffer = packet.into_buffer();
        buffer.grow(ETHERNET_HEADER);
        let header = buffer.head_mut(ETHERNET_HEADER);
        header[0..6].copy_from_slice(destination.as_bytes());
        header[6..12].copy_from_slice(source.as_bytes());
        header[12..14].copy_from_slice(&ethertype.to_be_bytes());
        Frame(buffer)
    }

    /// The network-layer packet inside; the Ethernet header is gone.
    pub fn into_packet(self) -> Packet {
        let mut buffer = self.0;
        buffer.strip(ETHERNET_HEADER);
        Packet::new(buffer)
    }

    /// The buffer, to be dropped into a pool or taken apart.
    pub fn into_buffer(self) -> Buffer {
        self.0
    }
}
