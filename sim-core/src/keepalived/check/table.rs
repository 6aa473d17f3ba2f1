//! The kernel's IPVS table as keepalived sets it: the same calls as `ipvsadm`'s, and what is logged when the kernel
//! refuses.

use crate::ipvs::ControlError;
use crate::ipvs::local::Local;
use crate::ipvs::service::{Persistence, ServerOptions, ServiceOptions};
use crate::keepalived::config::service::Protocol;
use crate::keepalived::config::{Config, GroupEntry, RealServer, ServiceName, SorryServer, VirtualServer};
use crate::keepalived::voice::Voice;
use crate::kernel::Kernel;
use crate::kernel::syscall::Sys;
use crate::tables::interfaces::Interface;
use crate::trace::record::{GueChecksum, ServiceKey, Tunnel};
use crate::wire::flow::{SocketAddr, Transport};
use std::net::{IpAddr, Ipv4Addr};

/// A group's range has at most this many addresses.
const RANGE_MAX: u32 = 65_536;

/// What is done to the table.
#[derive(Clone, Debug)]
pub(super) enum Change {
    /// `ipvsadm -A`.
    AddService,
    /// `ipvsadm -E`.
    EditService,
    /// `ipvsadm -D`.
    DeleteService,
    /// `ipvsadm -a`.
    AddServer(ServerOptions),
    /// `ipvsadm -e`.
    EditServer(ServerOptions),
    /// `ipvsadm -d`.
    DeleteServer(SocketAddr),
}

/// The services of the table that one virtual server stands for: a group has several.
pub(super) fn keys(spec: &VirtualServer, config: &Config) -> Vec<ServiceKey> {
    let transport = match spec.protocol {
        Protocol::Tcp => Transport::Tcp,
        Protocol::Udp => Transport::Udp,
        Protocol::Sctp => return Vec::new(),
    };
    let at = |address: Ipv4Addr, port: u16| ServiceKey::Address(transport, SocketAddr { address, port });
    match &spec.name {
        ServiceName::Address(IpAddr::V4(address), port) => vec![at(*address, *port)],
        ServiceName::Address(IpAddr::V6(_), _) => Vec::new(),
        ServiceName::Mark(mark) => vec![ServiceKey::Mark(*mark)],
        ServiceName::Group(name) => {
            let entries = config.virtual_server_group(name).map_or(&[][..], |group| &group.entries);
            let mut keys = Vec::new();
            for entry in entries {
                match entry {
                    GroupEntry::Range(IpAddr::V4(first), IpAddr::V4(last), port) => {
                        let count = u32::from(*last).saturating_sub(u32::from(*first)).min(RANGE_MAX - 1);
                        keys.extend((0..=count).map(|n| at(Ipv4Addr::from(u32::from(*first) + n), *port)));
                    }
                    GroupEntry::Range(..) => {}
                    GroupEntry::Mark(mark) => keys.push(ServiceKey::Mark(*mark)),
                }
            }
            keys
        }
    }
}

/// What `ipvsadm -a` is told of a real server; none for IPv6.
pub(super) fn real(server: &RealServer, weight: u32) -> Option<ServerOptions> {
    let IpAddr::V4(address) = server.address else { return None };
    Some(ServerOptions {
        server: SocketAddr { address, port: server.port },
        method: server.forwarding.method,
        tunnel: tunnel(&server.forwarding.tunnel),
        weight,
        upper: server.upper_threshold,
        lower: server.lower_threshold,
    })
}

/// The same of a sorry server.
pub(super) fn sorry(server: &SorryServer, weight: u32) -> Option<ServerOptions> {
    let IpAddr::V4(address) = server.address else { return None };
    let server_at = SocketAddr { address, port: server.port };
    let tunnel = tunnel(&server.forwarding.tunnel);
    Some(ServerOptions { server: server_at, method: server.forwarding.method, tunnel, weight, upper: 0, lower: 0 })
}

/// What stands behind `TUN`: `type gue port 5555 csum`.
fn tunnel(words: &[String]) -> Tunnel {
    let has = |word: &str| words.iter().any(|known| known == word);
    let behind = |word: &str| words.iter().skip_while(|known| *known != word).nth(1).map(String::as_str);
    match behind("type") {
        Some("gre") => Tunnel::Gre { checksum: has("csum") },
        Some("gue") => {
            let port = behind("port").and_then(|port| port.parse().ok()).unwrap_or(0);
            let checksum = match (has("remcsum"), has("csum")) {
                (true, _) => GueChecksum::Remote,
                (false, true) => GueChecksum::Udp,
                (false, false) => GueChecksum::None,
            };
            Tunnel::Gue { port, checksum }
        }
        _ => Tunnel::Ipip,
    }
}

