//! Words: from the library's pieces to parts that can be expanded without waiting. A `$(…)` becomes a child that runs
//! before its command and fills a slot.

use super::lower::{Lowerer, Place};
use super::op::{ForkKind, Form, Name, Param, Part, ReplaceAt, Word};
use super::source::{Characters, Raw};
use brush_parser::ParserOptions;
use brush_parser::ast;
use brush_parser::word::{
    BraceExpressionMember, BraceExpressionOrText, Parameter, ParameterExpr, ParameterTestType, SpecialParameter,
    SubstringMatchKind, TildeExpr, WordPiece, WordPieceWithSource,
};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// The library takes a multiple of the time for every brace that is open.
const OPEN_BRACES_MAX: usize = 6;

impl Lowerer<'_> {
    /// A word that stays one word: an assignment's value, a file, a pattern.
    pub(super) fn word(&mut self, word: &ast::Word) -> Word {
        let span = self.span(word.loc.clone());
        self.text_word(&word.value, span)
    }

    /// A word of a command, whose braces (`{1..3}`) may make several of it.
    pub(super) fn words(&mut self, word: &ast::Word, span: Range<usize>) -> Vec<Word> {
        self.no_extended_pattern(&word.value, &span);
        if !word.value.contains('{') {
            return vec![self.text_word(&word.value, span)];
        }
        if open_braces(&word.value, true) > OPEN_BRACES_MAX {
            if open_braces(&word.value, false) == 0 {
                return vec![self.text_word(&word.value, span)];
            }
            self.refuse(span, "more than 6 braces open at once", "write the words out, or quote the braces");
            return Vec::new();
        }
        let read = catch_unwind(AssertUnwindSafe(|| {
            brush_parser::word::parse_brace_expansions(&word.value, &ParserOptions::default())
        }));
        let Ok(Ok(Some(pieces))) = read else { return vec![self.text_word(&word.value, span)] };
        let mut texts = vec![String::new()];
        if !append_pieces(&mut texts, &pieces) {
            self.refuse(span, "braces that make more than 4096 words", "use seq or a loop");
            return Vec::new();
        }
        texts.iter().map(|text| self.text_word(text, span.clone())).collect()
    }

    /// A word that is matched against: `case`, `[[ x == … ]]`.
    pub(super) fn matched(&mut self, word: &ast::Word) -> Word {
        let span = self.span(word.loc.clone());
        self.no_extended_pattern(&word.value, &span);
        self.text_word(&word.value, span)
    }

    /// `@(a|b)` would be taken for text.
    fn no_extended_pattern(&mut self, text: &str, span: &Range<usize>) {
        let mut quote = None;
        let mut before = ' ';
        for character in text.chars() {
            match (quote, character) {
                (None, '\'' | '"' | '`') => quote = Some(character),
                (Some(open), close) if open == close && before != '\\' => quote = None,
                (None, '(') if matches!(before, '@' | '!' | '?' | '+' | '*') => {
                    self.refuse(span.clone(), "patterns such as @(a|b) are not modelled", "use case a|b)");
                    return;
                }
                // What is inside $( ) and ${ } is looked at when it is read itself.
                (None, '$') => return,
                _ => {}
            }
            before = character;
        }
    }

    /// The text of `<< EOF`.
    pub(super) fn here_document(&mut self, document: &ast::IoHereDocument, whole: &Range<usize>) -> Word {
        let text = match document.remove_tabs {
            true => document.doc.value.split_inclusive('\n').map(|line| line.trim_start_matches('\t')).collect(),
            false => document.doc.value.clone(),
        };
        if text.len() > HERE_MAX {
            self.refuse(whole.clone(), "a << text of more than 60 KiB", "put it into a file of the host");
        }
        if !document.requires_expansion {
            return Box::new([Part::Text(text.into(), true)]);
        }
        let read =
            catch_unwind(AssertUnwindSafe(|| brush_parser::word::parse_heredoc(&text, &ParserOptions::default())));
        match read {
            Ok(Ok(pieces)) => self.pieces(&pieces, true, whole, &text),
            _ => self.unreadable(&text, whole),
        }
    }

    /// The text between `((` and `))`; its value is computed when it is expanded.
    pub(super) fn arithmetic_word(&mut self, expression: &str, span: Range<usize>) -> Word {
        self.text_word(expression.trim(), span)
    }

    fn text_word(&mut self, text: &str, span: Range<usize>) -> Word {
        let plain = |c: char| !matches!(c, '\'' | '"' | '$' | '`' | '\\' | '~');
        if text.chars().all(plain) {
            return Box::new([Part::Text(text.into(), false)]);
        }
        let read = catch_unwind(AssertUnwindSafe(|| brush_parser::word::parse(text, &ParserOptions::default())));
        match read {
            Ok(Ok(pieces)) => self.pieces(&pieces, false, &span, text),
            _ => self.unreadable(text, &span),
        }
    }

    fn unreadable(&mut self, text: &str, span: &Range<usize>) -> Word {
        self.refuse(span.clone(), &format!("cannot read the word {text}"), "is a quote or a bracket missing?");
        Box::default()
    }

    fn pieces(&mut self, pieces: &[WordPieceWithSource], quoted: bool, span: &Range<usize>, text: &str) -> Word {
        let mut parts = Vec::with_capacity(pieces.len());
        for piece in pieces {
            self.piece(piece, quoted, span, text, &mut parts);
        }
        parts.into()
    }

    fn piece(
        &mut self,
        piece: &WordPieceWithSource,
        quoted: bool,
        span: &Range<usize>,
        text: &str,
        parts: &mut Vec<Part>,
    ) {
        match &piece.piece {
            WordPiece::Text(text) => parts.push(Part::Text(text.as_str().into(), quoted)),
            WordPiece::SingleQuotedText(text) => parts.push(Part::Text(text.as_str().into(), true)),
            WordPiece::AnsiCQuotedText(text) => {
                parts.push(Part::Text(crate::shell::run::escape::ansi_c(text).into(), true));
            }
            WordPiece::DoubleQuotedSequence(inner) | WordPiece::GettextDoubleQuotedSequence(inner) => {
                // An empty pair of quotes is a word.
                parts.push(Part::Text("".into(), true));
                for piece in inner {
                    self.piece(piece, true, span, text, parts);
                }
            }
            WordPiece::EscapeSequence(text) => {
                let escaped = text.strip_prefix('\\').unwrap_or(text);
                if escaped != "\n" {
                    parts.push(Part::Text(escaped.into(), true));
                }
            }
            WordPiece::TildeExpansion(TildeExpr::Home) => parts.push(Part::Home),
            WordPiece::TildeExpansion(TildeExpr::UserHome(user)) if user == "root" => parts.push(Part::Home),
            WordPiece::TildeExpansion(_) => self.refuse(span.clone(), "only ~ is modelled", "write the whole path"),
            WordPiece::ParameterExpansion(expression) => {
                if let Some(param) = self.param(expression, span) {
                    parts.push(Part::Param(Box::new(param), quoted));
                }
            }
            WordPiece::CommandSubstitution(command) => {
                // `$(` stands in front of the command, if the word stands in the text as it is.
                let inner = span.start + piece.start_index + 2;
                let exact = self.place.fixed.is_none() && self.is_at(span.start, text);
                let slot = self.substitution(command, exact.then_some(inner), span);
                parts.push(Part::Slot(slot, quoted));
            }
            WordPiece::BackquotedCommandSubstitution(command) => {
                let slot = self.substitution(&unescape_backquotes(command), None, span);
                parts.push(Part::Slot(slot, quoted));
            }
            WordPiece::ArithmeticExpression(expression) => {
                let word = self.arithmetic_word(&expression.value, span.clone());
                parts.push(Part::Arith(word, quoted));
            }
        }
    }

    /// Lowers `$(command)` to a child; the slot that gets what it writes.
    fn substitution(&mut self, command: &str, exact: Option<usize>, span: &Range<usize>) -> u16 {
        let slot = self.new_slot();
        if self.depth >= DEPTH_MAX {
            self.refuse(span.clone(), "nested too deeply for the lab's shell", "use a variable");
            return slot;
        }
        let list = match super::program(command) {
            Ok(program) => program.complete_commands,
            Err(raw) => {
                let place = exact.map_or(span.clone(), |base| raw.span.start + base..raw.span.end + base);
                self.problem(Raw { span: place, ..raw });
                return slot;
            }
        };
        let inside = Place {
            base: exact.unwrap_or(span.start),
            characters: Characters::new(command),
            fixed: exact.is_none().then(|| span.clone()),
        };
        let outside = std::mem::replace(&mut self.place, inside);
        self.depth += 1;
        let entry = self.range(|lowerer| {
            for list in &list {
                lowerer.list(list);
            }
        });
        self.depth -= 1;
        self.place = outside;
        self.fork(vec![(entry, "bash".into())], ForkKind::Slot(slot));
        slot
    }

    fn param(&mut self, expression: &ParameterExpr, span: &Range<usize>) -> Option<Param> {
        let (parameter, indirect) = parameter_of(expression)?;
        if let Parameter::Named(name) = parameter
            && SPECIAL.contains(&name.as_str())
        {
            self.refuse(
                span.clone(),
                &format!("bash's own variable ${name} is not modelled"),
                "give it a value by a name of yours",
            );
            return None;
        }
        let name = name_of(parameter);
        let (Some(name), false) = (name, indirect) else {
            self.refuse(span.clone(), "arrays and ${!x} are not modelled", "use a plain variable");
            return None;
        };
        let null = |kind: &ParameterTestType| matches!(kind, ParameterTestType::UnsetOrNull);
        let mut word = |text: &Option<String>| self.inner_word(text.as_deref().unwrap_or(""), span);
        let form = match expression {
            ParameterExpr::Parameter { .. } => Form::Plain,
            ParameterExpr::UseDefaultValues { test_type, default_value, .. } => {
                Form::Default { null: null(test_type), word: word(default_value) }
            }
            ParameterExpr::AssignDefaultValues { test_type, default_value, .. } => {
                Form::Assign { null: null(test_type), word: word(default_value) }
            }
            ParameterExpr::IndicateErrorIfNullOrUnset { test_type, error_message, .. } => {
                Form::Error { null: null(test_type), word: word(error_message) }
            }
            ParameterExpr::UseAlternativeValue { test_type, alternative_value, .. } => {
                Form::Alternative { null: null(test_type), word: word(alternative_value) }
            }
            ParameterExpr::ParameterLength { .. } => Form::Length,
            ParameterExpr::RemoveSmallestSuffixPattern { pattern, .. } => {
                Form::CutEnd { longest: false, pattern: word(pattern) }
            }
            ParameterExpr::RemoveLargestSuffixPattern { pattern, .. } => {
                Form::CutEnd { longest: true, pattern: word(pattern) }
            }
            ParameterExpr::RemoveSmallestPrefixPattern { pattern, .. } => {
                Form::CutStart { longest: false, pattern: word(pattern) }
            }
            ParameterExpr::RemoveLargestPrefixPattern { pattern, .. } => {
                Form::CutStart { longest: true, pattern: word(pattern) }
            }
            ParameterExpr::Substring { offset, length, .. } => {
                let offset = self.inner_word(&offset.value, span);
                let length = length.as_ref().map(|length| self.inner_word(&length.value, span));
                Form::Substring { offset, length }
            }
            ParameterExpr::ReplaceSubstring { pattern, replacement, match_kind, .. } => {
                let at = match match_kind {
                    SubstringMatchKind::Prefix => ReplaceAt::Start,
                    SubstringMatchKind::Suffix => ReplaceAt::End,
                    SubstringMatchKind::FirstOccurrence => ReplaceAt::First,
                    SubstringMatchKind::Anywhere => ReplaceAt::All,
                };
                Form::Replace {
                    pattern: self.inner_word(pattern, span),
                    with: self.inner_word(replacement.as_deref().unwrap_or(""), span),
                    at,
                }
            }
            ParameterExpr::UppercasePattern { pattern, .. } if no_pattern(pattern) => Form::Upper,
            ParameterExpr::LowercasePattern { pattern, .. } if no_pattern(pattern) => Form::Lower,
            ParameterExpr::UppercasePattern { .. }
            | ParameterExpr::LowercasePattern { .. }
            | ParameterExpr::UppercaseFirstChar { .. }
            | ParameterExpr::LowercaseFirstChar { .. }
            | ParameterExpr::Transform { .. }
            | ParameterExpr::VariableNames { .. }
            | ParameterExpr::MemberKeys { .. } => {
                self.refuse(span.clone(), "this form of ${…} is not modelled", "${x:-y} ${x%y} ${x#y} ${x/y/z} are");
                return None;
            }
        };
        Some(Param { name, form })
    }

    /// A word inside `${x:-word}`: it is expanded only if it is needed, so no command may run in it.
    fn inner_word(&mut self, text: &str, span: &Range<usize>) -> Word {
        if text.contains("$(") && !text.contains("$((") || text.contains('`') {
            self.refuse(span.clone(), "a command inside ${…} is not modelled", "run it before: y=$(command)");
            return Box::default();
        }
        self.depth += 1;
        let word = match self.depth > DEPTH_MAX {
            true => self.unreadable(text, span),
            false => self.text_word(text, span.clone()),
        };
        self.depth -= 1;
        word
    }
}

