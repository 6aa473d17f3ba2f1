//! `genhash`: the digest of a page.

use super::command::{Call, Command, Opt, Outcome, getopt};
use super::options::Options;
use crate::keepalived::genhash::Genhash;
use crate::kernel::syscall::Sys;
use crate::wire::flow::SocketAddr;

/// `genhash`.
pub(super) const COMMAND: Command = Command {
    names: &["genhash"],
    summary: "the MD5 of a page, for the digest of keepalived's HTTP_GET",
    options: &[
        Opt::value("-s", "the server's address"),
        Opt::value("--server", "the server's address"),
        Opt::value("-p", "its port"),
        Opt::value("--port", "its port"),
        Opt::value("-u", "the path"),
        Opt::value("--url", "the path"),
        Opt::value("-V", "the virtual host"),
        Opt::value("--use-virtualhost", "the virtual host"),
        Opt::accepted("-v", false, "says no more"),
        Opt::accepted("--verbose", false, "says no more"),
        Opt::refused("-S", false, "TLS is not modelled"),
        Opt::refused("--use-ssl", false, "TLS is not modelled"),
    ],
    check: getopt,
    run,
};

const HTTP: u16 = 80;

fn run(call: &mut Call<'_>, _: &mut Sys<'_, '_>) -> Outcome {
    let options = match Options::read(&COMMAND, call.args()) {
        Ok(options) => options,
        Err(wrong) => return call.fail(1, wrong.coreutils("genhash")),
    };
    let usage = "Usage: genhash -s server-address -p port -u url\n";
    let (Some(server), Some(path)) = (options.value(&["-s", "--server"]), options.value(&["-u", "--url"])) else {
        return call.fail(1, usage);
    };
    let port = options.value(&["-p", "--port"]).map_or(Some(HTTP), |port| port.parse().ok());
    let (Ok(address), Some(port)) = (server.parse(), port) else { return call.fail(1, usage) };
    let end = SocketAddr { address, port };
    let host = options.value(&["-V", "--use-virtualhost"]).map_or(end.to_string(), str::to_owned);
    Outcome::Became(Box::new(Genhash::new(end, path, &host)))
}
