//! Pieces of RON text with their places. A struct is read as the names and raw texts of its fields, and each field is
//! then read alone by its own type, so that one pass finds every unknown, double, missing and wrong field. Only an
//! unbalanced bracket or a broken literal stops the reader.
//!
//! The place of a raw value is its distance from the start of the text.
//!
//! # Not modelled
//! RON's extensions (`#![enable(…)]`): a scenario has no use for them.

use crate::problem::{Place, Problem, Problems, SourceFile, did_you_mean};
use ron::value::RawValue;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use sim_core::base::time::Duration;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// A value as it stands in the text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Piece<'a> {
    file: &'a Arc<SourceFile>,
    text: &'a str,
}

/// A struct's fields, each known and there once.
#[derive(Debug)]
pub(crate) struct Record<'a> {
    whole: Piece<'a>,
    fields: Vec<(String, Piece<'a>)>,
}

/// A string, and which octet of the file each of its parts came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// The string.
    pub text: String,
    place: Place,
    /// Where in the string a run of octets begins that stands in the file without a gap, and where in the file.
    runs: Vec<(usize, usize)>,
}

impl<'a> Piece<'a> {
    /// The whole of a text, or the problem that stops the reader.
    #[expect(clippy::result_large_err, reason = "read once a file; a problem is what the caller wants")]
    pub(crate) fn whole(file: &'a Arc<SourceFile>) -> Result<Self, Problem> {
        let text = file.text.as_str();
        if let Some(at) = too_deep(text) {
            let place = Place { file: Arc::clone(file), span: at..at + 1 };
            return Err(Problem::error(&place, "brackets are nested too deeply", format!("at most {DEPTH_MAX}")));
        }
        match ron::from_str::<&RawValue>(text) {
            Ok(raw) => Ok(Piece { file, text: raw.trim().get_ron() }),
            Err(error) => Err(syntax_problem(file, &error)),
        }
    }

    /// Its place in the file.
    pub(crate) fn place(&self) -> Place {
        let start = self.text.as_ptr().addr() - self.file.text.as_ptr().addr();
        Place { file: Arc::clone(self.file), span: start..start + self.text.len() }
    }

    /// The place for a message: of a long value only the first line.
    pub(crate) fn head(&self) -> Place {
        let place = self.place();
        let length = self.text.lines().next().map_or(0, str::len).min(60);
        let length = (0..=length).rev().find(|at| self.text.is_char_boundary(*at)).unwrap_or(0);
        Place { span: place.span.start..place.span.start + length, ..place }
    }

    /// Reads `(name: value, …)`, with or without a name before it. `what` names it in messages.
    pub(crate) fn record(self, what: &str, known: &[&str], problems: &mut Problems) -> Option<Record<'a>> {
        let text = self.text;
        let Ok(Fields(found)) = ron::from_str::<Fields>(text) else {
            problems.error(&self.head(), format!("{what} is written (name: value, …)"), "");
            return None;
        };
        let mut fields: Vec<(String, Piece<'a>)> = Vec::new();
        let mut end = 0;
        for (name, raw) in found {
            let value = Piece { file: self.file, text: raw.trim().get_ron() };
            let start = value.text.as_ptr().addr() - text.as_ptr().addr();
            let gap = &text[end..start];
            let at = end + gap.rfind(name.as_str()).unwrap_or(0);
            end = start + value.text.len();
            let base = self.place().span.start;
            let place = Place { file: Arc::clone(self.file), span: base + at..base + at + name.len() };
            if !known.contains(&name.as_str()) && problems.is_full() {
                problems.error(&place, "there is no such field", "");
            } else if !known.contains(&name.as_str()) {
                let problem = Problem::error(
                    &place,
                    format!("{what} has no field \"{name}\""),
                    did_you_mean(&name, known.iter().copied()),
                );
                problems.push(problem.note(format!("fields here: {}", known.join(", "))));
            } else if let Some((_, first)) = fields.iter().find(|(other, _)| *other == name) {
                problems.push(
                    Problem::error(&place, format!("\"{name}\" is written twice"), "and again here")
                        .related(&first.head(), "first here"),
                );
            } else {
                fields.push((name, value));
            }
        }
        Some(Record { whole: self, fields })
    }

