//! What `ab` prints: the head, and the tables at the end.

use super::options::{HEARTBEAT_FROM, Options};
use crate::base::time::Duration;
use std::fmt::Write;

/// How long one request took, in µs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    /// Until the connection was there.
    pub(super) connect: u64,
    /// From the request to the first octet of the answer.
    pub(super) waiting: u64,
    /// All of it.
    pub(super) total: u64,
}

/// What was counted.
#[derive(Debug, Default)]
pub(super) struct Totals {
    times: Vec<Times>,
    pub(super) octets: u64,
    pub(super) html: u64,
    pub(super) kept: u64,
    pub(super) not_2xx: u64,
    pub(super) wrong_length: u64,
    pub(super) not_connected: u64,
    pub(super) not_received: u64,
    /// The first answer's server and length.
    pub(super) first: Option<(String, u64)>,
}

impl Totals {
    pub(super) fn add(&mut self, times: Times) {
        self.times.push(times);
    }

    /// Requests that were answered.
    pub(super) fn done(&self) -> u64 {
        self.times.len() as u64
    }
}

pub(super) fn banner(options: &Options) -> String {
    let mut text = "This is ApacheBench, Version 2.3 <$Revision: 1903618 $>\n\
                    Copyright 1996 Adam Twiss, Zeus Technology Ltd, http://www.zeustech.net/\n\
                    Licensed to The Apache Software Foundation, http://www.apache.org/\n\n"
        .to_owned();
    let _ = write!(text, "Benchmarking {} (be patient)", options.host);
    let speaks = !options.quiet && options.requests > HEARTBEAT_FROM;
    text += if speaks { "\n" } else { "..." };
    text
}

pub(super) fn table(options: &Options, totals: &Totals, took: Duration) -> String {
    let micros = (took.nanos() / 1_000).max(1);
    let done = totals.done();
    let (server, length) = totals.first.clone().unwrap_or_default();
    let failed = totals.wrong_length + totals.not_connected + totals.not_received;
    let mut text = format!("\n\nServer Software:        {server}\n");
    let mut row = |name: &str, value: String| {
        let _ = writeln!(text, "{name:<23} {value}");
    };
    row("Server Hostname:", options.host.clone());
    row("Server Port:", format!("{}\n", options.remote.port));
    row("Document Path:", options.path.clone());
    row("Document Length:", format!("{length} bytes\n"));
    row("Concurrency Level:", options.lanes.to_string());
    row("Time taken for tests:", format!("{} seconds", decimals(micros, 1_000_000, 3)));
    row("Complete requests:", done.to_string());
    row("Failed requests:", failed.to_string());
    if failed > 0 {
        let Totals { not_connected, not_received, wrong_length, .. } = totals;
        let _ = writeln!(
            text,
            "   (Connect: {not_connected}, Receive: {not_received}, Length: {wrong_length}, Exceptions: 0)"
        );
    }
    let mut row = |name: &str, value: String| {
        let _ = writeln!(text, "{name:<23} {value}");
    };
    if totals.not_2xx > 0 {
        row("Non-2xx responses:", totals.not_2xx.to_string());
    }
    if options.keeps {
        row("Keep-Alive requests:", totals.kept.to_string());
    }
    row("Total transferred:", format!("{} bytes", totals.octets));
    row("HTML transferred:", format!("{} bytes", totals.html));
    if done > 0 {
        row("Requests per second:", format!("{} [#/sec] (mean)", decimals(done * 1_000_000, micros, 2)));
        row("Time per request:", format!("{} [ms] (mean)", decimals(options.lanes * micros, 1_000 * done, 3)));
        let each = decimals(micros, 1_000 * done, 3);
        row("Time per request:", format!("{each} [ms] (mean, across all concurrent requests)"));
        let rate = decimals(totals.octets * 1_000_000 / 1024, micros, 2);
        row("Transfer rate:", format!("{rate} [Kbytes/sec] received"));
        text += &times(totals);
    }
    text
}

fn times(totals: &Totals) -> String {
    let mut text = "\nConnection Times (ms)\n              min  mean[+/-sd] median   max\n".to_owned();
    let mut line = |name: &str, of: &dyn Fn(&Times) -> u64| {
        let mut all: Vec<u64> = totals.times.iter().map(of).collect();
        all.sort_unstable();
        let count = all.len() as u64;
        let mean = all.iter().sum::<u64>() / count;
        let squares: u128 = all.iter().map(|one| u128::from(one.abs_diff(mean)).pow(2)).sum();
        let deviation = (squares / u128::from(count.saturating_sub(1).max(1))).isqrt() as u64;
        let middle = all.len() / 2;
        let median =
            if count > 1 && count.is_multiple_of(2) { (all[middle - 1] + all[middle]) / 2 } else { all[middle] };
        let (min, max) = (all[0], all[all.len() - 1]);
        let sd = decimals(deviation, 1_000, 1);
        let _ = writeln!(
            text,
            "{name:<12}{:>5} {:>4} {sd:>5} {:>6} {:>7}",
            millis(min),
            millis(mean),
            millis(median),
            millis(max)
        );
    };
    line("Connect:", &|times| times.connect);
    line("Processing:", &|times| times.total - times.connect);
    line("Waiting:", &|times| times.waiting);
    line("Total:", &|times| times.total);
    let mut all: Vec<u64> = totals.times.iter().map(|times| times.total).collect();
    all.sort_unstable();
    if all.len() > 1 {
        text += "\nPercentage of the requests served within a certain time (ms)\n";
        for percent in [50, 66, 75, 80, 90, 95, 98, 99] {
            let _ = writeln!(text, "  {percent}%  {:>5}", millis(all[all.len() * percent / 100]));
        }
        let _ = writeln!(text, " 100%  {:>5} (longest request)", millis(all[all.len() - 1]));
    }
    text
}

/// Rounded to milliseconds.
fn millis(micros: u64) -> u64 {
    (micros + 500) / 1_000
}

/// `part / whole` with so many decimals, rounded.
fn decimals(part: u64, whole: u64, places: u32) -> String {
    let unit = 10_u128.pow(places);
    let scaled = (u128::from(part) * unit + u128::from(whole) / 2) / u128::from(whole.max(1));
    format!("{}.{:0width$}", scaled / unit, scaled % unit, width = places as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_lies_between_the_two_in_the_middle_and_the_deviation_is_that_of_a_sample() {
        let mut totals = Totals::default();
        for total in [1_000, 2_000, 4_000, 9_000] {
            totals.add(Times { connect: 0, waiting: total, total });
        }
        assert!(times(&totals).contains("Total:          1    4   3.6      3       9\n"), "{}", times(&totals));
        assert!(times(&totals).contains("  50%      4\n"));
    }
}
