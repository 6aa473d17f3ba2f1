//! Bypass: no server is left, so the packet goes straight to where it was addressed (`cache_bypass`). Made for caches:
//! without them, clients still reach the web servers outside.

use super::{Departure, ForwardingMethod, Way, depart};
use crate::ipvs::conn::Conn;
use crate::tables::verdict::{Verdict, Xmit};
use crate::trace::Why;
use crate::trace::record::Method;
use crate::wire::packet::Packet;
use crate::world::node::Cx;

/// Straight on.
#[derive(Debug)]
pub(super) struct Bypass;

impl ForwardingMethod for Bypass {
    fn request(&self, packet: Packet, conn: &mut Conn, way: &mut Way, cx: &mut Cx) -> Verdict {
        let to = conn.virtual_;
        let forward = |method| Why::IpvsForward { method, server: to.address, port: to.port };
        match depart(packet, to.address, 0, way) {
            Err(verdict) => verdict,
            Ok(Departure::Here(packet)) => {
                cx.note(forward(Method::Local));
                Verdict::Accept(packet)
            }
            Ok(Departure::Away(packet, route)) => {
                cx.note(forward(Method::Bypass));
                Verdict::Stolen(Xmit { packet, route })
            }
        }
    }
}
