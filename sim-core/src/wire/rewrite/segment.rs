//! Edits inside a TCP segment: sequence numbers and options. The IPv4 header may have options; the packet is whole.
//!
//! Callers have seen that the TCP header is complete ([`options`] is then not empty-handed by accident); an edit of a
//! segment that is too short does nothing.

use super::{HEADER_CHECKSUM, TCP_HEADER, mend, word};
use crate::wire::packet::Packet;
use crate::wire::tcp_option::{self, END, MSS, NOP, SACK, TIMESTAMP};
use crate::wire::toa;

const SEQUENCE: usize = 4;
const ACKNOWLEDGMENT: usize = 8;
const OFFSET: usize = 12;
const CHECKSUM: usize = 16;
const TOTAL_LENGTH: usize = 2;
/// The longest TCP header, in octets.
const HEADER_MAX: usize = 60;

/// Where a segment stands in its packet.
#[derive(Clone, Copy)]
struct Place {
    /// The first octet of the TCP header.
    tcp: usize,
    /// The first octet behind its options.
    payload: usize,
}

/// The options of a segment; none if its header is not whole.
pub fn options(packet: &Packet) -> Option<&[u8]> {
    let place = place(packet)?;
    Some(&packet.bytes()[place.tcp + TCP_HEADER..place.payload])
}

/// Octets that further options may take in the header.
pub fn room(packet: &Packet) -> usize {
    place(packet).map_or(0, |place| HEADER_MAX - (place.payload - place.tcp))
}

/// Adds to the sequence number.
pub fn shift_sequence(packet: &mut Packet, by: u32) {
    let Some(place) = place(packet) else { return };
    shift(packet, place, place.tcp + SEQUENCE, by);
}

/// Takes from the acknowledgment number and from both edges of every SACK block.
pub fn shift_acknowledgment(packet: &mut Packet, by: u32) {
    let Some(place) = place(packet) else { return };
    shift(packet, place, place.tcp + ACKNOWLEDGMENT, by.wrapping_neg());
    let list = &packet.bytes()[place.tcp + TCP_HEADER..place.payload];
    let Some(sack) = tcp_option::walk(list).find(|option| option.kind == SACK) else { return };
    let (first, edges) = (place.tcp + TCP_HEADER + sack.at + 2, sack.value.len() / 8 * 2);
    for edge in 0..edges {
        shift(packet, place, first + edge * 4, by.wrapping_neg());
    }
}

/// Writes NOPs over the time stamps; whether there were any.
pub fn blank_timestamps(packet: &mut Packet) -> bool {
    let Some(place) = place(packet) else { return false };
    let list = &packet.bytes()[place.tcp + TCP_HEADER..place.payload];
    let found = tcp_option::walk(list).find(|option| option.kind == TIMESTAMP && option.length() == 10);
    let Some(at) = found.map(|option| place.tcp + TCP_HEADER + option.at) else { return false };
    write(packet, place, at, &[NOP; 10]);
    true
}

/// Takes octets off the maximum segment size that a SYN announces; what it was and what it is, if it announces one.
pub fn lower_mss(packet: &mut Packet, by: u16) -> Option<(u16, u16)> {
    let place = place(packet)?;
    let list = &packet.bytes()[place.tcp + TCP_HEADER..place.payload];
    let found = tcp_option::walk(list).find(|option| option.kind == MSS && option.length() == 4)?;
    let at = place.tcp + TCP_HEADER + found.at + 2;
    let old = word(packet.bytes(), at);
    let new = old.saturating_sub(by);
    write(packet, place, at, &new.to_be_bytes());
    Some((old, new))
}

/// Puts an option in front of the others. Its length must be a multiple of 4, and there must be [`room`].
pub fn insert_option<const N: usize>(packet: &mut Packet, option: &[u8; N]) {
    const { assert!(N.is_multiple_of(4), "a TCP header is made of whole words") };
    let Some(place) = place(packet) else { return };
    assert!(room(packet) >= N, "the caller has seen that there is room");
    let fixed = place.tcp + TCP_HEADER;
    packet.buffer_mut().grow(N);
    let bytes = packet.head_mut(fixed + N);
    bytes.copy_within(N..N + fixed, 0);
    bytes[fixed..fixed + N].copy_from_slice(option);
    for pair in option.chunks_exact(2) {
        mend(bytes, place.tcp + CHECKSUM, 0, u16::from_be_bytes([pair[0], pair[1]]));
    }
    lengths_changed(packet, place, N as i32);
}

