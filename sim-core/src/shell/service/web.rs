//! The web servers as services.

use crate::apps::http_server::{Flavour, HttpServer};
use crate::kernel::syscall::Sys;

const HTTP: u16 = 80;

pub(super) fn start_httpd(sys: &mut Sys<'_, '_>) -> bool {
    start(Flavour::Httpd, sys)
}

pub(super) fn start_nginx(sys: &mut Sys<'_, '_>) -> bool {
    start(Flavour::Nginx, sys)
}

fn start(flavour: Flavour, sys: &mut Sys<'_, '_>) -> bool {
    sys.daemon(flavour.program(), Box::new(HttpServer::new(flavour, HTTP))).is_ok()
}
