//! `grep`, `egrep`, `fgrep`: lines that match.

use super::command::{Call, Command, Opt, Outcome, getopt};
use super::filter::{Filter, Work};
use super::options::Options;
use super::regular;
use crate::kernel::syscall::Sys;
use regex::Regex;

/// `grep`.
pub(super) const COMMAND: Command = Command {
    names: &["grep", "egrep", "fgrep"],
    summary: "lines that match",
    options: &[
        Opt::flag("-v", "lines that do not match"),
        Opt::flag("-i", "capitals do not matter"),
        Opt::flag("-c", "counts them"),
        Opt::flag("-q", "only the exit status"),
        Opt::flag("-E", "extended expressions"),
        Opt::flag("-F", "plain text"),
        Opt::flag("-G", "basic expressions"),
        Opt::flag("-w", "whole words"),
        Opt::flag("-x", "whole lines"),
        Opt::flag("-o", "only what matches"),
        Opt::flag("-n", "with line numbers"),
        Opt::flag("-h", "without file names"),
        Opt::flag("-H", "with file names"),
        Opt::flag("-l", "file names only"),
        Opt::flag("-s", "no messages about files"),
        Opt::value("-e", "an expression"),
        Opt::value("-m", "stops after so many"),
        Opt::value("-A", "lines after"),
        Opt::value("-B", "lines before"),
        Opt::value("-C", "lines around"),
        Opt::accepted("--color", false, "there is no colour in files"),
        Opt::refused("-r", false, "name the files"),
        Opt::refused("-P", false, "use -E"),
        Opt::refused("-f", true, "use -e"),
    ],
    check: getopt,
    run,
};

#[derive(Debug)]
struct Grep {
    expressions: Vec<Regex>,
    inverted: bool,
    count: bool,
    quiet: bool,
    only: bool,
    numbers: bool,
    names: bool,
    list: bool,
    most: Option<usize>,
    after: usize,
    before: usize,
    file: String,
    line: usize,
    found: usize,
    any: bool,
    /// Lines that may have to be shown because of a match behind them.
    kept: Vec<(usize, Vec<u8>)>,
    /// Lines still to be shown because of the match before.
    owed: usize,
    last_shown: usize,
}

fn run(call: &mut Call<'_>, _: &mut Sys<'_, '_>) -> Outcome {
    let options = match Options::read(&COMMAND, call.args()) {
        Ok(options) => options,
        Err(wrong) => return call.fail(2, wrong.coreutils("grep")),
    };
    let mut words = options.words.clone();
    let mut patterns: Vec<&str> = options.values(&["-e"]).collect();
    if patterns.is_empty() {
        if words.is_empty() {
            return call
                .fail(2, "Usage: grep [OPTION]... PATTERNS [FILE]...\nTry 'grep --help' for more information.\n");
        }
        patterns.push(words.remove(0));
    }
    let extended = options.has(&["-E"]) || call.name() == "egrep";
    let fixed = options.has(&["-F"]) || call.name() == "fgrep";
    let ignore_case = options.has(&["-i"]);
    let mut expressions = Vec::new();
    for pattern in patterns.iter().flat_map(|pattern| pattern.split('\n')) {
        let text = match (fixed, extended) {
            (true, _) => Ok(regex::escape(pattern)),
            (false, true) => Ok(pattern.to_owned()),
            (false, false) => regular::basic_text(pattern),
        };
        let text = text.map(|text| match (options.has(&["-x"]), options.has(&["-w"])) {
            (true, _) => format!("^(?:{text})$"),
            (false, true) => format!(r"\b(?:{text})\b"),
            (false, false) => text,
        });
        match text.and_then(|text| regular::extended(&text, ignore_case)) {
            Ok(expression) => expressions.push(expression),
            Err(message) => return call.fail(2, format!("grep: {message}\n")),
        }
    }
    let number = |names: &[&str]| options.value(names).and_then(|value| value.parse::<usize>().ok());
    let around = number(&["-C"]).unwrap_or(0);
    let work = Grep {
        expressions,
        inverted: options.has(&["-v"]),
        count: options.has(&["-c"]),
        quiet: options.has(&["-q"]),
        only: options.has(&["-o"]),
        numbers: options.has(&["-n"]),
        names: (words.len() > 1 && !options.has(&["-h"])) || options.has(&["-H"]),
        list: options.has(&["-l"]),
        most: number(&["-m"]),
        after: number(&["-A"]).unwrap_or(around).min(AROUND_MAX),
        before: number(&["-B"]).unwrap_or(around).min(AROUND_MAX),
        file: String::new(),
        line: 0,
        found: 0,
        any: false,
        kept: Vec::new(),
        owed: 0,
        last_shown: 0,
    };
    let files = words.iter().map(|word| ((*word).to_owned(), call.path(word))).collect();
    Outcome::Became(Filter::new("grep", work, files))
}

