//! The ARP protocol (RFC 826) as Linux speaks it (`net/ipv4/arp.c`): who is answered, what is learned from whom, and
//! which sender address a question carries.
//!
//! ```text
//!   receive ─► arptables ─► probe? ─► for us? ─► for somebody behind us? ─► what the table learns
//!   send ─► known? ─┬─ yes ─► egress
//!                   └─ no ──► waits, question ─► … answer ─► released ─► send
//! ```
//! # Not modelled
//! RARP; `net.ipv4.conf.*.shared_media` (about ICMP redirects).

mod ear;
mod message;
mod question;

pub(in crate::kernel) use ear::Ears;
pub(super) use message::send as send_message;

use super::{egress, icmp, routing};
use crate::base::id::{EventId, IfaceId, PacketId};
use crate::base::time::{Duration, Instant};
use crate::kernel::Kernel;
use crate::tables::filter::arp::ArpHook;
use crate::tables::interfaces::{Interface, LOOPBACK};
use crate::tables::neighbours::{Due, Offer, Resolution};
use crate::tables::routes::{Found, Question, Route};
use crate::tables::sysctl::Conf;
use crate::trace::record::{NeighbourState, RouteKind, Scope};
use crate::trace::{Stage, Why};
use crate::wire::frame::{ETHERTYPE_IPV4, Frame};
use crate::wire::packet::Packet;
use crate::wire::{Ipv4Addr, Mac};
use crate::world::node::{Cx, Outbox};
use message::{Message, REPLY, REQUEST};
use question::Asking;
use std::collections::BTreeMap;

/// Answers for somebody else that are held back for a moment (`proxy_delay`), by when they are due.
#[derive(Debug, Default)]
pub struct HeldBack {
    answers: BTreeMap<(Instant, u32), Held>,
    count: u32,
}

#[derive(Debug)]
struct Held {
    iface: IfaceId,
    asked: Message,
    /// What led to it.
    cause: EventId,
    /// The question.
    packet: PacketId,
}

/// So many are held back at most, whatever `proxy_qlen` says.
const HELD_BACK_MAX: usize = 4_096;

/// A message came in.
pub(super) fn receive(kernel: &mut Kernel, frame: Frame, iface: IfaceId, out: &mut Outbox, cx: &mut Cx) {
    cx.stage = Stage::Arp;
    let to_us = !frame.destination().is_broadcast() && !frame.destination().is_multicast();
    let message = Message::parse(frame.payload());
    match message {
        None => cx.drop(Why::Malformed),
        Some(message) => {
            ear::overhear(kernel, &message, frame.destination(), iface, cx);
            hear(kernel, message, to_us, iface, out, cx);
        }
    }
    cx.recycle(frame.into_buffer());
}

/// Brings a packet to a neighbour, as soon as its MAC is known.
pub(super) fn send(
    kernel: &mut Kernel,
    packet: Packet,
    iface: IfaceId,
    next_hop: Ipv4Addr,
    out: &mut Outbox,
    cx: &mut Cx,
) {
    let Some(interface) = kernel.tables.interfaces.get(iface) else {
        return end(packet, Why::InterfaceDown, cx);
    };
    if !interface.running() {
        return end(packet, if interface.up { Why::LinkDown } else { Why::InterfaceDown }, cx);
    }
    if !interface.arp {
        // Linux fills in the interface's own MAC (`arp_constructor`).
        let mac = interface.mac;
        return egress::ethernet(kernel, packet, iface, mac, ETHERTYPE_IPV4, out, cx);
    }
    let stage = cx.stage;
    cx.stage = Stage::Arp;
    let tables = &mut kernel.tables;
    match tables.neighbours.resolve(iface, next_hop, packet, &tables.sysctl, cx) {
        Resolution::Send(packet, mac) => {
            cx.stage = stage;
            egress::ethernet(kernel, packet, iface, mac, ETHERTYPE_IPV4, out, cx);
        }
        Resolution::Waits => {}
        Resolution::Ask { source } => {
            let asking = Asking { iface, target: next_hop, to: None, source: Some(source), attempt: 1 };
            question::ask(kernel, asking, out, cx);
        }
        Resolution::Mute(packet) => end(packet, Why::ArpFailed { target: next_hop }, cx),
        Resolution::Full(packet) => end(packet, Why::ArpQueueFull { target: next_hop }, cx),
    }
}

