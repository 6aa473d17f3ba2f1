//! The words of a filter with their places. Not what they mean.

use super::FilterError;
use std::ops::Range;
use winnow::LocatingSlice;
use winnow::ascii::multispace0;
use winnow::combinator::{alt, cut_err, delimited, dispatch, fail, peek, repeat};
use winnow::error::{ContextError, ErrMode};
use winnow::prelude::*;
use winnow::token::{any, take_while};

/// A word and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) place: Range<usize>,
}

/// What a word looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// A name, a number, an address, an operator in letters.
    Word(String),
    /// Text in quotes, without them.
    Quoted(String),
    /// `==`, `(` and so on.
    Sign(&'static str),
}

/// Longest first, so that `<=` is not read as `<`.
const SIGNS: [&str; 16] = ["==", "!=", "<=", ">=", "&&", "||", "<", ">", "!", "(", ")", "{", "}", ",", "[", "="];

type Input<'a> = LocatingSlice<&'a str>;
type Failure = ErrMode<ContextError>;

/// Takes a text apart.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, FilterError> {
    let mut input = LocatingSlice::new(text);
    let read: Result<Vec<Token>, Failure> =
        repeat(0.., delimited(multispace0, token, multispace0)).parse_next(&mut input);
    let rest = winnow::stream::Location::current_token_start(&input);
    let bad = match read {
        Ok(tokens) if text[rest..].trim().is_empty() => return Ok(tokens),
        Ok(_) | Err(_) => rest + text[rest..].find(|c: char| !c.is_whitespace()).unwrap_or(0),
    };
    let found = text[bad..].chars().next();
    let end = bad + found.map_or(0, char::len_utf8);
    let (message, hint) = match found {
        Some('"' | '\'') => ("a quotation mark is not closed".to_string(), None),
        Some(c @ ('“' | '”' | '‘' | '’' | '«' | '»')) => {
            (format!("{c} is not a quotation mark here"), Some("write \"".to_string()))
        }
        Some(c) => (format!("{c:?} has no place in a filter"), None),
        None => ("the filter ends too early".to_string(), None),
    };
    Err(FilterError { start: bad, end, message, hint })
}

fn token(input: &mut Input<'_>) -> Result<Token, Failure> {
    let kind = dispatch! { peek(any);
        '"' | '\'' => quoted.map(TokenKind::Quoted),
        '=' | '!' | '<' | '>' | '&' | '|' | '(' | ')' | '{' | '}' | ',' | '[' => sign.map(TokenKind::Sign),
        c if is_word(c) => take_while(1.., is_word).map(|word: &str| TokenKind::Word(word.to_string())),
        _ => fail,
    };
    kind.with_span().map(|(kind, place)| Token { kind, place }).parse_next(input)
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | ':' | '/' | '#' | ']')
}

fn sign(input: &mut Input<'_>) -> Result<&'static str, Failure> {
    let rest = *input.as_ref();
    let found =
        SIGNS.into_iter().find(|sign| rest.starts_with(sign)).ok_or_else(|| ErrMode::Backtrack(ContextError::new()))?;
    winnow::token::take(found.len()).map(|_: &str| found).parse_next(input)
}

/// `"…"` or `'…'` with `\"`, `\\` inside.
fn quoted(input: &mut Input<'_>) -> Result<String, Failure> {
    let start = *input;
    let quote = any.parse_next(input)?;
    let inside = move |c: char| c != quote && c != '\\';
    let escaped = ('\\', any).map(|(_, c): (char, char)| c.to_string());
    let plain = take_while(1.., inside).map(|text: &str| text.to_string());
    let parts: Vec<String> = repeat(0.., alt((plain, escaped))).parse_next(input)?;
    let closing: Result<char, Failure> = cut_err(quote).parse_next(input);
    if let Err(failure) = closing {
        *input = start;
        return Err(failure);
    }
    Ok(parts.concat())
}
