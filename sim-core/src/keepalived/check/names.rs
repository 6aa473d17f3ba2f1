//! What the log calls virtual servers and real servers.

use crate::keepalived::config::service::Protocol;
use crate::keepalived::config::{RealServer, ServiceName, SorryServer, VirtualServer};
use crate::keepalived::era::Era;
use std::net::IpAddr;

/// A virtual server: `[10.0.0.100]:tcp:80`, `FWM 1`, `[NAME]:0`.
pub(super) fn service(spec: &VirtualServer, era: Era) -> String {
    match &spec.name {
        ServiceName::Address(address, port) => end(*address, *port, spec, era),
        ServiceName::Mark(mark) => format!("FWM {mark}"),
        ServiceName::Group(name) => format!("[{name}]:0"),
    }
}

/// A real server: `[10.0.1.1]:tcp:80`.
pub(super) fn server(server: &RealServer, spec: &VirtualServer, era: Era) -> String {
    end(server.address, server.port, spec, era)
}

/// A sorry server.
pub(super) fn sorry(server: &SorryServer, spec: &VirtualServer, era: Era) -> String {
    end(server.address, server.port, spec, era)
}

/// An address with a port, as the generations write it.
pub(super) fn end(address: IpAddr, port: u16, spec: &VirtualServer, era: Era) -> String {
    match era {
        Era::V1_1 => format!("[{address}:{port}]"),
        Era::V1_3 => format!("[{address}]:{port}"),
        Era::V2_2 => format!("[{address}]:{}:{port}", protocol(spec)),
    }
}

/// A firewall mark without a protocol has none.
fn protocol(spec: &VirtualServer) -> &'static str {
    match (spec.protocol, &spec.name) {
        (Protocol::Tcp, _) => "tcp",
        (Protocol::Udp, ServiceName::Mark(_)) => "none",
        (Protocol::Udp, _) => "udp",
        (Protocol::Sctp, _) => "sctp",
    }
}

/// What a FIFO or a mail calls a virtual server: `[10.0.0.100]:tcp:80`, whatever the generation.
pub(super) fn service_in_full(spec: &VirtualServer) -> String {
    service(spec, Era::V2_2)
}
