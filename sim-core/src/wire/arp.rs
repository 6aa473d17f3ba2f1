//! An ARP message for Ethernet and IPv4 (RFC 826).

use super::frame::{ETHERTYPE_ARP, ETHERTYPE_IPV4};
use super::{Ipv4Addr, Mac};

/// Operation of a question.
pub const REQUEST: u16 = 1;
/// Operation of an answer.
pub const REPLY: u16 = 2;
/// Octets of a message.
pub const LENGTH: usize = 28;
/// Hardware types Ethernet and IEEE 802.
const HARDWARE: [u16; 2] = [1, 6];
const ETHERNET_HEADER: usize = 14;

/// The fields of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arp {
    /// [`REQUEST`], [`REPLY`], or something that nobody understands.
    pub operation: u16,
    /// The sender's MAC.
    pub sender_mac: Mac,
    /// The sender's address; 0.0.0.0 in a probe.
    pub sender: Ipv4Addr,
    /// The target's MAC, in an answer.
    pub target_mac: Mac,
    /// The address asked for, or whom the answer is for.
    pub target: Ipv4Addr,
}

impl Arp {
    /// Reads a message; none if it is not for Ethernet and IPv4, or too short.
    pub fn parse(bytes: &[u8]) -> Option<Arp> {
        let bytes = bytes.get(..LENGTH)?;
        let word = |at: usize| u16::from_be_bytes([bytes[at], bytes[at + 1]]);
        if !HARDWARE.contains(&word(0)) || word(2) != ETHERTYPE_IPV4 || bytes[4..6] != [6, 4] {
            return None;
        }
        let address = |at: usize| Ipv4Addr::new(bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]);
        Some(Arp {
            operation: word(6),
            sender_mac: Mac::from_bytes(&bytes[8..14]),
            sender: address(14),
            target_mac: Mac::from_bytes(&bytes[18..24]),
            target: address(24),
        })
    }

    /// The message that an Ethernet frame carries; none if it carries something else.
    pub fn of_frame(frame: &[u8]) -> Option<Arp> {
        let ethertype = frame.get(12..ETHERNET_HEADER)?;
        (ethertype == ETHERTYPE_ARP.to_be_bytes()).then(|| Arp::parse(&frame[ETHERNET_HEADER..]))?
    }

    /// Writes the message.
    ///
    /// # Panics
    /// If there are fewer than [`LENGTH`] octets.
    pub fn write(&self, bytes: &mut [u8]) {
        bytes[0..2].copy_from_slice(&HARDWARE[0].to_be_bytes());
        bytes[2..4].copy_from_slice(&ETHERTYPE_IPV4.to_be_bytes());
        bytes[4..6].copy_from_slice(&[6, 4]);
        bytes[6..8].copy_from_slice(&self.operation.to_be_bytes());
        bytes[8..14].copy_from_slice(self.sender_mac.as_bytes());
        bytes[14..18].copy_from_slice(&self.sender.octets());
        bytes[18..24].copy_from_slice(self.target_mac.as_bytes());
        bytes[24..28].copy_from_slice(&self.target.octets());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again_and_nothing_else_is_taken_for_it() {
        let said = Arp {
            operation: REPLY,
            sender_mac: Mac([2, 0, 0, 0, 0, 1]),
            sender: Ipv4Addr::new(10, 0, 0, 1),
            target_mac: Mac([2, 0, 0, 0, 0, 2]),
            target: Ipv4Addr::new(10, 0, 0, 2),
        };
        let mut frame = vec![0; 60];
        frame[12..14].copy_from_slice(&ETHERTYPE_ARP.to_be_bytes());
        said.write(&mut frame[14..]);
        assert_eq!(Arp::of_frame(&frame), Some(said));
        assert_eq!(Arp::of_frame(&frame[..41]), None, "too short");
        frame[12] = 9;
        assert_eq!(Arp::of_frame(&frame), None, "another EtherType");
    }
}
