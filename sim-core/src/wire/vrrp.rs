//! VRRP adverts (RFC 3768, RFC 5798), as keepalived writes and reads them.
//!
//! ```text
//!   v2   21 VRID PRIO N  AUTHTYPE ADVINT CKSUM  N × address  8 octets of authentication data
//!   v3   31 VRID PRIO N  0|MaxAdvInt     CKSUM  N × address
//! ```
//! Version 2 sums up the body with its authentication data, version 3 the body with a pseudo-header.

use super::Ipv4Addr;
use super::checksum;

/// The protocol's number.
pub const PROTOCOL: u8 = 112;
/// The group that all virtual routers of a link listen to.
pub const GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 18);
/// The TTL of an advert: one that was forwarded has less.
pub const TTL: u8 = 255;
/// The type of service: network control.
pub const TOS: u8 = 0xc0;

/// Octets before the addresses.
pub const HEADER: usize = 8;
/// Octets of authentication data in version 2, always there.
pub const AUTH_DATA: usize = 8;

const ADVERTISEMENT: u8 = 1;

/// What an advert says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advert<'a> {
    /// 2 or 3.
    pub version: u8,
    /// The virtual router.
    pub vrid: u8,
    /// 1 to 255; 0: the master leaves.
    pub priority: u8,
    /// Version 2: 0 none, 1 password, 2 AH.
    pub auth_type: u8,
    /// Between two adverts: seconds in version 2, hundredths of a second in version 3 (12 bits).
    pub interval: u16,
    /// The virtual addresses.
    pub addresses: &'a [Ipv4Addr],
    /// Version 2: the password.
    pub auth_data: [u8; AUTH_DATA],
}

/// Octets of the body of an advert for so many addresses.
pub const fn length(version: u8, addresses: usize) -> usize {
    HEADER + 4 * addresses + if version == 2 { AUTH_DATA } else { 0 }
}

impl Advert<'_> {
    /// The body. `pseudo` is source and destination, for the sum of version 3; none: the sum of the body alone
    /// (version 2, and old versions of keepalived with unicast).
    pub fn emit(&self, pseudo: Option<(Ipv4Addr, Ipv4Addr)>) -> Vec<u8> {
        let mut body = Vec::with_capacity(length(self.version, self.addresses.len()));
        let interval = match self.version {
            2 => [self.auth_type, self.interval as u8],
            _ => (self.interval & 0x0fff).to_be_bytes(),
        };
        body.extend([self.version << 4 | ADVERTISEMENT, self.vrid, self.priority, self.addresses.len() as u8]);
        body.extend([interval[0], interval[1], 0, 0]);
        for address in self.addresses {
            body.extend(address.octets());
        }
        if self.version == 2 {
            body.extend(self.auth_data);
        }
        let sum = !sum(&body, pseudo);
        body[6..8].copy_from_slice(&sum.to_be_bytes());
        body
    }
}

/// Looks at the body of a packet, which has at least [`HEADER`] octets.
#[derive(Clone, Copy, Debug)]
pub struct View<'a>(&'a [u8]);

impl<'a> View<'a> {
    /// None if it is too short for a header.
    pub fn new(body: &'a [u8]) -> Option<View<'a>> {
        (body.len() >= HEADER).then_some(View(body))
    }

    /// All octets.
    pub fn bytes(&self) -> &'a [u8] {
        self.0
    }

    /// 2 or 3.
    pub fn version(&self) -> u8 {
        self.0[0] >> 4
    }

    /// 1 is an advertisement.
    pub fn kind(&self) -> u8 {
        self.0[0] & 15
    }

    /// The virtual router.
    pub fn vrid(&self) -> u8 {
        self.0[1]
    }

    /// The priority.
    pub fn priority(&self) -> u8 {
        self.0[2]
    }

    /// How many addresses it says it has.
    pub fn count(&self) -> u8 {
        self.0[3]
    }

