//! `head`, `tail`, `wc`, `sort`, `uniq`: lines cut, counted, put in order.

use super::command::{Call, Command, Opt, Outcome, getopt};
use super::filter::{Filter, Work};
use super::options::Options;
use crate::base::time::Duration;
use crate::kernel::process::{Fd, Next, On, Process};
use crate::kernel::syscall::Sys;
use std::collections::VecDeque;

/// `head`.
pub(super) const HEAD: Command = Command {
    names: &["head"],
    summary: "the first lines",
    options: &[Opt::value("-n", "how many"), Opt::value("-c", "how many octets"), Opt::flag("-q", "no headings")],
    check: check_count,
    run: head,
};

/// `tail`.
pub(super) const TAIL: Command = Command {
    names: &["tail"],
    summary: "the last lines",
    options: &[
        Opt::value("-n", "how many; +N: from line N on"),
        Opt::flag("-f", "goes on when the file grows"),
        Opt::flag("-F", "goes on when the file grows"),
        Opt::flag("-q", "no headings"),
    ],
    check: check_count,
    run: tail,
};

/// `wc`.
pub(super) const WC: Command = Command {
    names: &["wc"],
    summary: "counts lines, words, octets",
    options: &[
        Opt::flag("-l", "lines"),
        Opt::flag("-w", "words"),
        Opt::flag("-c", "octets"),
        Opt::flag("-m", "characters"),
    ],
    check: getopt,
    run: wc,
};

/// `sort`.
pub(super) const SORT: Command = Command {
    names: &["sort"],
    summary: "sorts lines",
    options: &[Opt::flag("-n", "as numbers"), Opt::flag("-r", "backwards"), Opt::flag("-u", "each once")],
    check: getopt,
    run: sort,
};

/// `uniq`.
pub(super) const UNIQ: Command = Command {
    names: &["uniq"],
    summary: "drops lines that repeat",
    options: &[Opt::flag("-c", "with how often"), Opt::flag("-d", "only those that repeat")],
    check: getopt,
    run: uniq,
};

/// `-5` is `-n 5`.
fn check_count(command: &Command, words: &[&str]) -> Vec<super::Fault> {
    let words: Vec<&str> = words.iter().map(|word| if is_count(word) { "" } else { word }).collect();
    getopt(command, &words)
}

fn is_count(word: &str) -> bool {
    word.len() > 1 && word.starts_with('-') && word[1..].bytes().all(|byte| byte.is_ascii_digit())
}

fn expanded(call: &Call<'_>) -> Vec<String> {
    let long = |word: &String| if is_count(word) { format!("-n{}", &word[1..]) } else { word.clone() };
    call.args().iter().map(long).collect()
}

fn files(options: &Options<'_>, call: &Call<'_>) -> Vec<(String, String)> {
    options.words.iter().map(|word| ((*word).to_owned(), call.path(word))).collect()
}

#[derive(Debug)]
struct Head {
    lines: usize,
    octets: Option<usize>,
    left: usize,
    headings: bool,
    first: bool,
    files: usize,
}

fn head(call: &mut Call<'_>, _: &mut Sys<'_, '_>) -> Outcome {
    let args = expanded(call);
    let options = match Options::read(&HEAD, &args) {
        Ok(options) => options,
        Err(wrong) => return call.fail(1, wrong.coreutils("head")),
    };
    let number = |name: &str, what: &str| match options.value(&[name]) {
        None => Ok(None),
        Some(text) => {
            text.parse::<usize>().map(Some).map_err(|_| format!("head: invalid number of {what}: '{text}'\n"))
        }
    };
    match (number("-n", "lines"), number("-c", "bytes")) {
        (Ok(lines), Ok(octets)) => {
            let files = files(&options, call);
            let work = Head {
                lines: lines.unwrap_or(10),
                octets,
                left: 0,
                headings: files.len() > 1 && !options.has(&["-q"]),
                first: true,
                files: files.len().max(1),
            };
            Outcome::Became(Filter::new("head", work, files))
        }
        (Err(message), _) | (_, Err(message)) => call.fail(1, message),
    }
}

impl Work for Head {
    fn begin(&mut self, file: Option<&str>, out: &mut Vec<u8>) {
        self.left = self.octets.unwrap_or(self.lines);
        self.files -= 1;
        heading(self.headings, &mut self.first, file, out);
    }

    fn line(&mut self, line: &[u8], out: &mut Vec<u8>) -> bool {
        let taken = if self.octets.is_some() { line.len().min(self.left) } else { line.len() * self.left.min(1) };
        out.extend_from_slice(&line[..taken]);
        self.left = self.left.saturating_sub(if self.octets.is_some() { taken } else { 1 });
        self.left > 0 || self.files > 0
    }

    fn finish(&mut self, trouble: bool, _: &mut Vec<u8>) -> i32 {
        i32::from(trouble)
    }
}

