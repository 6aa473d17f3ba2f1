//! `cut`, `tr`, `tee`, `xargs`, `basename`, `dirname`: what pipelines are made of.

use super::command::{Call, Command, Opt, Outcome, anything, getopt};
use super::filter::{Filter, Work};
use super::options::Options;
use crate::base::id::Pid;
use crate::kernel::process::{Env, Fd, Next, On, Process};
use crate::kernel::syscall::{Open, Read, Stdio, Sys};

/// `cut`.
pub(super) const CUT: Command = Command {
    names: &["cut"],
    summary: "columns of lines",
    options: &[
        Opt::value("-d", "what stands between fields"),
        Opt::value("--delimiter", "what stands between fields"),
        Opt::value("-f", "these fields"),
        Opt::value("--fields", "these fields"),
        Opt::value("-c", "these characters"),
        Opt::value("--characters", "these characters"),
        Opt::flag("-s", "only lines with a delimiter"),
        Opt::refused("-b", true, "use -c"),
        Opt::refused("--complement", false, "name the fields that are wanted"),
    ],
    check: getopt,
    run: cut,
};

/// `tr`.
pub(super) const TR: Command = Command {
    names: &["tr"],
    summary: "characters for others; -d takes them away, -s keeps one of several",
    options: &[
        Opt::flag("-d", "takes them away"),
        Opt::flag("-s", "one for several of the same"),
        Opt::refused("-c", false, "name the characters"),
    ],
    check: getopt,
    run: tr,
};

/// `tee`.
pub(super) const TEE: Command = Command {
    names: &["tee"],
    summary: "writes what it reads into files too",
    options: &[Opt::flag("-a", "at their ends"), Opt::accepted("-i", false, "nobody interrupts it")],
    check: getopt,
    run: tee,
};

/// `xargs`.
pub(super) const XARGS: Command = Command {
    names: &["xargs"],
    summary: "runs a command with the words it reads",
    options: &[
        Opt::value("-n", "so many words at a time"),
        Opt::value("-I", "puts each line in place of this"),
        Opt::flag("-r", "not without words"),
        Opt::refused("-P", true, "one after another"),
        Opt::refused("-0", false, "lines end lines"),
        Opt::refused("-d", true, "use tr"),
    ],
    check: |command, words| {
        let own = own(words);
        getopt(command, &words[..own])
    },
    run: xargs,
};

/// `basename`.
pub(super) const BASENAME: Command =
    Command { names: &["basename"], summary: "the last part of a path", options: &[], check: anything, run: basename };

/// `dirname`.
pub(super) const DIRNAME: Command = Command {
    names: &["dirname"],
    summary: "a path without its last part",
    options: &[],
    check: anything,
    run: dirname,
};

#[derive(Debug)]
struct Cut {
    ranges: Vec<(usize, usize)>,
    /// Fields between this; none: characters.
    between: Option<char>,
    only_delimited: bool,
}

fn cut(call: &mut Call<'_>, _: &mut Sys<'_, '_>) -> Outcome {
    const TRY: &str = "Try 'cut --help' for more information.\n";
    let options = match Options::read(&CUT, call.args()) {
        Ok(options) => options,
        Err(wrong) => return call.fail(1, wrong.coreutils("cut")),
    };
    let fields = options.value(&["-f", "--fields"]);
    let characters = options.value(&["-c", "--characters"]);
    let (list, between) = match (fields, characters) {
        (Some(list), None) => {
            let between = options.value(&["-d", "--delimiter"]).unwrap_or("\t");
            let mut letters = between.chars();
            match (letters.next(), letters.next()) {
                (Some(letter), None) => (list, Some(letter)),
                _ => return call.fail(1, format!("cut: the delimiter must be a single character\n{TRY}")),
            }
        }
        (None, Some(list)) => (list, None),
        (Some(_), Some(_)) => return call.fail(1, format!("cut: only one type of list may be specified\n{TRY}")),
        (None, None) => {
            return call.fail(1, format!("cut: you must specify a list of bytes, characters, or fields\n{TRY}"));
        }
    };
    let Some(ranges) = ranges(list) else {
        return call.fail(1, format!("cut: invalid field value '{list}'\n{TRY}"));
    };
    let files = options.words.iter().map(|word| ((*word).to_owned(), call.path(word))).collect();
    Outcome::Became(Filter::new("cut", Cut { ranges, between, only_delimited: options.has(&["-s"]) }, files))
}