    /// Reads `{ "key": value, … }`.
    pub(crate) fn entries(self, what: &str, problems: &mut Problems) -> Vec<(Text, Piece<'a>)> {
        let Ok(Entries(found)) = ron::from_str::<Entries>(self.text) else {
            problems.error(&self.head(), format!("{what} is written {{ \"name\": value, … }}"), "");
            return Vec::new();
        };
        let mut entries: Vec<(Text, Piece<'a>)> = Vec::new();
        let mut seen = std::collections::BTreeMap::new();
        for (key, value) in found {
            let key = Piece { file: self.file, text: key.trim().get_ron() };
            let value = Piece { file: self.file, text: value.trim().get_ron() };
            let Some(name) = key.string("the name", problems) else { continue };
            if let Some(first) = seen.get(&name.text) {
                let message = format!("\"{}\" is written twice", name.text);
                problems.push(Problem::error(&key.place(), message, "and again here").related(first, "first here"));
                continue;
            }
            seen.insert(name.text.clone(), key.place());
            entries.push((name, value));
        }
        entries
    }

    /// Reads `[value, …]`.
    pub(crate) fn items(self, what: &str, problems: &mut Problems) -> Vec<Piece<'a>> {
        match ron::from_str::<Vec<&RawValue>>(self.text) {
            Ok(items) => items.into_iter().map(|raw| Piece { file: self.file, text: raw.trim().get_ron() }).collect(),
            Err(_) => {
                problems.error(&self.head(), format!("{what} is written [value, …]"), "");
                Vec::new()
            }
        }
    }

    /// Whether it is a list.
    pub(crate) fn is_list(self) -> bool {
        self.text.starts_with('[')
    }

    /// Reads `(value, …)` of a tuple.
    pub(crate) fn tuple(self, what: &str, length: usize, problems: &mut Problems) -> Option<Vec<Piece<'a>>> {
        match ron::from_str::<Tuple>(self.text) {
            Ok(Tuple(items)) if items.len() == length => {
                Some(items.into_iter().map(|raw| Piece { file: self.file, text: raw.trim().get_ron() }).collect())
            }
            Ok(_) | Err(_) => {
                problems.error(&self.head(), format!("{what} has {length} values in (…)"), "");
                None
            }
        }
    }

    /// Splits `Name(…)` or `Name`: the name, its place, and what stands in the brackets, brackets included.
    pub(crate) fn variant(
        self,
        what: &str,
        known: &[&str],
        problems: &mut Problems,
    ) -> Option<(&'a str, Place, Option<Piece<'a>>)> {
        let length = self.text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(self.text.len());
        let (name, rest) = self.text.split_at(length);
        if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) || (name == "r" && !rest.is_empty()) {
            problems.push(
                Problem::error(&self.head(), format!("{what} begins with a name without quotes"), "")
                    .note(format!("one of {}", known.join(", "))),
            );
            return None;
        }
        let place = self.place();
        let place = Place { span: place.span.start..place.span.start + length, ..place };
        if !known.contains(&name) {
            problems.push(
                Problem::error(
                    &place,
                    format!("there is no {what} \"{name}\""),
                    did_you_mean(name, known.iter().copied()),
                )
                .note(format!("one of {}", known.join(", "))),
            );
            return None;
        }
        let rest = rest.find('(').map(|at| Piece { file: self.file, text: &rest[at..] });
        Some((name, place, rest))
    }

    /// Reads a string.
    pub(crate) fn string(self, what: &str, problems: &mut Problems) -> Option<Text> {
        match ron::from_str::<String>(self.text) {
            Ok(text) if text.contains('\0') => {
                problems.error(&self.head(), format!("{what} contains a zero octet"), "");
                None
            }
            Ok(text) => {
                let runs = runs(self.text, self.place().span.start, &text).unwrap_or_default();
                Some(Text { text, place: self.place(), runs })
            }
            Err(_) => {
                problems.error(&self.head(), format!("{what} is a string"), "write it in quotes: \"…\"");
                None
            }
        }
    }

    /// Reads a whole number of at most `max`.
    pub(crate) fn number(self, what: &str, max: u64, problems: &mut Problems) -> Option<u64> {
        match ron::from_str::<u64>(self.text) {
            Ok(number) if number <= max => Some(number),
            Ok(_) | Err(_) => {
                problems.error(
                    &self.head(),
                    format!("{what} is a whole number"),
                    format!("0 to {max}, without quotes"),
                );
                None
            }
        }
    }

    /// Reads a span of time: `"1.5s"`.
    pub(crate) fn duration(self, what: &str, problems: &mut Problems) -> Option<Duration> {
        let text = self.string(what, problems)?;
        let span = Duration::parse(&text.text);
        if span.is_none() {
            let hint = if text.text.trim().parse::<u64>().is_ok() {
                format!("with its unit: \"{}s\"", text.text.trim())
            } else {
                "write it like \"1.5s\", \"200ms\" or \"50us\"".to_string()
            };
            problems.error(&self.head(), format!("\"{}\" is not a time", text.text), hint);
        }
        span
    }
}