/// Puts braces in: every text so far goes on with every alternative. False if there would be too many.
fn append_pieces(texts: &mut Vec<String>, pieces: &[BraceExpressionOrText]) -> bool {
    for piece in pieces {
        let alternatives = match piece {
            BraceExpressionOrText::Text(text) => vec![text.clone()],
            BraceExpressionOrText::Expr(members) => {
                let mut all = Vec::new();
                for member in members {
                    if !append_member(&mut all, member) || all.len() > WORDS_MAX {
                        return false;
                    }
                }
                all
            }
        };
        if texts.len() * alternatives.len() > WORDS_MAX {
            return false;
        }
        *texts = texts
            .iter()
            .flat_map(|text| alternatives.iter().map(move |alternative| format!("{text}{alternative}")))
            .collect();
    }
    true
}

fn append_member(all: &mut Vec<String>, member: &BraceExpressionMember) -> bool {
    match member {
        BraceExpressionMember::NumberSequence { start, end, increment } => {
            let step = increment.unsigned_abs().max(1);
            let count = start.abs_diff(*end) / step;
            if count > WORDS_MAX as u64 {
                return false;
            }
            let sign = if start <= end { 1 } else { -1 };
            all.extend((0..=count).map(|n| (start + sign * (n * step) as i64).to_string()));
        }
        BraceExpressionMember::CharSequence { start, end, increment } => {
            let step = increment.unsigned_abs().clamp(1, 255) as u32;
            let (from, to) = (u32::from(*start), u32::from(*end));
            let count = from.abs_diff(to) / step;
            let at = |n: u32| if from <= to { from + n * step } else { from - n * step };
            all.extend((0..=count).filter_map(|n| char::from_u32(at(n))).map(String::from));
        }
        BraceExpressionMember::Child(pieces) => {
            let mut texts = vec![String::new()];
            if !append_pieces(&mut texts, pieces) {
                return false;
            }
            all.extend(texts);
        }
    }
    true
}

