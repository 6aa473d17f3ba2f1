//! `sed`: lines edited as they stream by, or in their files (`-i`).
//!
//! Addresses (`3`, `$`, `/re/`, two of them, `!`) and the functions `s d p q a i c y =`.
//!
//! # Not modelled
//! The hold space, labels and branches, blocks, `n N P D r w`; they are refused when the script is read.

use super::command::{Call, Command, Fault, Opt, Outcome, getopt};
use super::filter::{Filter, Work};
use super::options::Options;
use super::regular;
use crate::kernel::syscall::Sys;
use regex::Regex;

/// `sed`.
pub(super) const COMMAND: Command = Command {
    names: &["sed"],
    summary: "edits lines: s///, d, p, q, a, i, c, y, =",
    options: &[
        Opt::flag("-n", "writes only what is asked for"),
        Opt::flag("-i", "edits the files in place"),
        Opt::flag("-E", "extended expressions"),
        Opt::flag("-r", "extended expressions"),
        Opt::value("-e", "a script"),
        Opt::refused("-f", true, "write the script with -e"),
        Opt::refused("-s", false, "one file at a time"),
        Opt::refused("-z", false, "lines end with a newline"),
    ],
    check: |command, words| {
        let faults = getopt(command, words);
        if !faults.is_empty() {
            return faults;
        }
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let Ok(options) = Options::read(command, &words) else { return Vec::new() };
        let script = options.values(&["-e"]).next().or(options.words.first().copied());
        let at = script.and_then(|script| words.iter().position(|word| word == script));
        match script.map(|script| read(script, options.has(&["-E", "-r"]))).zip(at) {
            Some((Err(Wrong::NotModelled(what)), at)) => {
                vec![Fault::not_modelled(at, format!("sed's {what} is not modelled")).hint("s d p q a i c y = are")]
            }
            Some((Ok(_) | Err(Wrong::Syntax(_)), _)) | None => Vec::new(),
        }
    },
    run,
};

/// A line of the script.
#[derive(Clone, Debug)]
struct Rule {
    from: Option<Address>,
    to: Option<Address>,
    inverted: bool,
    function: Function,
    /// Between the two addresses now.
    inside: bool,
}

#[derive(Clone, Debug)]
enum Address {
    Line(usize),
    Last,
    Match(Regex),
}

#[derive(Clone, Debug)]
enum Function {
    Substitute { expression: Regex, with: Vec<Part>, nth: usize, all: bool, print: bool },
    Delete,
    Print,
    Quit,
    Append(String),
    Insert(String),
    Change(String),
    Transliterate(Vec<(char, char)>),
    Number,
}

/// A piece of a replacement.
#[derive(Clone, Debug)]
enum Part {
    Text(String),
    /// `&` is 0, `\1` is 1.
    Group(usize),
}

/// Why a script is no script.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Wrong {
    /// In sed's words.
    Syntax(String),
    /// It exists, and the lab does not model it.
    NotModelled(String),
}

fn run(call: &mut Call<'_>, sys: &mut Sys<'_, '_>) -> Outcome {
    let options = match Options::read(&COMMAND, call.args()) {
        Ok(options) => options,
        Err(wrong) => return call.fail(1, wrong.coreutils("sed")),
    };
    let mut words = options.words.clone();
    let mut scripts: Vec<&str> = options.values(&["-e"]).collect();
    if scripts.is_empty() {
        if words.is_empty() {
            return call.fail(1, "Usage: sed [OPTION]... {script-only-if-no-other-script} [input-file]...\n");
        }
        scripts.push(words.remove(0));
    }
    let rules = match read(&scripts.join("\n"), options.has(&["-E", "-r"])) {
        Ok(rules) => rules,
        Err(Wrong::Syntax(message)) => return call.fail(1, format!("sed: -e expression #1, {message}\n")),
        Err(Wrong::NotModelled(what)) => return call.fail(125, format!("sed: {what} is not modelled\n")),
    };
    let editor = Editor { rules, quiet: options.has(&["-n"]), line: 0, waiting: None, over: false };
    let files: Vec<(String, String)> = words.iter().map(|word| ((*word).to_owned(), call.path(word))).collect();
    if !options.has(&["-i"]) {
        return Outcome::Became(Filter::new("sed", editor, files));
    }
    let mut trouble = String::new();
    for (typed, path) in files {
        let text = match sys.read_file(&path) {
            Ok(text) => text,
            Err(error) => {
                trouble += &format!("sed: can't read {typed}: {error}\n");
                continue;
            }
        };
        let mut one = editor.clone();
        let mut out = Vec::new();
        for line in text.split_inclusive(|octet| *octet == b'\n') {
            if !one.line(line, &mut out) {
                break;
            }
        }
        one.finish(false, &mut out);
        if let Err(error) = sys.write_file(&path, &out) {
            trouble += &format!("sed: couldn't edit {typed}: {error}\n");
        }
    }
    if trouble.is_empty() { Outcome::Done(0) } else { call.fail(2, trouble) }
}

