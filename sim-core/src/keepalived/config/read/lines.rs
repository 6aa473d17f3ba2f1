//! From files to logical lines: `include`, `@id`, definitions, `~SEQ` and `~LST`, braces that stand in a line.
//!
//! ```text
//! rest of a line behind a brace ─┐
//! next value of a ~SEQ or ~LST ──┤
//! next line of a definition ─────┼─► @id? ─► $NAME=? ─► ~SEQ? ─► replace $NAME ─► include? ─► split at { } ─► a line
//! next line of a file ───────────┘      ▲                              │
//!                                       └──────── again, if changed ───┘
//! ```
//! Follows what keepalived 2.2.7 does line by line, with its consequences: `{` and `}` outside of `"…"` always begin a
//! line of their own.

use super::define::{Definitions, Unfinished, definition};
use super::include::{self, folder_of};
use super::sequence::{self, BadSequence, Sequence};
use super::surroundings::{Input, Surroundings};
use super::text::{LINE_MAX, bare};
use crate::keepalived::config::{ErrorClass, Place, Reader, Remark, RemarkKind};
use crate::kernel::files::absolute;
use std::rc::Rc;

/// Files that may be open at once, one including the next.
const INCLUDE_DEPTH_MAX: usize = 16;
/// Files that may be included in all: a file that includes itself twice doubles with every step.
const INCLUDES_MAX: usize = 256;
/// Lines of a whole configuration, with those of its sequences and definitions.
const LINES_MAX: usize = 100_000;
/// Octets of all these lines; what is put into a line counts again.
const OCTETS_MAX: usize = 2 << 20;
/// Definitions of several lines that may be in use at once, and lines that one may have.
const OPEN_MAX: usize = 64;

/// How often a line may bring new definitions with it.
const ROUNDS_MAX: usize = 64;

/// Error flags of `include` and `include_check`: a file that cannot be read.
pub(super) const CHECK_READ: u8 = 1;
/// No file of that name.
pub(super) const CHECK_MATCH: u8 = 2;
/// No file that fits the wildcards.
pub(super) const CHECK_WILDCARD: u8 = 4;
/// One of the braces has no file.
pub(super) const CHECK_BRACE: u8 = 8;

/// A logical line and where it came from.
#[derive(Clone, Debug)]
pub(super) struct Line {
    /// Its text; never empty. `{` and `}` stand alone.
    pub(super) text: String,
    /// The file.
    pub(super) file: Rc<str>,
    /// The line in the file, from 1.
    pub(super) number: usize,
    /// That line as it is written.
    pub(super) raw: Rc<str>,
    /// keepalived's parent names the file, not only the line.
    pub(super) named: bool,
}

/// The logical lines of a configuration.
pub(super) struct Lines<'a> {
    around: &'a dyn Surroundings,
    id: &'a str,
    /// The files that are open, the innermost last.
    files: Vec<File>,
    residue: Option<String>,
    sequences: Vec<Sequence>,
    definitions: Definitions,
    /// Lines of definitions still to come, the innermost last, each with how many sequences there were before it.
    open: Vec<(std::vec::IntoIter<String>, usize)>,
    depth: i64,
    given: usize,
    octets: usize,
    included: usize,
    at: (Rc<str>, usize, Rc<str>, bool),
    /// Flags for every `include` of the file that is read.
    pub(super) include_check: u8,
    /// What there is to say about lines; the parser takes it.
    pub(super) remarks: Vec<Remark>,
    /// A file that had to be there is not: the parent does not start.
    pub(super) file_error: bool,
    /// The configuration is longer than anything real.
    pub(super) too_long: bool,
}

struct File {
    name: Rc<str>,
    folder: String,
    lines: std::vec::IntoIter<Option<String>>,
    number: usize,
    /// Files of the same `include` that come next.
    next: Vec<String>,
    named: bool,
    check: u8,
}

impl<'a> Lines<'a> {
    pub(super) fn new(input: &'a Input<'a>) -> Self {
        let name: Rc<str> = input.name.into();
        let file = File {
            name: name.clone(),
            folder: folder_of(input.name).to_owned(),
            lines: split(input.text),
            number: 0,
            next: Vec::new(),
            named: false,
            check: 0,
        };
        Lines {
            around: input.around,
            id: input.id,
            files: vec![file],
            residue: None,
            sequences: Vec::new(),
            definitions: Definitions::standard(input.id, 0x9e37_79b9_7f4a_7c15),
            open: Vec::new(),
            depth: 0,
            given: 0,
            octets: 0,
            included: 0,
            at: (name, 0, "".into(), false),
            include_check: 0,
            remarks: Vec::new(),
            file_error: false,
            too_long: false,
        }
    }