fn parameter_of(expression: &ParameterExpr) -> Option<(&Parameter, bool)> {
    Some(match expression {
        ParameterExpr::Parameter { parameter, indirect }
        | ParameterExpr::UseDefaultValues { parameter, indirect, .. }
        | ParameterExpr::AssignDefaultValues { parameter, indirect, .. }
        | ParameterExpr::IndicateErrorIfNullOrUnset { parameter, indirect, .. }
        | ParameterExpr::UseAlternativeValue { parameter, indirect, .. }
        | ParameterExpr::ParameterLength { parameter, indirect }
        | ParameterExpr::RemoveSmallestSuffixPattern { parameter, indirect, .. }
        | ParameterExpr::RemoveLargestSuffixPattern { parameter, indirect, .. }
        | ParameterExpr::RemoveSmallestPrefixPattern { parameter, indirect, .. }
        | ParameterExpr::RemoveLargestPrefixPattern { parameter, indirect, .. }
        | ParameterExpr::Substring { parameter, indirect, .. }
        | ParameterExpr::Transform { parameter, indirect, .. }
        | ParameterExpr::UppercaseFirstChar { parameter, indirect, .. }
        | ParameterExpr::UppercasePattern { parameter, indirect, .. }
        | ParameterExpr::LowercaseFirstChar { parameter, indirect, .. }
        | ParameterExpr::LowercasePattern { parameter, indirect, .. }
        | ParameterExpr::ReplaceSubstring { parameter, indirect, .. } => (parameter, *indirect),
        // `${!x*}` is refused by way of a name that cannot be one.
        ParameterExpr::VariableNames { .. } | ParameterExpr::MemberKeys { .. } => (&NO_NAME, true),
    })
}