fn heading(on: bool, first: &mut bool, file: Option<&str>, out: &mut Vec<u8>) {
    if on {
        let gap = if *first { "" } else { "\n" };
        out.extend_from_slice(format!("{gap}==> {} <==\n", file.unwrap_or("standard input")).as_bytes());
    }
    *first = false;
}

#[derive(Debug)]
struct Tail {
    lines: usize,
    from: Option<usize>,
    seen: usize,
    kept: VecDeque<Vec<u8>>,
    headings: bool,
    first: bool,
}

fn tail(call: &mut Call<'_>, _: &mut Sys<'_, '_>) -> Outcome {
    let args = expanded(call);
    let options = match Options::read(&TAIL, &args) {
        Ok(options) => options,
        Err(wrong) => return call.fail(1, wrong.coreutils("tail")),
    };
    let text = options.value(&["-n"]).unwrap_or("10");
    let Ok(lines) = text.trim_start_matches(['+', '-']).parse::<usize>() else {
        return call.fail(1, format!("tail: invalid number of lines: '{text}'\n"));
    };
    let files = files(&options, call);
    if options.has(&["-f", "-F"]) {
        return match files.as_slice() {
            [(_, path)] => Outcome::Became(Box::new(Follow { path: path.clone(), lines, at: None, out: Vec::new() })),
            _ => call.fail(super::command::NOT_MODELLED, "tail -f of one file is modelled\n"),
        };
    }
    let work = Tail {
        lines,
        from: text.starts_with('+').then_some(lines),
        seen: 0,
        kept: VecDeque::new(),
        headings: files.len() > 1 && !options.has(&["-q"]),
        first: true,
    };
    Outcome::Became(Filter::new("tail", work, files))
}

impl Work for Tail {
    fn begin(&mut self, file: Option<&str>, out: &mut Vec<u8>) {
        self.seen = 0;
        heading(self.headings, &mut self.first, file, out);
    }

    fn line(&mut self, line: &[u8], out: &mut Vec<u8>) -> bool {
        self.seen += 1;
        match self.from {
            Some(from) if self.seen >= from => out.extend_from_slice(line),
            Some(_) => {}
            None => {
                self.kept.push_back(line.to_vec());
                if self.kept.len() > self.lines {
                    self.kept.pop_front();
                }
            }
        }
        true
    }

    fn end(&mut self, _: Option<&str>, out: &mut Vec<u8>) {
        out.extend(self.kept.drain(..).flatten());
    }

    fn finish(&mut self, trouble: bool, _: &mut Vec<u8>) -> i32 {
        i32::from(trouble)
    }
}

/// `tail -f`: looks once a second, as `tail` does without inotify; ends by a signal.
#[derive(Debug)]
struct Follow {
    path: String,
    lines: usize,
    at: Option<usize>,
    out: Vec<u8>,
}

impl Process for Follow {
    fn wake(&mut self, sys: &mut Sys) -> Next {
        let content = match sys.read_file(&self.path) {
            Ok(content) => content,
            Err(error) if self.at.is_none() => {
                let text =
                    format!("tail: cannot open '{}' for reading: {error}\ntail: no files remaining\n", self.path);
                // A terminal takes everything.
                let _ = sys.write(Fd::STDERR, text.as_bytes());
                return Next::Exit(1);
            }
            Err(_) => Vec::new(),
        };
        let start = match self.at {
            Some(at) => at.min(content.len()),
            None => {
                let ends = content.iter().enumerate().rev().filter(|(_, octet)| **octet == b'\n').map(|(at, _)| at + 1);
                ends.skip(1).nth(self.lines.saturating_sub(1)).unwrap_or(0)
            }
        };
        self.out.extend_from_slice(&content[start..]);
        self.at = Some(content.len());
        while !self.out.is_empty() {
            match sys.write(Fd::STDOUT, &self.out) {
                Ok(0) => return Next::on(On::Writable(Fd::STDOUT)),
                Ok(taken) => drop(self.out.drain(..taken)),
                Err(_) => return Next::Exit(141),
            }
        }
        Next::until(sys.now() + Duration::from_secs(1))
    }
}

#[derive(Debug, Default)]
struct Wc {
    columns: [bool; 4],
    counts: [u64; 4],
    totals: [u64; 4],
    rows: Vec<([u64; 4], Option<String>)>,
}

fn wc(call: &mut Call<'_>, _: &mut Sys<'_, '_>) -> Outcome {
    let options = match Options::read(&WC, call.args()) {
        Ok(options) => options,
        Err(wrong) => return call.fail(1, wrong.coreutils("wc")),
    };
    let mut columns = [options.has(&["-l"]), options.has(&["-w"]), options.has(&["-m"]), options.has(&["-c"])];
    if columns == [false; 4] {
        columns = [true, true, false, true];
    }
    let files = files(&options, call);
    Outcome::Became(Filter::new("wc", Wc { columns, ..Wc::default() }, files))
}

