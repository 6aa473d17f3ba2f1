//! `ipvsadm -S` and `-R`: the rules as lines that can be read again. Thresholds are not saved, as in ipvsadm 1.31.

use super::list::{endpoint, flag_names, in_order, servers_in_order};
use super::names::Names;
use super::tunnel;
use crate::ipvs::{Ipvs, Server, Service};
use crate::tables::interfaces::Interfaces;
use crate::trace::record::{Method, ServiceKey};
use crate::wire::flow::Transport;
use std::fmt::Write as _;
use std::net::Ipv4Addr;

/// Every service and server as an `ipvsadm` line without the name in front.
pub(super) fn text(ipvs: &Ipvs, interfaces: &Interfaces, numeric: bool, names: &Names) -> String {
    let mut text = String::new();
    for service in in_order(ipvs, true) {
        let (name, transport) = match service.key {
            ServiceKey::Mark(mark) => (format!("-f {mark}"), Transport::Tcp),
            ServiceKey::Address(transport, address) => {
                let option = match transport {
                    Transport::Tcp => "-t",
                    Transport::Udp => "-u",
                };
                (format!("{option} {}", endpoint(address, transport, numeric, names)), transport)
            }
        };
        service_line(service, &name, &mut text);
        for server in servers_in_order(ipvs, service, true) {
            let address = endpoint(server.address, transport, numeric, names);
            server_line(server, &name, &address, &mut text);
        }
        for local in service.locals.iter() {
            let iface = interfaces.get(local.iface).map_or("", |interface| &*interface.name);
            let _ = writeln!(text, "--add-laddr -z {} {name} -F {iface}", local.address);
        }
    }
    text
}

/// The words of a saved line; none for an empty line or a comment.
pub(super) fn words(line: &str) -> Vec<&str> {
    let line = line.trim();
    if line.starts_with('#') {
        return Vec::new();
    }
    line.split_whitespace().collect()
}

fn service_line(service: &Service, name: &str, text: &mut String) {
    let _ = write!(text, "-A {name} -s {}", service.scheduler_name);
    if let Some(persistence) = service.persistent {
        let _ = write!(text, " -p {}", persistence.timeout.secs());
        if persistence.mask != Ipv4Addr::BROADCAST {
            let _ = write!(text, " -M {}", persistence.mask);
        }
    }
    if service.one_packet {
        text.push_str(" -o");
    }
    if let Some(timeout) = service.conn_timeout {
        let _ = write!(text, " --conn-timeout {}", timeout.secs());
    }
    let flags = flag_names(service);
    if !flags.is_empty() {
        let _ = write!(text, " -b {flags}");
    }
    text.push('\n');
}

fn server_line(server: &Server, name: &str, address: &str, text: &mut String) {
    let option = match server.method {
        Method::Nat => "-m",
        Method::Tun => "-i",
        Method::FullNat => "-b",
        Method::Dr | Method::Local | Method::Bypass => "-g",
    };
    let tunnel = if server.method == Method::Tun { tunnel::saved(server.tunnel) } else { String::new() };
    let _ = writeln!(text, "-a {name} -r {address} {option} -w {}{tunnel}", server.weight);
}
