//! Expansion: from a word's parts to the words a command gets. Nothing here waits: commands in `$(…)` have run.
//!
//! Order as in bash: parameters, arithmetic and slots; what is not quoted is split by `IFS`; then file names.

use super::super::parse::op::{Form, Name, Param, Part, ReplaceAt, Word};
use super::state::State;
use super::{arith, pattern};
use std::sync::Arc;

/// A word before file names are put in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Field {
    /// What it says.
    pub(super) text: String,
    /// The same as a pattern, if it has special characters that are not quoted.
    pub(super) pattern: Option<String>,
}

/// Why a word cannot be expanded, as bash says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trouble {
    pub(super) message: String,
    /// Whether a script ends by it (`${x:?}`, `set -u`).
    pub(super) fatal: bool,
}

impl State {
    /// The words of a command.
    pub(super) fn fields(&mut self, words: &[Word]) -> Result<Vec<Field>, Trouble> {
        let mut fields = Fields::default();
        for word in words {
            self.add(word, &mut fields)?;
            fields.close();
            if fields.octets > OCTETS_MAX {
                return Err(self.too_long());
            }
        }
        self.cost += (fields.octets / OCTETS_A_STEP) as u64;
        Ok(fields.done)
    }

    /// One word that is neither split nor globbed.
    pub(super) fn text(&mut self, word: &Word) -> Result<String, Trouble> {
        self.flat(word, false)
    }

    /// One word as a pattern: what is quoted stands for itself.
    pub(super) fn pattern(&mut self, word: &Word) -> Result<String, Trouble> {
        self.flat(word, true)
    }

    /// The value of an arithmetic expression.
    pub(super) fn arithmetic(&mut self, word: &Word) -> Result<i64, Trouble> {
        let text = self.text(word)?;
        arith::evaluate(&text, self).map_err(|message| Trouble { message, fatal: false })
    }

    fn flat(&mut self, word: &Word, as_pattern: bool) -> Result<String, Trouble> {
        let mut text = String::new();
        for part in word {
            let (piece, quoted): (Arc<str>, bool) = match part {
                Part::Text(piece, quoted) => (piece.clone(), *quoted),
                Part::Param(param, quoted) => match self.param(param)? {
                    Value::One(value) => (value, *quoted),
                    Value::Arguments(all) => (all.join(" ").into(), *quoted),
                    Value::Word(inner) => (self.flat(&inner, as_pattern)?.into(), false),
                },
                Part::Slot(slot, quoted) => (self.slot(*slot), *quoted),
                Part::Arith(inner, quoted) => (self.arithmetic(inner)?.to_string().into(), *quoted),
                Part::Home => (self.get("HOME").unwrap_or_else(|| "/root".into()), true),
            };
            if as_pattern && quoted {
                text.push_str(&pattern::quote(&piece));
            } else {
                text.push_str(&piece);
            }
            if text.len() > OCTETS_MAX {
                return Err(self.too_long());
            }
        }
        self.cost += (text.len() / OCTETS_A_STEP) as u64;
        Ok(text)
    }

    fn too_long(&mut self) -> Trouble {
        self.cost += (OCTETS_MAX / OCTETS_A_STEP) as u64;
        Trouble { message: "Argument list too long".into(), fatal: false }
    }

    /// Accounts for matching a pattern at every place of a value.
    fn search(&mut self, value: &str, pattern: &str) -> Result<(), Trouble> {
        let length = value.len() as u64;
        let tries = length.saturating_mul(length).saturating_mul(pattern.len() as u64);
        if tries > TRIES_MAX {
            return Err(Trouble { message: "the value is too long for a pattern".into(), fatal: false });
        }
        self.cost += tries / TRIES_A_STEP;
        Ok(())
    }

    fn add(&mut self, word: &Word, fields: &mut Fields) -> Result<(), Trouble> {
        for part in word {
            match part {
                Part::Text(text, true) => fields.quoted(text),
                Part::Text(text, false) => fields.literal(text),
                Part::Home => {
                    let home = self.get("HOME").unwrap_or_else(|| "/root".into());
                    fields.quoted(&home);
                }
                Part::Slot(slot, quoted) => {
                    let text = self.slot(*slot);
                    self.put(&text, *quoted, fields);
                }
                Part::Arith(inner, quoted) => {
                    let number = self.arithmetic(inner)?.to_string();
                    self.put(&number, *quoted, fields);
                }
                Part::Param(param, quoted) => match self.param(param)? {
                    Value::One(text) => self.put(&text, *quoted, fields),
                    Value::Word(inner) if *quoted => {
                        let text = self.text(&inner)?;
                        fields.quoted(&text);
                    }
                    Value::Word(inner) => self.add(&inner, fields)?,
                    Value::Arguments(all) => self.arguments(&all, *quoted, fields),
                },
            }
            if fields.octets > OCTETS_MAX {
                return Err(self.too_long());
            }
        }
        Ok(())
    }

