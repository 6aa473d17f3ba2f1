//! The few things a replay must know of a frame to decide whether it is compared: ARP's four addresses, a packet's ends.

use sim_core::wire::{Ipv4Addr, Mac};

const ETHERNET: usize = 14;

/// An ARP message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arp {
    /// Where the frame goes.
    pub destination: Mac,
    /// 1 asks, 2 answers.
    pub operation: u16,
    /// Sender's MAC.
    pub sender_mac: Mac,
    /// Sender's address.
    pub sender: Ipv4Addr,
    /// Target's address.
    pub target: Ipv4Addr,
}

/// An IPv4 packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Where the frame goes.
    pub destination_mac: Mac,
    /// From.
    pub source: Ipv4Addr,
    /// To.
    pub destination: Ipv4Addr,
    /// 1 ICMP, 2 IGMP, 4 IP in IP, 6 TCP, 17 UDP.
    pub protocol: u8,
    /// The TCP header, if it is one whole.
    pub tcp: Option<Tcp>,
}

/// A TCP header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tcp {
    /// Source port.
    pub sport: u16,
    /// Destination port.
    pub dport: u16,
    /// Sequence number.
    pub seq: u32,
    /// Acknowledgement number.
    pub ack: u32,
    /// CWR to FIN, one bit each; FIN is the lowest.
    pub flags: u8,
}

/// FIN.
pub const FIN: u8 = 0x01;
/// SYN.
pub const SYN: u8 = 0x02;
/// RST.
pub const RST: u8 = 0x04;
/// PSH.
pub const PSH: u8 = 0x08;
/// ACK.
pub const ACK: u8 = 0x10;

impl Arp {
    /// The ARP message in a frame.
    pub fn of(frame: &[u8]) -> Option<Arp> {
        if frame.len() < ETHERNET + 28 || frame[12..14] != [0x08, 0x06] {
            return None;
        }
        Some(Arp {
            destination: Mac::from_bytes(&frame[0..6]),
            operation: u16::from_be_bytes([frame[20], frame[21]]),
            sender_mac: Mac::from_bytes(&frame[22..28]),
            sender: address(frame, 28),
            target: address(frame, 38),
        })
    }

    /// Asks for somebody else's MAC.
    pub fn is_question(&self) -> bool {
        self.operation == 1 && self.sender != self.target
    }

    /// The answer to a question, from the machine with this MAC.
    pub fn answer(&self, mac: Mac) -> Vec<u8> {
        let mut frame = Vec::with_capacity(ETHERNET + 28);
        frame.extend_from_slice(self.sender_mac.as_bytes());
        frame.extend_from_slice(mac.as_bytes());
        frame.extend_from_slice(&[0x08, 0x06, 0, 1, 0x08, 0x00, 6, 4, 0, 2]);
        frame.extend_from_slice(mac.as_bytes());
        frame.extend_from_slice(&self.target.octets());
        frame.extend_from_slice(self.sender_mac.as_bytes());
        frame.extend_from_slice(&self.sender.octets());
        frame
    }
}

impl Packet {
    /// The IPv4 packet in a frame.
    pub fn of(frame: &[u8]) -> Option<Packet> {
        if frame.len() < ETHERNET + 20 || frame[12..14] != [0x08, 0x00] || frame[ETHERNET] >> 4 != 4 {
            return None;
        }
        let protocol = frame[ETHERNET + 9];
        let first = u16::from_be_bytes([frame[20], frame[21]]) & 0x1fff == 0;
        let payload = ETHERNET + usize::from(frame[ETHERNET] & 0x0f) * 4;
        let header = frame.get(payload..payload + 20).filter(|_| protocol == 6 && first);
        Some(Packet {
            destination_mac: Mac::from_bytes(&frame[0..6]),
            source: address(frame, ETHERNET + 12),
            destination: address(frame, ETHERNET + 16),
            protocol,
            tcp: header.map(|header| Tcp {
                sport: u16::from_be_bytes([header[0], header[1]]),
                dport: u16::from_be_bytes([header[2], header[3]]),
                seq: u32::from_be_bytes([header[4], header[5], header[6], header[7]]),
                ack: u32::from_be_bytes([header[8], header[9], header[10], header[11]]),
                flags: header[13],
            }),
        })
    }
}

fn address(frame: &[u8], at: usize) -> Ipv4Addr {
    Ipv4Addr::new(frame[at], frame[at + 1], frame[at + 2], frame[at + 3])
}
