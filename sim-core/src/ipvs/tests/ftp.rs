//! FTP through NAT with and without the helper: what the director makes of both directions, packet by packet.

use super::*;
use crate::trace::record::ConnState;
use crate::wire::rewrite;

const CONTROL: u16 = 40_000;

fn at(address: Ipv4Addr, port: u16) -> SocketAddr {
    SocketAddr { address, port }
}

/// A director with an FTP service of one NAT server, and an established control connection.
fn lab(with_helper: bool) -> Lab {
    let mut lab = Lab::new();
    if with_helper {
        lab.ipvs.load_ftp_helper();
    }
    let ftp = ServiceKey::Address(Transport::Tcp, at(VIP, 21));
    lab.add_service(ftp, service("rr"));
    let options = ServerOptions { server: at(rip(11).address, 21), method: Method::Nat, ..server(11, 1) };
    lab.with(|ipvs, tables, cx| ipvs.add_server(ftp, &options, tables, cx)).expect("new");
    lab.client(CONTROL, 21, SYN, 100, 0, "");
    lab.server(21, CONTROL, SYN | ACK, 900, 101, "");
    lab.client(CONTROL, 21, ACK, 101, 901, "");
    lab
}

/// A segment with these numbers and this text.
fn segment(source: SocketAddr, destination: SocketAddr, flags: u8, seq: u32, ack: u32, text: &str) -> Packet {
    let mut bytes = tcp_bytes(source, destination, flags);
    bytes[4..8].copy_from_slice(&seq.to_be_bytes());
    bytes[8..12].copy_from_slice(&ack.to_be_bytes());
    bytes.extend_from_slice(text.as_bytes());
    TcpPacket::new_unchecked(&mut bytes).fill_checksum(&source.address.into(), &destination.address.into());
    packet(source.address, destination.address, IpProtocol::Tcp, &bytes)
}

impl Lab {
    fn client(&mut self, from: u16, to: u16, flags: u8, seq: u32, ack: u32, text: &str) -> Verdict {
        self.input(segment(at(CLIENT, from), at(VIP, to), flags, seq, ack, text))
    }

    fn server(&mut self, from: u16, to: u16, flags: u8, seq: u32, ack: u32, text: &str) -> Packet {
        let packet = segment(at(rip(11).address, from), at(CLIENT, to), flags, seq, ack, text);
        match self.with(|ipvs, tables, cx| ipvs.forward(packet, tables, cx)) {
            Verdict::Accept(packet) => {
                assert!(rewrite::tcp_checksum_is_right(&packet), "checksums are right after every change");
                packet
            }
            other => panic!("{other:?}"),
        }
    }

    fn entry(&self, from: u16, to: u16) -> Option<&Conn> {
        let flow = Flow { transport: Transport::Tcp, source: at(CLIENT, from), destination: at(VIP, to) };
        self.ipvs.connection(&flow)
    }
}

fn text(packet: &Packet) -> &str {
    std::str::from_utf8(rewrite::tcp_payload(packet)).expect("FTP is ASCII")
}

const PASV: &str = "227 Entering Passive Mode (10,0,0,11,195,80).\r\n";

#[test]
fn the_answer_to_pasv_is_made_to_name_the_vip_and_later_numbers_are_shifted() {
    let mut lab = lab(true);
    lab.client(CONTROL, 21, ACK, 101, 901, "PASV\r\n");
    let answer = lab.server(21, CONTROL, ACK, 901, 107, PASV);
    assert_eq!(text(&answer), "227 Entering Passive Mode (10,0,0,100,195,80).\r\n");
    assert_eq!(rewrite::tcp_sequence(&answer), 901, "the rewritten segment keeps its number");
    let end = 901 + PASV.len() as u32;
    let Verdict::Stolen(ack) = lab.client(CONTROL, 21, ACK, 107, end + 1, "") else { panic!("sent on") };
    assert_eq!(rewrite::tcp_acknowledgement(&ack.packet), end, "the server hears of what it has sent");
    let next = lab.server(21, CONTROL, ACK, end, 107, "150 Here comes the directory listing.\r\n");
    assert_eq!(rewrite::tcp_sequence(&next), end + 1);
}

