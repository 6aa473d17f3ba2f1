//! The kernel's IPVS table as ldirectord sets it: the calls of `ipvsadm`, and the log line of each.

use super::config::{Fallback, Real, Virtual};
use crate::ipvs::ControlError;
use crate::ipvs::service::{Persistence, ServerOptions, ServiceOptions};
use crate::kernel::Kernel;
use crate::kernel::syscall::Sys;
use crate::trace::record::{Method, Tunnel};
use crate::wire::flow::SocketAddr;

fn service_options(service: &Virtual) -> ServiceOptions {
    ServiceOptions {
        scheduler: service.scheduler.clone(),
        flags: 0,
        persistent: service.persistent.map(|timeout| Persistence { timeout, mask: service.netmask }),
        one_packet: service.one_packet,
        conn_timeout: None,
    }
}

fn server_options(service: &Virtual, real: &Real, weight: u32) -> ServerOptions {
    ServerOptions {
        server: service.mapped(real.address.address, real.address.port, real.method),
        method: real.method,
        tunnel: Tunnel::default(),
        weight,
        upper: real.upper,
        lower: real.lower,
    }
}

/// `-A`, or `-E` if it is there already.
pub(super) fn open(service: &Virtual, sys: &mut Sys) -> String {
    let options = service_options(service);
    let Kernel { ipvs, .. } = &mut *sys.kernel;
    let (done, word) = match ipvs.service(service.key) {
        None => (ipvs.add_service(service.key, &options, sys.cx), "Added"),
        Some(_) => (ipvs.edit_service(service.key, &options, sys.cx), "Changed"),
    };
    match done {
        Ok(()) => format!("{word} virtual server: {}", service.name()),
        Err(error) => failed("-A", error),
    }
}

/// `-D`.
pub(super) fn purge(service: &Virtual, how: &str, sys: &mut Sys) -> String {
    let Kernel { ipvs, tables, .. } = &mut *sys.kernel;
    match ipvs.delete_service(service.key, tables, sys.cx) {
        Ok(()) => format!("Purged virtual server ({how}): {}", service.name()),
        Err(error) => failed("-D", error),
    }
}

/// A server's weight in the table, if it is there.
pub(super) fn weight(service: &Virtual, real: &Real, sys: &Sys) -> Option<u32> {
    let at = service.mapped(real.address.address, real.address.port, real.method);
    sys.kernel.ipvs.server(service.key, at).map(|server| server.weight)
}

/// All servers of a service in the table.
pub(super) fn present(service: &Virtual, sys: &Sys) -> Vec<SocketAddr> {
    let ipvs = &sys.kernel.ipvs;
    ipvs.service(service.key)
        .map_or(Vec::new(), |found| ipvs.servers(found).iter().map(|server| server.address).collect())
}

/// A server is up: `-a`, or `-e` if it is there with something else. Nothing is said if nothing changes.
pub(super) fn restore(service: &Virtual, real: &Real, sys: &mut Sys) -> Option<String> {
    let options = server_options(service, real, real.weight);
    let Kernel { ipvs, tables, .. } = &mut *sys.kernel;
    let (done, word, how) = match ipvs.server(service.key, options.server) {
        None => (ipvs.add_server(service.key, &options, tables, sys.cx), "Added", "-a"),
        Some(known)
            if (known.weight, known.method, known.upper, known.lower)
                == (options.weight, options.method, options.upper, options.lower) =>
        {
            return None;
        }
        Some(_) => (ipvs.edit_server(service.key, &options, sys.cx), "Restored", "-e"),
    };
    Some(match done {
        Ok(()) => line(word, "real", options.server, service, Some(real.weight)),
        Err(error) => failed(how, error),
    })
}

/// A server is down: weight 0, or gone.
pub(super) fn take_down(service: &Virtual, real: &Real, sys: &mut Sys) -> Option<String> {
    let options = server_options(service, real, 0);
    let Kernel { ipvs, tables, .. } = &mut *sys.kernel;
    let known = ipvs.server(service.key, options.server).map(|server| server.weight);
    let (done, text) = match (service.quiescent, known) {
        (true, Some(0)) => return None,
        (true, Some(_)) => {
            let text = line("Quiescent", "real", options.server, service, Some(0));
            (ipvs.edit_server(service.key, &options, sys.cx), text)
        }
        (true, None) if service.readd_quiescent => {
            let text = line("Readd Quiescent", "real", options.server, service, Some(0));
            (ipvs.add_server(service.key, &options, tables, sys.cx), text)
        }
        (_, None) => return None,
        (false, Some(_)) => {
            let text = line("Deleted", "real", options.server, service, None);
            (ipvs.delete_server(service.key, options.server, tables, sys.cx), text)
        }
    };
    Some(done.map_or_else(|error| failed("-e", error), |()| text))
}

/// `-d` whatever it is.
pub(super) fn delete(service: &Virtual, at: SocketAddr, what: &str, sys: &mut Sys) -> Option<String> {
    let Kernel { ipvs, tables, .. } = &mut *sys.kernel;
    ipvs.server(service.key, at)?;
    let done = ipvs.delete_server(service.key, at, tables, sys.cx);
    Some(done.map_or_else(|error| failed("-d", error), |()| line("Deleted", what, at, service, None)))
}

/// Where a fallback stands in the table.
pub(super) fn fallback_at(service: &Virtual, fallback: &Fallback) -> SocketAddr {
    service.mapped(fallback.address, fallback.port, fallback.method)
}

/// The fallback comes in.
pub(super) fn add_fallback(service: &Virtual, fallback: &Fallback, sys: &mut Sys) -> String {
    let at = fallback_at(service, fallback);
    let method: Method = fallback.method;
    let options = ServerOptions { server: at, method, tunnel: Tunnel::default(), weight: 1, upper: 0, lower: 0 };
    let Kernel { ipvs, tables, .. } = &mut *sys.kernel;
    match ipvs.add_server(service.key, &options, tables, sys.cx) {
        Ok(()) => line("Added", "fallback", at, service, Some(1)),
        Err(error) => failed("-a", error),
    }
}

fn line(word: &str, what: &str, at: SocketAddr, service: &Virtual, weight: Option<u32>) -> String {
    let weight = weight.map_or(String::new(), |weight| format!(" (Weight set to {weight})"));
    format!("{word} {what} server: {at} ({}){weight}", service.name())
}

/// ldirectord logs what `ipvsadm` printed.
fn failed(option: &str, error: ControlError) -> String {
    let text = match error {
        ControlError::ServiceExists => "Service already exists",
        ControlError::NoService => "Service not defined",
        ControlError::ServerExists => "Destination already exists",
        ControlError::NoServer => "No such destination",
        ControlError::NoScheduler => "Scheduler or persistence engine not found",
        _ => "Invalid operation.  Possibly wrong module version, address not unicast, ...",
    };
    format!("system(/sbin/ipvsadm {option} ...) failed: {text}")
}
