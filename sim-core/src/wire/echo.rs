//! ICMP echo (RFC 792): the request as octets, and what a reply says.

use super::Ipv4Addr;
use smoltcp::wire::{Icmpv4Message, Icmpv4Packet, Ipv4Packet};

/// Octets before the data.
pub const HEADER: usize = 8;

/// An echo reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Who sent it.
    pub from: Ipv4Addr,
    /// The identifier of the request.
    pub identifier: u16,
    /// Its number.
    pub sequence: u16,
}

/// An echo request, without its IPv4 header.
pub fn request(identifier: u16, sequence: u16, data: &[u8]) -> Vec<u8> {
    let mut message = vec![0u8; HEADER];
    message.extend_from_slice(data);
    let mut packet = Icmpv4Packet::new_unchecked(&mut message[..]);
    packet.set_msg_type(Icmpv4Message::EchoRequest);
    packet.set_msg_code(0);
    packet.set_echo_ident(identifier);
    packet.set_echo_seq_no(sequence);
    packet.fill_checksum();
    message
}

/// The echo reply that an IPv4 packet is, if it is one.
pub fn reply(packet: &[u8]) -> Option<Reply> {
    let ip = Ipv4Packet::new_checked(packet).ok()?;
    let icmp = Icmpv4Packet::new_checked(ip.payload()).ok()?;
    let is_reply = icmp.msg_type() == Icmpv4Message::EchoReply;
    is_reply.then(|| Reply { from: ip.src_addr(), identifier: icmp.echo_ident(), sequence: icmp.echo_seq_no() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_as_ping_sends_it_and_only_a_reply_is_a_reply() {
        assert_eq!(request(0x1234, 2, &[0xab]), [8, 0, 0x3a, 0xc9, 0x12, 0x34, 0, 2, 0xab]);
        let mut packet = vec![0x45, 0, 0, 28, 0, 0, 0, 0, 64, 1, 0, 0, 10, 0, 0, 2, 10, 0, 0, 1];
        packet.extend([0, 0, 0xed, 0xc9, 0x12, 0x34, 0, 2]);
        let from = Ipv4Addr::new(10, 0, 0, 2);
        assert_eq!(reply(&packet), Some(Reply { from, identifier: 0x1234, sequence: 2 }));
        packet[20] = 8;
        assert_eq!(reply(&packet), None);
    }
}