impl<'a> Record<'a> {
    /// The field's value, if it is there.
    pub(crate) fn get(&self, name: &str) -> Option<Piece<'a>> {
        self.fields.iter().find(|(field, _)| field == name).map(|(_, value)| *value)
    }

    /// The field's value, which must be there.
    pub(crate) fn need(&self, name: &str, what: &str, problems: &mut Problems) -> Option<Piece<'a>> {
        let value = self.get(name);
        if value.is_none() {
            problems.error(&self.whole.head(), format!("{what} lacks \"{name}\""), "");
        }
        value
    }

    /// The names of the fields that are there.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(|(name, _)| name.as_str())
    }

    /// The place of the whole.
    pub(crate) fn head(&self) -> Place {
        self.whole.head()
    }
}

impl Text {
    /// A whole file.
    pub(crate) fn of_file(file: &Arc<SourceFile>) -> Self {
        Text { text: file.text.clone(), place: Place::whole(file), runs: vec![(0, 0)] }
    }

    /// The place of the whole literal or file.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The place of some octets of the string.
    pub fn place_of(&self, range: Range<usize>) -> Place {
        let (Some(start), Some(end)) = (self.origin(range.start), self.origin(range.end.max(range.start + 1) - 1))
        else {
            return self.place.clone();
        };
        let mut end = (end + 1).min(self.place.span.end);
        while !self.place.file.text.is_char_boundary(end) {
            end += 1;
        }
        Place { file: Arc::clone(&self.place.file), span: start..end.max(start) }
    }

    /// The same with some octets replaced; their places are kept.
    pub(crate) fn replaced(&self, replacements: &[(Range<usize>, String)]) -> Self {
        let mut text = String::with_capacity(self.text.len());
        let mut runs = Vec::new();
        let mut from = 0;
        let copy = |text: &mut String, runs: &mut Vec<(usize, usize)>, range: Range<usize>| {
            let shift = text.len();
            if let Some(origin) = self.origin(range.start) {
                runs.push((shift, origin));
            }
            runs.extend(
                self.runs
                    .iter()
                    .filter(|(at, _)| range.contains(at))
                    .map(|(at, origin)| (at - range.start + shift, *origin)),
            );
            text.push_str(&self.text[range]);
        };
        for (range, new) in replacements {
            copy(&mut text, &mut runs, from..range.start);
            if let Some(origin) = self.origin(range.start) {
                runs.push((text.len(), origin));
            }
            text.push_str(new);
            from = range.end;
        }
        copy(&mut text, &mut runs, from..self.text.len());
        Text { text, place: self.place.clone(), runs }
    }

    fn origin(&self, at: usize) -> Option<usize> {
        let index = self.runs.partition_point(|(start, _)| *start <= at).checked_sub(1)?;
        let (start, origin) = self.runs[index];
        Some((origin + at - start).min(self.place.file.text.len()))
    }
}

/// Which parts of a string literal stand in it as they are: (octet of the string, octet of the file). None if the
/// literal is read otherwise than expected here; then its parts have the place of the whole.
fn runs(literal: &str, offset: usize, text: &str) -> Option<Vec<(usize, usize)>> {
    if let Some(raw) = literal.strip_prefix('r') {
        let begin = 1 + raw.find('"')? + 1;
        return literal[begin..].starts_with(text).then(|| vec![(0, offset + begin)]);
    }
    let mut runs = vec![(0, offset + 1)];
    let mut read = 0;
    let mut rest = literal.strip_prefix('"')?;
    while let Some(c) = rest.chars().next() {
        match c {
            '"' => return (read == text.len()).then_some(runs),
            '\\' => {
                let length = escape_length(rest)?;
                let continued = rest[1..].starts_with(['\n', '\r', ' ', '\t']);
                if !continued {
                    read += text.get(read..)?.chars().next()?.len_utf8();
                }
                rest = &rest[length..];
                runs.push((read, offset + literal.len() - rest.len()));
            }
            c => {
                if !text.get(read..)?.starts_with(c) {
                    return None;
                }
                read += c.len_utf8();
                rest = &rest[c.len_utf8()..];
            }
        }
    }
    None
}

/// Octets of the escape that `text` begins with.
fn escape_length(text: &str) -> Option<usize> {
    let kind = text.chars().nth(1)?;
    match kind {
        'x' => Some(4),
        'u' => Some(text.find('}')? + 1),
        '\n' | '\r' | ' ' | '\t' => Some(text.len() - text[1..].trim_start_matches(['\n', '\r', ' ', '\t']).len()),
        kind => Some(1 + kind.len_utf8()),
    }
}

/// A bracket that is nested deeper than any scenario needs, if there is one. Brackets in strings count too, which is
/// harmless: no shell text nests so many.
fn too_deep(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, octet) in text.bytes().enumerate() {
        match octet {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEPTH_MAX {
            return Some(at);
        }
    }
    None
}

