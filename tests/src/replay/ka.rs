//! `ka-*`: keepalived's health checks. A client, a director and three web servers on a switch, all of them hosts of the
//! lab; the files, commands and web servers' closings are those of the recording, at their times. A run of keepalived is
//! a unit.
//!
//! Compared: the lines of its log and the changes of the table, in order. When: within 0.1 s of the recorded time after
//! the run's beginning, or else after the last thing that was seen of the same server (a check that it took, a change
//! of its state): keepalived's clock runs late by some milliseconds with every check, which adds up over minutes. What
//! the client's connections came to is compared too, and the table as the case looked at it by the way.

use super::endpoints::{CLIENT, Client, ClientDeed, WEB, Web, WebDeed};
use super::host_plan::Typist;
use super::lan::Lan;
use super::program::Program;
use super::stage::Stage;
use super::unit::{Difference, Outcome, Unit};
use crate::recording::history::{Deed, Done, Payload};
use crate::recording::{CaseFolder, ReadError};
use serde_json::Value;
use sim_core::base::id::{LineId, NodeId};
use sim_core::base::time::{Duration, Instant};
use sim_core::trace::{Kind, Level, Trace};
use sim_core::wire::flow::SocketAddr;
use sim_core::world::action::{Action, Deed as Script};
use sim_core::world::sim::Sim;
use std::collections::BTreeMap;

/// Times may differ by this.
const TOLERANCE: Duration = Duration::from_millis(100);
/// How long after the last event the world goes on.
const REST: Duration = Duration::from_secs(2);

/// A run of keepalived in the recording.
struct Run {
    name: String,
    /// Zero of its times.
    zero: Instant,
    from: Instant,
    until: Instant,
    recorded: Value,
}

/// Something with a time.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    at: Instant,
    text: String,
}

/// Replays the case.
///
/// # Errors
/// If the recording cannot be read.
pub fn replay(case: &CaseFolder) -> Result<Outcome, ReadError> {
    let stage = Stage::of(case)?;
    let lan = Lan::of(&stage);
    let runs = runs(case, &stage)?;
    let mut typist = Typist::default();
    let (mut deeds, looks) = script(case, &lan, &runs, &mut typist)?;
    let end = stage.history.events.last().map_or(Instant::ZERO, |done| stage.instant(done.at_us)) + REST;
    deeds.sort_by_key(|(at, ..)| *at);
    let deeds = deeds.into_iter().map(|(at, host, line)| (at, Script::To(NodeId(host as u32), Action::Run(line))));
    let mut sim = Sim::new(lan.plan(typist, deeds.collect(), end, Level::Everything));
    sim.run_until(end);
    let units =
        runs.iter().map(|run| Unit { name: run.name.clone(), differences: judge(run, &lan, &looks, sim.trace()) });
    Ok(Outcome::Replayed(units.collect()))
}

/// The runs in the order of the file: their names, and from when to when.
fn runs(case: &CaseFolder, stage: &Stage<'_>) -> Result<Vec<Run>, ReadError> {
    let result = case.case()?.result;
    let text = String::from_utf8_lossy(&case.read("case.json")?).into_owned();
    let mut recorded: Vec<(usize, String, Value)> = match result.get("timeline") {
        Some(_) => vec![(0, "run".to_owned(), result)],
        None => {
            let named = result.as_object().cloned().unwrap_or_default().into_iter();
            let place = |name: &str| text.find(&format!("{}: {{", Value::from(name))).unwrap_or(usize::MAX);
            named.map(|(name, run)| (place(&name), name, run)).collect()
        }
    };
    recorded.sort_by_key(|(place, ..)| *place);
    // keepalived is started some microseconds before the mark.
    let lead = Duration::from_millis(5);
    let is_run = |kind: &Deed| matches!(kind, Deed::Other(kind) if kind == "run");
    let begins = stage.history.events.iter().filter(|done| is_run(&done.deed)).map(|done| stage.instant(done.at_us));
    let begins: Vec<Instant> = begins.collect();
    let early = |at: Instant| Instant::ZERO + Duration::from_nanos(at.since(Instant::ZERO).nanos() - lead.nanos());
    let until = begins.iter().skip(1).copied().map(early).chain([Instant::NEVER]);
    let until = until.zip(&begins).map(|(until, begin)| until.min(last_signal(stage, *begin).unwrap_or(until)));
    let spans = begins.iter().copied().zip(until);
    let run = |((_, name, recorded), (zero, until))| Run { name, zero, from: early(zero), until, recorded };
    Ok(recorded.into_iter().zip(spans).map(run).collect())
}

