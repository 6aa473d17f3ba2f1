//! What tutorials type to set a machine up, and what is there already in the lab: packages, modules, SELinux, mail. Each
//! says one line and succeeds.

use super::command::{Call, Command, Fault, Opt, Outcome, anything, refused_words};
use super::ip;
use crate::kernel::Os;
use crate::kernel::syscall::Sys;

/// `yum`, `dnf`, `apt`, `apt-get`.
pub(super) const PACKAGES: Command = Command {
    names: &["yum", "dnf", "apt", "apt-get"],
    summary: "packages: what is modelled is there already",
    options: &[
        Opt::accepted("install", false, "says what is there already"),
        Opt::accepted("update", false, "nothing is newer"),
        Opt::accepted("-y", false, "nothing is asked"),
        Opt::refused("remove", true, "stop the service"),
    ],
    check: |_, words| match words.iter().position(|word| matches!(*word, "remove" | "erase" | "purge")) {
        Some(at) => vec![Fault::not_modelled(at, "packages cannot be removed in the lab").hint("stop the service")],
        None => Vec::new(),
    },
    run: packages,
};

/// `rpm`, `dpkg`.
pub(super) const RPM: Command = Command {
    names: &["rpm", "dpkg"],
    summary: "packages that are there",
    options: &[
        Opt::flag("-q", "whether it is installed"),
        Opt::flag("-ql", "its files"),
        Opt::accepted("-ivh", true, "it is there already"),
    ],
    check: anything,
    run: rpm,
};

/// `modprobe`, `insmod`, `rmmod`.
pub(super) const MODPROBE: Command = Command {
    names: &["modprobe", "insmod", "rmmod"],
    summary: "modules: ipip makes tunl0, ip_gre gre0; ip_vs_ftp rewrites FTP, toa reads the client's address",
    options: &[
        Opt::flag("-r", "takes modules out"),
        Opt::flag("-a", "several"),
        Opt::flag("ip_vs_ftp", "the FTP helper of IPVS"),
        Opt::flag("ipip", "makes tunl0"),
        Opt::flag("ip_gre", "makes gre0"),
        Opt::flag("toa", "programs see FULLNAT's client"),
        Opt::accepted("-v", false, "nothing is said"),
        Opt::accepted("-q", false, "nothing is said anyway"),
        Opt::refused("ip_vs_pe_sip", false, "persistence engines are not modelled"),
    ],
    check: |command, words| {
        let mut faults = refused_words(command, words);
        let ports =
            words.iter().position(|word| *word == "ip_vs_ftp").zip(words.iter().position(|w| w.starts_with("ports=")));
        if let Some((_, at)) = ports.filter(|(_, at)| words[*at] != "ports=21") {
            faults.push(Fault::not_modelled(at, "ip_vs_ftp looks at port 21 only").hint("leave ports= out"));
        }
        faults
    },
    run: modprobe,
};

/// `lsmod`.
pub(super) const LSMOD: Command =
    Command { names: &["lsmod"], summary: "modules in use", options: &[], check: anything, run: lsmod };

/// Commands without effect in the lab.
pub(super) const QUIET: Command = Command {
    names: &[
        "chkconfig",
        "setenforce",
        "getenforce",
        "firewall-cmd",
        "ufw",
        "update-rc.d",
        "mail",
        "sync",
        "scp",
        "ssh",
        "ssh-keygen",
        "ntpdate",
        "ldconfig",
        "clear",
        "ulimit",
        "alias",
        "stty",
        "tput",
    ],
    summary: "accepted: nothing in the lab depends on it",
    options: &[],
    check: anything,
    run: quiet,
};

/// Editors.
pub(super) const EDITORS: Command = Command {
    names: &["vim", "vi", "nano", "emacs"],
    summary: "refused: write files with files: or <<",
    options: &[],
    check: |_, words| {
        let fault = Fault::not_modelled(0, format!("{} needs somebody at a screen", words[0]));
        vec![fault.hint("give the file in the host's files:, or write it with cat > FILE << EOF")]
    },
    run: quiet,
};

