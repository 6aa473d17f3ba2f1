//! `wget`: one HTTP request, `-qO-` and the like. What it does stands in `apps/http_client`.

use super::command::{Call, Command, Opt, Outcome, getopt};
use super::curl;
use super::options::Options;
use crate::apps::http_client::{self, Program, Url};
use crate::base::time::Duration;
use crate::kernel::syscall::Sys;

/// `wget`.
pub(super) const COMMAND: Command = Command {
    names: &["wget"],
    summary: "asks a web server",
    options: &[
        Opt::flag("-q", "no messages"),
        Opt::flag("--quiet", "no messages"),
        Opt::value("-O", "a file for the body; - is standard output"),
        Opt::value("--output-document", "a file for the body"),
        Opt::value("-T", "the longest one step may take, in seconds"),
        Opt::value("--timeout", "the longest one step may take, in seconds"),
        Opt::value("--header", "a further header line"),
        Opt::value("-U", "User-Agent"),
        Opt::accepted("-t", true, "asked once"),
        Opt::accepted("--tries", true, "asked once"),
        Opt::accepted("-4", false, "everything is IPv4"),
        Opt::accepted("--no-check-certificate", false, "there is no TLS"),
        Opt::refused("-r", false, "one page at a time"),
        Opt::refused("-c", false, "a page is asked for as a whole"),
    ],
    check: getopt,
    run,
};

/// What tutorials fetch to build: it is part of the lab already.
const ARCHIVES: [&str; 4] = [".tar.gz", ".tgz", ".tar.bz2", ".rpm"];

fn run(call: &mut Call<'_>, sys: &mut Sys<'_, '_>) -> Outcome {
    let options = match Options::read(&COMMAND, call.args()) {
        Ok(options) => options,
        Err(unreadable) => return call.fail(2, format!("wget: {unreadable}\n")),
    };
    let [url] = options.words[..] else { return call.fail(1, "wget: missing URL\nUsage: wget [OPTION]... [URL]...\n") };
    if ARCHIVES.iter().any(|ending| url.ends_with(ending)) {
        let name = url.rsplit('/').next().unwrap_or(url);
        let note = "the lab has the program already; tar unpacks what the next lines look for\n";
        if let Err(error) = sys.write_file(&call.path(name), note.as_bytes()) {
            return call.fail(3, format!("wget: {name}: {error}\n"));
        }
        call.err(format!("{name}: programs of the lab are there already, nothing is fetched\n"));
        return Outcome::Done(0);
    }
    let timeout = match options.value(&["-T", "--timeout"]).map(|text| Duration::parse(&format!("{text}s"))) {
        Some(None) => return call.fail(2, "wget: -T: Invalid time period\n"),
        Some(timeout) => timeout,
        None => None,
    };
    let page = Url::parse(url).ok().and_then(|url| Some(url.path.rsplit('/').next()?.to_owned()));
    let page = page.filter(|name| !name.is_empty()).unwrap_or_else(|| "index.html".into());
    let output = options.value(&["-O", "--output-document"]).map_or(page, String::from);
    curl::start(
        call,
        http_client::Options {
            program: Program::Wget,
            url: url.to_owned(),
            silent: options.has(&["-q", "--quiet"]),
            fail: true,
            output: (output != "-").then_some(output),
            connect_timeout: timeout,
            max_time: timeout,
            headers: options.values(&["--header"]).map(String::from).collect(),
            user_agent: options.value(&["-U"]).map(String::from),
            ..http_client::Options::default()
        },
    )
}