#[derive(Clone, Debug)]
struct Editor {
    rules: Vec<Rule>,
    quiet: bool,
    line: usize,
    /// A line is edited when it is known whether it is the last.
    waiting: Option<Vec<u8>>,
    over: bool,
}

impl Editor {
    fn edit(&mut self, line: &[u8], last: bool, out: &mut Vec<u8>) {
        self.line += 1;
        let (text, newline) = match line.strip_suffix(b"\n") {
            Some(text) => (text, "\n"),
            None => (line, ""),
        };
        let mut text = String::from_utf8_lossy(text).into_owned();
        let mut after = String::new();
        let mut deleted = false;
        let number = self.line;
        for rule in &mut self.rules {
            if !rule.applies(&text, number, last) {
                continue;
            }
            match &rule.function {
                Function::Substitute { expression, with, nth, all, print } => {
                    if let Some(changed) = substitute(expression, with, *nth, *all, &text) {
                        text = changed;
                        if *print {
                            out.extend_from_slice(format!("{text}\n").as_bytes());
                        }
                    }
                }
                Function::Delete => deleted = true,
                Function::Print => out.extend_from_slice(format!("{text}\n").as_bytes()),
                Function::Quit => self.over = true,
                Function::Append(more) => after += &format!("{more}\n"),
                Function::Insert(before) => out.extend_from_slice(format!("{before}\n").as_bytes()),
                Function::Change(other) => {
                    out.extend_from_slice(format!("{other}\n").as_bytes());
                    deleted = true;
                }
                Function::Transliterate(pairs) => {
                    let other = |c: char| pairs.iter().find(|(from, _)| *from == c).map_or(c, |(_, to)| *to);
                    text = text.chars().map(other).collect();
                }
                Function::Number => out.extend_from_slice(format!("{number}\n").as_bytes()),
            }
            if deleted || self.over {
                break;
            }
        }
        if !deleted && !self.quiet {
            out.extend_from_slice(format!("{text}{newline}").as_bytes());
        }
        out.extend_from_slice(after.as_bytes());
    }
}

impl Work for Editor {
    fn line(&mut self, line: &[u8], out: &mut Vec<u8>) -> bool {
        if let Some(before) = self.waiting.replace(line.to_vec()) {
            self.edit(&before, false, out);
        }
        !self.over
    }

    fn finish(&mut self, trouble: bool, out: &mut Vec<u8>) -> i32 {
        if let Some(last) = self.waiting.take().filter(|_| !self.over) {
            self.edit(&last, true, out);
        }
        if trouble { 2 } else { 0 }
    }
}

impl Rule {
    fn applies(&mut self, text: &str, number: usize, last: bool) -> bool {
        let meets = |address: &Address| match address {
            Address::Line(line) => *line == number,
            Address::Last => last,
            Address::Match(expression) => expression.is_match(text),
        };
        let found = match (&self.from, &self.to) {
            (None, _) => true,
            (Some(one), None) => meets(one),
            (Some(from), Some(to)) => {
                if self.inside {
                    self.inside = !meets(to) && !matches!(to, Address::Line(line) if *line <= number);
                    true
                } else if meets(from) {
                    self.inside = !matches!(to, Address::Line(line) if *line <= number) && !last;
                    true
                } else {
                    false
                }
            }
        };
        found != self.inverted
    }
}

/// The text with matches replaced; none if nothing matched.
fn substitute(expression: &Regex, with: &[Part], nth: usize, all: bool, text: &str) -> Option<String> {
    let mut out = String::new();
    let mut from = 0;
    let mut changed = false;
    for (found, count) in expression.captures_iter(text).zip(1..) {
        let whole = found.get(0)?;
        if count < nth || (count > nth && !all) {
            continue;
        }
        out.push_str(&text[from..whole.start()]);
        for part in with {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Group(group) => out.push_str(found.get(*group).map_or("", |group| group.as_str())),
            }
        }
        from = whole.end();
        changed = true;
    }
    out.push_str(&text[from..]);
    changed.then_some(out)
}

