//! `vsftpd.conf`: `name=value` lines, as vsftpd reads them. What a file does not say is vsftpd's own default; the files
//! that distributions install stand in [`packaged`].

use crate::base::time::Duration;
use crate::kernel::Os;
use std::net::Ipv4Addr;

/// What the file says.
#[derive(Clone, Debug)]
pub(super) struct Config {
    pub(super) anonymous: bool,
    pub(super) local_users: bool,
    pub(super) no_anonymous_password: bool,
    pub(super) write: bool,
    pub(super) upload: bool,
    pub(super) make_folders: bool,
    pub(super) other_writes: bool,
    pub(super) download: bool,
    pub(super) list: bool,
    pub(super) from_port_20: bool,
    pub(super) passive: bool,
    pub(super) active: bool,
    pub(super) passive_promiscuous: bool,
    pub(super) active_promiscuous: bool,
    pub(super) listen: bool,
    pub(super) listen_ipv6: bool,
    pub(super) port: u16,
    pub(super) data_port: u16,
    pub(super) passive_ports: (u16, u16),
    pub(super) clients_max: usize,
    pub(super) per_address_max: usize,
    pub(super) idle: Duration,
    pub(super) accept: Duration,
    pub(super) connect: Duration,
    pub(super) data_idle: Duration,
    pub(super) passive_address: Option<Ipv4Addr>,
    pub(super) address: Ipv4Addr,
    pub(super) banner: Option<String>,
    pub(super) root: Option<String>,
}

/// Settings without effect in the lab; those of the second list only with the value that leaves them off.
const ACCEPTED: &[&str] = &[
    "allow_writeable_chroot",
    "anon_umask",
    "anon_world_readable_only",
    "ascii_download_enable",
    "ascii_upload_enable",
    "background",
    "chroot_local_user",
    "dirmessage_enable",
    "dual_log_enable",
    "ftp_username",
    "local_umask",
    "log_ftp_protocol",
    "ls_recurse_enable",
    "nopriv_user",
    "pam_service_name",
    "rsa_cert_file",
    "rsa_private_key_file",
    "seccomp_sandbox",
    "secure_chroot_dir",
    "tcp_wrappers",
    "use_localtime",
    "userlist_enable",
    "utf8_filesystem",
    "vsftpd_log_file",
    "xferlog_enable",
    "xferlog_file",
    "xferlog_std_format",
];
const OFF_ONLY: &[&str] = &[
    "async_abor_enable",
    "chown_uploads",
    "chroot_list_enable",
    "deny_email_enable",
    "force_dot_files",
    "guest_enable",
    "hide_ids",
    "implicit_ssl",
    "one_process_model",
    "pasv_addr_resolve",
    "session_support",
    "setproctitle_enable",
    "ssl_enable",
    "text_userdb_names",
    "userlist_deny",
];

impl Default for Config {
    fn default() -> Self {
        Config {
            anonymous: true,
            local_users: false,
            no_anonymous_password: false,
            write: false,
            upload: false,
            make_folders: false,
            other_writes: false,
            download: true,
            list: true,
            from_port_20: false,
            passive: true,
            active: true,
            passive_promiscuous: false,
            active_promiscuous: false,
            listen: true,
            listen_ipv6: false,
            port: 21,
            data_port: 20,
            passive_ports: (0, 0),
            clients_max: 2000,
            per_address_max: 50,
            idle: Duration::from_secs(300),
            accept: Duration::from_secs(60),
            connect: Duration::from_secs(60),
            data_idle: Duration::from_secs(300),
            passive_address: None,
            address: Ipv4Addr::UNSPECIFIED,
            banner: None,
            root: None,
        }
    }
}

