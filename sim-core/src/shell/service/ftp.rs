//! The FTP server as a service.

use crate::apps::ftp_server::FtpServer;
use crate::kernel::syscall::Sys;

pub(super) fn start_vsftpd(sys: &mut Sys<'_, '_>) -> bool {
    sys.daemon("vsftpd", Box::new(FtpServer::new(None))).is_ok()
}