/// Makes room in the header as DPVS does: padding and TOAs that the client wrote go first; if that is less than `need`
/// octets, in a segment without SYN everything but the time stamps may go, as far as needed. Returns how many octets the
/// segment is shorter: whole words.
pub fn prune_options(packet: &mut Packet, need: usize) -> usize {
    let Some(place) = place(packet) else { return 0 };
    let fixed = place.tcp + TCP_HEADER;
    let old = packet.bytes()[fixed..place.payload].to_vec();
    if old.len() < need {
        return 0;
    }
    let is_syn = packet.bytes()[place.tcp + 13] & 2 != 0;
    let mut kept: Vec<(u8, &[u8])> = tcp_option::walk(&old)
        .filter(|option| option.kind != toa::KIND)
        .map(|option| (option.kind, &old[option.at..option.at + option.length()]))
        .collect();
    let octets = |kept: &[(u8, &[u8])]| kept.iter().map(|(_, option)| option.len()).sum::<usize>();
    let mut at = 0;
    while at < kept.len() && old.len() - octets(&kept) < need {
        if is_protected(kept[at].0, is_syn) {
            at += 1;
        } else {
            kept.remove(at);
        }
    }
    let mut new: Vec<u8> = kept.iter().flat_map(|(_, option)| option.iter().copied()).collect();
    new.resize(new.len().next_multiple_of(4), END);
    let pruned = old.len() - new.len();
    if pruned == 0 {
        return 0;
    }
    let bytes = packet.bytes_mut();
    for (octets, gone) in [(&old, true), (&new, false)] {
        for pair in octets.chunks_exact(2) {
            let value = u16::from_be_bytes([pair[0], pair[1]]);
            let (from, to) = if gone { (value, 0) } else { (0, value) };
            mend(bytes, place.tcp + CHECKSUM, from, to);
        }
    }
    bytes[place.payload - new.len()..place.payload].copy_from_slice(&new);
    bytes.copy_within(0..fixed, pruned);
    packet.buffer_mut().strip(pruned);
    lengths_changed(packet, place, -(pruned as i32));
    pruned
}

/// What a connection cannot do without: time stamps; in a SYN also what is agreed on there.
const fn is_protected(kind: u8, is_syn: bool) -> bool {
    const MULTIPATH: u8 = 30;
    const FAST_OPEN: u8 = 34;
    match kind {
        TIMESTAMP => true,
        MSS | tcp_option::WINDOW_SCALE | tcp_option::SACK_PERMITTED | MULTIPATH | FAST_OPEN => is_syn,
        _ => false,
    }
}

fn place(packet: &Packet) -> Option<Place> {
    let bytes = packet.bytes();
    let tcp = usize::from(bytes[0] & 0x0f) * 4;
    let header = usize::from(bytes.get(tcp + OFFSET)? >> 4) * 4;
    let payload = tcp + header;
    (header >= TCP_HEADER && payload <= bytes.len()).then_some(Place { tcp, payload })
}

fn shift(packet: &mut Packet, place: Place, at: usize, by: u32) {
    let old = packet.bytes()[at..at + 4].try_into().map(u32::from_be_bytes).expect("four octets are four octets");
    write(packet, place, at, &old.wrapping_add(by).to_be_bytes());
}

/// Writes octets of the TCP header, wherever they begin, and mends the checksum.
fn write(packet: &mut Packet, place: Place, at: usize, new: &[u8]) {
    let bytes = packet.head_mut(place.payload);
    let first = at - (at - place.tcp) % 2;
    let end = first + (at + new.len() - first).next_multiple_of(2);
    for pair in (first..end).step_by(2) {
        let old = word(bytes, pair);
        for octet in [pair, pair + 1] {
            if let Some(value) = octet.checked_sub(at).and_then(|index| new.get(index)) {
                bytes[octet] = *value;
            }
        }
        let new = word(bytes, pair);
        mend(bytes, place.tcp + CHECKSUM, old, new);
    }
}

