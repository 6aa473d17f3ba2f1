//! "Who has …?", and which of this host's addresses asks (`arp_announce`; Linux `arp_solicit`).

use super::message::{self, Message, REQUEST};
use crate::base::id::IfaceId;
use crate::kernel::Kernel;
use crate::tables::Tables;
use crate::trace::record::{RouteKind, Scope};
use crate::trace::{Stage, Why};
use crate::wire::{Ipv4Addr, Mac};
use crate::world::node::{Cx, Outbox};

/// What is asked, and about which packet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asking {
    pub(super) iface: IfaceId,
    /// Whose MAC is wanted.
    pub(super) target: Ipv4Addr,
    /// To this MAC only; none: to everybody.
    pub(super) to: Option<Mac>,
    /// Source of the packet that waits.
    pub(super) source: Option<Ipv4Addr>,
    /// 1 for the first of the round.
    pub(super) attempt: u8,
}

/// Asks.
pub(super) fn ask(kernel: &mut Kernel, asking: Asking, out: &mut Outbox, cx: &mut Cx) {
    let Asking { iface, target, to, source, attempt } = asking;
    let Some(mac) = kernel.tables.interfaces.get(iface).map(|interface| interface.mac) else { return };
    let announce = kernel.tables.sysctl.conf(iface).arp_announce;
    let sender_under = |announce| sender(&kernel.tables, iface, target, source, announce);
    let sender = sender_under(announce);
    let circumstances = cx.context();
    cx.stage = Stage::Arp;
    cx.note(match to {
        None => {
            let others = [0, 1, 2].into_iter().filter(|value| sender_under(*value) != sender);
            let otherwise = others.fold(0, |bits, value| bits | 1u8 << value);
            Why::ArpAsk { target, sender, attempt, announce, otherwise }
        }
        Some(_) => Why::ArpProbe { target, attempt },
    });
    let message = Message { operation: REQUEST, sender_mac: mac, sender, target_mac: Mac([0; 6]), target };
    message::emit(kernel, iface, to.unwrap_or(Mac::BROADCAST), message, out, cx);
    cx.resume(circumstances);
}

/// The sender address of a question for `target`, when a packet from `source` waits.
fn sender(tables: &Tables, iface: IfaceId, target: Ipv4Addr, source: Option<Ipv4Addr>, announce: u8) -> Ipv4Addr {
    let local = source.filter(|source| tables.routes.local_kind(*source) == Some(RouteKind::Local));
    let as_is = match announce {
        0 => local,
        1 => local.filter(|source| share_a_subnet(tables, iface, target, *source)),
        _ => None,
    };
    as_is.or_else(|| tables.interfaces.select_source(iface, Some(target), Scope::Link)).unwrap_or(Ipv4Addr::UNSPECIFIED)
}

/// Whether some address of the interface has a subnet that holds both.
fn share_a_subnet(tables: &Tables, iface: IfaceId, one: Ipv4Addr, other: Ipv4Addr) -> bool {
    let addresses = tables.interfaces.get(iface).map_or(&[][..], |interface| interface.addresses.as_slice());
    addresses.iter().any(|address| address.covers(one) && address.covers(other))
}
