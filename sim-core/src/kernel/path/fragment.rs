//! A packet that is longer than its way allows: cut in pieces, or refused (RFC 791, section 3.2; RFC 1191). Follows
//! Linux `ip_fragment`.

use crate::tables::verdict::IcmpError;
use crate::trace::Why;
use crate::wire::packet::Packet;
use crate::wire::rewrite;
use crate::world::node::Cx;

/// A packet or a piece of it; or the packet, if it must not be cut.
pub(super) type Piece = Result<Packet, (Packet, IcmpError, Why)>;

/// The refusal of a packet that is too long and must not be cut.
pub(crate) fn too_long(packet: &Packet, mtu: u32) -> Option<(IcmpError, Why)> {
    let length = packet.bytes().len() as u32;
    let whole_or_piece = if packet.largest_piece > 0 { u32::from(packet.largest_piece) } else { length };
    let refused = packet.ip().dont_frag() && whole_or_piece > mtu;
    refused.then(|| {
        let error = IcmpError { kind: 3, code: 4, mtu: mtu.min(u32::from(u16::MAX)) as u16, source: None };
        (error, Why::TooLong { length, mtu })
    })
}

/// The pieces of a packet, in order; the packet itself if it fits.
pub(super) fn split(packet: Packet, mtu: u32, cx: &mut Cx) -> impl Iterator<Item = Piece> + use<> {
    let length = packet.bytes().len();
    let mtu = if packet.largest_piece > 0 { mtu.min(u32::from(packet.largest_piece)) } else { mtu };
    if length <= mtu as usize {
        return Pieces::One(Some(Ok(packet)));
    }
    if let Some((error, why)) = too_long(&packet, mtu) {
        return Pieces::One(Some(Err((packet, error, why))));
    }
    let header = usize::from(packet.ip().header_len());
    let room = (mtu as usize).saturating_sub(header) / 8 * 8;
    if room == 0 {
        let error = IcmpError { kind: 3, code: 4, mtu: mtu as u16, source: None };
        return Pieces::One(Some(Err((packet, error, Why::TooLong { length: length as u32, mtu }))));
    }
    let count = (length - header).div_ceil(room);
    cx.note(Why::Fragmented { pieces: count as u16, mtu });
    let pieces = (0..count).map(|number| cut(&packet, header, number * room, room, cx)).collect::<Vec<_>>();
    cx.recycle(packet.into_buffer());
    Pieces::Many(pieces.into_iter())
}

enum Pieces {
    One(Option<Piece>),
    Many(std::vec::IntoIter<Packet>),
}

impl Iterator for Pieces {
    type Item = Piece;

    fn next(&mut self) -> Option<Piece> {
        match self {
            Pieces::One(piece) => piece.take(),
            Pieces::Many(pieces) => pieces.next().map(Ok),
        }
    }
}

/// One piece: the header (with its options; Linux drops those that are not copied, which nobody here sets) and
/// `room` octets from `at` on.
fn cut(packet: &Packet, header: usize, at: usize, room: usize, cx: &mut Cx) -> Packet {
    let payload = &packet.bytes()[header..];
    let body = &payload[at..(at + room).min(payload.len())];
    let mut buffer = cx.new_buffer(header + body.len());
    let bytes = buffer.bytes_mut();
    bytes[..header].copy_from_slice(&packet.bytes()[..header]);
    bytes[header..].copy_from_slice(body);
    let mut piece = Packet::new(buffer);
    piece.mark = packet.mark;
    piece.iif = packet.iif;
    let more = at + body.len() < payload.len() || packet.ip().more_frags();
    let offset = packet.ip().frag_offset() as usize + at;
    rewrite::set_fragment(&mut piece, offset as u16, more);
    piece
}
