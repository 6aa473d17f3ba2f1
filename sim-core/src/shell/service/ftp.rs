//! The FTP server as a service.

use super::started::Started;
use crate::apps::ftp_server::FtpServer;
use crate::kernel::syscall::{Stdio, Sys};

pub(super) fn start_vsftpd(sys: &mut Sys<'_, '_>, _: Stdio) -> Started {
    sys.daemon("vsftpd", Box::new(FtpServer::new(None))).map_or(Started::Failed, |_| Started::Runs)
}
