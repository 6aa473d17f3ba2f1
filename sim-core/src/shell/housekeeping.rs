//! What tutorials type to set a machine up, and what is there already in the lab: packages, modules, SELinux, mail. Each
//! says one line and succeeds.

use super::command::{Call, Command, Fault, Opt, Outcome, anything};
use super::ip::make_tunl0;
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
    summary: "modules: the kernel has them all; ipip makes tunl0",
    options: &[
        Opt::accepted("-r", true, "modules stay"),
        Opt::accepted("-a", false, "several"),
        Opt::accepted("-v", false, "nothing is said"),
    ],
    check: anything,
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
        "tar",
        "./configure",
        "make",
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
    ("nginx", &["/etc/nginx/nginx.conf", "/usr/sbin/nginx", "/usr/share/nginx/html"]),
];

fn modprobe(call: &mut Call<'_>, sys: &mut Sys<'_, '_>) -> Outcome {
    let removes = call.name() == "rmmod" || call.args().iter().any(|word| word == "-r");
    for name in call.args().iter().filter(|word| !word.starts_with('-')) {
        if name == "ipip" && !removes {
            make_tunl0(sys);
        }
    }
    Outcome::Done(0)
}

fn lsmod(call: &mut Call<'_>, sys: &mut Sys<'_, '_>) -> Outcome {
    let mut text = String::from("Module                  Size  Used by\n");
    if !sys.kernel.ipvs.is_empty() {
        text.push_str("ip_vs_rr               16384  1\nip_vs                 184320  3 ip_vs_rr\n");
    }
    if sys.kernel.tables.interfaces.named("tunl0").is_some() {
        text.push_str("ipip                   20480  0\n");
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
