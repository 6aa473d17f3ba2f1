//! `/proc`: the kernel's settings and tables as files. `/proc/sys/**` is `tables.sysctl`, `/proc/net/*` is text made
//! when it is read.
//!
//! # Not modelled
//! Everything else under `/proc`: it is not there.

use super::Kernel;
use super::files::FileError;
use crate::base::id::Pid;
use crate::base::time::Instant;
use crate::tables::sysctl::SysctlError;
use crate::trace::record::NeighbourState;
use crate::wire::{Ipv4Addr, Mac};
use crate::world::node::Cx;

const SYS: &str = "/proc/sys/";

/// Whether a path is the kernel's and not the disk's.
pub(crate) fn is_inside(path: &str) -> bool {
    path.starts_with("/proc/")
}

/// The text of a file under `/proc`.
pub(crate) fn read(kernel: &mut Kernel, path: &str, cx: &mut Cx) -> Result<Vec<u8>, FileError> {
    if let Some(setting) = path.strip_prefix(SYS) {
        let value = kernel.tables.sysctl.get(setting).map_err(|_| FileError::NotFound)?;
        return Ok(format!("{value}\n").into_bytes());
    }
    if let Some(name) = path.strip_prefix("/proc/net/") {
        return net(kernel, name, cx.now).map(String::into_bytes).ok_or(FileError::NotFound);
    }
    if let Some((number, file)) = path.strip_prefix("/proc/").and_then(|rest| rest.split_once('/')) {
        let pid = number.parse().map(Pid).map_err(|_| FileError::NotFound)?;
        return of_process(kernel, pid, file).map(String::into_bytes).ok_or(FileError::NotFound);
    }
    match path {
        "/proc/version" => Ok(b"Linux version 6.1.0 (lvslab)\n".to_vec()),
        "/proc/uptime" => {
            let hundredths = cx.now.millis() / 10;
            Ok(format!("{}.{:02} 0.00\n", hundredths / 100, hundredths % 100).into_bytes())
        }
        _ => Err(FileError::NotFound),
    }
}

/// Writes a kernel setting.
pub(crate) fn write(kernel: &mut Kernel, path: &str, content: &[u8], cx: &mut Cx) -> Result<(), FileError> {
    let setting = path.strip_prefix(SYS).ok_or(FileError::Denied)?;
    let value = String::from_utf8_lossy(content);
    let value = value.trim();
    if value.is_empty() {
        return Ok(());
    }
    kernel.tables.sysctl.set(setting, value, cx).map_err(|error| match error {
        SysctlError::Unknown(_) => FileError::NotFound,
        SysctlError::Invalid(_) => FileError::Invalid,
        SysctlError::NotModelled(_) => FileError::NotSupported,
        SysctlError::ReadOnly(_) => FileError::Denied,
    })
}

/// Whether a file under `/proc` can be opened for writing.
pub(crate) fn check_writable(kernel: &Kernel, path: &str) -> Result<(), FileError> {
    let setting = path.strip_prefix(SYS).ok_or(FileError::Denied)?;
    kernel.tables.sysctl.get(setting).map(|_| ()).map_err(|_| FileError::NotFound)
}

fn of_process(kernel: &Kernel, pid: Pid, file: &str) -> Option<String> {
    let process = kernel.processes.list().find(|process| process.pid == pid)?;
    let program = process.name.split(' ').next().unwrap_or_default();
    let program = program.rsplit('/').next().unwrap_or_default();
    match file {
        "cmdline" => Some(process.name.replace(' ', "\0") + "\0"),
        "comm" => Some(format!("{program}\n")),
        "status" => {
            let word = match process.state {
                'R' => "running",
                'T' => "stopped",
                'Z' => "zombie",
                _ => "sleeping",
            };
            Some(format!(
                "Name:\t{program}\nState:\t{} ({word})\nPid:\t{}\nPPid:\t{}\n",
                process.state, pid.0, process.parent.0
            ))
        }
        _ => None,
    }
}

/// `/proc/net/NAME`.
fn net(kernel: &Kernel, name: &str, now: Instant) -> Option<String> {
    let device = |id| kernel.tables.interfaces.get(id).map_or("", |interface| &*interface.name);
    match name {
        "arp" => {
            let mut text =
                "IP address       HW type     Flags       HW address            Mask     Device\n".to_owned();
            for entry in kernel.tables.neighbours.iter() {
                let flags = match (entry.mac, entry.state) {
                    (Some(_), NeighbourState::Permanent) => 6,
                    (Some(_), _) => 2,
                    (None, _) => 0,
                };
                let mac = entry.mac.unwrap_or(Mac([0; 6])).0.map(|octet| format!("{octet:02x}")).join(":");
                let address = entry.address.to_string();
                let name = device(entry.iface);
                text.push_str(&format!("{address:<16} 0x{:<10x}0x{flags:<10x}{mac}     *        {name}\n", 1));
            }
            Some(text)
        }
        "route" => {
            let mut text =
                "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n".to_owned();
            for entry in kernel.tables.routes.table(254) {
                let record = &entry.record;
                let Some(iface) = record.iface else { continue };
                let host = if record.destination.prefix_len() == 32 { 4 } else { 0 };
                let flags = 1 | host | if record.gateway.is_some() { 2 } else { 0 };
                text.push_str(&format!(
                    "{}\t{}\t{}\t{flags:04X}\t0\t0\t{}\t{}\t{}\t0\t0\n",
                    device(iface),
                    word(record.destination.network()),
                    word(record.gateway.unwrap_or(Ipv4Addr::UNSPECIFIED)),
                    record.metric,
                    word(record.destination.netmask()),
                    entry.mtu.unwrap_or(0),
                ));
            }
            Some(text)
        }
        "ip_vs" => Some(crate::ipvs::proc::services(&kernel.ipvs)),
        "ip_vs_conn" => Some(crate::ipvs::proc::connections(&kernel.ipvs, now)),
        "toa_stats" => kernel.sockets.toa.stats(),
        "ip_vs_conn_sync" => Some(crate::ipvs::proc::origins(&kernel.ipvs, now)),
        "ip_vs_stats" => Some(crate::ipvs::proc::stats(&kernel.ipvs, now)),
        _ => None,
    }
}

/// An address as `/proc/net/route` writes it on a little-endian machine.
fn word(address: Ipv4Addr) -> String {
    format!("{:08X}", u32::from_le_bytes(address.octets()))
}