    /// The next line, if there is one.
    pub(super) fn next(&mut self) -> Option<Line> {
        if self.too_long {
            return None;
        }
        let text = self.whole_line()?;
        let text = self.split_at_brace(text);
        match text.as_str() {
            "{" => self.depth += 1,
            "}" if self.depth < 1 => self.say("Extra '}' found".to_owned(), ErrorClass::General),
            "}" => self.depth -= 1,
            _ => {}
        }
        let (file, number, raw, named) = self.at.clone();
        Some(Line { text, file, number, raw, named })
    }

    /// How many `}` are missing at the end.
    pub(super) fn missing_braces(&self) -> i64 {
        self.depth
    }

    /// The next line with everything replaced; braces still stand in it.
    fn whole_line(&mut self) -> Option<String> {
        loop {
            let line = self.source()?;
            if !self.is_within_bounds(line.len()) {
                return None;
            }
            let Some(line) = self.settle(line) else { continue };
            if line.is_empty() || self.include(&line) {
                continue;
            }
            return Some(line);
        }
    }

    /// Counts a line, or what is put into one. False: there is too much of it, and nothing more is read.
    fn is_within_bounds(&mut self, octets: usize) -> bool {
        self.given += 1;
        self.octets += octets;
        self.too_long |= self.given > LINES_MAX || self.octets > OCTETS_MAX;
        !self.too_long
    }

    /// The next line from wherever lines come from just now.
    fn source(&mut self) -> Option<String> {
        if let Some(residue) = self.residue.take() {
            return Some(residue);
        }
        loop {
            let outer = self.open.last().map_or(0, |(_, sequences)| *sequences);
            if self.sequences.len() > outer {
                return self.next_of_sequence();
            }
            let Some((lines, _)) = self.open.last_mut() else { break };
            if let Some(line) = lines.next() {
                return Some(line);
            }
            self.open.pop();
        }
        self.file_line()
    }

    fn next_of_sequence(&mut self) -> Option<String> {
        let sequence = self.sequences.last_mut()?;
        let (values, more) = sequence.next();
        let text = sequence.text.clone();
        if !more {
            self.sequences.pop();
        }
        for (name, value) in values {
            self.definitions.set(&name, &value);
        }
        Some(text)
    }

    /// The next line of a file that is not empty, without its comment.
    fn file_line(&mut self) -> Option<String> {
        loop {
            let file = self.files.last_mut()?;
            let Some(raw) = file.lines.next() else {
                self.end_of_file();
                continue;
            };
            file.number += 1;
            self.octets += raw.as_ref().map_or(0, String::len);
            let Some(raw) = raw.filter(|_| self.octets <= OCTETS_MAX) else {
                self.too_long = true;
                return None;
            };
            let file = self.files.last()?;
            let line = bare(raw.trim_end_matches(['\r', '\n']));
            self.at = (file.name.clone(), file.number, raw.as_str().into(), file.named);
            if line.open_quote {
                self.say(format!("Unterminated quote '{}'", raw.trim_start_matches([' ', '\t'])), ErrorClass::General);
            }
            if !line.text.is_empty() {
                return Some(line.text);
            }
        }
    }

    fn end_of_file(&mut self) {
        let Some(file) = self.files.pop() else { return };
        self.include_check = file.check;
        let mut next = file.next;
        while !next.is_empty() {
            let path = next.remove(0);
            if let Some(text) = self.openable(&path, 0) {
                self.push(&path, &text, next);
                return;
            }
        }
    }

    fn push(&mut self, path: &str, text: &str, next: Vec<String>) {
        self.files.push(File {
            name: path.into(),
            folder: folder_of(path).to_owned(),
            lines: split(text),
            number: 0,
            next,
            named: true,
            check: self.include_check,
        });
    }

    /// `@id`, definitions and sequences; nothing if the line is used up by them.
    fn settle(&mut self, mut line: String) -> Option<String> {
        for _ in 0..ROUNDS_MAX {
            line = self.meant_for_us(line)?;
            if let Some((name, value)) = definition(&line) {
                let (name, value) = (name.to_owned(), value.to_owned());
                self.define(&name, &value);
                return None;
            }
            if line.starts_with("~SEQ") || line.starts_with("~LST") {
                self.add_sequence(&line);
                return None;
            }
            if line.starts_with('~') || !line.contains('$') {
                return Some(line);
            }
            let folder = self.files.last().map_or(String::new(), |file| file.folder.clone());
            let replaced = match self.definitions.replace(&line, &folder, LINE_MAX) {
                Ok(replaced) if replaced.count > 0 => replaced,
                Ok(_) => return Some(line),
                Err(Unfinished::TooLong) => {
                    self.log(format!("Parameter substitution on line '{line}' would exceed maximum line length"));
                    return Some(line);
                }
                Err(Unfinished::Endless) => {
                    self.refuse(
                        "the definitions of this line name each other without end",
                        "keepalived would hang here",
                    );
                    return None;
                }
            };
            if !self.is_within_bounds(replaced.line.len() + 16 * replaced.count) {
                return None;
            }
            for following in replaced.following {
                if self.open.len() >= OPEN_MAX {
                    self.refuse("a definition of several lines uses itself", "keepalived would never come to an end");
                    return None;
                }
                self.open.push((following.into_iter(), self.sequences.len()));
            }
            line = bare(&replaced.line).text;
        }
        self.refuse("the definitions of this line name each other without end", "keepalived would hang here");
        None
    }