/// The end of a run that began then: the first signal that the case does not announce as an event.
fn last_signal(stage: &Stage<'_>, begin: Instant) -> Option<Instant> {
    const ANNOUNCED: Duration = Duration::from_millis(1);
    let mut announced = Instant::ZERO;
    for done in stage.history.events.iter().filter(|done| stage.instant(done.at_us) >= begin) {
        let at = stage.instant(done.at_us);
        match &done.deed {
            Deed::Other(kind) if kind == "event" => announced = at,
            Deed::Other(kind) if kind == "signal" && at.since(announced) > ANNOUNCED => return Some(at),
            _ => {}
        }
    }
    None
}

/// What is typed on which host (by its number) and when; and which of these look at the table, for which run.
type Typed = Vec<(Instant, usize, LineId)>;

/// A look at the table by the way: its time, the recorded lines of `ipvsadm -Ln` and of `ipvsadm -Lnc`.
struct Look {
    at: Instant,
    table: Vec<String>,
    connections: Vec<String>,
}

fn script(case: &CaseFolder, lan: &Lan, runs: &[Run], typist: &mut Typist) -> Result<(Typed, Vec<Look>), ReadError> {
    let mut typed: Typed = Vec::new();
    let mut webs: BTreeMap<usize, Vec<(Instant, WebDeed)>> = BTreeMap::new();
    let mut clients: BTreeMap<usize, Vec<(Instant, ClientDeed)>> = BTreeMap::new();
    let fields = fields(case)?;
    for (number, (done, fields)) in lan.stage.history.events.iter().zip(&fields).enumerate() {
        let at = lan.stage.instant(done.at_us);
        let Some(host) = done.host.as_deref().and_then(|name| lan.hosts.iter().position(|host| *host == name)) else {
            continue;
        };
        let word = |n: usize| fields.get(n).and_then(Value::as_str).unwrap_or_default();
        let line = match &done.deed {
            Deed::Command { line, .. } => typist.line(line),
            Deed::Sysctl { key, value } if !key.starts_with("net.ipv6.") => typist.setting(key, value),
            Deed::Listen { .. } => {
                webs.entry(host).or_default().push((at, WebDeed::Up));
                continue;
            }
            Deed::Unlisten { .. } => {
                webs.entry(host).or_default().push((at, WebDeed::Down));
                continue;
            }
            Deed::Connect { me, peer, .. } => {
                let (Some(me), Some(peer)) = (end(me), end(peer)) else { continue };
                clients.entry(host).or_default().push((at, ClientDeed::Open(me, peer)));
                continue;
            }
            Deed::Send { me: Some(me), what: Payload::Octets(_), .. } if lan.hosts[host] == "client" => {
                let Some(me) = end(me) else { continue };
                clients.entry(host).or_default().push((at, ClientDeed::Ask(me.port)));
                continue;
            }
            Deed::Close { me: Some(me), .. } if lan.hosts[host] == "client" => {
                let Some(me) = end(me) else { continue };
                clients.entry(host).or_default().push((at, ClientDeed::Close(me.port)));
                continue;
            }
            Deed::Other(kind) => match kind.as_str() {
                "web" => {
                    let status = fields.first().and_then(Value::as_u64).unwrap_or_default() as u16;
                    webs.entry(host).or_default().push((at, WebDeed::Answers(status)));
                    continue;
                }
                "file" => typist.program(Program::File(format!("/tmp/ka/{}", word(0)), case.read(word(1))?)),
                "start" => {
                    // A process takes some time to start: as in the recording.
                    let line = typist.line(word(0).trim_start_matches("exec "));
                    typed.push((first_log(&lan.stage.history.events[number..], lan).unwrap_or(at), host, line));
                    continue;
                }
                "signal" if word(0) == "KILL" => typist.line("killall -9 keepalived"),
                "signal" => typist.line(&format!("kill -{} $(cat /tmp/ka/ka.pid)", word(0))),
                _ => continue,
            },
            _ => continue,
        };
        typed.push((at, host, line));
    }
    typed.extend(
        webs.into_iter().map(|(host, script)| (script[0].0, host, typist.program(Program::Web(Web::new(script))))),
    );
    typed.extend(
        clients
            .into_iter()
            .map(|(host, script)| (script[0].0, host, typist.program(Program::Client(Client::new(script))))),
    );
    let mut looks = Vec::new();
    let director = lan.hosts.iter().position(|host| *host == "dir");
    for (run, seen) in runs.iter().flat_map(|run| list(&run.recorded["client"]).iter().map(move |seen| (run, seen))) {
        let (Some(director), Some("table")) = (director, seen[1].as_str()) else { continue };
        let at = run.zero + seconds(&seen[0]);
        typed.push((at, director, typist.line("ipvsadm -Ln")));
        typed.push((at, director, typist.line("ipvsadm -Lnc")));
        let lines = |value: &Value| list(value).iter().filter_map(Value::as_str).map(str::to_owned).collect();
        looks.push(Look { at, table: lines(&seen[2]), connections: lines(&seen[3]) });
    }
    Ok((typed, looks))
}

