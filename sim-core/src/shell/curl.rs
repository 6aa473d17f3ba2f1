//! `curl`: one HTTP request. What it does stands in `apps/http_client`.

use super::command::{Call, Command, Fault, Opt, Outcome, getopt};
use super::options::{Options, Unreadable};
use crate::apps::http_client::{self, HttpClient, Program, Url, UrlError};
use crate::base::time::Duration;
use crate::kernel::syscall::Sys;
use crate::wire::flow::SocketAddr;
use std::net::Ipv4Addr;

/// `curl`.
pub(super) const COMMAND: Command = Command {
    names: &["curl"],
    summary: "asks a web server",
    options: &[
        Opt::flag("-s", "no messages"),
        Opt::flag("--silent", "no messages"),
        Opt::flag("-S", "messages in spite of -s"),
        Opt::flag("--show-error", "messages in spite of -s"),
        Opt::flag("-f", "a status of 400 and above is an error"),
        Opt::flag("--fail", "a status of 400 and above is an error"),
        Opt::flag("-I", "the head only"),
        Opt::flag("--head", "the head only"),
        Opt::flag("-i", "shows the head too"),
        Opt::flag("--include", "shows the head too"),
        Opt::flag("-v", "shows what is sent and received"),
        Opt::flag("--verbose", "shows what is sent and received"),
        Opt::value("-o", "a file for the body"),
        Opt::value("--output", "a file for the body"),
        Opt::flag("-O", "a file of the URL's last part for the body"),
        Opt::value("-w", "printed at the end"),
        Opt::value("--write-out", "printed at the end"),
        Opt::value("-m", "the longest the whole may take, in seconds"),
        Opt::value("--max-time", "the longest the whole may take, in seconds"),
        Opt::value("--connect-timeout", "the longest connecting may take, in seconds"),
        Opt::value("-H", "a further header line"),
        Opt::value("--header", "a further header line"),
        Opt::value("-A", "User-Agent"),
        Opt::value("--user-agent", "User-Agent"),
        Opt::value("--interface", "the source address"),
        Opt::value("--local-port", "the source port"),
        Opt::accepted("-L", false, "no server of the lab redirects"),
        Opt::accepted("--location", false, "no server of the lab redirects"),
        Opt::accepted("-k", false, "there is no TLS"),
        Opt::accepted("--insecure", false, "there is no TLS"),
        Opt::accepted("-4", false, "everything is IPv4"),
        Opt::accepted("--ipv4", false, "everything is IPv4"),
        Opt::accepted("-N", false, "output is never buffered"),
        Opt::accepted("--http1.1", false, "everything is HTTP/1.1"),
        Opt::accepted("--noproxy", true, "there is no proxy"),
        Opt::refused("-X", true, "only GET and HEAD are modelled"),
        Opt::refused("--request", true, "only GET and HEAD are modelled"),
        Opt::refused("-d", true, "only GET and HEAD are modelled"),
        Opt::refused("--data", true, "only GET and HEAD are modelled"),
        Opt::refused("-u", true, "there is no authentication"),
        Opt::refused("-F", true, "only GET and HEAD are modelled"),
        Opt::refused("-T", true, "only GET and HEAD are modelled"),
        Opt::refused("-x", true, "there is no proxy"),
        Opt::refused("--retry", true, "write a loop"),
        Opt::refused("-0", false, "everything is HTTP/1.1"),
    ],
    check,
    run,
};

fn check(command: &Command, words: &[&str]) -> Vec<Fault> {
    let mut faults = getopt(command, words);
    for (at, word) in words.iter().enumerate().skip(1) {
        if word.starts_with("https://") {
            let fault = Fault::not_modelled(at, "https is not modelled");
            faults.push(fault.hint("there is no TLS in the lab: use http"));
        }
    }
    faults
}

