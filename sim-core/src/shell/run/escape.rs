//! Backslash sequences, as `echo -e`, `printf` and `$'…'` know them.

/// `$'…'`
pub(crate) fn ansi_c(text: &str) -> String {
    unescape(text, Octal::Bare).0
}

/// `echo -e`: the text, and whether `\c` ended it.
pub(crate) fn echo(text: &str) -> (String, bool) {
    unescape(text, Octal::WithZero)
}

/// How octal numbers are written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Octal {
    /// `\123`
    Bare,
    /// `\0123`
    WithZero,
}

fn unescape(text: &str, octal: Octal) -> (String, bool) {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        if character != '\\' {
            out.push(character);
            continue;
        }
        let Some(code) = rest.next() else {
            out.push('\\');
            break;
        };
        match code {
            'n' => out.push('\n'),
            't' => out.push('\t'),
            'r' => out.push('\r'),
            'a' => out.push('\u{7}'),
            'b' => out.push('\u{8}'),
            'f' => out.push('\u{c}'),
            'v' => out.push('\u{b}'),
            'e' | 'E' => out.push('\u{1b}'),
            '\\' => out.push('\\'),
            '\'' | '"' if octal == Octal::Bare => out.push(code),
            'c' if octal == Octal::WithZero => return (out, true),
            'x' => out.extend(number(&mut rest, 16, 2)),
            '0' if octal == Octal::WithZero => out.push(number(&mut rest, 8, 3).unwrap_or('\0')),
            '0'..='7' if octal == Octal::Bare => {
                let first = code.to_digit(8).unwrap_or(0);
                let more = digits(&mut rest, 8, 2);
                let value = more.iter().fold(first, |value, digit| value * 8 + digit);
                out.extend(char::from_u32(value & 0xff));
            }
            other => {
                out.push('\\');
                out.push(other);
            }
        }
    }
    (out, false)
}

fn number(rest: &mut std::iter::Peekable<std::str::Chars<'_>>, radix: u32, most: usize) -> Option<char> {
    let digits = digits(rest, radix, most);
    if digits.is_empty() {
        return None;
    }
    char::from_u32(digits.iter().fold(0, |value, digit| value * radix + digit) & 0xff)
}

fn digits(rest: &mut std::iter::Peekable<std::str::Chars<'_>>, radix: u32, most: usize) -> Vec<u32> {
    let mut digits = Vec::new();
    while digits.len() < most {
        let Some(digit) = rest.peek().and_then(|c| c.to_digit(radix)) else { break };
        digits.push(digit);
        rest.next();
    }
    digits
}