    /// A line behind `@id` or `@^id`, if it is meant for this configuration id.
    fn meant_for_us(&self, line: String) -> Option<String> {
        let Some(rest) = line.strip_prefix('@') else { return Some(line) };
        let (others, rest) = rest.strip_prefix('^').map_or((false, rest), |rest| (true, rest));
        let end = rest.find([' ', '\t'])?;
        ((rest[..end] == *self.id) != others).then(|| rest[end..].trim_start_matches([' ', '\t']).to_owned())
    }

    /// `$NAME=value`; with `\` at the end it goes on in the next lines.
    fn define(&mut self, name: &str, value: &str) {
        let Some(first) = value.strip_suffix('\\') else {
            self.definitions.set(name, value);
            return;
        };
        let first = first.trim_end_matches([' ', '\t']);
        let mut lines: Vec<String> = Some(first.to_owned()).filter(|first| !first.is_empty()).into_iter().collect();
        // A line that is empty or ends without `\` is the last one.
        while let Some(file) = self.files.last_mut() {
            let Some(Some(raw)) = file.lines.next() else { break };
            file.number += 1;
            let text = raw.trim_end_matches(['\r', '\n']);
            if text.is_empty() {
                break;
            }
            let line = bare(text).text;
            if line.is_empty() {
                continue;
            }
            let (line, more) = match line.strip_suffix('\\') {
                Some(line) => (line.trim_end_matches([' ', '\t']).to_owned(), true),
                None => (line, false),
            };
            if !line.is_empty() {
                lines.push(line);
            }
            if !more {
                break;
            }
        }
        match lines.len() {
            0 => self.definitions.set(name, ""),
            _ => self.definitions.set_lines(name, lines),
        }
    }

    fn add_sequence(&mut self, line: &str) {
        let folder = self.files.last().map_or(String::new(), |file| file.folder.clone());
        let definitions = &mut self.definitions;
        let mut expand = |text: &str| {
            let replaced = definitions.replace(text, &folder, LINE_MAX).ok()?;
            replaced.following.is_empty().then_some(replaced.line)
        };
        let (kind, read) = match line.starts_with("~SEQ") {
            true => ("~SEQ", sequence::numbers(line, &mut expand)),
            false => ("~LST", sequence::lists(line)),
        };
        match read {
            Ok(_) if self.sequences.len() >= OPEN_MAX => {
                self.refuse("too many ~SEQ or ~LST inside of each other", "64 are the most");
            }
            Ok(sequence) => self.sequences.push(sequence),
            Err(BadSequence(why)) => {
                if let Some(why) = why {
                    self.say(why, ErrorClass::General);
                }
                self.say(format!("Invalid {kind} specification '{line}'"), ErrorClass::General);
            }
        }
    }

    /// `include FILES` and its variants; false if the line is none.
    fn include(&mut self, line: &str) -> bool {
        let Some(rest) = line.strip_prefix("include") else { return false };
        let kind = if rest.starts_with([' ', '\t']) { None } else { rest.chars().next() };
        let rest = kind.map_or(rest, |kind| &rest[kind.len_utf8()..]);
        if !rest.starts_with([' ', '\t']) {
            return false;
        }
        let check = match kind {
            None => 0,
            Some('r') => CHECK_READ,
            Some('m') => CHECK_READ | CHECK_MATCH,
            Some('w') => CHECK_READ | CHECK_MATCH | CHECK_WILDCARD,
            Some('b') => CHECK_READ | CHECK_BRACE,
            Some('a') => CHECK_READ | CHECK_MATCH | CHECK_WILDCARD | CHECK_BRACE,
            Some(_) => return false,
        };
        let pattern = rest.trim_start_matches([' ', '\t']);
        if self.files.len() >= INCLUDE_DEPTH_MAX {
            self.refuse("files include each other without end", "look for a file that includes itself");
            return true;
        }
        let folder = self.files.last().map_or(String::new(), |file| file.folder.clone());
        let found = include::find(pattern, &folder, self.around);
        if found.paths.is_empty() {
            if found.missing {
                let flag = if found.braces { CHECK_BRACE } else { CHECK_MATCH };
                self.file_remark(format!("Config files missing '{pattern}'."), (check | self.include_check) & flag);
            } else if found.wild && (check | self.include_check) & CHECK_WILDCARD != 0 {
                self.file_remark(format!("No config files matched '{pattern}'."), CHECK_WILDCARD);
            }
            return true;
        }
        if found.missing {
            let fails = (check | self.include_check) & CHECK_BRACE;
            self.file_remark(format!("Some config files missing: \"{pattern}\"."), fails);
            if fails != 0 {
                return true;
            }
        }
        let mut paths = found.paths;
        while !paths.is_empty() {
            let path = paths.remove(0);
            if let Some(text) = self.openable(&path, check) {
                self.push(&path, &text, paths);
                break;
            }
        }
        true
    }