/// When keepalived wrote its first line.
fn first_log(events: &[Done], lan: &Lan) -> Option<Instant> {
    let is_log = |done: &&Done| matches!(&done.deed, Deed::Other(kind) if kind == "log");
    events.iter().find(is_log).map(|done| lan.stage.instant(done.at_us))
}

/// The fields of every event, which the history does not keep of kinds that only this replay needs.
fn fields(case: &CaseFolder) -> Result<Vec<Vec<Value>>, ReadError> {
    const FILE: &str = "replay.json";
    let whole: Value = serde_json::from_slice(&case.read(FILE)?).map_err(|error| case.wrong(FILE, error))?;
    Ok(list(&whole["events"]).iter().map(|event| list(event).iter().skip(3).cloned().collect()).collect())
}

fn judge(run: &Run, lan: &Lan, looks: &[Look], trace: &Trace) -> Vec<Difference> {
    let mut differences = Vec::new();
    let recorded = |kind: &str| -> Vec<Entry> {
        let wanted = list(&run.recorded["timeline"]).iter().filter(|entry| entry[1].as_str() == Some(kind));
        let entry = |entry: &Value| Entry { at: run.zero + seconds(&entry[0]), text: text_of(&entry[2]) };
        wanted.map(entry).collect()
    };
    let signs = Signs { recorded: recorded_checks(run), observed: observed_checks(run, lan, trace) };
    let said: Vec<Entry> = recorded("log").into_iter().filter_map(|entry| canonical(&entry)).collect();
    let logged = logged(run, lan, trace);
    compare("log", &said, &logged, &said, &signs, &mut differences);
    let table: Vec<Entry> = recorded("table").into_iter().skip(1).collect();
    let (table, changes) = (settled(table), settled(changes(run, lan, trace)));
    compare("table", &table, &changes, &said, &signs, &mut differences);
    compare_clients(run, lan, trace, &mut differences);
    let shown: Vec<&str> = trace
        .commands
        .iter()
        .filter(|command| matches!(&*command.text, "ipvsadm -Ln" | "ipvsadm -Lnc"))
        .map(|command| &*command.stdout)
        .collect();
    for (look, shown) in looks.iter().zip(shown.chunks(2)) {
        if !(run.from..run.until).contains(&look.at) {
            continue;
        }
        let [table, connections] = shown else { continue };
        let at = shown_time(look.at, run);
        differ(&format!("table at {at}"), &look.table, &rows(table, 3), &mut differences);
        let connections: Vec<String> = rows(connections, 2).iter().map(|row| without_time(row)).collect();
        let mut wanted: Vec<String> = look.connections.iter().map(|row| without_time(row)).collect();
        let mut connections = connections;
        wanted.sort();
        connections.sort();
        differ(&format!("connections at {at}"), &wanted, &connections, &mut differences);
    }
    differences
}

