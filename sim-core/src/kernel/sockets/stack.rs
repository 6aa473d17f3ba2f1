//! smoltcp, driven one flow at a time: an `Interface` per path MTU, shared by all flows of the host, and a device that
//! holds one packet.
//!
//! The only file that knows smoltcp's clock. It runs slower than the lab's, so that smoltcp's own retransmission timer,
//! a second at least, never fires; when Linux's does (`retransmission.rs`), the flow's clock leaps over smoltcp's.
//!
//! ```text
//!   microseconds of smoltcp = nanoseconds of the lab / 128,000 + leaps of 61 s
//! ```
//! A second there is 128 s here, more than the longest time between two retransmissions.

use crate::base::time::{Duration, Instant};
use crate::wire::packet::Packet;
use crate::world::node::Cx;
use smoltcp::iface::{Config, Interface, PollResult, SocketSet};
use smoltcp::phy::{ChecksumCapabilities, Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::wire::HardwareAddress;

/// Segments that one flow may send in one go: a window of 64 KiB in the smallest segments.
const BURST_MAX: u32 = 2_048;

/// Nanoseconds of the lab that are a microsecond of smoltcp.
const TICK: u64 = 128_000;

/// More than the longest timer of smoltcp.
const LEAP: i64 = 61_000_000;

/// How long an acknowledgement may be put off: 40 ms (Linux `TCP_DELACK_MIN`) of smoltcp's time.
pub(super) const ACK_DELAY: smoltcp::time::Duration = smoltcp::time::Duration::from_micros(40_000_000 / TICK + 1);

/// How often a flow's clock has leapt.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Leaps(u32);

impl Leaps {
    /// Moves the flow's clock on, so that smoltcp sends again what was not acknowledged.
    pub(super) fn leap(&mut self) {
        self.0 += 1;
    }

    fn clock(self, at: Instant) -> smoltcp::time::Instant {
        smoltcp::time::Instant::from_micros((at.nanos() / TICK) as i64 + i64::from(self.0) * LEAP)
    }
}

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
    pub(super) fn feed(
        &mut self,
        mtu: u32,
        leaps: Leaps,
        set: &mut SocketSet,
        packet: &[u8],
        out: &mut Vec<Packet>,
        cx: &mut Cx,
    ) {
        let now = leaps.clock(cx.now);
        let interface = self.of(mtu, cx);
        let mut wire = Wire { incoming: Some(packet), outgoing: out, mtu, cx };
        interface.poll_ingress_single(now, &mut wire, set);
    }

    /// Lets the flow send what it can; returns when it wants to be called again, other than to send something again.
    pub(super) fn drain(
        &mut self,
        mtu: u32,
        leaps: Leaps,
        set: &mut SocketSet,
        out: &mut Vec<Packet>,
        cx: &mut Cx,
    ) -> Instant {
        let now = leaps.clock(cx.now);
        let interface = self.of(mtu, cx);
        let mut wire = Wire { incoming: None, outgoing: out, mtu, cx };
        for _ in 0..BURST_MAX {
            if interface.poll_egress(now, &mut wire, set) == PollResult::None {
                break;
            }
        }
        match interface.poll_at(now, set) {
            None => Instant::NEVER,
            Some(at) if at > now + ACK_DELAY => Instant::NEVER,
            Some(at) if at > now => {
                let ticks = (at - now).total_micros();
                Instant::from_nanos((cx.now.nanos() / TICK + ticks) * TICK)
            }
            // It says "at once" although it has just sent all it could: look again in a moment, and do not spin.
            Some(_) => cx.now + Duration::from_millis(1),
        }
    }
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