    /// The text of a file that is included, if it is one that keepalived opens.
    fn openable(&mut self, path: &str, check: u8) -> Option<String> {
        let path = absolute("/", path);
        self.included += 1;
        if self.included > INCLUDES_MAX {
            if !self.too_long {
                self.refuse("files include each other too often", "look for a file that includes itself");
            }
            self.too_long = true;
            return None;
        }
        let fails = (check | self.include_check) & CHECK_READ;
        match self.around.file(&path) {
            Some(file) if !file.executable => Some(file.text),
            Some(_) => {
                let text = format!("Configuration file '{path}' is not a regular non-executable file - skipping");
                self.file_remark(text, fails);
                None
            }
            None => {
                self.file_remark(format!("Configuration file '{path}/' is a directory - skipping"), fails);
                None
            }
        }
    }

    fn file_remark(&mut self, text: String, fails: u8) {
        self.file_error |= fails != 0;
        let kind = if fails == 0 { RemarkKind::Logged } else { RemarkKind::Warning(ErrorClass::File) };
        let remark = self.remark(kind, text, "");
        self.remarks.push(remark);
    }

    /// The text up to a brace; what stands behind it comes next.
    fn split_at_brace(&mut self, text: String) -> String {
        let at = match text.starts_with(['{', '}']) {
            true => Some(0),
            false => brace(&text),
        };
        let Some(at) = at else { return text.trim_end_matches([' ', '\t']).to_owned() };
        let skip = match at {
            0 => text.len() - text[1..].trim_start_matches([' ', '\t']).len(),
            at => at,
        };
        let rest = text[skip..].trim_end_matches([' ', '\t']);
        if !rest.is_empty() {
            self.residue = Some(rest.to_owned());
        }
        text[..skip].trim_end_matches([' ', '\t']).to_owned()
    }

    fn say(&mut self, text: String, class: ErrorClass) {
        let remark = self.remark(RemarkKind::Warning(class), text, "");
        self.remarks.push(remark);
    }

    fn log(&mut self, text: String) {
        let mut remark = self.remark(RemarkKind::Logged, text, "");
        remark.placed = false;
        self.remarks.push(remark);
    }

    fn refuse(&mut self, text: &str, hint: &str) {
        let remark = self.remark(RemarkKind::Refused, text.to_owned(), hint);
        self.remarks.push(remark);
    }

    fn remark(&self, kind: RemarkKind, text: String, hint: &str) -> Remark {
        let (file, line, _, named) = &self.at;
        let place = Place { file: file.to_string(), line: *line, column: 0, length: 0 };
        Remark { place, placed: true, named: *named, kind, reader: Reader::Every, text, hint: hint.to_owned() }
    }
}

/// The lines of a text as keepalived gets them: cut where its buffer ends. None behind them: there are too many.
fn split(text: &str) -> std::vec::IntoIter<Option<String>> {
    let mut lines = Vec::new();
    for line in text.split('\n') {
        if lines.len() >= LINES_MAX {
            lines.push(None);
            break;
        }
        let mut rest = line;
        while rest.len() > LINE_MAX && lines.len() < LINES_MAX {
            let mut cut = LINE_MAX;
            while !rest.is_char_boundary(cut) {
                cut -= 1;
            }
            lines.push(Some(rest[..cut].to_owned()));
            rest = &rest[cut..];
        }
        lines.push(Some(rest.to_owned()));
    }
    lines.into_iter()
}

/// Where the first brace stands that is not in `"…"`.
fn brace(text: &str) -> Option<usize> {
    let mut at = 0;
    loop {
        at += text[at..].find(['{', '}', '"'])?;
        if !text[at..].starts_with('"') {
            return Some(at);
        }
        at += 1;
        at += text[at..].find('"')? + 1;
    }
}