fn run(call: &mut Call<'_>, sys: &mut Sys<'_, '_>) -> Outcome {
    let options = match Options::read(&COMMAND, call.args()) {
        Ok(options) => options,
        Err(Unreadable::Unknown(name)) => return complain(call, &format!("option {name}: is unknown")),
        Err(Unreadable::NoValue(name)) => return complain(call, &format!("option {name}: requires parameter")),
    };
    let url = match options.words[..] {
        [] => return complain(call, "no URL specified!"),
        [url] => url,
        [..] => return call.fail(125, "curl: the lab asks for one URL at a time\n"),
    };
    let read = match translate(&options, url, sys) {
        Ok(read) => read,
        Err(problem) => return complain(call, &problem),
    };
    start(call, read)
}

/// Starts a client, or says why the URL cannot be used.
pub(super) fn start(call: &mut Call<'_>, options: http_client::Options) -> Outcome {
    match HttpClient::new(options) {
        Ok(client) => Outcome::Became(Box::new(client)),
        Err(error @ UrlError::Malformed) => call.fail(3, format!("curl: (3) {error}\n")),
        Err(error @ UrlError::Scheme(_)) => call.fail(125, format!("curl: {error}\n")),
    }
}

fn translate(options: &Options, url: &str, sys: &mut Sys) -> Result<http_client::Options, String> {
    let local = local_end(options, sys)?;
    let named = options.value(&["-o", "--output"]).map(String::from);
    let by_url = || {
        let path = Url::parse(url).ok()?.path;
        path.rsplit('/').next().filter(|name| !name.is_empty()).map(String::from)
    };
    Ok(http_client::Options {
        program: Program::Curl,
        url: url.to_owned(),
        head_only: options.has(&["-I", "--head"]),
        include: options.has(&["-i", "--include"]),
        silent: options.has(&["-s", "--silent"]),
        show_error: options.has(&["-S", "--show-error"]),
        fail: options.has(&["-f", "--fail"]),
        verbose: options.has(&["-v", "--verbose"]),
        output: if options.has(&["-O"]) { by_url().or(named) } else { named },
        write_out: options.value(&["-w", "--write-out"]).map(String::from),
        max_time: seconds(options.value(&["-m", "--max-time"]), "-m")?,
        connect_timeout: seconds(options.value(&["--connect-timeout"]), "--connect-timeout")?,
        headers: options.values(&["-H", "--header"]).map(String::from).collect(),
        user_agent: options.value(&["-A", "--user-agent"]).map(String::from),
        local,
    })
}

fn local_end(options: &Options, sys: &Sys) -> Result<Option<SocketAddr>, String> {
    let address = match options.value(&["--interface"]) {
        None => Ipv4Addr::UNSPECIFIED,
        Some(text) => match (text.parse(), sys.kernel.tables.interfaces.named(text)) {
            (Ok(address), _) => address,
            (Err(_), Some(interface)) => match interface.addresses.first() {
                Some(address) => address.address,
                None => return Err(format!("(45) Couldn't bind to interface '{text}'")),
            },
            (Err(_), None) => return Err(format!("(45) Couldn't bind to '{text}'")),
        },
    };
    let port = match options.value(&["--local-port"]) {
        None => 0,
        Some(text) => {
            text.parse().map_err(|_| "option --local-port: expected a proper numerical parameter".to_owned())?
        }
    };
    let set = !address.is_unspecified() || port != 0;
    Ok(set.then_some(SocketAddr { address, port }))
}

/// A number of seconds with decimals, as curl takes it; 0 is no limit.
fn seconds(text: Option<&str>, option: &str) -> Result<Option<Duration>, String> {
    let Some(text) = text else { return Ok(None) };
    let span = Duration::parse(&format!("{text}s"));
    let span = span.ok_or_else(|| format!("option {option}: expected a proper numerical parameter"))?;
    Ok((span != Duration::ZERO).then_some(span))
}

fn complain(call: &mut Call<'_>, problem: &str) -> Outcome {
    call.fail(2, format!("curl: {problem}\ncurl: try 'curl --help' or 'curl --manual' for more information\n"))
}
