//! `tar` and `make`, with the `configure` between them: what tutorials type to build keepalived and ipvsadm from source. The programs are part of
//! the lab; what is made here are the files that the lines after these look for.

use super::command::{Call, Command, Fault, Opt, Outcome, anything, base_name};
use crate::kernel::files::Files;
use crate::kernel::syscall::Sys;

/// `tar`.
pub(super) const TAR: Command = Command {
    names: &["tar"],
    summary: "unpacks the sources of keepalived and ipvsadm",
    options: &[
        Opt::flag("x", "unpacks"),
        Opt::flag("v", "names what it unpacks"),
        Opt::flag("f", "the archive"),
        Opt::accepted("z", false, "nothing is compressed"),
        Opt::refused("c", false, "archives cannot be made"),
    ],
    check: |_, words| match words.get(1).map(|flags| flags.trim_start_matches('-')) {
        Some(flags) if flags.contains('x') => Vec::new(),
        _ => vec![Fault::not_modelled(0, "tar is modelled for unpacking (tar xf)").hint("cp and mv are modelled")],
    },
    run: tar,
};

/// `make`.
pub(super) const MAKE: Command = Command {
    names: &["make"],
    summary: "install: puts keepalived's files where ./configure said",
    options: &[
        Opt::flag("install", "puts the files there"),
        Opt::accepted("-j", true, "there is nothing to compile"),
        Opt::accepted("clean", false, "there is nothing to clean"),
    ],
    check: anything,
    run: make,
};

/// Programs whose sources are known.
const PROGRAMS: [&str; 3] = ["keepalived", "ipvsadm", "ldirectord"];
/// Notes where `make install` is to put things.
const CONFIGURE: &str = r#"#!/bin/sh
# The program is part of the lab: this notes --prefix for make install.
prefix=/usr/local
for option in "$@"; do
    case "$option" in
    --prefix=*) prefix=${option#--prefix=} ;;
    esac
done
echo "$prefix" > config.status
echo
echo "Configuration"
echo "-------------"
echo "Prefix                   : $prefix"
echo "Use IPVS Framework       : Yes"
echo "IPVS sync daemon support : Yes"
echo "Use VRRP Framework       : Yes"
"#;
/// Where `./configure` leaves its answer.
const STATUS: &str = "config.status";

/// The program that a folder or an archive is the source of: `keepalived-1.3.6.tar.gz`.
fn program(name: &str) -> Option<&'static str> {
    PROGRAMS.into_iter().find(|program| name.strip_prefix(program).is_some_and(|rest| rest.starts_with('-')))
}

fn tar(call: &mut Call<'_>, sys: &mut Sys<'_, '_>) -> Outcome {
    let Some((flags, rest)) = call.args().split_first() else {
        return call.fail(2, "tar: You must specify one of the '-Acdtrux', '--delete' or '--test-label' options\n");
    };
    let Some(archive) = rest.iter().find(|word| !word.starts_with('-')).filter(|_| flags.contains('f')) else {
        return call.fail(2, "tar: Refusing to read archive contents from terminal (missing -f option?)\n");
    };
    let stem = base_name(archive).trim_end_matches(".gz").trim_end_matches(".bz2").trim_end_matches(".tar");
    let stem = stem.trim_end_matches(".tgz");
    if program(stem).is_none() {
        let text = format!(
            "tar: {archive}: Cannot open: No such file or directory\ntar: Error is not recoverable: exiting now\n"
        );
        return call.fail(2, text);
    }
    let folder = call.path(stem);
    let install =
        "Type ./configure, make, make install. The lab has the program already; its files are put in place.\n";
    for (name, content, mode) in [("configure", CONFIGURE, 0o755), ("INSTALL", install, 0o644), ("Makefile", "", 0o644)]
    {
        if put(&mut sys.kernel.files, &format!("{folder}/{name}"), content, mode).is_err() {
            return call.fail(2, format!("tar: {stem}/{name}: Cannot open: No space left on device\n"));
        }
        if flags.contains('v') {
            call.out(format!("{stem}/{name}\n"));
        }
    }
    Outcome::Done(0)
}

fn make(call: &mut Call<'_>, sys: &mut Sys<'_, '_>) -> Outcome {
    if sys.read_file(&call.path("Makefile")).is_err() {
        return call.fail(2, "make: *** No targets specified and no makefile found.  Stop.\n");
    }
    let program = program(base_name(call.cwd)).unwrap_or_default();
    if !call.args().iter().any(|word| word == "install") {
        call.out(format!("make: {program} is part of the lab already: nothing to compile\n"));
        return Outcome::Done(0);
    }
    let prefix = sys.read_file(&call.path(STATUS)).unwrap_or_default();
    let prefix = String::from_utf8_lossy(&prefix).trim().trim_end_matches('/').to_owned();
    if program == "keepalived" {
        // What was built stands in the place of what the lab has ready for a package.
        if !prefix.is_empty() && sys.kernel.files.list("/etc/keepalived").is_ok_and(|names| names.is_empty()) {
            // A folder that is empty and not in use can be removed.
            let _ = sys.kernel.files.remove_folder("/etc/keepalived");
        }
        let files = [
            ("etc/keepalived/keepalived.conf", "! Configuration File for keepalived\n", 0o644),
            ("etc/sysconfig/keepalived", "KEEPALIVED_OPTIONS=\"-D\"\n", 0o644),
            (
                "etc/rc.d/init.d/keepalived",
                "#!/bin/sh\n# /etc/init.d/keepalived is the start script of the lab.\n",
                0o644,
            ),
            ("sbin/keepalived", "#!/bin/sh\n# keepalived is part of the lab.\n", 0o755),
        ];
        for (name, content, mode) in files {
            let path = format!("{prefix}/{name}");
            let is_there = sys.kernel.files.stat(&path).is_ok();
            if !is_there && put(&mut sys.kernel.files, &path, content, mode).is_err() {
                return call.fail(2, format!("install: cannot create regular file '{path}'\n"));
            }
        }
    }
    call.out(format!(
        "make: {program} installed{}\n",
        if prefix.is_empty() { String::new() } else { format!(" in {prefix}") }
    ));
    Outcome::Done(0)
}

fn put(files: &mut Files, path: &str, content: &str, mode: u16) -> Result<(), ()> {
    files.place(path, content.as_bytes(), mode).map_err(|_| ())
}