/// `1`, `2-4`, `3-`, `-2`, with commas between.
fn ranges(list: &str) -> Option<Vec<(usize, usize)>> {
    let one = |part: &str| {
        let number = |text: &str| text.parse::<usize>().ok().filter(|number| *number > 0);
        match part.split_once('-') {
            None => number(part).map(|at| (at, at)),
            Some(("", "")) => None,
            Some((first, "")) => Some((number(first)?, usize::MAX)),
            Some(("", last)) => Some((1, number(last)?)),
            Some((first, last)) => Some((number(first)?, number(last)?)),
        }
    };
    list.split(',').map(one).collect()
}

impl Work for Cut {
    fn line(&mut self, line: &[u8], out: &mut Vec<u8>) -> bool {
        let text = String::from_utf8_lossy(line);
        let text = text.trim_end_matches('\n');
        let chosen = |at: usize| self.ranges.iter().any(|(first, last)| (*first..=*last).contains(&(at + 1)));
        let kept: String = match self.between {
            Some(between) if text.contains(between) => {
                let fields = text.split(between).enumerate().filter(|(at, _)| chosen(*at)).map(|(_, field)| field);
                fields.collect::<Vec<_>>().join(&between.to_string())
            }
            Some(_) if self.only_delimited => return true,
            Some(_) => text.to_owned(),
            None => text.chars().enumerate().filter(|(at, _)| chosen(*at)).map(|(_, letter)| letter).collect(),
        };
        out.extend_from_slice(kept.as_bytes());
        out.push(b'\n');
        true
    }

    fn finish(&mut self, trouble: bool, _: &mut Vec<u8>) -> i32 {
        i32::from(trouble)
    }
}

#[derive(Debug)]
struct Tr {
    from: Vec<char>,
    to: Vec<char>,
    deletes: bool,
    squeezes: bool,
    last: Option<char>,
}

fn tr(call: &mut Call<'_>, _: &mut Sys<'_, '_>) -> Outcome {
    const TRY: &str = "Try 'tr --help' for more information.\n";
    let options = match Options::read(&TR, call.args()) {
        Ok(options) => options,
        Err(wrong) => return call.fail(1, wrong.coreutils("tr")),
    };
    let (deletes, squeezes) = (options.has(&["-d"]), options.has(&["-s"]));
    let (from, to) = match options.words.as_slice() {
        [] => return call.fail(1, format!("tr: missing operand\n{TRY}")),
        [from] if deletes || squeezes => (set(from), Vec::new()),
        [from] => return call.fail(1, format!("tr: missing operand after '{from}'\n{TRY}")),
        [_, to, ..] if deletes && !squeezes => return call.fail(1, format!("tr: extra operand '{to}'\n{TRY}")),
        [from, to] => (set(from), set(to)),
        [_, _, extra, ..] => return call.fail(1, format!("tr: extra operand '{extra}'\n{TRY}")),
    };
    Outcome::Became(Filter::new("tr", Tr { from, to, deletes, squeezes, last: None }, Vec::new()))
}

/// `a-z`, `[:upper:]`, `\n`, and letters.
fn set(text: &str) -> Vec<char> {
    let class = |letters: std::ops::RangeInclusive<char>| letters.collect::<Vec<_>>();
    let mut set = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if let Some((name, behind)) = rest.strip_prefix("[:").and_then(|rest| rest.split_once(":]")) {
            set.extend(match name {
                "upper" => class('A'..='Z'),
                "lower" => class('a'..='z'),
                "digit" => class('0'..='9'),
                "alpha" => [class('A'..='Z'), class('a'..='z')].concat(),
                "space" => vec!['\t', '\n', '\u{b}', '\u{c}', '\r', ' '],
                "blank" => vec!['\t', ' '],
                _ => Vec::new(),
            });
            rest = behind;
            continue;
        }
        let mut letters = rest.chars();
        let mut letter = letters.next().unwrap_or(first);
        if letter == '\\' {
            letter = match letters.next() {
                Some('n') => '\n',
                Some('t') => '\t',
                Some('r') => '\r',
                Some(other) => other,
                None => '\\',
            };
        }
        let behind = letters.as_str();
        match behind.strip_prefix('-').and_then(|end| end.chars().next()) {
            Some(last) if last >= letter => {
                set.extend((letter..=last).take(SET_MAX));
                rest = &behind[1 + last.len_utf8()..];
            }
            _ => {
                set.push(letter);
                rest = behind;
            }
        }
    }
    set
}