/// How deep brackets may be nested.
const DEPTH_MAX: usize = 64;

/// What stopped RON's reader, in our words.
fn syntax_problem(file: &Arc<SourceFile>, error: &ron::error::SpannedError) -> Problem {
    use ron::Error as E;
    let start = offset_of(&file.text, error.span.start);
    let end = offset_of(&file.text, error.span.end);
    // RON says where it stood before and after; what is wrong stands at the end of that.
    let at = if end > start && !matches!(error.code, E::InvalidEscape(_)) { end } else { start };
    let next = file.text[at..].chars().next().map_or(0, char::len_utf8);
    let place = Place { file: Arc::clone(file), span: at..at + next };
    let (message, hint) = match &error.code {
        E::Eof if file.text.trim().is_empty() => ("the file is empty", "a scenario begins with Scenario( and a title"),
        E::Eof => ("the text ends in the middle of something", "is a bracket not closed?"),
        E::ExpectedComma => {
            ("a comma is missing before this", "or a value with letters in it is not in quotes: \"50us\"")
        }
        E::ExpectedMapColon => ("a name must be followed by ':' and a value", ""),
        E::ExpectedIdentifier => ("a field name is expected here", "names of fields are not in quotes"),
        E::ExpectedStringEnd => ("a string has no end", "its closing quote is missing"),
        E::ExpectedOptionEnd | E::ExpectedStructLikeEnd => ("a closing ')' is missing before this", ""),
        E::ExpectedMapEnd => ("a closing '}' is missing before this", ""),
        E::ExpectedArrayEnd => ("a closing ']' is missing before this", ""),
        E::UnclosedBlockComment => ("a comment /* has no end", ""),
        E::TrailingCharacters => ("something stands after the end of the scenario", "is a bracket closed too early?"),
        E::ExceededRecursionLimit => ("brackets are nested too deeply", ""),
        E::UnexpectedChar(c) => {
            return Problem::error(&place, format!("{c:?} cannot stand here"), pasted_hint(*c));
        }
        E::ExpectedRawValue | E::ExpectedAttribute | E::ExpectedAttributeEnd | E::NoSuchExtension(_) => {
            ("this is not a scenario", "it begins with Scenario(")
        }
        other => {
            let mut message = other.to_string();
            if let Some(first) = message.get(..1) {
                let first = first.to_lowercase();
                message.replace_range(..1, &first);
            }
            return Problem::error(&place, message, "");
        }
    };
    Problem::error(&place, message, hint)
}

/// What to write instead of a character that web pages put in.
fn pasted_hint(c: char) -> String {
    let instead = match c {
        '“' | '”' | '„' | '«' | '»' => "\"",
        '，' => ",",
        '：' => ":",
        '（' => "(",
        '）' => ")",
        '\u{a0}' | '\u{3000}' => "a space",
        _ => return String::new(),
    };
    format!("pasted from a web page? write {instead}")
}

fn offset_of(text: &str, position: ron::error::Position) -> usize {
    let start = text.split_inclusive('\n').take(position.line.saturating_sub(1)).map(str::len).sum::<usize>();
    let rest = &text[start.min(text.len())..];
    start + rest.char_indices().nth(position.col.saturating_sub(1)).map_or(rest.len(), |(at, _)| at)
}

/// The fields of a struct, in order, also those that are there twice.
struct Fields<'a>(Vec<(String, &'a RawValue)>);
/// The entries of a map, in order.
struct Entries<'a>(Vec<(&'a RawValue, &'a RawValue)>);
/// The values of a tuple, in order.
struct Tuple<'a>(Vec<&'a RawValue>);

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Fields<'de>;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("(name: value, …)")
            }
            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Fields(Vec::new()))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some(name) = map.next_key_seed(Name)? {
                    fields.push((name, map.next_value()?));
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

/// A field's name; a map's key, which is a string, is refused here.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = String;
    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        struct Reader;
        impl Visitor<'_> for Reader {
            type Value = String;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a name")
            }
            fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<String, E> {
                if name.len() > 200 { Err(E::custom("a name that long")) } else { Ok(name.to_string()) }
            }
        }
        deserializer.deserialize_identifier(Reader)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Entries<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Entries<'de>;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("{ \"name\": value, … }")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(Reader)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Tuple<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Tuple<'de>;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("(value, …)")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut values = Vec::new();
                while let Some(value) = seq.next_element()? {
                    if values.len() == 16 {
                        return Err(A::Error::custom("too many values"));
                    }
                    values.push(value);
                }
                Ok(Tuple(values))
            }
        }
        deserializer.deserialize_any(Reader)
    }
}