/// When each server took a check or changed its state, in the recording and here.
struct Signs {
    recorded: BTreeMap<String, Vec<Instant>>,
    observed: BTreeMap<String, Vec<Instant>>,
}

impl Signs {
    /// Whether two times of an entry about `server` agree: since the server was last seen before.
    fn agree(&self, server: &str, recorded: Instant, observed: Instant) -> bool {
        let since = |signs: &BTreeMap<String, Vec<Instant>>, at: Instant| {
            let seen = signs.get(server)?.iter().rev().find(|sign| **sign + Duration::from_millis(50) < at)?;
            Some(at.since(*seen))
        };
        match (since(&self.recorded, recorded), since(&self.observed, observed)) {
            (Some(left), Some(right)) => is_near(left, right),
            _ => false,
        }
    }
}

/// In order, and at the same times.
fn compare(
    what: &str,
    recorded: &[Entry],
    observed: &[Entry],
    said: &[Entry],
    signs: &Signs,
    differences: &mut Vec<Difference>,
) {
    for at in 0..recorded.len().max(observed.len()) {
        let (left, right) = (recorded.get(at), observed.get(at));
        let (Some(left), Some(right)) = (left, right) else {
            differences.push(Difference { field: what.to_owned(), expected: shown(left), observed: shown(right) });
            return;
        };
        if left.text != right.text {
            let (expected, observed) = (shown(Some(left)), shown(Some(right)));
            differences.push(Difference { field: what.to_owned(), expected, observed });
            return;
        }
        let before = said.iter().rev().filter(|entry| entry.at <= left.at + Duration::from_millis(1));
        let server = server_of(&left.text).or_else(|| before.into_iter().find_map(|entry| server_of(&entry.text)));
        let is_on_time = is_near(left.at.since(Instant::ZERO), right.at.since(Instant::ZERO));
        if !is_on_time && !server.is_some_and(|server| signs.agree(&server, left.at, right.at)) {
            let field = format!("{what} time");
            differences.push(Difference { field, expected: shown(Some(left)), observed: shown(Some(right)) });
        }
    }
}

/// Which server a log line is about: `10.0.2.21`.
fn server_of(text: &str) -> Option<String> {
    let about = [
        "TCP connection to [",
        "TCP_CHECK on service [",
        "HTTP_CHECK on service [",
        "Remote Web server [",
        "success to [",
        " service [",
    ];
    let start = about.iter().find_map(|words| text.find(words).map(|at| at + words.len()))?;
    text[start..].split(']').next().map(str::to_owned)
}

/// Checks that the servers took in the recording, and the changes of their state.
fn recorded_checks(run: &Run) -> BTreeMap<String, Vec<Instant>> {
    let mut signs: BTreeMap<String, Vec<Instant>> = BTreeMap::new();
    let number = |name: &str| name.trim_start_matches("rs").parse::<u32>().unwrap_or_default();
    for seen in list(&run.recorded["checks_seen_by_servers"]) {
        if let (Some(name), Some("accept")) = (seen[1].as_str(), seen[2].as_str()) {
            let address = format!("10.0.2.{}", 20 + number(name));
            signs.entry(address).or_default().push(run.zero + seconds(&seen[0]));
        }
    }
    for entry in list(&run.recorded["timeline"]) {
        let text = text_of(&entry[2]);
        if is_change(&text)
            && let Some(server) = server_of(&text)
        {
            signs.entry(server).or_default().push(run.zero + seconds(&entry[0]));
        }
    }
    signs.values_mut().for_each(|times| times.sort());
    signs
}

/// The same here.
fn observed_checks(run: &Run, lan: &Lan, trace: &Trace) -> BTreeMap<String, Vec<Instant>> {
    let mut signs: BTreeMap<String, Vec<Instant>> = BTreeMap::new();
    for (at, host, program, text) in log_of(run, lan, trace) {
        if program == WEB && text.starts_with("accept ") {
            let number: u32 = host.trim_start_matches("rs").parse().unwrap_or_default();
            signs.entry(format!("10.0.2.{}", 20 + number)).or_default().push(at);
        } else if program.starts_with("Keepalived")
            && is_change(text)
            && let Some(server) = server_of(text)
        {
            signs.entry(server).or_default().push(at);
        }
    }
    signs.values_mut().for_each(|times| times.sort());
    signs
}