/// Does what is due: questions, the end of questions, answers that were held back.
pub(super) fn wake(kernel: &mut Kernel, out: &mut Outbox, cx: &mut Cx) {
    let circumstances = cx.context();
    while let Some(due) = kernel.tables.neighbours.next_due(&kernel.tables.sysctl, cx) {
        cx.resume(circumstances);
        cx.stage = Stage::Arp;
        match due {
            Due::Ask { iface, target, to, source, attempt, cause } => {
                cx.cause = cause;
                question::ask(kernel, Asking { iface, target, to, source, attempt }, out, cx);
            }
            Due::Failed { target, packets, .. } => {
                for packet in packets {
                    cx.take_up(packet.buffer());
                    cx.stage = Stage::Arp;
                    cx.drop(Why::ArpFailed { target });
                    icmp::host_unreachable(kernel, packet, out, cx);
                }
            }
        }
    }
    let tables = &mut kernel.tables;
    tables.neighbours.tidy(&tables.sysctl, cx);
    while let Some(first) = kernel.path.held_back.answers.first_entry()
        && first.key().0 <= cx.now
    {
        let Held { iface, asked, cause, packet } = first.remove();
        (cx.cause, cx.packet, cx.stage) = (cause, packet, Stage::Arp);
        answer(kernel, iface, &asked, out, cx);
    }
    cx.resume(circumstances);
}

/// When an answer that was held back is due.
pub(super) fn next_wake(kernel: &Kernel) -> Option<Instant> {
    kernel.path.held_back.answers.first_key_value().map(|((at, _), _)| *at)
}

/// `arp_notify`: an interface came up, and its addresses are announced.
pub(super) fn announce(kernel: &mut Kernel, iface: IfaceId, out: &mut Outbox, cx: &mut Cx) {
    let Some(interface) = kernel.tables.interfaces.get(iface) else { return };
    if !kernel.tables.sysctl.conf(iface).arp_notify || !interface.running() || !interface.arp {
        return;
    }
    let mac = interface.mac;
    let addresses: Vec<Ipv4Addr> = interface.addresses.iter().map(|address| address.address).collect();
    for address in addresses {
        let message =
            Message { operation: REQUEST, sender_mac: mac, sender: address, target_mac: Mac([0; 6]), target: address };
        message::emit(kernel, iface, Mac::BROADCAST, message, out, cx);
    }
}

/// The rules for a message that came in, in Linux's order (`arp_process`).
fn hear(kernel: &mut Kernel, message: Message, to_us: bool, iface: IfaceId, out: &mut Outbox, cx: &mut Cx) {
    let Some(message) = message::filtered(kernel, ArpHook::Input, iface, message, cx) else { return };
    let Message { operation, sender, target, .. } = message;
    let Some(interface) = kernel.tables.interfaces.get(iface) else { return };
    let conf = kernel.tables.sysctl.conf(iface);
    if !interface.arp || !matches!(operation, REQUEST | REPLY) {
        return cx.drop(Why::ArpNotMine { address: target });
    }
    let looped = target.is_loopback() && !conf.route_localnet;
    if target.is_multicast() || looped || sender == target && conf.drop_gratuitous_arp {
        return cx.drop(Why::ArpNotMine { address: target });
    }
    if sender.is_unspecified() {
        return probed(kernel, &message, iface, &conf, out, cx);
    }
    if operation == REQUEST
        && let Some(route) = believed(kernel, &message, iface, &conf)
    {
        if route.kind == RouteKind::Local {
            return asked_for_us(kernel, &message, route.iface, iface, &conf, out, cx);
        }
        if conf.forwarding
            && route.kind == RouteKind::Unicast
            && let Some(published) = answers_for(kernel, &conf, &route, target, iface)
        {
            cx.note(Why::ArpProxied { address: target, behind: route.iface, published });
            return asked_for_another(kernel, message, to_us, iface, out, cx);
        }
    }
    overheard(kernel, &message, to_us, iface, &conf, cx);
}

/// Somebody asks whether an address is free (RFC 5227): answered if it is ours, and nothing is learned.
fn probed(kernel: &mut Kernel, message: &Message, iface: IfaceId, conf: &Conf, out: &mut Outbox, cx: &mut Cx) {
    let address = message.target;
    match local_on(kernel, address) {
        Some(on) if message.operation == REQUEST => {
            if !answers(kernel, message, iface, conf.arp_ignore) {
                return cx.drop(Why::ArpIgnored { address, holds_it_on: on, ignore: conf.arp_ignore });
            }
            note_answer(kernel, message, on, iface, conf, cx);
            answer(kernel, iface, message, out, cx);
        }
        Some(_) | None => cx.drop(Why::ArpNotMine { address }),
    }
}

