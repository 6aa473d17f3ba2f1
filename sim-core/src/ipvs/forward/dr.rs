//! Direct routing (`-g`): the packet goes to the real server as it is; only MACs and TTL change.
//!
//! The server must hold the VIP itself, quietly, and answers the client past the director.

use super::{Departure, ForwardingMethod, Way, depart, note_forward};
use crate::ipvs::conn::Conn;
use crate::tables::verdict::{Verdict, Xmit};
use crate::trace::record::Method;
use crate::wire::packet::Packet;
use crate::world::node::Cx;

/// Direct routing.
#[derive(Debug)]
pub(super) struct Dr;

impl ForwardingMethod for Dr {
    fn request(&self, packet: Packet, conn: &mut Conn, way: &mut Way, cx: &mut Cx) -> Verdict {
        match depart(packet, conn.server.address, 0, way) {
            Err(verdict) => verdict,
            Ok(Departure::Here(packet)) => {
                note_forward(Method::Local, conn, cx);
                Verdict::Accept(packet)
            }
            Ok(Departure::Away(packet, route)) => {
                note_forward(Method::Dr, conn, cx);
                Verdict::Stolen(Xmit { packet, route })
            }
        }
    }
}
