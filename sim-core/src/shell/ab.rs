//! `ab`. What it does stands in `apps/ab`.

use super::command::{Call, Command, Fault, Opt, Outcome, getopt};
use super::options::Options;
use crate::apps::ab::{self, Ab};
use crate::apps::http_client::Url;
use crate::base::time::Duration;
use crate::kernel::syscall::Sys;
use crate::wire::flow::SocketAddr;

/// `ab`.
pub(super) const COMMAND: Command = Command {
    names: &["ab"],
    summary: "many requests to a web server, and what they took",
    options: &[
        Opt::value("-n", "so many requests"),
        Opt::value("-c", "so many at once"),
        Opt::value("-t", "at most so many seconds (50,000 requests unless -n follows)"),
        Opt::value("-s", "seconds an answer may take (30)"),
        Opt::value("-H", "a further header line"),
        Opt::flag("-k", "connections are kept"),
        Opt::flag("-i", "HEAD in place of GET"),
        Opt::flag("-r", "errors of sockets do not end it"),
        Opt::flag("-q", "says nothing on the way"),
        Opt::accepted("-l", false, "lengths are compared, and differ where servers differ"),
        Opt::accepted("-d", false, "percentages are shown"),
        Opt::accepted("-S", false, "deviations are shown"),
        Opt::accepted("-v", true, "what was sent and received stands in the trace"),
        Opt::refused("-p", true, "only GET and HEAD are modelled"),
        Opt::refused("-u", true, "only GET and HEAD are modelled"),
        Opt::refused("-C", true, "there are no cookies"),
        Opt::refused("-A", true, "there is no authentication"),
        Opt::refused("-X", true, "there is no proxy"),
        Opt::refused("-f", true, "there is no TLS"),
        Opt::refused("-w", false, "the report is plain text"),
        Opt::refused("-g", true, "no files are written"),
        Opt::refused("-e", true, "no files are written"),
    ],
    check,
    run,
};

/// Requests and lanes of one call.
const REQUESTS_MAX: u64 = 1_000_000;
const LANES_MAX: u64 = 20_000;

fn check(command: &Command, words: &[&str]) -> Vec<Fault> {
    let mut faults = getopt(command, words);
    if let Some(at) = words.iter().position(|word| word.starts_with("https://")) {
        faults.push(Fault::not_modelled(at, "https is not modelled").hint("there is no TLS in the lab: use http"));
    }
    faults
}

fn run(call: &mut Call<'_>, sys: &mut Sys<'_, '_>) -> Outcome {
    let usage = |call: &mut Call<'_>, problem: &str| {
        call.fail(22, format!("ab: {problem}\nUsage: ab [options] [http[s]://]hostname[:port]/path\n"))
    };
    let options = match Options::read(&COMMAND, call.args()) {
        Ok(options) => options,
        Err(unreadable) => return usage(call, &unreadable.to_string()),
    };
    let [url] = options.words[..] else { return usage(call, "wrong number of arguments") };
    match translate(&options, url, sys) {
        Ok(options) => Outcome::Became(Box::new(Ab::new(options))),
        Err((1, problem)) => call.fail(1, format!("{problem}\n")),
        Err((_, problem)) => usage(call, &problem),
    }
}

fn translate(options: &Options, url: &str, sys: &mut Sys) -> Result<ab::Options, (i32, String)> {
    let bad = |problem: &str| (22, problem.to_owned());
    // A path is demanded: http://host/ and not http://host.
    let has_path = url.split_once("://").map_or(url, |(_, rest)| rest).contains('/');
    let parsed = Url::parse(url).ok().filter(|_| has_path).ok_or_else(|| bad("invalid URL"))?;
    let number = |name: &str, default: u64, problem: &str| match options.value(&[name]) {
        None => Ok(default),
        Some(text) => text.parse::<u64>().ok().filter(|number| *number > 0).ok_or_else(|| bad(problem)),
    };
    let longest = options.value(&["-t"]).map(|_| number("-t", 1, "invalid time limit")).transpose()?;
    let requests = number("-n", if longest.is_some() { 50_000 } else { 1 }, "Invalid number of requests")?;
    let lanes = number("-c", 1, "Invalid Concurrency [Range 0..20000]")?;
    if lanes > LANES_MAX {
        return Err(bad("Invalid Concurrency [Range 0..20000]"));
    }
    if requests > REQUESTS_MAX {
        return Err((1, format!("ab: the lab makes {REQUESTS_MAX} requests of one call at most")));
    }
    if lanes > requests {
        return Err(bad("Cannot use concurrency level greater than total number of requests"));
    }
    let address = sys.resolve(&parsed.host);
    let address = address.ok_or_else(|| (1, format!("ab: Could not resolve host: {}", parsed.host)))?;
    let port = if parsed.port == 80 { String::new() } else { format!(":{}", parsed.port) };
    Ok(ab::Options {
        url: format!("http://{}{port}{}", parsed.host, parsed.path),
        remote: SocketAddr { address, port: parsed.port },
        host: parsed.host,
        path: parsed.path,
        requests,
        lanes,
        longest: longest.map(Duration::from_secs),
        patience: Duration::from_secs(number("-s", 30, "invalid timeout")?),
        keeps: options.has(&["-k"]),
        head_only: options.has(&["-i"]),
        goes_on: options.has(&["-r"]),
        quiet: options.has(&["-q"]),
        headers: options.values(&["-H"]).map(String::from).collect(),
    })
}
