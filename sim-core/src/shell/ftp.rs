//! `lftp` and `ftp`, and `vsftpd` started by hand. What they do stands in `apps/ftp_client` and `apps/ftp_server`.

use super::command::{Call, Command, Opt, Outcome, getopt};
use super::options::Options;
use crate::apps::ftp_client::{self, FtpClient, Mode, Program};
use crate::apps::ftp_server::FtpServer;
use crate::kernel::Os;
use crate::kernel::syscall::Sys;

/// `lftp`.
pub(super) const LFTP: Command = Command {
    names: &["lftp"],
    summary: "an FTP client that connects again when it must",
    options: &[
        Opt::value("-e", "commands first, then those of standard input"),
        Opt::value("-c", "these commands, then the end"),
        Opt::value("-f", "the commands of a file, then the end"),
        Opt::value("-u", "user,password"),
        Opt::value("-p", "the server's port"),
        Opt::flag("-d", "shows what is said and heard"),
        Opt::accepted("--norc", false, "there are no files of settings"),
    ],
    check: getopt,
    run: run_lftp,
};

/// `ftp`.
pub(super) const FTP: Command = Command {
    names: &["ftp", "pftp"],
    summary: "an FTP client",
    options: &[
        Opt::flag("-n", "does not ask for a name at once"),
        Opt::flag("-v", "shows the server's replies"),
        Opt::flag("-p", "passive data connections"),
        Opt::flag("-A", "active data connections"),
        Opt::accepted("-i", false, "nothing is asked about several files"),
        Opt::accepted("-g", false, "names are taken as they are"),
        Opt::accepted("-d", false, "-v shows what there is to see"),
        Opt::accepted("-4", false, "everything is IPv4"),
        Opt::refused("-6", false, "IPv6 is not modelled"),
    ],
    check: getopt,
    run: run_ftp,
};

/// `vsftpd`.
pub(super) const VSFTPD: Command = Command {
    names: &["vsftpd"],
    summary: "the FTP server, with this file of settings",
    options: &[],
    check: getopt,
    run: run_vsftpd,
};

fn run_lftp(call: &mut Call<'_>, sys: &mut Sys<'_, '_>) -> Outcome {
    let options = match Options::read(&LFTP, call.args()) {
        Ok(options) => options,
        Err(unreadable) => return call.fail(1, format!("lftp: {unreadable}\n")),
    };
    let commands = match options.value(&["-f"]) {
        None => options.value(&["-c"]).or(options.value(&["-e"])).map(String::from),
        Some(file) => match sys.read_file(file) {
            Ok(text) => Some(String::from_utf8_lossy(&text).into_owned()),
            Err(error) => return call.fail(1, format!("{file}: {error}\n")),
        },
    };
    let named_port = options.value(&["-p"]).map(str::parse::<u16>);
    let named_port = match named_port.transpose() {
        Ok(port) => port,
        Err(_) => return call.fail(1, "lftp: invalid port\n"),
    };
    let site = options.words.first().map(|site| site.trim_start_matches("ftp://").trim_end_matches('/'));
    let server = match site {
        None => None,
        Some(site) => {
            let (host, port) = site.split_once(':').map_or((site, None), |(host, port)| (host, port.parse().ok()));
            match sys.resolve(host) {
                Some(address) => Some((host.to_owned(), address, named_port.or(port).unwrap_or(21))),
                None => return call.fail(1, format!("lftp: {host}: Name or service not known\n")),
            }
        }
    };
    let user = options.value(&["-u"]).map(|user| user.split_once(',').unwrap_or((user, "")));
    Outcome::Became(Box::new(FtpClient::new(ftp_client::Options {
        program: Program::Lftp,
        server,
        user: user.map(|(name, password)| (name.to_owned(), password.to_owned())),
        commands,
        reads_input: !options.has(&["-c", "-f"]),
        mode: Mode::Passive,
        shows: options.has(&["-d"]),
        logs_in: true,
    })))
}

fn run_ftp(call: &mut Call<'_>, sys: &mut Sys<'_, '_>) -> Outcome {
    let options = match Options::read(&FTP, call.args()) {
        Ok(options) => options,
        Err(unreadable) => return call.fail(1, format!("ftp: {unreadable}\n")),
    };
    let host = options.words.first().copied();
    let port = options.words.get(1).map_or(Ok(21), |port| port.parse());
    let Ok(port) = port else { return call.fail(1, "ftp: bad port number\n") };
    let server = match host.map(|host| (host, sys.resolve(host))) {
        None => None,
        Some((host, Some(address))) => Some((host.to_owned(), address, port)),
        Some((host, None)) => return call.fail(1, format!("ftp: {host}: Name or service not known\n")),
    };
    let mode = match (options.has(&["-A"]), sys.kernel.os) {
        (true, _) => Mode::Active,
        (false, Os::Debian12) => Mode::Extended,
        (false, Os::CentOs4 | Os::Rhel6 | Os::CentOs7) => Mode::Passive,
    };
    Outcome::Became(Box::new(FtpClient::new(ftp_client::Options {
        program: Program::Ftp,
        server,
        user: None,
        commands: None,
        reads_input: true,
        mode,
        shows: options.has(&["-v"]),
        logs_in: !options.has(&["-n"]),
    })))
}

fn run_vsftpd(call: &mut Call<'_>, sys: &mut Sys<'_, '_>) -> Outcome {
    let file = call.args().first().map(|file| call.path(file));
    match sys.daemon("vsftpd", Box::new(FtpServer::new(file))) {
        Ok(_) => Outcome::Done(0),
        Err(error) => call.fail(1, format!("vsftpd: {error}\n")),
    }
}