/// A question for an address of this host, held on `on`: the sender is learned only if it is answered.
fn asked_for_us(
    kernel: &mut Kernel,
    message: &Message,
    on: IfaceId,
    iface: IfaceId,
    conf: &Conf,
    out: &mut Outbox,
    cx: &mut Cx,
) {
    let address = message.target;
    if !answers(kernel, message, iface, conf.arp_ignore) {
        return cx.drop(Why::ArpIgnored { address, holds_it_on: on, ignore: conf.arp_ignore });
    }
    if conf.arp_filter && !leads_back(kernel, message, iface) {
        return cx.drop(Why::ArpFilterRoute { address });
    }
    note_answer(kernel, message, on, iface, conf, cx);
    learn_asker(kernel, message, iface, cx);
    answer(kernel, iface, message, out, cx);
}

/// Writes that a question is answered, and which other settings would have kept this host silent.
fn note_answer(kernel: &Kernel, message: &Message, on: IfaceId, iface: IfaceId, conf: &Conf, cx: &mut Cx) {
    let silent = |value: &u8| !answers(kernel, message, iface, *value);
    let otherwise = [1, 2, 3, 8].into_iter().filter(silent).fold(0, |bits, value| bits | 1u16 << value);
    cx.note(Why::ArpAnswer { address: message.target, holds_it_on: on, ignore: conf.arp_ignore, otherwise });
}

/// A question for an address behind another interface, which this host answers in its place.
fn asked_for_another(
    kernel: &mut Kernel,
    message: Message,
    to_us: bool,
    iface: IfaceId,
    out: &mut Outbox,
    cx: &mut Cx,
) {
    learn_asker(kernel, &message, iface, cx);
    let settings = kernel.tables.sysctl.neigh(iface);
    if to_us || settings.proxy_delay == Duration::ZERO {
        return answer(kernel, iface, &message, out, cx);
    }
    let held_back = &mut kernel.path.held_back;
    // Linux compares before it adds, so one more than `proxy_qlen` can wait.
    if held_back.answers.len() > HELD_BACK_MAX.min(settings.proxy_qlen as usize) {
        return cx.drop(Why::ArpQueueFull { target: message.target });
    }
    let at = cx.now + Duration::from_nanos(cx.rng.below(settings.proxy_delay.nanos()));
    held_back.count = held_back.count.wrapping_add(1);
    held_back.answers.insert((at, held_back.count), Held { iface, asked: message, cause: cx.cause, packet: cx.packet });
}

/// Everything else: answers, questions for others, announcements. An entry that is there is updated; a new one is
/// made only if `arp_accept` lets it.
fn overheard(kernel: &mut Kernel, message: &Message, to_us: bool, iface: IfaceId, conf: &Conf, cx: &mut Cx) {
    let tables = &mut kernel.tables;
    let Message { operation, sender_mac, sender, .. } = *message;
    if operation == REQUEST && tables.neighbours.get(iface, sender).is_none() && sender != message.target {
        // The most frequent case on a LAN: a question for somebody else by somebody unknown.
        return cx.drop(Why::ArpNotMine { address: message.target });
    }
    let is_unicast = || is_unicast_elsewhere(tables.routes.local_kind(sender), sender);
    let is_gratuitous =
        sender == message.target && (operation == REQUEST || message.target_mac == sender_mac) && is_unicast();
    let accepts = match conf.arp_accept {
        0 => false,
        2 => tables
            .interfaces
            .get(iface)
            .is_some_and(|interface| interface.addresses.iter().any(|address| address.covers(sender))),
        _ => true,
    };
    let creates = accepts && (is_gratuitous || operation == REPLY && is_unicast());
    let state = if operation == REPLY && to_us { NeighbourState::Reachable } else { NeighbourState::Stale };
    let overrides = is_gratuitous || tables.neighbours.unlocked(iface, sender, &tables.sysctl, cx.now);
    let offer = Offer { mac: sender_mac, state, overrides, creates };
    tables.neighbours.update(iface, sender, offer, &tables.sysctl, cx);
}

fn learn_asker(kernel: &mut Kernel, message: &Message, iface: IfaceId, cx: &mut Cx) {
    let tables = &mut kernel.tables;
    let circumstances = cx.context();
    let offer = Offer { mac: message.sender_mac, state: NeighbourState::Stale, overrides: true, creates: true };
    tables.neighbours.update(iface, message.sender, offer, &tables.sysctl, cx);
    cx.resume(circumstances);
}