#[test]
fn a_passive_data_connection_goes_to_the_server_of_its_control_connection() {
    let mut lab = lab(true);
    lab.client(CONTROL, 21, ACK, 101, 901, "PASV\r\n");
    lab.server(21, CONTROL, ACK, 901, 107, PASV);
    assert_eq!(lab.entry(41_234, 50_000).map(|conn| conn.state), Some(ConnState::Listen), "any port will do");
    let Verdict::Stolen(syn) = lab.client(41_000, 50_000, SYN, 1, 0, "") else { panic!("sent on") };
    assert_eq!(Flow::of(&syn.packet).expect("TCP").destination, at(rip(11).address, 50_000));
    assert!(lab.entry(41_234, 50_000).is_none(), "the client's port is known now");
    let answer = lab.server(50_000, 41_000, SYN | ACK, 1, 2, "");
    assert_eq!(Flow::of(&answer).expect("TCP").source, at(VIP, 50_000));
    lab.wait(1000);
    assert_eq!(lab.ipvs.connections().len(), 0, "the control connection ends when its data connection has");
}

#[test]
fn epsv_is_noted_and_its_text_stays_as_it_is() {
    let mut lab = lab(true);
    lab.client(CONTROL, 21, ACK, 101, 901, "EPSV\r\n");
    let said = "229 Entering Extended Passive Mode (|||50001|).\r\n";
    assert_eq!(text(&lab.server(21, CONTROL, ACK, 901, 107, said)), said);
    assert!(matches!(lab.client(41_000, 50_001, SYN, 1, 0, ""), Verdict::Stolen(_)));
}

#[test]
fn the_server_opens_an_active_data_connection_from_the_vips_port_20() {
    let mut lab = lab(true);
    let Verdict::Stolen(port) = lab.client(CONTROL, 21, ACK, 101, 901, "PORT 192,0,2,1,160,40\r\n") else { panic!() };
    assert_eq!(text(&port.packet), "PORT 192,0,2,1,160,40\r\n", "PORT names the client, whom the server can reach");
    let syn = lab.server(20, 41_000, SYN, 1, 0, "");
    assert_eq!(Flow::of(&syn).expect("TCP").source, at(VIP, 20));
    let Verdict::Stolen(answer) = lab.client(41_000, 20, SYN | ACK, 1, 2, "") else { panic!("sent on") };
    assert_eq!(Flow::of(&answer.packet).expect("TCP").destination, at(rip(11).address, 20));
    lab.server(20, 41_000, ACK, 2, 2, "");
    assert_eq!(lab.entry(41_000, 20).map(|conn| conn.state), Some(ConnState::Established));
}

#[test]
fn without_the_helper_the_servers_own_address_goes_out_and_data_connections_find_nothing() {
    let mut lab = lab(false);
    lab.client(CONTROL, 21, ACK, 101, 901, "PASV\r\n");
    assert_eq!(text(&lab.server(21, CONTROL, ACK, 901, 107, PASV)), PASV);
    assert!(matches!(lab.client(41_000, 50_000, SYN, 1, 0, ""), Verdict::Accept(_)), "the director's own stack");
    lab.client(CONTROL, 21, ACK, 107, 950, "PORT 192,0,2,1,160,40\r\n");
    let syn = lab.server(20, 41_000, SYN, 1, 0, "");
    assert_eq!(Flow::of(&syn).expect("TCP").source, at(rip(11).address, 20), "nobody translates it");
}

#[test]
fn a_damaged_segment_of_a_control_connection_is_not_made_right_by_the_helper() {
    let mut lab = lab(true);
    let mut damaged = segment(at(CLIENT, CONTROL), at(VIP, 21), ACK, 101, 901, "PASV\r\n");
    let last = damaged.bytes().len() - 1;
    damaged.bytes_mut()[last] ^= 1;
    assert!(matches!(lab.input(damaged), Verdict::Drop(..)));
}

#[test]
fn the_module_stays_while_a_control_connection_uses_it() {
    let mut lab = lab(true);
    assert!(!lab.ipvs.unload_ftp_helper());
    lab.wait(1000);
    assert!(lab.ipvs.unload_ftp_helper() && !lab.ipvs.has_ftp_helper());
}
