//! The FTP helper (`modprobe ip_vs_ftp`): lets FTP's data connections through NAT.
//!
//! ```text
//!   client ── PASV, EPSV ──► noted: the answer will name an address
//!   server ── 227, 229 ────► entry client:any ↔ VIP:p → server:p; the payload is made to say VIP
//!   client ── PORT, EPRT ──► entry client:p ↔ VIP:20 → server:20; the payload is left alone
//! ```
//! An entry made in this way is LISTEN for 120 s, and the control connection does not end before it. A payload that
//! became longer or shorter shifts the numbers of all later octets: the helper adds the difference to the server's
//! sequence numbers and takes it off the client's acknowledgements. Follows Linux `ip_vs_ftp.c`; the numbers are
//! `nf_conntrack_seqadj.c`'s there, which FTP's control connections get without `net.ipv4.vs.conntrack`.
//!
//! Only control connections to port 21 that begin after the module was loaded, only NAT (`-m`). A repeated 227 is not
//! rewritten a second time, as in Linux.
//!
//! # Not modelled
//! The module's parameter `ports`.

pub(super) mod helper;

use super::Ipvs;
use super::conn::{Conn, ConnId, Kind};
use super::state::Manner;
use crate::trace::Why;
use crate::trace::record::{ConnState, Method};
use crate::wire::flow::{Flow, SocketAddr, Transport};
use crate::wire::packet::Packet;
use crate::wire::rewrite;
use crate::world::node::Cx;
use helper::{Awaits, Helper};
use std::net::Ipv4Addr;
use std::ops::Range;

/// TCP port of FTP's control connections.
const FTP: u16 = 21;

/// An address that a payload names.
struct Named {
    address: Option<Ipv4Addr>,
    port: u16,
    /// Where it stands in the payload.
    place: Range<usize>,
}

impl Ipvs {
    /// `modprobe ip_vs_ftp`.
    pub fn load_ftp_helper(&mut self) {
        self.load();
        self.ftp_helper = true;
    }

    /// `rmmod ip_vs_ftp`; false if a connection still uses it.
    pub fn unload_ftp_helper(&mut self) -> bool {
        let is_free = self.conns.iter().all(|conn| conn.helper.is_none());
        self.ftp_helper &= !is_free;
        is_free
    }

    /// Whether the FTP helper is loaded.
    pub fn has_ftp_helper(&self) -> bool {
        self.ftp_helper
    }

    /// The helper for a connection that begins, if it is one of FTP's.
    pub(super) fn helper_for(&self, conn: &Conn) -> Option<Helper> {
        let is_control = conn.kind == Kind::Flow
            && conn.method == Method::Nat
            && conn.transport == Some(Transport::Tcp)
            && conn.virtual_.port == FTP;
        (self.ftp_helper && is_control).then(Helper::default)
    }

    /// Looks at a packet of the client of a control connection, and takes the shift off its acknowledgement.
    pub(super) fn help_request(&mut self, id: ConnId, packet: &mut Packet, cx: &mut Cx) -> Result<(), Why> {
        let conn = self.conns.get(id);
        let Some(helper) = conn.helper else { return Ok(()) };
        if !rewrite::tcp_checksum_is_right(packet) {
            return Err(Why::BadTransportChecksum);
        }
        if conn.state == ConnState::Established {
            let data = rewrite::tcp_payload(packet);
            if let Some(awaits) = asks_passive(data) {
                self.helper_mut(id).awaits = awaits;
            } else if let Some(named) = active(data) {
                self.helper_mut(id).awaits = Awaits::Nothing;
                self.expect_active(id, &named, packet.mark, cx)?;
            }
        }
        let by = helper.shift.of_acknowledgement(rewrite::tcp_acknowledgement(packet));
        if by != 0 {
            rewrite::shift_acknowledgement(packet, by.wrapping_neg());
            cx.note(Why::IpvsFtpShifted { by: -by });
        }
        Ok(())
    }

    /// Looks at a packet of the server of a control connection: an answer that names an address is made to name the
    /// VIP; its number is shifted.
    pub(super) fn help_reply(&mut self, id: ConnId, packet: &mut Packet, cx: &mut Cx) -> Result<(), Why> {
        let conn = self.conns.get(id);
        let Some(helper) = conn.helper else { return Ok(()) };
        let number = rewrite::tcp_sequence(packet);
        if !rewrite::tcp_checksum_is_right(packet) {
            return Err(Why::BadTransportChecksum);
        }
        if conn.state == ConnState::Established && helper.awaits != Awaits::Nothing {
            let data = rewrite::tcp_payload(packet);
            let named = match helper.awaits {
                Awaits::Passive => passive(data),
                Awaits::ExtendedPassive => extended_passive(data),
                Awaits::Nothing => None,
            };
            if let Some(named) = named {
                let virtual_ = self.expect_passive(id, &named, packet.mark, cx)?;
                let text = match helper.awaits {
                    Awaits::Passive => {
                        let [a, b, c, d] = virtual_.address.octets();
                        let [high, low] = virtual_.port.to_be_bytes();
                        format!("{a},{b},{c},{d},{high},{low}")
                    }
                    Awaits::ExtendedPassive | Awaits::Nothing => format!("|||{}|", virtual_.port),
                };
                let grown = text.len() as i32 - named.place.len() as i32;
                rewrite::replace_in_tcp_payload(packet, named.place, text.as_bytes());
                cx.note(Why::IpvsFtpRewritten { address: virtual_.address, port: virtual_.port });
                let helper = self.helper_mut(id);
                helper.awaits = Awaits::Nothing;
                helper.shift.add(number, grown);
            }
        }
        let shift = self.helper_mut(id).shift;
        let by = shift.of_sequence(number);
        if by != 0 {
            rewrite::shift_sequence(packet, by);
            cx.note(Why::IpvsFtpShifted { by });
        }
        Ok(())
    }

