//! Floor 4: Linux Virtual Server. Virtual services, their real servers, the connection table, schedulers, forwarding.
//!
//! ```text
//!   kernel INPUT   ──► input   ─┬─ reply of a real server to a client on this host ─► source written back, accepted
//!                               └─ request ─► known connection? else service? ─► schedule ─► forwarding method ─► Stolen
//!   kernel FORWARD ──► forward ─── ICMP about a forwarded flow, then replies of NAT servers ─► source written back, accepted
//!   kernel OUTPUT  ──► output  ─── the same two for packets that begin on this host
//! ```
//! IPVS is *asked*: it never calls the kernel. Follows Linux `net/netfilter/ipvs`.

pub mod service;
pub mod stats;

pub use service::{ControlError, Persistence, ServerOptions, Service, ServiceOptions};

use crate::base::id::NodeId;
use crate::base::time::Instant;
use crate::tables::Tables;
use crate::tables::verdict::Verdict;
use crate::trace::record::ServiceKey;
use crate::wire::flow::SocketAddr;
use crate::wire::packet::Packet;
use crate::world::node::Cx;

/// The IPVS of one host.
#[derive(Debug)]
pub struct Ipvs {
    node: NodeId,
}

impl Ipvs {
    /// No service, no connection, timeouts as Linux begins.
    pub fn new(node: NodeId) -> Self {
        Ipvs { node }
    }

    // ── the hooks ──

    /// Whether there is no service: the hooks are then not registered, and the packet path skips them.
    pub fn is_empty(&self) -> bool {
        let _ = self.node;
        true
    }

    /// LOCAL_IN: a packet for an address of this host. Fragments have been put together.
    pub fn input(&mut self, packet: Packet, tables: &mut Tables, cx: &mut Cx) -> Verdict {
        let _ = (tables, cx);
        Verdict::Accept(packet)
    }

    /// FORWARD: a packet on its way through this host; its TTL has been taken down. Fragments have been put together.
    pub fn forward(&mut self, packet: Packet, tables: &mut Tables, cx: &mut Cx) -> Verdict {
        let _ = (tables, cx);
        Verdict::Accept(packet)
    }

    /// LOCAL_OUT: a packet that begins on this host, but none that IPVS itself sends ([`Verdict::Stolen`]). An accepted
    /// packet may have another source or destination than before.
    pub fn output(&mut self, packet: Packet, tables: &mut Tables, cx: &mut Cx) -> Verdict {
        let _ = (tables, cx);
        Verdict::Accept(packet)
    }

    /// The next packet that IPVS sends by itself; to be asked after every hook and [`Ipvs::wake`] until there is none.
    pub fn poll_transmit(&mut self, tables: &mut Tables, cx: &mut Cx) -> Option<Packet> {
        let _ = (tables, cx);
        None
    }

    /// Ends what is due: connections, deleted servers.
    pub fn wake(&mut self, cx: &mut Cx) {
        let _ = cx;
    }

    /// When something is due next. Not hooks: connections end also when there is no service.
    pub fn next_wake(&self) -> Option<Instant> {
        None
    }

    // ── control: what `ipvsadm` and keepalived ask for ──

    /// `ipvsadm -A`.
    ///
    /// # Errors
    /// `ServiceExists`, `NoScheduler`.
    pub fn add_service(&mut self, key: ServiceKey, options: &ServiceOptions, cx: &mut Cx) -> Result<(), ControlError> {
        todo!("{key} {options:?} {}", cx.now.nanos())
    }

    /// `ipvsadm -E`: everything is replaced; the scheduler begins anew only if it is another one.
    ///
    /// # Errors
    /// `NoService`, `NoScheduler`.
    pub fn edit_service(&mut self, key: ServiceKey, options: &ServiceOptions, cx: &mut Cx) -> Result<(), ControlError> {
        todo!("{key} {options:?} {}", cx.now.nanos())
    }

    /// `ipvsadm -D`: its connections stay until they time out, and their packets are dropped.
    ///
    /// # Errors
    /// `NoService`.
    pub fn delete_service(&mut self, key: ServiceKey, tables: &Tables, cx: &mut Cx) -> Result<(), ControlError> {
        todo!("{key} {tables:?} {}", cx.now.nanos())
    }

    /// `ipvsadm -C`: deletes every service.
    pub fn clear(&mut self, tables: &Tables, cx: &mut Cx) {
        todo!("{tables:?} {}", cx.now.nanos())
    }

    /// `ipvsadm -a`: the server stands first in the service's list. One that was deleted a short while ago is revived,
    /// with its connections and counts.
    ///
    /// # Errors
    /// `NoService`, `ServerExists`, `Invalid` (not a unicast address), `OutOfRange` (lower threshold above the upper).
    pub fn add_server(
        &mut self,
        service: ServiceKey,
        options: &ServerOptions,
        tables: &Tables,
        cx: &mut Cx,
    ) -> Result<(), ControlError> {
        todo!("{service} {options:?} {tables:?} {}", cx.now.nanos())
    }

    /// `ipvsadm -e`: everything but the address is replaced.
    ///
    /// # Errors
    /// `NoService`, `NoServer`, `OutOfRange`.
    pub fn edit_server(
        &mut self,
        service: ServiceKey,
        options: &ServerOptions,
        cx: &mut Cx,
    ) -> Result<(), ControlError> {
        todo!("{service} {options:?} {}", cx.now.nanos())
    }

    /// `ipvsadm -d`.
    ///
    /// # Errors
    /// `NoService`, `NoServer`.
    pub fn delete_server(
        &mut self,
        service: ServiceKey,
        server: SocketAddr,
        tables: &Tables,
        cx: &mut Cx,
    ) -> Result<(), ControlError> {
        todo!("{service} {server} {tables:?} {}", cx.now.nanos())
    }

    /// The services, in the order in which they were made.
    pub fn services(&self) -> impl Iterator<Item = &Service> {
        std::iter::empty()
    }

    /// One service.
    pub fn service(&self, key: ServiceKey) -> Option<&Service> {
        todo!("{key}")
    }
}
