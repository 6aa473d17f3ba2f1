//! TOA, the TCP option that carries a client's address to a real server behind FULLNAT: kind 254 (RFC 6994 leaves it to
//! experiments), eight octets. Follows DPVS and its module `toa`.
//!
//! # Not modelled
//! The twenty octets of an IPv6 client; kinds 200 and 253, which older programs used.

use super::flow::SocketAddr;
use super::tcp_option;
use std::fmt;
use std::net::Ipv4Addr;

/// Its kind.
pub const KIND: u8 = 254;
/// Octets of the whole option.
pub const LENGTH: usize = 8;

mod field {
    use std::ops::Range;

    pub(super) const KIND: usize = 0;
    pub(super) const LENGTH: usize = 1;
    pub(super) const PORT: Range<usize> = 2..4;
    pub(super) const ADDRESS: Range<usize> = 4..8;
}

/// What the option says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Toa {
    /// The client.
    pub client: SocketAddr,
}

impl Toa {
    /// The first such option of a list; whoever wrote it.
    pub fn find(options: &[u8]) -> Option<Toa> {
        let found = tcp_option::walk(options).find(|option| option.kind == KIND && option.length() == LENGTH)?;
        Toa::parse(&options[found.at..found.at + LENGTH])
    }

    /// The option in these octets; none if they are no TOA of an IPv4 client.
    pub fn parse(bytes: &[u8]) -> Option<Toa> {
        let bytes: &[u8; LENGTH] = bytes.try_into().ok()?;
        if bytes[field::KIND] != KIND || usize::from(bytes[field::LENGTH]) != LENGTH {
            return None;
        }
        let port = u16::from_be_bytes(bytes[field::PORT].try_into().ok()?);
        let octets: [u8; 4] = bytes[field::ADDRESS].try_into().ok()?;
        Some(Toa { client: SocketAddr { address: Ipv4Addr::from(octets), port } })
    }

    /// Its octets.
    pub fn emit(&self) -> [u8; LENGTH] {
        let mut bytes = [0; LENGTH];
        bytes[field::KIND] = KIND;
        bytes[field::LENGTH] = LENGTH as u8;
        bytes[field::PORT].copy_from_slice(&self.client.port.to_be_bytes());
        bytes[field::ADDRESS].copy_from_slice(&self.client.address.octets());
        bytes
    }
}

/// As tcpdump shows an option that it does not know, but with the meaning: `toa 172.25.254.92:40002`.
impl fmt::Display for Toa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "toa {}", self.client)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BYTES: [u8; 8] = [254, 8, 0x9c, 0x42, 172, 25, 254, 92];

    #[test]
    fn port_and_address_stand_in_network_order() {
        let toa = Toa::parse(&BYTES).expect("a whole option");
        assert_eq!(toa.to_string(), "toa 172.25.254.92:40002");
        assert_eq!(toa.emit(), BYTES);
    }

    #[test]
    fn it_is_found_behind_others_and_the_first_counts() {
        let other = Toa { client: SocketAddr { address: Ipv4Addr::new(9, 9, 9, 9), port: 9 } }.emit();
        let list = [&[1, 1, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0][..], &BYTES, &other].concat();
        assert_eq!(Toa::find(&list), Toa::parse(&BYTES));
    }

    #[test]
    fn what_has_another_kind_or_length_is_none() {
        for (at, value) in [(0, 253), (1, 20), (1, 7)] {
            let mut bytes = BYTES;
            bytes[at] = value;
            assert_eq!(Toa::parse(&bytes), None);
            assert_eq!(Toa::find(&bytes), None);
        }
    }
}
