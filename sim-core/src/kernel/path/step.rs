//! How a stage of the way ends.

use crate::tables::routes::Route;
use crate::tables::verdict::{IcmpError, Verdict, Xmit};
use crate::trace::Why;
use crate::wire::packet::Packet;

/// How a stage ends for a packet.
pub(crate) enum Step<T> {
    /// It goes on, with what the next stage needs.
    On(T),
    /// It ends here for this reason.
    Drop(Packet, Why),
    /// It ends here, and its sender is told.
    Reject(Packet, IcmpError, Why),
    /// IPVS sends it.
    Stolen(Xmit),
    /// It was delivered, or is held back; nothing is left to do.
    Done,
}

/// A hook's answer as the path takes it.
impl From<Verdict> for Step<Packet> {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Accept(packet) => Step::On(packet),
            Verdict::Drop(packet, why) => Step::Drop(packet, why),
            Verdict::Reject(packet, error, why) => Step::Reject(packet, error, why),
            Verdict::Stolen(xmit) => Step::Stolen(xmit),
        }
    }
}

/// Which way an arrived packet takes.
pub(crate) enum Way {
    /// To this host.
    Local,
    /// On, by this route.
    Elsewhere(Route),
}