/// Gives FULLNAT the addresses it sends from, in every service of a virtual server.
pub(super) fn add_locals(keys: &[ServiceKey], spec: &VirtualServer, config: &Config, voice: &Voice, sys: &mut Sys) {
    let group = config.local_address_groups.iter().find(|group| group.name == spec.local_addresses);
    for entry in group.map_or(&[][..], |group| &group.entries) {
        let Kernel { ipvs, tables, .. } = &mut *sys.kernel;
        let holds = |interface: &&Interface| match entry.interface.as_str() {
            "" => interface.addresses.iter().any(|address| address.covers(entry.first)),
            name => &*interface.name == name,
        };
        let Some(iface) = tables.interfaces.iter().find(holds).map(|interface| interface.id) else {
            match entry.interface.as_str() {
                "" => voice.say(&format!("local address: no interface is in the network of {}", entry.first), sys),
                name => voice.say(&format!("local address: no interface {name}"), sys),
            }
            continue;
        };
        let mut refused = None;
        for (key, address) in keys.iter().flat_map(|key| {
            (entry.first.to_bits()..=entry.last.to_bits()).map(move |bits| (key, Ipv4Addr::from_bits(bits)))
        }) {
            match ipvs.add_local(*key, Local { address, iface }, tables, sys.cx) {
                Ok(()) | Err(ControlError::LocalExists) => {}
                Err(error) => refused = Some((address, error)),
            }
        }
        if let Some((address, error)) = refused {
            voice.say(&format!("local address {address} is refused: {error:?}"), sys);
        }
    }
}

/// Makes a change in every service of a virtual server.
pub(super) fn change(keys: &[ServiceKey], spec: &VirtualServer, change: &Change, voice: &Voice, sys: &mut Sys) {
    for key in keys {
        let Kernel { ipvs, tables, .. } = &mut *sys.kernel;
        let done = match change {
            Change::AddService => ipvs.add_service(*key, &options(spec), sys.cx),
            Change::EditService => ipvs.edit_service(*key, &options(spec), sys.cx),
            Change::DeleteService => ipvs.delete_service(*key, tables, sys.cx),
            Change::AddServer(server) => ipvs.add_server(*key, server, tables, sys.cx),
            Change::EditServer(server) => ipvs.edit_server(*key, server, sys.cx),
            Change::DeleteServer(server) => ipvs.delete_server(*key, *server, tables, sys.cx),
        };
        if let Err(error) = done {
            let (number, text) = complaint(change, error);
            voice.say(&format!("IPVS (cmd {}, errno {number}): {text}", command(change)), sys);
        }
    }
}

fn options(spec: &VirtualServer) -> ServiceOptions {
    ServiceOptions {
        scheduler: spec.scheduler.clone(),
        flags: spec.scheduler_flags.bits,
        persistent: spec.persistence.map(|timeout| Persistence { timeout, mask: spec.persistence_mask }),
        one_packet: spec.one_packet,
        conn_timeout: None,
    }
}

/// The number of the kernel's command (`IP_VS_SO_SET_…`).
const fn command(change: &Change) -> u32 {
    match change {
        Change::AddService => 1154,
        Change::EditService => 1155,
        Change::DeleteService => 1156,
        Change::AddServer(_) => 1159,
        Change::DeleteServer(_) => 1160,
        Change::EditServer(_) => 1161,
    }
}

/// The kernel's refusal, by number and in libipvs' words.
const fn complaint(change: &Change, error: ControlError) -> (u32, &'static str) {
    let is_about_server = match change {
        Change::AddServer(_) | Change::EditServer(_) | Change::DeleteServer(_) => true,
        Change::AddService | Change::EditService | Change::DeleteService => false,
    };
    match error {
        ControlError::ServiceExists => (17, "Service already exists"),
        ControlError::ServerExists => (17, "Destination already exists"),
        ControlError::NoScheduler => (2, "Scheduler or persistence engine not found"),
        ControlError::NoServer => (2, "No such destination"),
        ControlError::NoService if is_about_server => (3, "Service not defined"),
        ControlError::NoService => (3, "No such service"),
        ControlError::Invalid => (22, "Invalid operation.  Possibly wrong module version, address not unicast, ..."),
        ControlError::LocalExists => (17, "Local address already exists"),
        ControlError::NoLocal => (2, "No such Local address"),
        ControlError::LocalBusy => (16, "Device or resource busy"),
        ControlError::NoInterface => (19, "No such device"),
        ControlError::TooManyLocals => (28, "No space left on device"),
        ControlError::OutOfRange => (34, "Numerical result out of range"),
    }
}