impl Grep {
    fn show(&mut self, number: usize, line: &[u8], mark: char, out: &mut Vec<u8>) {
        if (self.after > 0 || self.before > 0) && self.last_shown > 0 && number > self.last_shown + 1 {
            out.extend_from_slice(b"--\n");
        }
        self.last_shown = number;
        if self.names {
            out.extend_from_slice(format!("{}{mark}", self.file).as_bytes());
        }
        if self.numbers {
            out.extend_from_slice(format!("{number}{mark}").as_bytes());
        }
        out.extend_from_slice(line);
        out.push(b'\n');
    }
}

impl Work for Grep {
    fn begin(&mut self, file: Option<&str>, _: &mut Vec<u8>) {
        self.file = file.unwrap_or("(standard input)").to_owned();
        (self.line, self.found, self.owed, self.last_shown) = (0, 0, 0, 0);
        self.kept.clear();
    }

    fn line(&mut self, line: &[u8], out: &mut Vec<u8>) -> bool {
        self.line += 1;
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let text = String::from_utf8_lossy(line);
        let number = self.line;
        if self.most.is_some_and(|most| self.found >= most) {
            return true;
        }
        if self.expressions.iter().any(|expression| expression.is_match(&text)) == self.inverted {
            if self.owed > 0 {
                self.owed -= 1;
                self.show(number, line, '-', out);
            } else if self.before > 0 {
                self.kept.push((number, line.to_vec()));
                if self.kept.len() > self.before {
                    self.kept.remove(0);
                }
            }
            return true;
        }
        self.found += 1;
        self.any = true;
        if self.quiet {
            return false;
        }
        if self.count || self.list {
            return true;
        }
        for (number, line) in std::mem::take(&mut self.kept) {
            self.show(number, &line, '-', out);
        }
        self.owed = self.after;
        if self.only && !self.inverted {
            let expressions = std::mem::take(&mut self.expressions);
            for part in expressions.iter().flat_map(|expression| expression.find_iter(&text)) {
                self.show(number, part.as_str().as_bytes(), ':', out);
            }
            self.expressions = expressions;
        } else {
            self.show(number, line, ':', out);
        }
        true
    }

    fn end(&mut self, _: Option<&str>, out: &mut Vec<u8>) {
        if self.quiet {
            return;
        }
        if self.list {
            if self.found > 0 {
                out.extend_from_slice(format!("{}\n", self.file).as_bytes());
            }
        } else if self.count {
            let name = if self.names { format!("{}:", self.file) } else { String::new() };
            out.extend_from_slice(format!("{name}{}\n", self.found).as_bytes());
        }
    }

    fn finish(&mut self, trouble: bool, _: &mut Vec<u8>) -> i32 {
        match (self.any, trouble) {
            (true, _) if self.quiet => 0,
            (_, true) => 2,
            (true, false) => 0,
            (false, false) => 1,
        }
    }
}

const AROUND_MAX: usize = 1000;
