//! `lvslab bench`: the fixed works, one JSON line a run. The only place that looks at the wall clock.

use crate::stepper::bench;
use pcap_out::About;
use pcap_out::live::Live;
use scenarios::director::Director;
use scenarios::star::{Star, WORKS};
use serde_json::json;
use sim_core::trace::Level;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What was asked for.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Args {
    /// The work: small, large or many; director is IPVS alone, at 10, 100 and 1,000 servers and 1k, 10k and 100k
    /// connections.
    #[arg(value_name = "NAME")]
    name: String,
    /// How much is recorded.
    #[arg(long, value_enum, default_value_t = LevelArg::Frames)]
    level: LevelArg,
    /// Write every frame delivered, whole, into DIR/NAME.pcapng.
    #[arg(long, value_name = "DIR")]
    capture: Option<PathBuf>,
    /// How many runs.
    #[arg(long, value_name = "N", default_value_t = 1)]
    repeat: u32,
    /// Another number of requests than the work's own.
    #[arg(long, value_name = "N")]
    requests: Option<u64>,
    /// Another number of requests at once.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    clients: Option<u32>,
    /// Another number of real servers.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=60_000))]
    servers: Option<u32>,
    /// Another length of the answers, in octets.
    #[arg(long, value_name = "N")]
    answer: Option<usize>,
    /// Measure the stepper on the run (at level everything): how fast it opens and answers keys.
    #[arg(long, conflicts_with = "capture")]
    stepper: bool,
    /// The number that all chance of the run depends on.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum LevelArg {
    Counters,
    Frames,
    Everything,
}

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
enum BenchError {
    /// No such work.
    #[error("there is no work `{0}`; there are {1}")]
    Unknown(String, String),
    /// A request failed, or the run ended early.
    #[error("this run is no result: {0}")]
    Failed(String),
    /// The capture or standard output.
    #[error("cannot write: {0}")]
    Io(#[from] io::Error),
}

/// Runs the command: 0 good, 1 no result, 2 usage, 4 input and output.
pub(crate) fn main(args: &Args) -> ExitCode {
    let Err(error) = run(args) else { return ExitCode::SUCCESS };
    eprintln!("lvslab bench: {error}");
    ExitCode::from(match error {
        BenchError::Failed(_) => 1,
        BenchError::Unknown(..) => 2,
        BenchError::Io(_) => 4,
    })
}

/// Runs the work and prints a line per run.
fn run(args: &Args) -> Result<(), BenchError> {
    if args.name == DIRECTOR {
        return director();
    }
    let named = Star::named(&args.name).ok_or_else(|| {
        let names: Vec<_> = WORKS.iter().map(|(name, _)| *name).chain([DIRECTOR]).collect();
        BenchError::Unknown(args.name.clone(), names.join(", "))
    })?;
    let star = Star {
        requests: args.requests.unwrap_or(named.requests),
        lanes: args.clients.unwrap_or(named.lanes),
        servers: args.servers.unwrap_or(named.servers),
        answer: args.answer.unwrap_or(named.answer),
    };
    for _ in 0..args.repeat {
        let line = if args.stepper { stepper(args, star)? } else { measure(args, star)? };
        writeln!(io::stdout(), "{line}")?;
    }
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a measurement of the wall clock is what is asked for"
)]
fn measure(args: &Args, star: Star) -> Result<serde_json::Value, BenchError> {
    let level = match args.level {
        LevelArg::Counters => Level::Counters,
        LevelArg::Frames => Level::Frames,
        LevelArg::Everything => Level::Everything,
    };
    forget_peak_memory();
    let mut sim = star.world(args.seed, level);
    if let Some(folder) = &args.capture {
        sim.set_tap(Box::new(capture(folder, args, &sim.trace().cast)?));
    }
    let began = std::time::Instant::now();
    let done = Star::run(&mut sim).map_err(BenchError::Failed)?;
    if let Some(live) = sim.take_tap::<Live<BufWriter<File>>>() {
        live.finish()?;
    }
    let wall_s = began.elapsed().as_secs_f64();
    if done.failed > 0 {
        return Err(BenchError::Failed(format!("{} of {} requests failed", done.failed, star.requests)));
    }
    let hops = sim.counters().packet_hops;
    Ok(json!({
        "peer": "lvslab",
        "work": args.name,
        "level": format!("{level:?}").to_lowercase(),
        "pcap": args.capture.is_some(),
        "trace": level >= Level::Frames,
        "requests": done.answered,
        "packet_hops": hops,
        "wall_s": round(wall_s, 4),
        "hops_per_s": (hops as f64 / wall_s).round(),
        "req_per_s": (done.answered as f64 / wall_s).round(),
        "rss_mb": peak_memory_mb().map(|mb| round(mb, 1)),
        "digest": sim.digest().map(|digest| format!("{digest:#}")),
    }))
}

