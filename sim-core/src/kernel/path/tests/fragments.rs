//! Fragments in and out.

use super::*;

fn pieces(whole: &[u8], sizes: &[usize]) -> Vec<Vec<u8>> {
    let (header, payload) = whole.split_at(20);
    let mut at = 0;
    let mut pieces = Vec::new();
    for size in sizes {
        let end = (at + size).min(payload.len());
        let mut piece = header.to_vec();
        piece.extend(&payload[at..end]);
        let length = piece.len() as u16;
        let mut ip = Ipv4Packet::new_unchecked(&mut piece);
        ip.set_total_len(length);
        ip.set_frag_offset(at as u16);
        ip.set_more_frags(end < payload.len());
        ip.fill_checksum();
        pieces.push(piece);
        at = end;
    }
    pieces
}

fn arrives(bench: &mut Bench, machine: usize, packet: &[u8]) {
    let mut bytes = mac(machine, 0).as_bytes().to_vec();
    bytes.extend([2, 0, 0, 0, 0, 99, 8, 0]);
    bytes.extend(packet);
    let port = PortId(machine as u32 * 10);
    bench.on(machine, |kernel, out, cx| {
        let packet = cx.pen.new_packet(PacketId::NONE);
        kernel.receive(port, Frame::from_bytes(&bytes, packet), out, cx);
    });
    bench.run();
}

#[test]
fn a_long_echo_is_put_together_answered_and_taken_apart_in_any_order() {
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
        let mut bench = through_a_router();
        let whole = echo("10.0.1.10", "10.0.1.1", 64, 3000);
        let parts = pieces(&whole, &[1480, 1480, 48]);
        for at in order {
            arrives(&mut bench, 1, &parts[at]);
        }
        let sizes: Vec<usize> = bench.packets(10).iter().map(|packet| packet.len()).collect();
        assert_eq!(sizes, [1500, 1500, 68], "{order:?}");
        let back: Vec<u8> = bench.packets(10).iter().flat_map(|packet| packet[20..].to_vec()).collect();
        assert_eq!(back[8..], whole[28..]);
        assert!(Icmpv4Packet::new_checked(&back[..]).unwrap().verify_checksum());
    }
}

#[test]
fn overlapping_fragments_are_thrown_away() {
    let mut bench = through_a_router();
    let whole = echo("10.0.1.10", "10.0.1.1", 64, 3000);
    let parts = pieces(&whole, &[1480, 1480, 48]);
    let mut overlapping = pieces(&whole, &[1472, 1480, 56]).remove(1);
    Ipv4Packet::new_unchecked(&mut overlapping).fill_checksum();
    for part in [&parts[0], &overlapping, &parts[1], &parts[2]] {
        arrives(&mut bench, 1, part);
    }
    assert!(bench.packets(10).is_empty());
}

#[test]
fn fragments_that_stay_alone_are_given_up_after_30_seconds_and_the_sender_is_told() {
    let mut bench = through_a_router();
    let parts = pieces(&echo("10.0.1.10", "10.0.1.1", 64, 3000), &[1480, 1480, 48]);
    arrives(&mut bench, 1, &parts[0]);
    bench.pass(29);
    assert!(bench.packets(10).is_empty());
    bench.pass(2);
    let told = bench.packets(10);
    assert_eq!((told.len(), told[0][20], told[0][21]), (1, 11, 1));
    assert!(bench.kernels[1].next_wake().is_none_or(|wake| wake >= bench.now));
}