    /// `"$@"` is as many words as there are arguments, none if there are none.
    fn arguments(&self, all: &[Arc<str>], quoted: bool, fields: &mut Fields) {
        if all.is_empty() && quoted {
            fields.nothing();
        }
        for (index, argument) in all.iter().enumerate() {
            if index > 0 {
                fields.close();
            }
            self.put(argument, quoted, fields);
        }
    }

    fn put(&self, text: &str, quoted: bool, fields: &mut Fields) {
        if quoted {
            fields.quoted(text);
        } else {
            let separators = self.get("IFS").unwrap_or_else(|| " \t\n".into());
            fields.split(text, &separators);
        }
    }

    fn slot(&self, slot: u16) -> Arc<str> {
        self.slots.get(&slot).cloned().unwrap_or_else(|| "".into())
    }

    fn param(&mut self, param: &Param) -> Result<Value, Trouble> {
        let raw = self.value(&param.name);
        let shown = || match &param.name {
            Name::Variable(name) => name.to_string(),
            Name::Argument(number) => number.to_string(),
            Name::Arguments => "@".into(),
            Name::Joined => "*".into(),
            Name::Count => "#".into(),
            Name::Status => "?".into(),
            Name::Pid => "$".into(),
            Name::Background => "!".into(),
            Name::Script => "0".into(),
            Name::Flags => "-".into(),
        };
        let is_list = matches!(param.name, Name::Arguments);
        let some = |null: bool| raw.as_ref().is_some_and(|value| !null || !value.is_empty());
        Ok(match &param.form {
            Form::Plain if is_list => Value::Arguments(self.arguments.clone()),
            Form::Plain => match raw {
                Some(value) => Value::One(value),
                None if self.options.stop_on_unset && param.name != Name::Joined => {
                    return Err(Trouble { message: format!("{}: unbound variable", shown()), fatal: true });
                }
                None => Value::One("".into()),
            },
            Form::Default { null, word } => match some(*null) {
                true if is_list => Value::Arguments(self.arguments.clone()),
                true => Value::One(raw.unwrap_or_else(|| "".into())),
                false => Value::Word(word.clone()),
            },
            Form::Assign { null, word } => {
                if some(*null) {
                    return Ok(Value::One(raw.unwrap_or_else(|| "".into())));
                }
                let value = self.text(word)?;
                let Name::Variable(name) = &param.name else {
                    return Err(Trouble { message: format!("${}: cannot assign in this way", shown()), fatal: true });
                };
                self.set(name, value.as_str()).map_err(|message| Trouble { message, fatal: true })?;
                Value::One(value.into())
            }
            Form::Error { null, word } => {
                if some(*null) {
                    return Ok(Value::One(raw.unwrap_or_else(|| "".into())));
                }
                let mut message = self.text(word)?;
                if message.is_empty() {
                    message = if *null { "parameter null or not set" } else { "parameter not set" }.into();
                }
                return Err(Trouble { message: format!("{}: {message}", shown()), fatal: true });
            }
            Form::Alternative { null, word } => match some(*null) {
                true => Value::Word(word.clone()),
                false => Value::One("".into()),
            },
            Form::Length if is_list || param.name == Name::Joined => {
                Value::One(self.arguments.len().to_string().into())
            }
            Form::Length => Value::One(raw.unwrap_or_else(|| "".into()).chars().count().to_string().into()),
            Form::CutEnd { longest, pattern } => {
                let pattern = self.pattern(pattern)?;
                let value = raw.unwrap_or_else(|| "".into());
                self.search(&value, &pattern)?;
                Value::One(cut_end(&value, &pattern, *longest).into())
            }
            Form::CutStart { longest, pattern } => {
                let pattern = self.pattern(pattern)?;
                let value = raw.unwrap_or_else(|| "".into());
                self.search(&value, &pattern)?;
                let end = pattern::match_at(&pattern, &value, 0, *longest).unwrap_or(0);
                Value::One(value[end..].into())
            }
            Form::Substring { offset, length } => {
                let value: Vec<char> = raw.unwrap_or_else(|| "".into()).chars().collect();
                let size = value.len() as i64;
                let mut start = self.arithmetic(offset)?;
                if start < 0 {
                    start += size;
                }
                let start = start.clamp(0, size);
                let end = match length {
                    None => size,
                    Some(length) => match self.arithmetic(length)? {
                        length if length < 0 => size + length,
                        length => start.saturating_add(length),
                    },
                };
                let end = end.clamp(start, size);
                Value::One(value[start as usize..end as usize].iter().collect::<String>().into())
            }
            Form::Replace { pattern, with, at } => {
                let pattern = self.pattern(pattern)?;
                let with = self.text(with)?;
                let value = raw.unwrap_or_else(|| "".into());
                // Each place is tried with every length.
                self.search(&value, &pattern.repeat(1 + value.len() / 16))?;
                Value::One(replace(&value, &pattern, &with, *at).into())
            }
            Form::Upper => Value::One(raw.unwrap_or_else(|| "".into()).to_uppercase().into()),
            Form::Lower => Value::One(raw.unwrap_or_else(|| "".into()).to_lowercase().into()),
        })
    }

