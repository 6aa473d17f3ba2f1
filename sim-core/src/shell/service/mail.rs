//! postfix as a service.

use crate::apps::mail_server::MailServer;
use crate::kernel::syscall::Sys;

pub(super) fn start(sys: &mut Sys<'_, '_>) -> bool {
    sys.daemon("master", Box::new(MailServer::default())).is_ok()
}
