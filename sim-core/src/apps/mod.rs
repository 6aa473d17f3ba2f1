//! Floor 6: the programs of a host. Each is a [`crate::kernel::process::Process`]; how it is started from a command
//! line stands in `shell/`.

pub mod ab;
pub mod ftp_client;
pub mod ftp_server;
pub mod http_client;
pub mod http_server;
pub mod load;
pub mod mail_server;
pub mod netcat;
pub mod ping;
pub mod proxy;
pub mod responder;
pub mod sniffer;
pub mod traceroute;