impl Config {
    /// Reads the file.
    ///
    /// # Errors
    /// What vsftpd says before it ends, or what is not modelled.
    pub(super) fn read(text: &str) -> Result<Config, String> {
        let mut config = Config::default();
        for line in text.lines().map(str::trim_end).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let Some((name, value)) = line.split_once('=') else {
                return Err(format!("500 OOPS: missing value in config file for: {line}"));
            };
            config.set(name, value)?;
        }
        if config.listen && config.listen_ipv6 {
            return Err("500 OOPS: run two copies of vsftpd for IPv4 and IPv6".into());
        }
        if !config.listen && !config.listen_ipv6 {
            return Err("500 OOPS: vsftpd: not configured for standalone, must be started from inetd".into());
        }
        Ok(config)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        let yes = || match value.to_ascii_uppercase().as_str() {
            "YES" | "TRUE" | "1" => Ok(true),
            "NO" | "FALSE" | "0" => Ok(false),
            _ => Err(format!("500 OOPS: bad bool value in config file for: {name}")),
        };
        let bad = || format!("500 OOPS: bad integer value in config file for: {name}");
        let port = || value.parse::<u16>().map_err(|_| bad());
        let count = || value.parse::<u32>().map_err(|_| bad());
        let seconds = || count().map(|count| Duration::from_secs(count.into()));
        let address =
            || value.parse::<Ipv4Addr>().map_err(|_| format!("500 OOPS: bad IPv4 address in config file for: {name}"));
        match name {
            "anonymous_enable" => self.anonymous = yes()?,
            "local_enable" => self.local_users = yes()?,
            "no_anon_password" => self.no_anonymous_password = yes()?,
            "write_enable" => self.write = yes()?,
            "anon_upload_enable" => self.upload = yes()?,
            "anon_mkdir_write_enable" => self.make_folders = yes()?,
            "anon_other_write_enable" => self.other_writes = yes()?,
            "download_enable" => self.download = yes()?,
            "dirlist_enable" => self.list = yes()?,
            "connect_from_port_20" => self.from_port_20 = yes()?,
            "pasv_enable" => self.passive = yes()?,
            "port_enable" => self.active = yes()?,
            "pasv_promiscuous" => self.passive_promiscuous = yes()?,
            "port_promiscuous" => self.active_promiscuous = yes()?,
            "listen" => {
                self.listen = yes()?;
            }
            // A socket for IPv6 takes IPv4 too.
            "listen_ipv6" => self.listen_ipv6 = yes()?,
            "listen_port" => self.port = port()?,
            "ftp_data_port" => self.data_port = port()?,
            "pasv_min_port" => self.passive_ports.0 = port()?,
            "pasv_max_port" => self.passive_ports.1 = port()?,
            "max_clients" => self.clients_max = count()? as usize,
            "max_per_ip" => self.per_address_max = count()? as usize,
            "idle_session_timeout" => self.idle = seconds()?,
            "accept_timeout" => self.accept = seconds()?,
            "connect_timeout" => self.connect = seconds()?,
            "data_connection_timeout" => self.data_idle = seconds()?,
            "pasv_address" => self.passive_address = Some(address()?),
            "listen_address" => self.address = address()?,
            "ftpd_banner" => self.banner = Some(value.to_owned()),
            "anon_root" => self.root = Some(value.trim_end_matches('/').to_owned()),
            name if ACCEPTED.contains(&name) => {}
            name if OFF_ONLY.contains(&name) && !yes()? => {}
            name if OFF_ONLY.contains(&name) => return Err(format!("{name}=YES is not modelled")),
            name => return Err(format!("500 OOPS: unrecognised variable in config file: {name}")),
        }
        Ok(())
    }
}

/// Where the package puts its file.
pub const fn path(os: Os) -> &'static str {
    match os {
        Os::CentOs4 | Os::Rhel6 | Os::CentOs7 => "/etc/vsftpd/vsftpd.conf",
        Os::Debian12 => "/etc/vsftpd.conf",
    }
}

/// The settings of the file that the package puts there.
pub const fn packaged(os: Os) -> &'static str {
    match os {
        Os::CentOs4 | Os::Rhel6 => {
            "anonymous_enable=YES\nlocal_enable=YES\nwrite_enable=YES\nlocal_umask=022\ndirmessage_enable=YES\n\
             xferlog_enable=YES\nconnect_from_port_20=YES\nxferlog_std_format=YES\nlisten=YES\n\
             pam_service_name=vsftpd\nuserlist_enable=YES\ntcp_wrappers=YES\n"
        }
        Os::CentOs7 => {
            "anonymous_enable=YES\nlocal_enable=YES\nwrite_enable=YES\nlocal_umask=022\ndirmessage_enable=YES\n\
             xferlog_enable=YES\nconnect_from_port_20=YES\nxferlog_std_format=YES\nlisten=NO\nlisten_ipv6=YES\n\
             pam_service_name=vsftpd\nuserlist_enable=YES\ntcp_wrappers=YES\n"
        }
        Os::Debian12 => {
            "listen=NO\nlisten_ipv6=YES\nanonymous_enable=NO\nlocal_enable=YES\ndirmessage_enable=YES\n\
             use_localtime=YES\nxferlog_enable=YES\nconnect_from_port_20=YES\nsecure_chroot_dir=/var/run/vsftpd/empty\n\
             pam_service_name=vsftpd\nssl_enable=NO\n"
        }
    }
}

/// The home of the user `ftp`: what anonymous clients see as `/`.
pub(super) const fn home(os: Os) -> &'static str {
    match os {
        Os::CentOs4 | Os::Rhel6 | Os::CentOs7 => "/var/ftp",
        Os::Debian12 => "/srv/ftp",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_packaged_file_is_read_and_only_debians_keeps_anonymous_clients_out() {
        for os in [Os::CentOs4, Os::Rhel6, Os::CentOs7, Os::Debian12] {
            let config = Config::read(packaged(os)).expect("the package starts");
            assert_eq!((config.anonymous, config.from_port_20), (os != Os::Debian12, true), "{os:?}");
        }
    }

    #[test]
    fn a_later_line_wins_and_unknown_ones_stop_the_start() {
        let config =
            Config::read("pasv_min_port=50000\npasv_max_port=50010\nanonymous_enable=NO\nanonymous_enable=YES\n");
        let config = config.expect("sound");
        assert!(config.anonymous && config.passive_ports == (50_000, 50_010));
        for (text, expected) in [
            ("anonymus_enable=YES", "500 OOPS: unrecognised variable in config file: anonymus_enable"),
            ("anonymous_enable=JA", "500 OOPS: bad bool value in config file for: anonymous_enable"),
            ("listen", "500 OOPS: missing value in config file for: listen"),
            ("ssl_enable=YES", "ssl_enable=YES is not modelled"),
            ("listen=NO", "500 OOPS: vsftpd: not configured for standalone, must be started from inetd"),
        ] {
            assert_eq!(Config::read(text).err().as_deref(), Some(expected));
        }
    }
}
