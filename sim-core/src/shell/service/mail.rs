//! postfix as a service.

use super::started::Started;
use crate::apps::mail_server::MailServer;
use crate::kernel::syscall::{Stdio, Sys};

pub(super) fn start(sys: &mut Sys<'_, '_>, _: Stdio) -> Started {
    sys.daemon("master", Box::new(MailServer::default())).map_or(Started::Failed, |_| Started::Runs)
}