impl Work for Tr {
    fn line(&mut self, line: &[u8], out: &mut Vec<u8>) -> bool {
        for letter in String::from_utf8_lossy(line).chars() {
            let at = self.from.iter().position(|from| *from == letter);
            if at.is_some() && self.deletes {
                continue;
            }
            let new = match (at, self.to.last()) {
                (Some(at), Some(last)) => *self.to.get(at).unwrap_or(last),
                _ => letter,
            };
            let squeezed = if self.to.is_empty() { &self.from } else { &self.to };
            if self.squeezes && self.last == Some(new) && squeezed.contains(&new) {
                continue;
            }
            self.last = Some(new);
            out.extend_from_slice(new.encode_utf8(&mut [0; 4]).as_bytes());
        }
        true
    }

    fn finish(&mut self, trouble: bool, _: &mut Vec<u8>) -> i32 {
        i32::from(trouble)
    }
}

#[derive(Debug)]
struct Tee {
    /// Typed, absolute, descriptor.
    files: Vec<(String, String, Option<Fd>)>,
    how: Open,
    opened: bool,
    out: Vec<u8>,
    trouble: bool,
}

fn tee(call: &mut Call<'_>, _: &mut Sys<'_, '_>) -> Outcome {
    let options = match Options::read(&TEE, call.args()) {
        Ok(options) => options,
        Err(wrong) => return call.fail(1, wrong.coreutils("tee")),
    };
    let how = if options.has(&["-a"]) { Open::Append } else { Open::Truncate };
    let files = options.words.iter().map(|word| ((*word).to_owned(), call.path(word), None)).collect();
    Outcome::Became(Box::new(Tee { files, how, opened: false, out: Vec::new(), trouble: false }))
}

impl Process for Tee {
    fn wake(&mut self, sys: &mut Sys) -> Next {
        if !self.opened {
            self.opened = true;
            for (typed, path, file) in &mut self.files {
                match sys.open(path, self.how) {
                    Ok(fd) => *file = Some(fd),
                    Err(error) => {
                        // A terminal takes everything.
                        let _ = sys.write(Fd::STDERR, format!("tee: {typed}: {error}\n").as_bytes());
                        self.trouble = true;
                    }
                }
            }
        }
        loop {
            while !self.out.is_empty() {
                match sys.write(Fd::STDOUT, &self.out) {
                    Ok(0) => return Next::on(On::Writable(Fd::STDOUT)),
                    Ok(taken) => drop(self.out.drain(..taken)),
                    Err(_) => return Next::Exit(141),
                }
            }
            match sys.read(Fd::STDIN, READ_MAX) {
                Read::Data(data) => {
                    for (typed, _, file) in &mut self.files {
                        let Some(fd) = *file else { continue };
                        if let Err(error) = sys.write(fd, &data) {
                            let _ = sys.write(Fd::STDERR, format!("tee: {typed}: {error}\n").as_bytes());
                            self.trouble = true;
                            *file = None;
                        }
                    }
                    self.out = data;
                }
                Read::Wait => return Next::on(On::Readable(Fd::STDIN)),
                Read::End | Read::Failed(_) => return Next::Exit(i32::from(self.trouble)),
            }
        }
    }
}

#[derive(Debug)]
struct Xargs {
    command: Vec<String>,
    in_place_of: Option<String>,
    at_a_time: usize,
    unless_empty: bool,
    env: Env,
    input: Option<Vec<u8>>,
    calls: Vec<Vec<String>>,
    child: Option<Pid>,
    status: i32,
}

/// How many words are xargs' own.
fn own(words: &[&str]) -> usize {
    let mut at = 1;
    while words.get(at).is_some_and(|word| word.starts_with('-')) {
        at += 1 + usize::from(matches!(words[at], "-n" | "-I" | "-P" | "-d"));
    }
    at.min(words.len())
}