fn no_pattern(pattern: &Option<String>) -> bool {
    pattern.as_ref().is_none_or(String::is_empty)
}

/// Variables that bash itself fills in, which a script would find empty here.
const SPECIAL: &[&str] =
    &["RANDOM", "SRANDOM", "PIPESTATUS", "BASH_SOURCE", "BASH_LINENO", "FUNCNAME", "EPOCHREALTIME", "BASHPID"];

static NO_NAME: Parameter = Parameter::Positional(u32::MAX);

fn name_of(parameter: &Parameter) -> Option<Name> {
    Some(match parameter {
        Parameter::Positional(0) | Parameter::Special(SpecialParameter::ShellName) => Name::Script,
        Parameter::Positional(number) => Name::Argument(*number),
        Parameter::Special(SpecialParameter::AllPositionalParameters { concatenate: false }) => Name::Arguments,
        Parameter::Special(SpecialParameter::AllPositionalParameters { concatenate: true }) => Name::Joined,
        Parameter::Special(SpecialParameter::PositionalParameterCount) => Name::Count,
        Parameter::Special(SpecialParameter::LastExitStatus) => Name::Status,
        Parameter::Special(SpecialParameter::CurrentOptionFlags) => Name::Flags,
        Parameter::Special(SpecialParameter::ProcessId) => Name::Pid,
        Parameter::Special(SpecialParameter::LastBackgroundProcessId) => Name::Background,
        Parameter::Named(name) => Name::Variable(Arc::from(name.as_str())),
        Parameter::NamedWithIndex { .. } | Parameter::NamedWithAllIndices { .. } => return None,
    })
}

/// Between backquotes, a backslash before `` ` ``, `$` and `\` is taken off before the command is read.
fn unescape_backquotes(command: &str) -> String {
    let mut text = String::with_capacity(command.len());
    let mut characters = command.chars().peekable();
    while let Some(character) = characters.next() {
        match (character, characters.peek()) {
            ('\\', Some('`' | '$' | '\\')) => text.extend(characters.next()),
            _ => text.push(character),
        }
    }
    text
}

const WORDS_MAX: usize = 4096;
const DEPTH_MAX: u32 = 10;
const HERE_MAX: usize = 60 * 1024;

/// How many braces are open at once, at most; with those between quotes or without.
fn open_braces(text: &str, with_quoted: bool) -> usize {
    let (mut open, mut most) = (0_usize, 0);
    let mut quote = None;
    for character in text.chars() {
        match (quote, character) {
            (None, '\'' | '"') => quote = Some(character),
            (Some(begun), ended) if begun == ended => quote = None,
            (Some(_), _) if !with_quoted => {}
            (_, '{') => open += 1,
            (_, '}') => open = open.saturating_sub(1),
            _ => {}
        }
        most = most.max(open);
    }
    most
}