fn is_change(text: &str) -> bool {
    ["Removing service", "Adding service", "Enabling service", "Disabling service"]
        .iter()
        .any(|words| text.contains(words))
}

/// keepalived's log here.
fn logged(run: &Run, lan: &Lan, trace: &Trace) -> Vec<Entry> {
    let of_keepalived = |(at, _, program, text): (Instant, &str, &str, &str)| {
        let entry = Entry { at, text: text.to_owned() };
        program.starts_with("Keepalived").then(|| canonical(&entry)).flatten()
    };
    log_of(run, lan, trace).filter_map(of_keepalived).collect()
}

/// The lines of all logs of the run: when, of which host, of which program.
fn log_of<'t>(
    run: &'t Run,
    lan: &'t Lan<'t>,
    trace: &'t Trace,
) -> impl Iterator<Item = (Instant, &'t str, &'t str, &'t str)> {
    trace.events.iter().filter_map(move |event| {
        let Kind::Log(at) = event.kind else { return None };
        let time = trace.steps[event.step as usize].at;
        let record = &trace.logs[at as usize];
        let host = lan.hosts.get(record.node.index()).copied().unwrap_or_default();
        (run.from..run.until).contains(&time).then_some((time, host, &*record.program, &*record.text))
    })
}

/// A line without what is not determined: the date of the console, pids, paths, the kernel's version, times of the
/// processor. None: it is all that.
fn canonical(entry: &Entry) -> Option<Entry> {
    const YEAR: &str = " 2024: ";
    let text = entry.text.find(YEAR).map_or(&*entry.text, |at| &entry.text[at + YEAR.len()..]);
    if text.starts_with("Running on Linux") || text.starts_with("Command line:") || text.starts_with("              ") {
        return None;
    }
    let numberless = ["Stopped - used", "CPU usage", "Starting Healthcheck child process, pid="];
    let text = match numberless.iter().find(|words| text.starts_with(**words)) {
        Some(words) => (*words).to_owned(),
        None => text.to_owned(),
    };
    Some(Entry { at: entry.at, text })
}

/// The table after each instant at which a server or its weight changed.
fn changes(run: &Run, lan: &Lan, trace: &Trace) -> Vec<Entry> {
    let director = lan.hosts.iter().position(|host| *host == "dir");
    let mut now: BTreeMap<String, (String, u32, u32, u32)> = BTreeMap::new();
    let mut services: BTreeMap<String, String> = BTreeMap::new();
    let (mut shown, mut found): (Vec<(String, u32)>, Vec<Entry>) = (Vec::new(), Vec::new());
    let mut last = Instant::ZERO;
    let mut settle =
        |at: Instant, now: &BTreeMap<String, (String, u32, u32, u32)>, services: &BTreeMap<String, String>| {
            let weights: Vec<(String, u32)> = now.iter().map(|(server, row)| (server.clone(), row.1)).collect();
            if weights != shown && (run.from..run.until).contains(&at) {
                let mut text = services.values().cloned().collect::<Vec<_>>().join(" / ");
                for (server, (method, weight, active, inactive)) in now {
                    text.push_str(&format!(" / -> {server} {method} {weight} {active} {inactive}"));
                }
                found.push(Entry { at, text });
            }
            shown = weights;
        };
    for event in &trace.events {
        let at = trace.steps[event.step as usize].at;
        if at != last {
            settle(last, &now, &services);
            last = at;
        }
        match event.kind {
            Kind::Service(index) => {
                let record = &trace.services[index as usize];
                let key = record.key.to_string();
                match record.present && Some(record.node.index()) == director {
                    true => drop(services.insert(key.clone(), format!("{key} {}", record.scheduler))),
                    false => drop(services.remove(&key)),
                }
            }
            Kind::Server(index) => {
                let record = &trace.servers[index as usize];
                let server = record.server.to_string();
                let row = (record.method.listed().to_owned(), record.weight, record.active, record.inactive);
                match record.present {
                    true => drop(now.insert(server, row)),
                    false => drop(now.remove(&server)),
                }
            }
            _ => {}
        }
    }
    settle(last, &now, &services);
    found
}