    /// The entry for a data connection that the client will open, from a port that nobody knows yet; whom it will address.
    fn expect_passive(&mut self, id: ConnId, named: &Named, mark: u32, cx: &mut Cx) -> Result<SocketAddr, Why> {
        let control = self.conns.get(id);
        let server = SocketAddr { address: named.address.unwrap_or(control.server.address), port: named.port };
        let client = SocketAddr { port: 0, ..control.client };
        let virtual_ = SocketAddr { port: named.port, ..control.virtual_ };
        let known = self.conns.reply(&Flow { transport: Transport::Tcp, source: server, destination: client });
        let entry = match known {
            Some(known) => known,
            None => self.expect(
                id,
                Conn { client, virtual_, server, mark, any_client_port: true, ..self.data_conn(id) },
                cx,
            )?,
        };
        self.listen(entry, cx);
        Ok(self.conns.get(entry).virtual_)
    }

    /// The entry for a data connection that the server will open, from its port 20.
    fn expect_active(&mut self, id: ConnId, named: &Named, mark: u32, cx: &mut Cx) -> Result<(), Why> {
        let control = self.conns.get(id);
        let client = SocketAddr { address: named.address.unwrap_or(control.client.address), port: named.port };
        let virtual_ = SocketAddr { port: control.virtual_.port.wrapping_sub(1), ..control.virtual_ };
        let server = SocketAddr { port: control.server.port.wrapping_sub(1), ..control.server };
        let flow = Flow { transport: Transport::Tcp, source: client, destination: virtual_ };
        let entry = match self.conns.request(&flow) {
            Some(known) => known,
            None => self.expect(id, Conn { client, virtual_, server, mark, ..self.data_conn(id) }, cx)?,
        };
        self.listen(entry, cx);
        Ok(())
    }

    /// What a data connection has of its control connection.
    fn data_conn(&self, control: ConnId) -> Conn {
        Conn {
            state: ConnState::None,
            in_packets: 0,
            active: false,
            control: Some(control),
            controls: 0,
            helper: None,
            ..self.conns.get(control).clone()
        }
    }

    fn expect(&mut self, control: ConnId, conn: Conn, cx: &mut Cx) -> Result<ConnId, Why> {
        let (client, virtual_) = (conn.client, conn.virtual_);
        let id = self.begin(conn, cx)?;
        self.conns.get_mut(control).controls += 1;
        cx.note(Why::IpvsFtpExpects { client: client.address, from: client.port, to: virtual_.port });
        Ok(id)
    }

    fn listen(&mut self, id: ConnId, cx: &mut Cx) {
        let conn = self.conns.get_mut(id);
        conn.state = ConnState::Listen;
        conn.timeout = self.timeouts.of(Manner::Linux, ConnState::Listen);
        self.restart(id, cx);
    }

    fn helper_mut(&mut self, id: ConnId) -> &mut Helper {
        self.conns.get_mut(id).helper.as_mut().expect("the caller has looked")
    }
}

/// `PASV` or `EPSV` anywhere in what a client sends.
fn asks_passive(data: &[u8]) -> Option<Awaits> {
    data.windows(6).find_map(|six| {
        if six.eq_ignore_ascii_case(b"PASV\r\n") {
            return Some(Awaits::Passive);
        }
        let extended =
            six[..4].eq_ignore_ascii_case(b"EPSV") && (six[4] == b'\r' || (six[4] == b' ' && six[5] == b'1'));
        extended.then_some(Awaits::ExtendedPassive)
    })
}

/// `PORT h,h,h,h,p,p` or `EPRT |1|address|port|`.
fn active(data: &[u8]) -> Option<Named> {
    if starts_with(data, b"PORT") {
        return six_numbers(data, skip_blanks(data, 4)?);
    }
    if starts_with(data, b"EPRT") {
        return delimited(data, skip_blanks(data, 4)?).filter(|named| named.address.is_some());
    }
    None
}