fn xargs(call: &mut Call<'_>, _: &mut Sys<'_, '_>) -> Outcome {
    let words: Vec<&str> = call.argv.iter().map(String::as_str).collect();
    let own = own(&words);
    let options = match Options::read(&XARGS, &call.argv[1..own]) {
        Ok(options) => options,
        Err(wrong) => return call.fail(1, wrong.coreutils("xargs")),
    };
    let at_a_time = match options.value(&["-n"]).map(str::parse::<usize>) {
        None => WORDS_MAX,
        Some(Ok(number)) if number > 0 => number,
        Some(_) => {
            let text = options.value(&["-n"]).unwrap_or_default();
            return call.fail(1, format!("xargs: invalid number \"{text}\" for -n option\n"));
        }
    };
    let mut command: Vec<String> = call.argv[own..].to_vec();
    if command.is_empty() {
        command.push("echo".into());
    }
    Outcome::Became(Box::new(Xargs {
        command,
        in_place_of: options.value(&["-I"]).map(str::to_owned),
        at_a_time,
        unless_empty: options.has(&["-r"]),
        env: call.env.clone(),
        input: Some(Vec::new()),
        calls: Vec::new(),
        child: None,
        status: 0,
    }))
}

impl Xargs {
    /// The calls that the text stands for, the last first.
    fn plan(&mut self, text: &str) {
        let mut calls: Vec<Vec<String>> = match &self.in_place_of {
            Some(mark) => {
                let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
                lines.map(|line| self.command.iter().map(|word| word.replace(mark, line)).collect()).collect()
            }
            None => {
                let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
                words.chunks(self.at_a_time).map(|chunk| [self.command.as_slice(), chunk].concat()).collect()
            }
        };
        if calls.is_empty() && !self.unless_empty && self.in_place_of.is_none() {
            calls.push(self.command.clone());
        }
        calls.reverse();
        self.calls = calls;
    }
}

impl Process for Xargs {
    fn wake(&mut self, sys: &mut Sys) -> Next {
        while let Some(input) = &mut self.input {
            match sys.read(Fd::STDIN, READ_MAX) {
                Read::Data(data) if input.len() < INPUT_MAX => input.extend_from_slice(&data),
                Read::Data(_) => {}
                Read::Wait => return Next::on(On::Readable(Fd::STDIN)),
                Read::End | Read::Failed(_) => {
                    let text = String::from_utf8_lossy(&std::mem::take(input)).into_owned();
                    self.input = None;
                    self.plan(&text);
                }
            }
        }
        loop {
            if let Some(child) = self.child {
                match sys.wait(child) {
                    None => return Next::on(On::Child(child)),
                    Some(0) => {}
                    Some(127) => return Next::Exit(127),
                    Some(_) => self.status = 123,
                }
                self.child = None;
            }
            let Some(argv) = self.calls.pop() else { return Next::Exit(self.status) };
            match sys.spawn(&argv, &self.env, Stdio::default()) {
                Ok(child) => self.child = Some(child),
                Err(error) => {
                    // A terminal takes everything.
                    let _ = sys.write(Fd::STDERR, format!("xargs: {error}\n").as_bytes());
                    return Next::Exit(126);
                }
            }
        }
    }
}

fn basename(call: &mut Call<'_>, _: &mut Sys<'_, '_>) -> Outcome {
    let Some(path) = call.args().first() else {
        return call.fail(1, "basename: missing operand\nTry 'basename --help' for more information.\n");
    };
    let name = super::command::base_name(path.trim_end_matches('/'));
    let name = call
        .args()
        .get(1)
        .and_then(|end| name.strip_suffix(end.as_str()))
        .filter(|rest| !rest.is_empty())
        .unwrap_or(name);
    call.out(format!("{}\n", if name.is_empty() { "/" } else { name }));
    Outcome::Done(0)
}

fn dirname(call: &mut Call<'_>, _: &mut Sys<'_, '_>) -> Outcome {
    let Some(path) = call.args().first() else {
        return call.fail(1, "dirname: missing operand\nTry 'dirname --help' for more information.\n");
    };
    let folder = match path.trim_end_matches('/').rsplit_once('/') {
        Some(("", _)) => "/",
        Some((folder, _)) => folder,
        None if path.starts_with('/') => "/",
        None => ".",
    };
    call.out(format!("{folder}\n"));
    Outcome::Done(0)
}

const READ_MAX: usize = 64 * 1024;
const INPUT_MAX: usize = 1024 * 1024;
const WORDS_MAX: usize = 5000;
const SET_MAX: usize = 1024;
