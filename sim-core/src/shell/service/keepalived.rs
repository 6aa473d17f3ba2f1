//! keepalived as a service: how its unit and its start script call it.

use super::started::Started;
use super::web::start_program;
use crate::kernel::syscall::{Stdio, Sys};

/// Where distributions keep its options, and the name of the variable.
const SETTINGS: [(&str, &str); 2] =
    [("/etc/sysconfig/keepalived", "KEEPALIVED_OPTIONS"), ("/etc/default/keepalived", "DAEMON_ARGS")];

/// Its options if no file says otherwise.
const USUAL: &str = "-D";

pub(super) fn start(sys: &mut Sys<'_, '_>, stdio: Stdio) -> Started {
    let options = options(sys);
    let argv: Vec<&str> = std::iter::once("/usr/sbin/keepalived").chain(options.split_whitespace()).collect();
    start_program(&argv, stdio, sys)
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