/// `227 … (h,h,h,h,p,p)`; the bracket may be missing.
fn passive(data: &[u8]) -> Option<Named> {
    if !starts_with(data, b"227 ") {
        return None;
    }
    let begin = data[4..].iter().position(|octet| *octet == b'(' || octet.is_ascii_digit())? + 4;
    six_numbers(data, if data[begin] == b'(' { begin + 1 } else { begin })
}

/// `229 … (|||port|)`.
fn extended_passive(data: &[u8]) -> Option<Named> {
    if !starts_with(data, b"229 ") {
        return None;
    }
    delimited(data, data.iter().position(|octet| *octet == b'(')? + 1)
}

fn starts_with(data: &[u8], word: &[u8]) -> bool {
    data.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
}

fn skip_blanks(data: &[u8], from: usize) -> Option<usize> {
    let blanks = data[from..].iter().take_while(|octet| **octet == b' ').count();
    (blanks > 0).then_some(from + blanks)
}

fn six_numbers(data: &[u8], begin: usize) -> Option<Named> {
    let mut at = begin;
    let mut numbers = [0_u8; 6];
    for (place, number) in numbers.iter_mut().enumerate() {
        if place > 0 {
            if data.get(at) != Some(&b',') {
                return None;
            }
            at += 1;
        }
        let digits = data[at..].iter().take_while(|octet| octet.is_ascii_digit()).count();
        let text = std::str::from_utf8(&data[at..at + digits]).ok()?;
        *number = text.parse().ok()?;
        at += digits;
    }
    let [a, b, c, d, high, low] = numbers;
    let port = u16::from_be_bytes([high, low]);
    Some(Named { address: Some(Ipv4Addr::new(a, b, c, d)), port, place: begin..at })
}

/// `|1|address|port|`, where protocol and address may be missing; any octet but a digit may stand for the bar.
fn delimited(data: &[u8], begin: usize) -> Option<Named> {
    let bar = *data.get(begin).filter(|octet| !octet.is_ascii_digit())?;
    let mut fields = data[begin + 1..].splitn(4, |octet| *octet == bar);
    let (protocol, address, port) = (fields.next()?, fields.next()?, fields.next()?);
    // What follows the last bar must be there, or the bar is missing.
    fields.next()?;
    let address = match (protocol, address) {
        (b"" | b"1", b"") => None,
        (b"1", address) => Some(std::str::from_utf8(address).ok()?.parse().ok()?),
        _ => return None,
    };
    let length = 4 + protocol.len() + data[begin + 1..].splitn(3, |octet| *octet == bar).nth(1)?.len() + port.len();
    let port = std::str::from_utf8(port).ok()?.parse().ok()?;
    Some(Named { address, port, place: begin..begin + length })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(named: Option<Named>, address: Option<[u8; 4]>, port: u16, place: &str, data: &[u8]) {
        let named = named.expect("an address is named");
        assert_eq!((named.address, named.port), (address.map(Ipv4Addr::from), port));
        assert_eq!(&data[named.place], place.as_bytes());
    }

    #[test]
    fn addresses_are_found_where_commands_and_answers_name_them() {
        let data = b"227 Entering Passive Mode (10,2,0,1,200,13).\r\n";
        check(passive(data), Some([10, 2, 0, 1]), 51_213, "10,2,0,1,200,13", data);
        let data = b"227 Entering Passive Mode. 10,2,0,1,200,13\r\n";
        check(passive(data), Some([10, 2, 0, 1]), 51_213, "10,2,0,1,200,13", data);
        let data = b"229 Entering Extended Passive Mode (|||51213|).\r\n";
        check(extended_passive(data), None, 51_213, "|||51213|", data);
        let data = b"port 10,1,0,1,4,1\r\n";
        check(active(data), Some([10, 1, 0, 1]), 1025, "10,1,0,1,4,1", data);
        let data = b"EPRT |1|10.1.0.1|1025|\r\n";
        check(active(data), Some([10, 1, 0, 1]), 1025, "|1|10.1.0.1|1025|", data);
    }

    #[test]
    fn what_is_cut_off_or_no_address_names_nothing() {
        for data in ["", "227 ", "227 (1,2,3", "227 (1,2,3,4,5,999)", "226 Transfer complete (1,2,3,4,5,6)", "227 no"] {
            assert!(passive(data.as_bytes()).is_none(), "{data}");
        }
        for data in ["229 (|||", "229 (|||1234", "229 (|2|::1|1|)", "229 (1234)", "229 (||||)", "229"] {
            assert!(extended_passive(data.as_bytes()).is_none(), "{data}");
        }
        for data in ["PORT", "PORT ", "PORT1,2,3,4,5,6", "EPRT |||1|", "EPRT |1|x|1|", "EPRT "] {
            assert!(active(data.as_bytes()).is_none(), "{data}");
        }
        assert_eq!(asks_passive(b"PASV"), None);
        assert_eq!(asks_passive(b"NOOP\r\npasv\r\n"), Some(Awaits::Passive));
        assert_eq!(asks_passive(b"EPSV\r\n"), Some(Awaits::ExtendedPassive));
        assert_eq!(asks_passive(b"EPSV 2\r\n"), None);
    }
}