    fn value(&self, name: &Name) -> Option<Arc<str>> {
        match name {
            Name::Variable(name) => self.get(name),
            Name::Argument(number) => self.arguments.get(*number as usize - 1).cloned(),
            Name::Arguments | Name::Joined => (!self.arguments.is_empty()).then(|| self.arguments.join(" ").into()),
            Name::Count => Some(self.arguments.len().to_string().into()),
            Name::Status => Some(self.status.to_string().into()),
            Name::Pid => Some(self.pid.map_or_else(|| "0".into(), |pid| pid.0.to_string().into())),
            Name::Background => self.background.map(|pid| pid.0.to_string().into()),
            Name::Script => Some(self.name.clone()),
            Name::Flags => Some("hB".into()),
        }
    }
}

impl arith::Variables for State {
    fn get(&self, name: &str) -> Option<String> {
        State::get(self, name).map(|value| value.to_string())
    }

    fn set(&mut self, name: &str, value: String) {
        // A read-only variable keeps its value; bash says so only for plain assignments.
        let _ = State::set(self, name, value);
    }
}

/// What a parameter stands for.
enum Value {
    One(Arc<str>),
    Arguments(Vec<Arc<str>>),
    Word(Word),
}

/// Words under construction.
#[derive(Debug, Default)]
struct Fields {
    done: Vec<Field>,
    text: String,
    pattern: String,
    special: bool,
    /// There is a word even if it is empty.
    open: bool,
    octets: usize,
}

impl Fields {
    fn quoted(&mut self, text: &str) {
        self.text.push_str(text);
        self.pattern.push_str(&pattern::quote(text));
        self.open = true;
        self.octets += text.len();
    }

    fn literal(&mut self, text: &str) {
        self.text.push_str(text);
        self.pattern.push_str(text);
        self.special |= text.contains(['*', '?', '[']);
        self.open |= !text.is_empty();
        self.octets += text.len();
    }

    /// `"$@"` without arguments takes the word away, unless something stands beside it.
    fn nothing(&mut self) {
        self.open = !self.text.is_empty();
    }

    fn split(&mut self, text: &str, separators: &str) {
        let mut start = 0;
        let mut after_mark = false;
        for (at, character) in text.char_indices() {
            if !separators.contains(character) {
                continue;
            }
            self.literal(&text[start..at]);
            start = at + character.len_utf8();
            let blank = character.is_whitespace();
            // A mark such as `:` ends a word even if the word is empty; blanks beside it add nothing.
            if !blank && !self.open && (after_mark || at == 0) {
                self.open = true;
            }
            after_mark = !blank || (after_mark && self.text.is_empty());
            self.close();
        }
        self.literal(&text[start..]);
    }

    fn close(&mut self) {
        if self.open {
            let text = std::mem::take(&mut self.text);
            let pattern = std::mem::take(&mut self.pattern);
            let pattern = (self.special && pattern::is_special(&pattern)).then_some(pattern);
            self.done.push(Field { text, pattern });
        }
        self.text.clear();
        self.pattern.clear();
        self.special = false;
        self.open = false;
    }
}

fn cut_end<'t>(value: &'t str, pattern: &str, longest: bool) -> &'t str {
    let mut starts: Vec<usize> = value.char_indices().map(|(at, _)| at).chain([value.len()]).collect();
    if !longest {
        starts.reverse();
    }
    let found = starts.into_iter().find(|start| pattern::matches(pattern, &value[*start..]));
    &value[..found.unwrap_or(value.len())]
}

fn replace(value: &str, pattern: &str, with: &str, at: ReplaceAt) -> String {
    if pattern.is_empty() {
        return value.to_owned();
    }
    match at {
        ReplaceAt::Start => match pattern::match_at(pattern, value, 0, true) {
            Some(end) => format!("{with}{}", &value[end..]),
            None => value.to_owned(),
        },
        ReplaceAt::End => {
            let kept = cut_end(value, pattern, true);
            if kept.len() == value.len() { value.to_owned() } else { format!("{kept}{with}") }
        }
        ReplaceAt::First | ReplaceAt::All => {
            let mut out = String::new();
            let mut from = 0;
            let mut done = false;
            while let Some(character) = value[from..].chars().next() {
                let end = (!done).then(|| pattern::match_at(pattern, value, from, true));
                match end.flatten() {
                    Some(end) if end > from => {
                        out.push_str(with);
                        from = end;
                        done = at == ReplaceAt::First;
                    }
                    _ => {
                        out.push(character);
                        from += character.len_utf8();
                    }
                }
                if out.len() > OCTETS_MAX {
                    break;
                }
            }
            out
        }
    }
}

const OCTETS_MAX: usize = 1024 * 1024;
/// A step of the budget pays for so many octets.
const OCTETS_A_STEP: usize = 256;
/// A step of the budget pays for so many comparisons of characters.
const TRIES_A_STEP: u64 = 4_096;
/// Comparisons for one expansion.
const TRIES_MAX: u64 = 100_000_000;
