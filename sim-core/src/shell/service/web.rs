//! The web servers as services.

use super::started::Started;
use crate::apps::http_server::{Flavour, HttpServer};
use crate::kernel::syscall::{Stdio, Sys};
use crate::wire::flow::SocketAddr;
use std::net::Ipv4Addr;

const HTTP: u16 = 80;

/// Nothing else may listen at its port.
pub(super) fn start_httpd(sys: &mut Sys<'_, '_>, stdio: Stdio) -> Started {
    let everywhere = SocketAddr { address: Ipv4Addr::UNSPECIFIED, port: HTTP };
    if let Err(error) = sys.may_listen(everywhere) {
        let text = format!("(98){error}: AH00072: make_sock: could not bind to address {everywhere}\n");
        // Where messages go, nobody can be told that they do not arrive.
        let _ = sys.write(stdio.stderr, text.as_bytes());
        return Started::Failed;
    }
    match sys.daemon(Flavour::Httpd.program(), Box::new(HttpServer::new(Flavour::Httpd, HTTP))) {
        Ok(_) => Started::Runs,
        Err(_) => Started::Failed,
    }
}

/// With the files that somebody wrote, or as the package brings it.
pub(super) fn start_nginx(sys: &mut Sys<'_, '_>, stdio: Stdio) -> Started {
    start_program(&["/usr/sbin/nginx"], stdio, sys)
}

pub(super) fn start_haproxy(sys: &mut Sys<'_, '_>, stdio: Stdio) -> Started {
    start_program(&["/usr/sbin/haproxy", "-Ws", "-f", "/etc/haproxy/haproxy.cfg", "-p", "/run/haproxy.pid"], stdio, sys)
}

/// The program puts itself into the background; its first process ends at once.
pub(super) fn start_program(argv: &[&str], stdio: Stdio, sys: &mut Sys) -> Started {
    let argv: Vec<String> = argv.iter().map(|word| (*word).to_owned()).collect();
    let env = sys.env();
    sys.spawn(&argv, &env, stdio).map_or(Started::Failed, Started::By)
}
