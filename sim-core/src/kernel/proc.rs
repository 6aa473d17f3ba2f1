//! `/proc`: the kernel's settings and tables as files. `/proc/sys/**` is `tables.sysctl`, `/proc/net/*` is text made
//! when it is read.
//!
//! # Not modelled
//! Everything else under `/proc`: it is not there.

use super::Kernel;
use super::syscall::FileError;
use crate::base::id::Pid;
use crate::world::node::Cx;

const SYS: &str = "/proc/sys/";

/// Whether a path is the kernel's and not the disk's.
pub(crate) fn is_inside(path: &str) -> bool {
    path.starts_with("/proc/")
}

/// The text of a file under `/proc`.
pub(crate) fn read(kernel: &mut Kernel, path: &str, cx: &mut Cx) -> Result<Vec<u8>, FileError> {
    if let Some(setting) = path.strip_prefix(SYS) {
        return kernel.sysctl_text(&key(setting)).map(String::into_bytes).ok_or(FileError::NotFound);
    }
    if let Some(name) = path.strip_prefix("/proc/net/") {
        return net(kernel, name, cx).map(String::into_bytes).ok_or(FileError::NotFound);
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
    kernel.set_sysctl(&key(setting), value, cx)
}

/// Whether a file under `/proc` can be opened for writing.
pub(crate) fn check_writable(kernel: &Kernel, path: &str) -> Result<(), FileError> {
    let setting = path.strip_prefix(SYS).ok_or(FileError::Denied)?;
    kernel.sysctl_text(&key(setting)).map(|_| ()).ok_or(FileError::NotFound)
}

/// `net/ipv4/ip_forward` as `sysctl` writes it: `net.ipv4.ip_forward`. A dot in an interface's name becomes a slash
/// there, as in `net/ipv4/conf/eth0.5/arp_ignore`, which is `net.ipv4.conf.eth0/5.arp_ignore`.
fn key(path: &str) -> String {
    path.chars()
        .map(|c| match c {
            '/' => '.',
            '.' => '/',
            other => other,
        })
        .collect()
}

impl Kernel {
    /// A kernel setting as `/proc/sys` shows it.
    fn sysctl_text(&self, _key: &str) -> Option<String> {
        None
    }

    /// Sets a kernel setting.
    fn set_sysctl(&mut self, _key: &str, _value: &str, _cx: &mut Cx) -> Result<(), FileError> {
        Err(FileError::NotFound)
    }
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

fn net(_kernel: &mut Kernel, _name: &str, _cx: &mut Cx) -> Option<String> {
    None
}