fn packages(call: &mut Call<'_>, sys: &mut Sys<'_, '_>) -> Outcome {
    let words: Vec<&str> = call.args().iter().map(String::as_str).filter(|word| !word.starts_with('-')).collect();
    let Some((verb, names)) = words.split_first() else { return Outcome::Done(0) };
    let debian = call.name().starts_with("apt");
    if !matches!(*verb, "install" | "localinstall" | "reinstall" | "groupinstall") {
        if matches!(*verb, "list" | "search" | "info" | "repolist") {
            call.out("(packages are not listed in the lab: what is modelled is installed)\n");
        }
        return Outcome::Done(0);
    }
    let _ = sys;
    for name in names {
        call.out(match debian {
            true => format!("{name} is already the newest version.\n"),
            false => format!("Package {name} already installed and latest version\n"),
        });
    }
    call.out(if debian {
        "0 upgraded, 0 newly installed, 0 to remove and 0 not upgraded.\n"
    } else {
        "Nothing to do\n"
    });
    Outcome::Done(0)
}

fn rpm(call: &mut Call<'_>, _: &mut Sys<'_, '_>) -> Outcome {
    let (flags, names): (Vec<&String>, Vec<&String>) = call.args().iter().partition(|word| word.starts_with('-'));
    let listing = flags.iter().any(|flag| flag.starts_with("-q") && flag.contains('l') || flag.as_str() == "-L");
    for name in names {
        let stem = name.split(['-', '_']).next().unwrap_or(name);
        let files = FILES.iter().find(|(package, _)| package == name || *package == stem);
        match (listing, files) {
            (true, Some((_, files))) => call.out(format!("{}\n", files.join("\n"))),
            (true, None) => call.out("(contains no files)\n"),
            (false, _) => call.out(format!("{name}\n")),
        }
    }
    Outcome::Done(0)
}

/// Where packages put what a tutorial looks for.
const FILES: &[(&str, &[&str])] = &[
    (
        "ldirectord",
        &[
            "/etc/ha.d",
            "/etc/ha.d/resource.d",
            "/etc/ha.d/resource.d/ldirectord",
            "/etc/init.d/ldirectord",
            "/etc/logrotate.d/ldirectord",
            "/usr/lib/ocf/resource.d/heartbeat/ldirectord",
            "/usr/sbin/ldirectord",
            "/usr/share/doc/ldirectord-3.9.5",
            "/usr/share/doc/ldirectord-3.9.5/COPYING",
            "/usr/share/doc/ldirectord-3.9.5/ldirectord.cf",
            "/usr/share/man/man8/ldirectord.8.gz",
        ],
    ),
    ("ipvsadm", &["/etc/rc.d/init.d/ipvsadm", "/sbin/ipvsadm", "/sbin/ipvsadm-restore", "/sbin/ipvsadm-save"]),
    ("keepalived", &["/etc/keepalived/keepalived.conf", "/usr/sbin/keepalived"]),
    ("httpd", &["/etc/rc.d/init.d/httpd", "/usr/sbin/httpd", "/var/www/html"]),
    ("vsftpd", &["/etc/rc.d/init.d/vsftpd", "/etc/vsftpd/vsftpd.conf", "/usr/sbin/vsftpd", "/var/ftp", "/var/ftp/pub"]),
    ("nginx", &["/etc/nginx/nginx.conf", "/usr/sbin/nginx", "/usr/share/nginx/html"]),
];

fn modprobe(call: &mut Call<'_>, sys: &mut Sys<'_, '_>) -> Outcome {
    let removes = call.name() == "rmmod" || call.args().iter().any(|word| word == "-r");
    let several = call.args().iter().any(|word| word == "-a") || removes;
    let names = call.args().iter().filter(|word| !word.starts_with('-'));
    // What follows the name of the one module are its parameters.
    for name in names.take(if several { usize::MAX } else { 1 }) {
        let name = name.rsplit('/').next().unwrap_or(name).trim_end_matches(".ko");
        let done = match (name, removes) {
            ("toa", false) => {
                sys.kernel.sockets.toa.load();
                true
            }
            ("toa", true) => {
                sys.kernel.sockets.toa.unload();
                true
            }
            (ip_vs, false) if ip_vs.starts_with("ip_vs") => load_ip_vs(ip_vs, sys),
            (ip_vs, true) if ip_vs.starts_with("ip_vs_") => match unload_ip_vs(ip_vs, sys) {
                Ok(()) => true,
                Err(problem) if call.name() == "rmmod" => return call.fail(1, format!("rmmod: ERROR: {problem}\n")),
                Err(problem) => return call.fail(1, format!("modprobe: FATAL: {problem}.\n")),
            },
            (name, false) => {
                ip::load(name, sys);
                true
            }
            (_, true) => true,
        };
        if !done {
            let place = "/lib/modules/6.1.0-37-amd64";
            return call.fail(1, format!("modprobe: FATAL: Module {name} not found in directory {place}\n"));
        }
    }
    Outcome::Done(0)
}