const DIRECTOR: &str = "director";

/// IPVS alone: what a first packet, a later packet and an ending cost, by scheduler, servers and connections. A line
/// each, all from one run.
#[expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a measurement of the wall clock is what is asked for"
)]
fn director() -> Result<(), BenchError> {
    const PACKETS: u32 = 1_000_000;
    for scheduler in ["rr", "wrr", "wlc", "sed", "mh"] {
        for (servers, connections) in
            [10, 100, 1000].into_iter().flat_map(|servers| [1_000, 10_000, 100_000].map(|conns| (servers, conns)))
        {
            let mut director = Director::new(scheduler, servers);
            let rounds = 100_000 / connections;
            let (mut open_s, mut carry_s, mut end_s) = (0.0, 0.0, 0.0);
            for _ in 0..rounds {
                let began = std::time::Instant::now();
                director.open(connections);
                open_s += began.elapsed().as_secs_f64();
                let began = std::time::Instant::now();
                director.carry(connections, PACKETS / rounds);
                carry_s += began.elapsed().as_secs_f64();
                let began = std::time::Instant::now();
                director.end();
                end_s += began.elapsed().as_secs_f64();
            }
            let all = f64::from(rounds * connections);
            let line = json!({
                "work": DIRECTOR,
                "scheduler": scheduler,
                "servers": servers,
                "connections": connections,
                "open_ns": (open_s * 1e9 / all).round(),
                "packet_ns": (carry_s * 1e9 / f64::from(PACKETS)).round(),
                "end_ns": (end_s * 1e9 / all).round(),
            });
            writeln!(io::stdout(), "{line}")?;
        }
    }
    Ok(())
}

/// Runs the work with everything recorded, and measures the stepper on it.
fn stepper(args: &Args, star: Star) -> Result<serde_json::Value, BenchError> {
    forget_peak_memory();
    let before = peak_memory_mb();
    let mut sim = star.world(args.seed, Level::Everything);
    Star::run(&mut sim).map_err(BenchError::Failed)?;
    let end = sim.now();
    let traced = peak_memory_mb();
    let figures = bench::measure(sim.into_trace(), end);
    let per_event = |from: Option<f64>, to: Option<f64>| {
        from.zip(to).map(|(from, to)| ((to - from) * 1024.0 * 1024.0 / figures.events.max(1) as f64).round())
    };
    Ok(json!({
        "work": args.name,
        "measures": "stepper",
        "events": figures.events,
        "frames": figures.frames,
        "open_ms": round(figures.open_ms, 1),
        "keys": figures.keys,
        "key_median_ms": round(figures.median_ms, 3),
        "key_p99_ms": round(figures.p99_ms, 3),
        "key_longest_ms": round(figures.longest_ms, 3),
        "key_longest": figures.longest,
        "trace_octets_per_event": per_event(before, traced),
        "stepper_octets_per_event": per_event(traced, peak_memory_mb()),
    }))
}

fn capture(folder: &Path, args: &Args, cast: &sim_core::trace::Cast) -> io::Result<Live<BufWriter<File>>> {
    fs::create_dir_all(folder)?;
    let file = File::create(folder.join(format!("{}.pcapng", args.name)))?;
    let about = About {
        scenario: args.name.clone(),
        title: "LVS-NAT star".into(),
        seed: args.seed,
        digest: "known at the end".into(),
    };
    Live::new(BufWriter::with_capacity(1 << 20, file), cast, &about)
}

/// Peak resident memory of this process; none where `/proc` does not say.
fn peak_memory_mb() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kib: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib / 1024.0)
}

/// Lets the peak begin anew, so that each of several runs has its own. Where that is not allowed the peak is of all.
fn forget_peak_memory() {
    let _not_allowed = fs::write("/proc/self/clear_refs", "5");
}

fn round(value: f64, digits: i32) -> f64 {
    let scale = 10f64.powi(digits);
    (value * scale).round() / scale
}
