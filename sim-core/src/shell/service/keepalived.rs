//! keepalived as a service: how its unit and its start script call it.

use crate::kernel::syscall::{Stdio, Sys};

/// Where distributions keep its options, and the name of the variable.
const SETTINGS: [(&str, &str); 2] =
    [("/etc/sysconfig/keepalived", "KEEPALIVED_OPTIONS"), ("/etc/default/keepalived", "DAEMON_ARGS")];

/// Its options if no file says otherwise.
const USUAL: &str = "-D";

pub(super) fn start(sys: &mut Sys<'_, '_>) -> bool {
    let mut argv = vec!["/usr/sbin/keepalived".to_owned()];
    argv.extend(options(sys).split_whitespace().map(str::to_owned));
    let env = sys.env();
    // The program puts itself into the background; its first process ends at once.
    match sys.spawn(&argv, &env, Stdio::default()) {
        Ok(pid) => {
            sys.disown(pid);
            true
        }
        Err(_) => false,
    }
}

fn options(sys: &mut Sys) -> String {
    for (file, variable) in SETTINGS {
        let Ok(text) = sys.read_file(file) else { continue };
        let text = String::from_utf8_lossy(&text);
        let value = text.lines().rev().find_map(|line| line.trim().strip_prefix(variable)?.strip_prefix('='));
        if let Some(value) = value {
            return value.trim().trim_matches(['"', '\'']).to_owned();
        }
    }
    USUAL.to_owned()
}