/// Changes that are closer together than times are compared: only what they lead to counts, their order stands in the log.
fn settled(changes: Vec<Entry>) -> Vec<Entry> {
    let mut settled: Vec<Entry> = Vec::new();
    for entry in changes {
        if settled.last().is_some_and(|last| entry.at.since(last.at) < TOLERANCE) {
            settled.pop();
        }
        settled.push(entry);
    }
    settled
}

/// What the client's connections came to, and who took them.
fn compare_clients(run: &Run, lan: &Lan, trace: &Trace, differences: &mut Vec<Difference>) {
    let mut wanted = Vec::new();
    for seen in list(&run.recorded["client"]) {
        let port = seen[2].as_u64().unwrap_or_default();
        match seen[1].as_str() {
            Some("connect") => {
                let server = seen[4].as_str().map_or(String::new(), |server| format!(" {server}"));
                wanted.push(format!("connect {port} {}{server}", seen[3].as_str().unwrap_or_default()));
            }
            Some("talk") => {
                let answer = seen[3].as_str().unwrap_or_default();
                let answer = if answer.contains("timed out") { "timed out" } else { answer };
                wanted.push(format!("talk {port} {answer}"));
            }
            _ => {}
        }
    }
    let log: Vec<_> = log_of(run, lan, trace).collect();
    let mut observed = Vec::new();
    for (_, _, _, text) in log.iter().filter(|(_, _, program, _)| *program == CLIENT) {
        let port = text.split(' ').nth(1).unwrap_or_default();
        let took = |(_, _, program, line): &&(Instant, &str, &str, &str)| {
            *program == WEB && line.ends_with(&format!(":{port}")) && line.starts_with("accept 10.0.2.10:")
        };
        let server = log.iter().find(took).filter(|_| text.starts_with("connect"));
        observed.push(format!("{text}{}", server.map_or(String::new(), |(_, host, ..)| format!(" {host}"))));
    }
    differ("client", &wanted, &observed, differences);
}

fn differ(field: &str, wanted: &[String], observed: &[String], differences: &mut Vec<Difference>) {
    for at in 0..wanted.len().max(observed.len()) {
        let (left, right) = (wanted.get(at), observed.get(at));
        if left != right {
            let text = |line: Option<&String>| line.cloned().unwrap_or_else(|| "nothing".to_owned());
            differences.push(Difference { field: field.to_owned(), expected: text(left), observed: text(right) });
            return;
        }
    }
}

/// The lines below the title, with single blanks.
fn rows(shown: &str, title: usize) -> Vec<String> {
    shown.lines().skip(title).map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

/// A line of `ipvsadm -Lnc` without the seconds that are left, which depend on when it was looked at.
fn without_time(row: &str) -> String {
    row.split(' ').enumerate().filter(|(at, _)| *at != 1).map(|(_, word)| word).collect::<Vec<_>>().join(" ")
}

fn text_of(value: &Value) -> String {
    match value {
        Value::Array(lines) => lines.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" / "),
        other => other.as_str().unwrap_or_default().to_owned(),
    }
}

fn is_near(left: Duration, right: Duration) -> bool {
    left.nanos().abs_diff(right.nanos()) <= TOLERANCE.nanos()
}

fn shown(entry: Option<&Entry>) -> String {
    entry.map_or("nothing".to_owned(), |entry| format!("{} {}", entry.at, entry.text))
}

fn shown_time(at: Instant, run: &Run) -> String {
    format!("{} ms", at.since(run.zero).millis())
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn seconds(value: &Value) -> Duration {
    Duration::from_micros((value.as_f64().unwrap_or_default() * 1e6).round() as u64)
}

fn end(text: &str) -> Option<SocketAddr> {
    let (address, port) = text.rsplit_once(':')?;
    Some(SocketAddr { address: address.parse().ok()?, port: port.parse().ok()? })
}