fn load_ip_vs(name: &str, sys: &mut Sys) -> bool {
    let ipvs = &mut sys.kernel.ipvs;
    match name.strip_prefix("ip_vs_") {
        None => ipvs.load(),
        Some("ftp") => ipvs.load_ftp_helper(),
        Some(scheduler) => return ipvs.load_scheduler(scheduler),
    }
    true
}

fn unload_ip_vs(name: &str, sys: &mut Sys) -> Result<(), String> {
    let ipvs = &mut sys.kernel.ipvs;
    let (is_loaded, scheduler) = match name.strip_prefix("ip_vs_") {
        Some("ftp") => (ipvs.has_ftp_helper(), None),
        scheduler => (scheduler.is_some_and(|name| ipvs.schedulers_loaded().contains(&name)), scheduler),
    };
    if !is_loaded {
        return Err(format!("Module {name} is not currently loaded"));
    }
    let is_free = match scheduler {
        Some(scheduler) => ipvs.unload_scheduler(scheduler),
        None => ipvs.unload_ftp_helper(),
    };
    if is_free { Ok(()) } else { Err(format!("Module {name} is in use")) }
}

fn lsmod(call: &mut Call<'_>, sys: &mut Sys<'_, '_>) -> Outcome {
    let mut text = String::from("Module                  Size  Used by\n");
    let ipvs = &sys.kernel.ipvs;
    let mut users: Vec<String> = Vec::new();
    let mut line = |name: &str, size: u32, count: usize, users: &[String]| {
        text += format!("{name:<19} {size:>8}  {count} {}", users.join(",")).trim_end();
        text.push('\n');
    };
    if ipvs.has_ftp_helper() {
        users.push("ip_vs_ftp".into());
        line("ip_vs_ftp", 16_384, 0, &[]);
        line("nf_nat", 57_344, 1, &users);
    }
    for scheduler in ipvs.schedulers_loaded().iter().rev() {
        let count = ipvs.services().filter(|service| service.scheduler_name == *scheduler).count();
        users.push(format!("ip_vs_{scheduler}"));
        line(&format!("ip_vs_{scheduler}"), 16_384, count, &[]);
    }
    if ipvs.is_loaded() {
        // Each of them holds the module by its symbols and by its registration, each service once.
        line("ip_vs", 184_320, 2 * users.len() + ipvs.services().count(), &users);
    }
    if sys.kernel.tables.interfaces.named("tunl0").is_some() {
        line("ipip", 20_480, 0, &[]);
    }
    if sys.kernel.tables.interfaces.named("gre0").is_some() {
        line("ip_gre", 32_768, 0, &[]);
    }
    if !sys.kernel.tables.fou.is_empty() {
        line("fou", 28_672, 0, &[]);
    }
    if sys.kernel.sockets.toa.is_loaded() {
        line("toa", 20_480, 0, &[]);
    }
    call.out(text);
    Outcome::Done(0)
}

fn quiet(call: &mut Call<'_>, sys: &mut Sys<'_, '_>) -> Outcome {
    match call.name() {
        "getenforce" => call.out("Permissive\n"),
        "clear" | "stty" | "tput" | "sync" | "alias" | "ulimit" => {}
        "setenforce" if matches!(sys.kernel.os, Os::Debian12) => {}
        name => call.err(format!("{name}: nothing to do in the lab\n")),
    }
    Outcome::Done(0)
}