/// Reads a script.
fn read(script: &str, extended: bool) -> Result<Vec<Rule>, Wrong> {
    let mut reader = Reader { text: script.chars().collect(), at: 0, extended };
    let mut rules = Vec::new();
    loop {
        reader.skip(|c| c.is_whitespace() || c == ';');
        match reader.peek() {
            None => return Ok(rules),
            Some('#') => reader.skip(|c| c != '\n'),
            Some(_) => rules.push(reader.rule()?),
        }
    }
}

struct Reader {
    text: Vec<char>,
    at: usize,
    extended: bool,
}

impl Reader {
    fn peek(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek();
        self.at += usize::from(next.is_some());
        next
    }

    fn skip(&mut self, which: impl Fn(char) -> bool) {
        while self.peek().is_some_and(&which) {
            self.at += 1;
        }
    }

    fn wrong<T>(&self, what: &str) -> Result<T, Wrong> {
        Err(Wrong::Syntax(format!("char {}: {what}", self.at)))
    }

    fn rule(&mut self) -> Result<Rule, Wrong> {
        let from = self.address()?;
        let to = match (&from, self.peek()) {
            (Some(_), Some(',')) => {
                self.at += 1;
                self.skip(char::is_whitespace);
                match self.address()? {
                    None => return self.wrong("unexpected `,'"),
                    to => to,
                }
            }
            _ => None,
        };
        self.skip(char::is_whitespace);
        let inverted = self.peek() == Some('!');
        if inverted {
            self.at += 1;
            self.skip(char::is_whitespace);
        }
        let Some(name) = self.next() else { return self.wrong("missing command") };
        let function = self.function(name)?;
        self.skip(|c| c == ' ' || c == '\t');
        match self.peek() {
            None | Some(';' | '\n' | '#') => Ok(Rule { from, to, inverted, function, inside: false }),
            Some('}') => Err(Wrong::NotModelled("{ … }".into())),
            Some(_) => self.wrong("extra characters after command"),
        }
    }

    fn address(&mut self) -> Result<Option<Address>, Wrong> {
        Ok(match self.peek() {
            Some(c) if c.is_ascii_digit() => {
                let start = self.at;
                self.skip(|c| c.is_ascii_digit());
                let digits: String = self.text[start..self.at].iter().collect();
                Some(Address::Line(digits.parse().unwrap_or(usize::MAX)))
            }
            Some('$') => {
                self.at += 1;
                Some(Address::Last)
            }
            Some('/') => {
                self.at += 1;
                let pattern = self.until('/', "unterminated address regex")?;
                Some(Address::Match(self.expression(&pattern, false)?))
            }
            _ => None,
        })
    }

    fn function(&mut self, name: char) -> Result<Function, Wrong> {
        Ok(match name {
            's' => self.substitution()?,
            'd' => Function::Delete,
            'p' => Function::Print,
            'q' => Function::Quit,
            '=' => Function::Number,
            'a' => Function::Append(self.rest()?),
            'i' => Function::Insert(self.rest()?),
            'c' => Function::Change(self.rest()?),
            'y' => {
                let Some(mark) = self.next() else { return self.wrong("unterminated `y' command") };
                let from = self.until(mark, "unterminated `y' command")?;
                let to = self.until(mark, "unterminated `y' command")?;
                if from.chars().count() != to.chars().count() {
                    return self.wrong("strings for `y' command are different lengths");
                }
                Function::Transliterate(from.chars().zip(to.chars()).collect())
            }
            'h' | 'H' | 'g' | 'G' | 'x' | 'n' | 'N' | 'P' | 'D' | 'b' | 't' | 'T' | ':' | '{' | 'r' | 'w' | 'l' => {
                return Err(Wrong::NotModelled(name.to_string()));
            }
            other => return self.wrong(&format!("unknown command: `{other}'")),
        })
    }

    fn substitution(&mut self) -> Result<Function, Wrong> {
        let unterminated = "unterminated `s' command";
        let Some(mark) = self.next() else { return self.wrong(unterminated) };
        let pattern = self.until(mark, unterminated)?;
        let with = replacement(&self.until(mark, unterminated)?);
        let (mut nth, mut all, mut print, mut ignore_case) = (1, false, false, false);
        while let Some(flag) = self.peek() {
            match flag {
                'g' => all = true,
                'p' => print = true,
                'i' | 'I' => ignore_case = true,
                '1'..='9' => nth = flag as usize - '0' as usize,
                _ => break,
            }
            self.at += 1;
        }
        Ok(Function::Substitute { expression: self.expression(&pattern, ignore_case)?, with, nth, all, print })
    }

