//! The web servers as services.

use crate::apps::http_server::{Flavour, HttpServer};
use crate::kernel::syscall::{Stdio, Sys};

const HTTP: u16 = 80;

pub(super) fn start_httpd(sys: &mut Sys<'_, '_>) -> bool {
    start(Flavour::Httpd, sys)
}

/// With the files that somebody wrote, or as the package brings it.
pub(super) fn start_nginx(sys: &mut Sys<'_, '_>) -> bool {
    start_program(&["/usr/sbin/nginx"], sys)
}

pub(super) fn start_haproxy(sys: &mut Sys<'_, '_>) -> bool {
    start_program(&["/usr/sbin/haproxy", "-Ws", "-f", "/etc/haproxy/haproxy.cfg", "-p", "/run/haproxy.pid"], sys)
}

/// The program puts itself into the background; its first process ends at once.
fn start_program(argv: &[&str], sys: &mut Sys) -> bool {
    let argv: Vec<String> = argv.iter().map(|word| (*word).to_owned()).collect();
    let env = sys.env();
    match sys.spawn(&argv, &env, Stdio::default()) {
        Ok(pid) => {
            sys.disown(pid);
            true
        }
        Err(_) => false,
    }
}

fn start(flavour: Flavour, sys: &mut Sys<'_, '_>) -> bool {
    sys.daemon(flavour.program(), Box::new(HttpServer::new(flavour, HTTP))).is_ok()
}
