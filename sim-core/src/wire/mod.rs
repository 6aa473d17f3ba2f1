//! Floor 1: bytes and what they mean. smoltcp's `wire` module gives the views of Ethernet, ARP, IPv4, ICMP, UDP and
//! TCP; what stands here is what it has not: the frame that a link carries, edits in place, tunnels, and one-line summaries.

pub mod arp;
pub mod buffer;
pub mod checksum;
pub mod dissect;
pub mod echo;
pub mod field;
pub mod flow;
pub mod frame;
pub mod gre;
pub mod gue;
pub mod ipip;
pub mod packet;
pub mod rewrite;
pub mod summary;
pub mod sync;
pub mod tcp_option;
pub mod toa;
pub mod vrrp;

pub use smoltcp::wire::EthernetAddress as Mac;
pub use std::net::Ipv4Addr;