impl Work for Wc {
    fn line(&mut self, line: &[u8], _: &mut Vec<u8>) -> bool {
        let text = String::from_utf8_lossy(line);
        let counts = [
            u64::from(line.ends_with(b"\n")),
            text.split_whitespace().count() as u64,
            text.chars().count() as u64,
            line.len() as u64,
        ];
        for (sum, count) in self.counts.iter_mut().zip(counts) {
            *sum += count;
        }
        true
    }

    fn end(&mut self, file: Option<&str>, _: &mut Vec<u8>) {
        for (total, count) in self.totals.iter_mut().zip(self.counts) {
            *total += count;
        }
        self.rows.push((std::mem::take(&mut self.counts), file.map(str::to_owned)));
    }

    fn finish(&mut self, trouble: bool, out: &mut Vec<u8>) -> i32 {
        if self.rows.len() > 1 {
            self.rows.push((self.totals, Some("total".into())));
        }
        let one = self.columns.iter().filter(|column| **column).count() == 1;
        let from_stdin = self.rows.iter().any(|(_, file)| file.is_none());
        let width = match (one && self.rows.len() == 1, from_stdin) {
            (true, _) => 1,
            (false, true) => 7,
            (false, false) => self.totals[3].to_string().len(),
        };
        for (counts, file) in &self.rows {
            let shown = counts.iter().zip(self.columns).filter(|(_, column)| *column);
            let row: Vec<String> = shown.map(|(count, _)| format!("{count:>width$}")).collect();
            let name = file.as_ref().map_or_else(String::new, |file| format!(" {file}"));
            out.extend_from_slice(format!("{}{name}\n", row.join(" ")).as_bytes());
        }
        i32::from(trouble)
    }
}

#[derive(Debug)]
struct Sort {
    numeric: bool,
    backwards: bool,
    once: bool,
    lines: Vec<Vec<u8>>,
}

fn sort(call: &mut Call<'_>, _: &mut Sys<'_, '_>) -> Outcome {
    let options = match Options::read(&SORT, call.args()) {
        Ok(options) => options,
        Err(wrong) => return call.fail(2, wrong.coreutils("sort")),
    };
    let work = Sort {
        numeric: options.has(&["-n"]),
        backwards: options.has(&["-r"]),
        once: options.has(&["-u"]),
        lines: Vec::new(),
    };
    let files = files(&options, call);
    Outcome::Became(Filter::new("sort", work, files))
}

impl Work for Sort {
    fn line(&mut self, line: &[u8], _: &mut Vec<u8>) -> bool {
        if self.lines.len() < LINES_MAX {
            self.lines.push(line.strip_suffix(b"\n").unwrap_or(line).to_vec());
        }
        true
    }

    fn finish(&mut self, trouble: bool, out: &mut Vec<u8>) -> i32 {
        let number = |line: &[u8]| {
            let text = String::from_utf8_lossy(line).trim_start().to_owned();
            let end = text.find(|c: char| !c.is_ascii_digit() && c != '-').unwrap_or(text.len());
            text[..end].parse::<i64>().unwrap_or(0)
        };
        match self.numeric {
            true => self.lines.sort_by(|a, b| number(a).cmp(&number(b)).then(a.cmp(b))),
            false => self.lines.sort(),
        }
        if self.once {
            self.lines.dedup();
        }
        if self.backwards {
            self.lines.reverse();
        }
        for line in &self.lines {
            out.extend_from_slice(line);
            out.push(b'\n');
        }
        i32::from(trouble) * 2
    }
}

#[derive(Debug)]
struct Uniq {
    counted: bool,
    repeated: bool,
    last: Option<(Vec<u8>, usize)>,
}

fn uniq(call: &mut Call<'_>, _: &mut Sys<'_, '_>) -> Outcome {
    let options = match Options::read(&UNIQ, call.args()) {
        Ok(options) => options,
        Err(wrong) => return call.fail(1, wrong.coreutils("uniq")),
    };
    let work = Uniq { counted: options.has(&["-c"]), repeated: options.has(&["-d"]), last: None };
    let files = files(&options, call);
    Outcome::Became(Filter::new("uniq", work, files))
}

impl Uniq {
    fn show(&mut self, out: &mut Vec<u8>) {
        let Some((line, count)) = self.last.take() else { return };
        if self.repeated && count < 2 {
            return;
        }
        if self.counted {
            out.extend_from_slice(format!("{count:>7} ").as_bytes());
        }
        out.extend_from_slice(&line);
        out.push(b'\n');
    }
}

impl Work for Uniq {
    fn line(&mut self, line: &[u8], out: &mut Vec<u8>) -> bool {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        match &mut self.last {
            Some((last, count)) if last == line => *count += 1,
            _ => {
                self.show(out);
                self.last = Some((line.to_vec(), 1));
            }
        }
        true
    }

    fn finish(&mut self, trouble: bool, out: &mut Vec<u8>) -> i32 {
        self.show(out);
        i32::from(trouble)
    }
}

const LINES_MAX: usize = 1_000_000;