/// The options are longer or shorter by whole words: the lengths that say so follow, with their checksums.
fn lengths_changed(packet: &mut Packet, place: Place, by: i32) {
    let whole = packet.bytes().len();
    let bytes = packet.head_mut(place.tcp + TCP_HEADER);
    let old = word(bytes, TOTAL_LENGTH);
    let new = whole as u16;
    bytes[TOTAL_LENGTH..TOTAL_LENGTH + 2].copy_from_slice(&new.to_be_bytes());
    mend(bytes, HEADER_CHECKSUM, old, new);
    let header = place.tcp as u16;
    mend(bytes, place.tcp + CHECKSUM, old - header, new - header);
    let old = word(bytes, place.tcp + OFFSET);
    let words = i32::from(bytes[place.tcp + OFFSET] >> 4) + by / 4;
    bytes[place.tcp + OFFSET] = (words as u8) << 4 | bytes[place.tcp + OFFSET] & 0x0f;
    let new = word(bytes, place.tcp + OFFSET);
    mend(bytes, place.tcp + CHECKSUM, old, new);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::PacketId;
    use crate::wire::checksum;
    use crate::wire::flow::SocketAddr;
    use crate::wire::frame::Buffer;
    use crate::wire::toa::Toa;
    use proptest::prelude::*;
    use smoltcp::wire::{Ipv4Packet, TcpPacket};
    use std::net::Ipv4Addr;

    const SOURCE: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
    const DESTINATION: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
    const ACK: u8 = 16;
    const SYN: u8 = 2;
    const TIMES: [u8; 12] = [1, 1, 8, 10, 0, 0, 0, 7, 0, 0, 0, 9];
    /// Time stamps and one SACK block, as Linux writes them.
    const TIMES_AND_SACK: [u8; 24] = [1, 1, 8, 10, 0, 0, 0, 7, 0, 0, 0, 9, 1, 1, 5, 10, 0, 0, 1, 0, 0, 0, 2, 0];

    fn segment(flags: u8, options: &[u8], payload: &[u8]) -> Packet {
        let header = 20 + options.len();
        let mut buffer = Buffer::zeroed(20 + header + payload.len(), PacketId(0), Vec::new());
        let length = buffer.bytes().len() as u16;
        let bytes = buffer.bytes_mut();
        let mut ip = Ipv4Packet::new_unchecked(&mut *bytes);
        ip.set_version(4);
        ip.set_header_len(20);
        ip.set_total_len(length);
        ip.set_hop_limit(64);
        ip.set_next_header(smoltcp::wire::IpProtocol::Tcp);
        ip.set_src_addr(SOURCE);
        ip.set_dst_addr(DESTINATION);
        ip.fill_checksum();
        bytes[40..40 + options.len()].copy_from_slice(options);
        bytes[20 + header..].copy_from_slice(payload);
        bytes[32] = (header as u8 / 4) << 4;
        bytes[33] = flags;
        bytes[24..28].copy_from_slice(&1000_u32.to_be_bytes());
        bytes[28..32].copy_from_slice(&5000_u32.to_be_bytes());
        TcpPacket::new_unchecked(&mut bytes[20..]).fill_checksum(&SOURCE.into(), &DESTINATION.into());
        Packet::new(buffer)
    }

    fn is_sound(packet: &Packet) -> bool {
        packet.ip().verify_checksum()
            && usize::from(packet.ip().total_len()) == packet.bytes().len()
            && checksum::transport_sum(SOURCE, DESTINATION, 6, packet.payload()) == 0xffff
    }

    fn toa() -> [u8; 8] {
        Toa { client: SocketAddr { address: Ipv4Addr::new(192, 0, 2, 1), port: 40_002 } }.emit()
    }

    #[test]
    fn a_new_option_stands_before_the_others_and_the_payload_is_untouched() {
        let mut packet = segment(ACK, &TIMES, b"GET /");
        insert_option(&mut packet, &toa());
        assert!(is_sound(&packet));
        assert_eq!(options(&packet), Some(&[&toa()[..], &TIMES].concat()[..]));
        assert_eq!(&packet.bytes()[packet.bytes().len() - 5..], b"GET /");
    }

    #[test]
    fn sequence_numbers_move_with_their_selective_acknowledgements() {
        let mut packet = segment(ACK, &TIMES_AND_SACK, b"");
        shift_acknowledgment(&mut packet, 0x300);
        shift_sequence(&mut packet, u32::MAX);
        assert!(is_sound(&packet));
        let tcp = TcpPacket::new_unchecked(packet.payload());
        assert_eq!((tcp.seq_number().0, tcp.ack_number().0), (999, 5000 - 0x300));
        let edges = &options(&packet).expect("a whole header")[16..];
        assert_eq!(edges, [0xff, 0xff, 0xfe, 0, 0xff, 0xff, 0xff, 0], "modulo 2³²");
    }

    #[test]
    fn a_syn_loses_its_time_stamps_and_an_answer_eight_octets_of_its_mss() {
        let options_of_syn = [2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 7, 0, 0, 0, 0, 1, 3, 3, 7];
        let mut packet = segment(SYN, &options_of_syn, b"");
        assert!(blank_timestamps(&mut packet));
        assert_eq!(lower_mss(&mut packet, 8), Some((1460, 1452)));
        assert!(is_sound(&packet));
        assert_eq!(options(&packet), Some(&[2, 4, 5, 172, 4, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 3, 3, 7][..]));
        assert!(!blank_timestamps(&mut packet), "there are none any more");
    }

    #[test]
    fn a_client_that_writes_a_toa_itself_loses_it_when_room_is_short() {
        let full = [&toa()[..], &toa(), &TIMES, &TIMES].concat();
        let mut packet = segment(ACK, &full, b"x");
        assert_eq!(room(&packet), 0);
        assert_eq!(prune_options(&mut packet, 8), 20, "both, and the padding: 20 octets of stamps are left");
        assert!(is_sound(&packet));
        assert_eq!(room(&packet), 20);
    }

    #[test]
    fn selective_acknowledgements_give_way_and_time_stamps_do_not() {
        let blocks = [&TIMES[..], &[1, 1, 5, 26], &[0; 24]].concat();
        let mut packet = segment(ACK, &blocks, b"x");
        assert_eq!((room(&packet), prune_options(&mut packet, 8)), (0, 28));
        assert!(is_sound(&packet));
        assert_eq!(options(&packet), Some(&[8, 10, 0, 0, 0, 7, 0, 0, 0, 9, 0, 0][..]));
    }

    #[test]
    fn nothing_is_pruned_that_would_not_be_enough() {
        let mut packet = segment(ACK, &[1, 1, 1, 1], b"x");
        assert_eq!(prune_options(&mut packet, 8), 0);
        let mut stamps = segment(ACK, &TIMES, b"x");
        assert_eq!(prune_options(&mut stamps, 8), 0, "ten octets of stamps fill twelve");
    }

    proptest! {
        /// Whatever the options are, lengths and checksums stay right.
        #[test]
        fn every_edit_leaves_a_sound_segment(
            words in 0_usize..8, fill in prop::collection::vec(any::<u8>(), 32), flags: u8, by: u32, need in 0_usize..20,
        ) {
            let mut packet = segment(flags, &fill[..words * 4], b"payload");
            insert_option(&mut packet, &toa());
            shift_sequence(&mut packet, by);
            shift_acknowledgment(&mut packet, by);
            blank_timestamps(&mut packet);
            lower_mss(&mut packet, 8);
            prune_options(&mut packet, need);
            prop_assert!(is_sound(&packet));
            prop_assert_eq!(&packet.bytes()[packet.bytes().len() - 7..], b"payload");
        }
    }
}