/// "It is at my MAC", to who asked.
fn answer(kernel: &mut Kernel, iface: IfaceId, asked: &Message, out: &mut Outbox, cx: &mut Cx) {
    let Some(interface) = kernel.tables.interfaces.get(iface) else { return };
    let message = Message {
        operation: REPLY,
        sender_mac: interface.mac,
        sender: asked.target,
        target_mac: asked.sender_mac,
        target: asked.sender,
    };
    message::emit(kernel, iface, asked.sender_mac, message, out, cx);
}

/// The route of an IP packet from the sender to the target that came by this interface, if it would be believed.
fn believed(kernel: &Kernel, message: &Message, iface: IfaceId, conf: &Conf) -> Option<Route> {
    let tables = &kernel.tables;
    let Message { sender, target, .. } = *message;
    if sender.is_multicast() || sender.is_broadcast() || sender.octets()[0] == 0 || target.octets()[0] == 0 {
        return None;
    }
    if sender.is_loopback() && !conf.route_localnet || target.is_broadcast() {
        return None;
    }
    let question = question_from(target, sender, iface);
    let Found::Route(route) = tables.routes.find(question, &tables.interfaces) else { return None };
    let back_out = route.kind == RouteKind::Unicast && route.iface == iface;
    routing::believe_source(kernel, &question, back_out).is_ok().then_some(route)
}

fn question_from(destination: Ipv4Addr, source: Ipv4Addr, iif: IfaceId) -> Question {
    Question { destination, source: Some(source), mark: 0, iif, oif: None }
}

/// `arp_ignore`: whether a question for a local address is answered on this interface.
fn answers(kernel: &Kernel, message: &Message, iface: IfaceId, ignore: u8) -> bool {
    let interfaces = &kernel.tables.interfaces;
    let Message { sender, target, .. } = *message;
    match ignore {
        1 => interfaces.stands_on(target, iface),
        2 => {
            let near = |interface: &Interface| {
                interface
                    .addresses
                    .iter()
                    .any(|address| address.covers(target) && (sender.is_unspecified() || address.covers(sender)))
            };
            interfaces.stands_on(target, iface) && interfaces.get(iface).is_some_and(near)
        }
        3 => interfaces
            .iter()
            .flat_map(|interface| &interface.addresses)
            .any(|address| address.address == target && address.scope <= Scope::Link),
        8 => false,
        _ => true,
    }
}

/// `arp_filter`: whether an answer would leave by the interface by which the question came.
fn leads_back(kernel: &Kernel, message: &Message, iface: IfaceId) -> bool {
    let back = question_from(message.sender, message.target, LOOPBACK);
    let found = kernel.tables.routes.find(back, &kernel.tables.interfaces);
    matches!(found, Found::Route(route) if route.iface == iface)
}

/// Whether this host answers in place of a machine behind `route`: none if not, else whether a published entry says so
/// (`arp_fwd_proxy`, `arp_fwd_pvlan`, `pneigh_lookup`).
fn answers_for(kernel: &Kernel, conf: &Conf, route: &Route, target: Ipv4Addr, iface: IfaceId) -> Option<bool> {
    if route.iface == iface {
        return conf.proxy_arp_pvlan.then_some(false);
    }
    let other = kernel.tables.sysctl.conf(route.iface).medium_id;
    let media = match conf.medium_id {
        0 => true,
        -1 => false,
        own => other != own && other != -1,
    };
    if conf.proxy_arp && media {
        return Some(false);
    }
    kernel.tables.neighbours.publishes(iface, target).then_some(true)
}

/// The interface that holds a local address (127.0.0.0/8 included).
fn local_on(kernel: &Kernel, address: Ipv4Addr) -> Option<IfaceId> {
    let is_local = kernel.tables.routes.local_kind(address) == Some(RouteKind::Local);
    is_local.then(|| kernel.tables.interfaces.local(address).unwrap_or(LOOPBACK))
}

fn is_unicast_elsewhere(kind: Option<RouteKind>, address: Ipv4Addr) -> bool {
    kind.is_none() && !address.is_multicast() && !address.is_broadcast() && address.octets()[0] != 0
}

fn end(packet: Packet, why: Why, cx: &mut Cx) {
    cx.drop(why);
    cx.recycle(packet.into_buffer());
}