    /// Up to the next `mark`; `\mark` is the mark itself.
    fn until(&mut self, mark: char, otherwise: &str) -> Result<String, Wrong> {
        let mut out = String::new();
        loop {
            match self.next() {
                None => return self.wrong(otherwise),
                Some(c) if c == mark => return Ok(out),
                Some('\\') => match self.next() {
                    Some(c) if c == mark => out.push(c),
                    Some(c) => out.extend(['\\', c]),
                    None => return self.wrong(otherwise),
                },
                Some(c) => out.push(c),
            }
        }
    }

    /// The text of `a`, `i`, `c`: the rest of the line.
    fn rest(&mut self) -> Result<String, Wrong> {
        self.skip(|c| c == ' ' || c == '\t');
        if self.peek() == Some('\\') {
            self.at += 1;
            self.skip(|c| c == '\n');
        }
        let start = self.at;
        self.skip(|c| c != '\n');
        if start == self.at {
            return self.wrong("expected \\ after `a', `c' or `i'");
        }
        Ok(self.text[start..self.at].iter().collect())
    }

    fn expression(&self, pattern: &str, ignore_case: bool) -> Result<Regex, Wrong> {
        let text = if self.extended { Ok(pattern.to_owned()) } else { regular::basic_text(pattern) };
        let built = text.and_then(|text| regular::extended(&text, ignore_case));
        built.map_err(|message| Wrong::Syntax(format!("char {}: {message}", self.at)))
    }
}

/// `&`, `\1`, `\n`; everything else stands for itself.
fn replacement(text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut plain = String::new();
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        let group = match c {
            '&' => Some(0),
            '\\' => match characters.next() {
                Some(digit @ '0'..='9') => Some(digit as usize - '0' as usize),
                Some('n') => {
                    plain.push('\n');
                    None
                }
                Some('t') => {
                    plain.push('\t');
                    None
                }
                Some(other) => {
                    plain.push(other);
                    None
                }
                None => None,
            },
            other => {
                plain.push(other);
                None
            }
        };
        if let Some(group) = group {
            parts.extend((!plain.is_empty()).then(|| Part::Text(std::mem::take(&mut plain))));
            parts.push(Part::Group(group));
        }
    }
    parts.extend((!plain.is_empty()).then_some(Part::Text(plain)));
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a script makes of a text.
    fn check(script: &str, text: &str, expected: &str) {
        let rules = read(script, false).unwrap_or_else(|wrong| panic!("{script}: {wrong:?}"));
        let mut editor = Editor { rules, quiet: false, line: 0, waiting: None, over: false };
        let mut out = Vec::new();
        for line in text.split_inclusive('\n') {
            if !editor.line(line.as_bytes(), &mut out) {
                break;
            }
        }
        editor.finish(false, &mut out);
        assert_eq!(String::from_utf8_lossy(&out), expected, "{script}");
    }

    #[test]
    fn lines_are_edited_as_sed_edits_them() {
        check("s/priority 100/priority 90/", "priority 100\nx\n", "priority 90\nx\n");
        check("s/a/<&>/g;2d", "aa\nb\nc\n", "<a><a>\nc\n");
        check("/vrrp_strict/d", "a\n   vrrp_strict\nb\n", "a\nb\n");
        check("s/\\(.*\\)=\\(.*\\)/\\2=\\1/", "k=v\n", "v=k\n");
        check("2,$d", "1\n2\n3\n", "1\n");
        check("/b/,/d/s/^/#/", "a\nb\nc\nd\ne\n", "a\n#b\n#c\n#d\ne\n");
        check("$!d", "1\n2\n", "2\n");
        check("2a after", "1\n2\n3\n", "1\n2\nafter\n3\n");
        check("1i before", "1\n", "before\n1\n");
        check("s#/a/b#/c#2", "/a/b /a/b\n", "/a/b /c\n");
        check("2q", "1\n2\n3\n", "1\n2\n");
    }

    #[test]
    fn what_is_no_script_is_refused_in_seds_words() {
        let wrong = |script: &str| read(script, false).err();
        assert_eq!(wrong("s/a"), Some(Wrong::Syntax("char 3: unterminated `s' command".into())));
        assert_eq!(wrong("k"), Some(Wrong::Syntax("char 1: unknown command: `k'".into())));
        assert_eq!(wrong("N"), Some(Wrong::NotModelled("N".into())));
    }
}
