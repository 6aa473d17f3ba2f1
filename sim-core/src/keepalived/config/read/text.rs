//! One line of text: what is comment, where words begin and end.
//!
//! A plain line has words between blanks, and `"…"` around a word that holds blanks. A script has shell-like quotes and
//! escapes too ([`quoted_words`]). The text is bytes as keepalived sees it; quotes and blanks are ASCII, so UTF-8 passes
//! through unharmed.

/// What keepalived reads of a line at once; a longer one is cut, as there.
pub(super) const LINE_MAX: usize = 1023;

/// A line without its comment, without blanks at either end, `\#` and `\!` unescaped.
pub(super) struct Bare {
    /// What is left. A backslash at the end stays.
    pub(super) text: String,
    /// A `"` was opened and not closed.
    pub(super) open_quote: bool,
}

/// Takes away the comment (`#` or `!` outside of `"…"`) and the blanks at both ends.
pub(super) fn bare(line: &str) -> Bare {
    let mut text: Vec<char> = line.trim_start_matches([' ', '\t']).chars().collect();
    let (mut quote, mut continued, mut comment, mut at) = (false, false, None, 0);
    while at < text.len() {
        match text[at] {
            '"' => quote ^= comment.is_none(),
            '\\' => match text.get(at + 1) {
                Some('#' | '!') if !quote => {
                    text.remove(at);
                }
                Some(_) => at += 1,
                None => {
                    text.truncate(at);
                    continued = true;
                    break;
                }
            },
            '!' | '#' if !quote && comment.is_none() => comment = Some(at),
            _ => {}
        }
        at += 1;
    }
    text.truncate(comment.unwrap_or(text.len()));
    let mut text: String = text.into_iter().collect();
    text.truncate(text.trim_end_matches([' ', '\t']).len());
    if continued {
        text.push('\\');
    }
    Bare { text, open_quote: quote }
}

/// Whether this separates words.
pub(super) fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\x0c' | '\n' | '\r' | '\x0b')
}

/// The words of a line. `None` behind them: a `"` is not closed, and what follows it is lost.
pub(super) fn words(line: &str) -> (Vec<String>, bool) {
    let mut found = Vec::new();
    let mut rest = line;
    loop {
        rest = rest.trim_start_matches(is_blank);
        if rest.is_empty() {
            return (found, true);
        }
        if let Some(quoted) = rest.strip_prefix('"') {
            let Some(end) = quoted.find('"') else { return (found, false) };
            found.push(quoted[..end].to_owned());
            rest = &quoted[end + 1..];
        } else {
            let end = rest.find(|c| is_blank(c) || c == '"').unwrap_or(rest.len());
            found.push(rest[..end].to_owned());
            rest = &rest[end..];
        }
    }
}

/// Why a line has no words in a shell's manner.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum BadQuote {
    /// This quote is not closed.
    Open(char),
    /// It ends in a backslash.
    Escape,
}

/// The words of a script line: `'…'`, `"…"`, and backslash escapes inside and outside of them.
pub(super) fn quoted_words(line: &str) -> Result<Vec<String>, BadQuote> {
    let mut found = Vec::new();
    let mut chars = line.chars().peekable();
    loop {
        while chars.next_if(|&c| is_blank(c)).is_some() {}
        if chars.peek().is_none() {
            return Ok(found);
        }
        let (mut word, mut quote) = (String::new(), None);
        while let Some(&c) = chars.peek() {
            match (c, quote) {
                ('\\', _) => {
                    chars.next();
                    word.push(escape(&mut chars).ok_or(BadQuote::Escape)?);
                    continue;
                }
                (c, Some(open)) if c == open => quote = None,
                ('"' | '\'', None) => quote = Some(c),
                (c, None) if is_blank(c) => break,
                (c, _) => word.push(c),
            }
            chars.next();
        }
        if let Some(open) = quote {
            return Err(BadQuote::Open(open));
        }
        found.push(word);
    }
}

/// The character that an escape stands for; the backslash is already taken.
fn escape(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<char> {
    let first = chars.next()?;
    Some(match first {
        'x' if chars.peek().is_some_and(char::is_ascii_hexdigit) => {
            let mut code = 0u8;
            while let Some(digit) = chars.next_if(char::is_ascii_hexdigit) {
                code = (code << 4) | digit.to_digit(16).map_or(0, |digit| digit as u8);
            }
            code.into()
        }
        'c' if chars.peek().is_some() => char::from(chars.next()? as u8 & 0x1f),
        '0'..='7' => {
            let mut code = first as u8 - b'0';
            for _ in 0..2 {
                let Some(digit) = chars.next_if(|c| ('0'..='7').contains(c)) else { break };
                code = (code << 3).wrapping_add(digit as u8 - b'0');
            }
            code.into()
        }
        'a' => '\x07',
        'b' => '\x08',
        'E' => '\x1b',
        'f' => '\x0c',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\x0b',
        other => other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_begins_anywhere_but_in_quotes() {
        assert_eq!(bare("  priority 100 # high").text, "priority 100");
        assert_eq!(bare("! all of it").text, "");
        assert_eq!(bare(r#"auth_pass "a#b!c" ! secret"#).text, r#"auth_pass "a#b!c""#);
        assert_eq!(bare(r"auth_pass a\#b").text, "auth_pass a#b");
        assert_eq!(bare(r"$A=one   \").text, r"$A=one\");
        assert!(bare(r#"say "this"#).open_quote);
    }

    #[test]
    fn words_are_parted_by_blanks_and_quotes() {
        assert_eq!(words("a  b\tc"), (vec!["a".into(), "b".into(), "c".into()], true));
        assert_eq!(words(r#"x "two words" y"#), (vec!["x".into(), "two words".into(), "y".into()], true));
        assert_eq!(words(r#"x"y""#), (vec!["x".into(), "y".into()], true));
        assert_eq!(words(r#"x "y"#), (vec!["x".into()], false));
    }

    #[test]
    fn a_script_has_the_quotes_of_a_shell() {
        let check = |line, expected: &[&str]| {
            assert_eq!(quoted_words(line), Ok(expected.iter().map(|word| (*word).to_owned()).collect()), "{line}");
        };
        check(r#"script "/bin/a 'b c'" root"#, &["script", "/bin/a 'b c'", "root"]);
        check(r"script '/bin/a \x41\tb' ", &["script", "/bin/a A\tb"]);
        check(r"a\ b c", &["a b", "c"]);
        assert_eq!(quoted_words("script 'open"), Err(BadQuote::Open('\'')));
        assert_eq!(quoted_words("script \\"), Err(BadQuote::Escape));
    }
}