    /// Version 2: the type of authentication.
    pub fn auth_type(&self) -> u8 {
        self.0[4]
    }

    /// Version 2: seconds.
    pub fn interval_s(&self) -> u8 {
        self.0[5]
    }

    /// Version 3: hundredths of a second.
    pub fn interval_cs(&self) -> u16 {
        u16::from_be_bytes([self.0[4] & 0x0f, self.0[5]])
    }

    /// The addresses, as far as they are there.
    pub fn addresses(&self) -> impl Iterator<Item = Ipv4Addr> + use<'a> {
        let end = (HEADER + 4 * usize::from(self.count())).min(self.0.len());
        self.0[HEADER..end].chunks_exact(4).map(|octets| Ipv4Addr::new(octets[0], octets[1], octets[2], octets[3]))
    }

    /// Version 2: the password, if it is there.
    pub fn auth_data(&self) -> Option<&'a [u8]> {
        let at = HEADER + 4 * usize::from(self.count());
        self.0.get(at..at + AUTH_DATA)
    }

    /// Whether the sum is right. `pseudo` as in [`Advert::emit`].
    pub fn sum_is_right(&self, pseudo: Option<(Ipv4Addr, Ipv4Addr)>) -> bool {
        sum(self.0, pseudo) == 0xffff
    }
}

fn sum(body: &[u8], pseudo: Option<(Ipv4Addr, Ipv4Addr)>) -> u16 {
    match pseudo {
        None => checksum::sum(body),
        Some((source, destination)) => checksum::transport_sum(source, destination, PROTOCOL, body),
    }
}

/// What an advert says to a reader of the trace: virtual router and priority. None if the packet (from its IPv4 header
/// on) is no advert.
pub fn glance(packet: &[u8]) -> Option<(u8, u8)> {
    let header = usize::from(packet.first()? & 15) * 4;
    let view = View::new(packet.get(header..)?)?;
    (*packet.get(9)? == PROTOCOL && view.kind() == ADVERTISEMENT).then(|| (view.vrid(), view.priority()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FROM: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 11);
    const VIP: [Ipv4Addr; 1] = [Ipv4Addr::new(10, 0, 0, 100)];

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
    }

    #[test]
    fn version_2_is_written_as_recorded() {
        let auth_data = *b"1111\0\0\0\0";
        let advert =
            Advert { version: 2, vrid: 51, priority: 100, auth_type: 1, interval: 1, addresses: &VIP, auth_data };
        let body = hex("2133640101010d040a0000643131313100000000");
        assert_eq!(advert.emit(None), body);
        let view = View::new(&body).unwrap();
        assert!(view.sum_is_right(None));
        assert_eq!((view.version(), view.kind(), view.vrid(), view.priority()), (2, 1, 51, 100));
        assert_eq!((view.auth_type(), view.interval_s(), view.auth_data()), (1, 1, Some(&auth_data[..])));
        assert_eq!(view.addresses().collect::<Vec<_>>(), VIP);
    }

    #[test]
    fn version_3_is_written_as_recorded() {
        let advert = Advert {
            version: 3,
            vrid: 51,
            priority: 100,
            auth_type: 0,
            interval: 100,
            addresses: &VIP,
            auth_data: [0; 8],
        };
        let body = hex("31336401006475690a000064");
        assert_eq!(advert.emit(Some((FROM, GROUP))), body);
        let view = View::new(&body).unwrap();
        assert!(view.sum_is_right(Some((FROM, GROUP))) && !view.sum_is_right(Some((FROM, VIP[0]))));
        assert_eq!((view.version(), view.interval_cs(), view.auth_data()), (3, 100, None));
    }

    #[test]
    fn a_body_that_claims_more_addresses_than_it_has_is_read_to_its_end() {
        let body = hex("21336409010100000a000064");
        assert_eq!(View::new(&body).unwrap().addresses().count(), 1);
        assert!(View::new(&body[..7]).is_none());
    }
}
