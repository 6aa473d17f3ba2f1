//! Network address translation (`-m`): the destination becomes the real server's address and port; answers must come
//! back through the director, where their source becomes the VIP again.

use super::{Departure, ForwardingMethod, Way, depart, note_forward};
use crate::ipvs::conn::Conn;
use crate::tables::verdict::{Verdict, Xmit};
use crate::trace::Why;
use crate::trace::record::Method;
use crate::wire::flow::Flow;
use crate::wire::packet::Packet;
use crate::wire::rewrite;
use crate::world::node::Cx;

/// A datagram shorter than its header has ports to be found by and none to be rewritten. (TCP was looked at before.)
const UDP_HEADER: usize = 8;

/// Network address translation.
#[derive(Debug)]
pub(super) struct Nat;

impl ForwardingMethod for Nat {
    fn keys(&self, conn: &Conn) -> (Flow, Option<Flow>) {
        let request = conn.request_flow();
        (request, Some(Flow { source: conn.server, destination: conn.client, ..request }))
    }

    fn request(&self, packet: Packet, conn: &mut Conn, way: &mut Way, cx: &mut Cx) -> Verdict {
        if packet.payload().len() < UDP_HEADER {
            return Verdict::Drop(packet, Why::Malformed);
        }
        let port = conn.server.port;
        translate(packet, conn, way, cx, |packet| {
            rewrite::set_destination(packet, conn.server.address, Some(port));
        })
    }

    fn reply(&self, mut packet: Packet, conn: &mut Conn, _: &mut Way, _: &mut Cx) -> Verdict {
        rewrite::set_source(&mut packet, conn.virtual_.address, Some(conn.virtual_.port));
        Verdict::Accept(packet)
    }

    fn icmp_reply(&self, mut packet: Packet, conn: &Conn, _: &mut Way, _: &mut Cx) -> Verdict {
        rewrite::set_source(&mut packet, conn.virtual_.address, None);
        rewrite::set_quoted_destination(&mut packet, conn.virtual_.address, Some(conn.virtual_.port), false);
        Verdict::Accept(packet)
    }

    fn icmp_request(&self, packet: Packet, conn: &mut Conn, way: &mut Way, cx: &mut Cx) -> Verdict {
        translate(packet, conn, way, cx, |packet| {
            rewrite::set_destination(packet, conn.server.address, None);
            rewrite::set_quoted_source(packet, conn.server.address, Some(conn.server.port), false);
        })
    }
}

fn translate(packet: Packet, conn: &Conn, way: &mut Way, cx: &mut Cx, edit: impl Fn(&mut Packet)) -> Verdict {
    match depart(packet, conn.server.address, 0, way) {
        Err(verdict) => verdict,
        Ok(Departure::Here(mut packet)) => {
            edit(&mut packet);
            note_forward(Method::Local, conn, cx);
            Verdict::Accept(packet)
        }
        Ok(Departure::Away(mut packet, route)) => {
            edit(&mut packet);
            note_forward(Method::Nat, conn, cx);
            Verdict::Stolen(Xmit { packet, route })
        }
    }
}
