//! smoltcp, driven one flow at a time: an `Interface` per path MTU, shared by all flows of the host, and a device that
//! holds one packet.
//!
//! The only file that knows smoltcp's microseconds: time is rounded down going in and is whole nanoseconds coming out.

use crate::base::time::Instant;
use crate::wire::packet::Packet;
use crate::world::node::Cx;
use smoltcp::iface::{Config, Interface, PollResult, SocketSet};
use smoltcp::phy::{ChecksumCapabilities, Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::wire::HardwareAddress;

/// Segments that one flow may send in one go: a window of 64 KiB in the smallest segments.
const BURST_MAX: u32 = 2_048;

/// The smallest MTU an interface is made for (RFC 791: every module must take 68 octets; TCP here needs room for
/// headers and 48 octets of payload).
pub(super) const MTU_MIN: u32 = 128;

/// The interfaces, by MTU.
#[derive(Default)]
pub(super) struct Stacks(Vec<(u32, Interface)>);

impl std::fmt::Debug for Stacks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(mtu, _)| mtu)).finish()
    }
}

impl Stacks {
    /// The interface of this MTU.
    pub(super) fn of(&mut self, mtu: u32, cx: &mut Cx) -> &mut Interface {
        let mtu = mtu.clamp(MTU_MIN, 65_535);
        let place = match self.0.iter().position(|(have, _)| *have == mtu) {
            Some(place) => place,
            None => {
                let mut config = Config::new(HardwareAddress::Ip);
                config.random_seed = cx.rng.u64();
                let mut wire = Wire { incoming: None, outgoing: &mut Vec::new(), mtu, cx };
                let mut interface = Interface::new(config, &mut wire, smoltcp::time::Instant::ZERO);
                interface.set_any_ip(true);
                self.0.push((mtu, interface));
                self.0.len() - 1
            }
        };
        &mut self.0[place].1
    }

    /// Hands a packet to the flow.
    pub(super) fn feed(&mut self, mtu: u32, set: &mut SocketSet, packet: &[u8], out: &mut Vec<Packet>, cx: &mut Cx) {
        let now = instant(cx.now);
        let interface = self.of(mtu, cx);
        let mut wire = Wire { incoming: Some(packet), outgoing: out, mtu, cx };
        interface.poll_ingress_single(now, &mut wire, set);
    }

    /// Lets the flow send what it can; returns when it wants to be called again.
    pub(super) fn drain(&mut self, mtu: u32, set: &mut SocketSet, out: &mut Vec<Packet>, cx: &mut Cx) -> Instant {
        let now = instant(cx.now);
        let interface = self.of(mtu, cx);
        let mut wire = Wire { incoming: None, outgoing: out, mtu, cx };
        for _ in 0..BURST_MAX {
            if interface.poll_egress(now, &mut wire, set) == PollResult::None {
                break;
            }
        }
        match interface.poll_at(now, set) {
            None => Instant::NEVER,
            Some(at) if at > now => Instant::from_nanos(at.total_micros() as u64 * 1_000),
            // It says "at once" although it has just sent all it could: look again in a moment, and do not spin.
            Some(_) => Instant::from_nanos((now.total_micros() as u64 + 1_000) * 1_000),
        }
    }
}

fn instant(at: Instant) -> smoltcp::time::Instant {
    smoltcp::time::Instant::from_micros((at.nanos() / 1_000) as i64)
}

/// One packet in, packets out.
struct Wire<'a, 'cx> {
    incoming: Option<&'a [u8]>,
    outgoing: &'a mut Vec<Packet>,
    mtu: u32,
    cx: &'a mut Cx<'cx>,
}

struct Incoming<'a>(&'a [u8]);

struct Outgoing<'a, 'cx> {
    packets: &'a mut Vec<Packet>,
    cx: &'a mut Cx<'cx>,
}

impl<'w, 'cx> Device for Wire<'w, 'cx> {
    type RxToken<'a>
        = Incoming<'a>
    where
        Self: 'a;
    type TxToken<'a>
        = Outgoing<'a, 'cx>
    where
        Self: 'a;

    fn receive(&mut self, _: smoltcp::time::Instant) -> Option<(Incoming<'_>, Outgoing<'_, 'cx>)> {
        let packet = self.incoming.take()?;
        Some((Incoming(packet), Outgoing { packets: self.outgoing, cx: self.cx }))
    }

    fn transmit(&mut self, _: smoltcp::time::Instant) -> Option<Outgoing<'_, 'cx>> {
        Some(Outgoing { packets: self.outgoing, cx: self.cx })
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ip;
        capabilities.max_transmission_unit = self.mtu as usize;
        // `segment.rs` checks what comes in and writes the checksums of what goes out.
        capabilities.checksum = ChecksumCapabilities::ignored();
        capabilities
    }
}

impl RxToken for Incoming<'_> {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        f(self.0)
    }
}

impl TxToken for Outgoing<'_, '_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, f: F) -> R {
        let mut packet = Packet::new(self.cx.new_buffer(len));
        let result = f(packet.bytes_mut());
        packet.buffer_mut().cause = self.cx.cause;
        self.packets.push(packet);
        result
    }
}
