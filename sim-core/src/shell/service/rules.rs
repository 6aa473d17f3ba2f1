//! Rules that start scripts keep in a file: `ipvsadm`, `arptables_jf`, `iptables`.

use crate::kernel::syscall::Sys;
use crate::shell::iptables::saved as iptables;
use crate::shell::{arptables, ipvsadm};

/// How rules are kept.
#[derive(Debug)]
pub(super) struct Rules {
    pub(super) file: &'static str,
    pub(super) save: fn(&mut Sys<'_, '_>) -> bool,
    pub(super) load: fn(&mut Sys<'_, '_>) -> Result<(), String>,
    pub(super) clear: fn(&mut Sys<'_, '_>),
    pub(super) active: fn(&Sys<'_, '_>) -> bool,
}

pub(super) const IPVSADM: Rules = Rules {
    file: ipvsadm::service::RULES,
    save: |sys| ipvsadm::service::save(sys.kernel, sys.cx),
    load: |sys| ipvsadm::service::start(sys.kernel, sys.cx),
    clear: |sys| ipvsadm::service::stop(sys.kernel, sys.cx),
    active: |sys| sys.kernel.ipvs.services().next().is_some(),
};

pub(super) const ARPTABLES: Rules = Rules {
    file: "/etc/sysconfig/arptables",
    save: |sys| {
        let text = arptables::save(sys.kernel.os, &sys.kernel.tables.filter.arp);
        sys.write_file(ARPTABLES.file, text.as_bytes()).is_ok()
    },
    load: |sys| {
        let saved = sys.read_file(ARPTABLES.file).map_err(|error| format!("{}: {error}\n", ARPTABLES.file))?;
        let saved = String::from_utf8_lossy(&saved);
        let unreadable = arptables::restore(&saved, sys.kernel.os, &mut sys.kernel.tables.filter.arp);
        match unreadable.first() {
            None => Ok(()),
            Some(line) => Err(format!("arptables-restore: cannot read \"{line}\"\n")),
        }
    },
    clear: |sys| {
        arptables::restore("", sys.kernel.os, &mut sys.kernel.tables.filter.arp);
    },
    active: |sys| sys.kernel.tables.filter.arp.has_any_rules(),
};

pub(super) const IPTABLES: Rules = Rules {
    file: "/etc/sysconfig/iptables",
    save: |sys| {
        let text: String = iptables::save(&sys.kernel.tables.filter.ip).into_iter().map(|(_, text)| text).collect();
        sys.kernel.files.place(IPTABLES.file, text.as_bytes(), 0o600).is_ok()
    },
    load: |sys| {
        let saved = sys.read_file(IPTABLES.file).map_err(|error| format!("{}: {error}\n", IPTABLES.file))?;
        let saved = String::from_utf8_lossy(&saved);
        iptables::restore(&saved, &mut sys.kernel.tables.filter.ip)
            .map_err(|line| format!("iptables-restore: line {line} failed\n"))
    },
    clear: |sys| iptables::clear(&mut sys.kernel.tables.filter.ip),
    active: |sys| iptables::is_there(&sys.kernel.tables.filter.ip),
};
