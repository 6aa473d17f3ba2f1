//! `printf`: `%s %d %i %u %x %X %o %c %b %q %%` with width, precision and `-`, `0`, `+`.

use super::command::{Call, Command, Fault, Opt, Outcome};
use super::run::escape;
use crate::kernel::syscall::Sys;

/// `printf`.
pub(super) const COMMAND: Command = Command {
    names: &["printf"],
    summary: "writes words by a format",
    options: &[Opt::refused("-v", true, "use x=$(printf …)")],
    check,
    run,
};

fn check(_: &Command, words: &[&str]) -> Vec<Fault> {
    match words.get(1) {
        Some(&"-v") => vec![Fault::not_modelled(1, "printf -v is not modelled").hint("use x=$(printf …)")],
        _ => Vec::new(),
    }
}

fn run(call: &mut Call<'_>, _: &mut Sys<'_, '_>) -> Outcome {
    let words = match call.args() {
        [dashes, rest @ ..] if dashes == "--" => rest,
        words => words,
    };
    let Some((format, words)) = words.split_first() else {
        return call.fail(2, "printf: usage: printf [-v var] format [arguments]\n");
    };
    let mut out = String::new();
    let mut rest = words.iter();
    let mut status = 0;
    loop {
        let before = rest.len();
        if !once(format, &mut rest, &mut out, call, &mut status) || rest.len() == 0 || rest.len() == before {
            break;
        }
        if out.len() > OUT_MAX {
            return call.fail(1, "printf: the output is too long\n");
        }
    }
    call.out(out);
    Outcome::Done(status)
}

/// Writes the format once; false if `\c` ended it.
fn once(
    format: &str,
    words: &mut std::slice::Iter<'_, String>,
    out: &mut String,
    call: &mut Call<'_>,
    status: &mut i32,
) -> bool {
    let mut characters = format.chars().peekable();
    let mut literal = String::new();
    while let Some(character) = characters.next() {
        if character == '\\' {
            literal.push('\\');
            literal.extend(characters.next());
            continue;
        }
        if character != '%' {
            literal.push(character);
            continue;
        }
        out.push_str(&escape::ansi_c(&std::mem::take(&mut literal)));
        if characters.peek() == Some(&'%') {
            characters.next();
            out.push('%');
            continue;
        }
        let mut spec = Spec::default();
        while let Some(flag @ ('-' | '0' | '+' | ' ' | '#')) = characters.peek().copied() {
            spec.left |= flag == '-';
            spec.zero |= flag == '0';
            spec.plus |= flag == '+';
            characters.next();
        }
        spec.width = number(&mut characters, words).unwrap_or(0);
        if characters.peek() == Some(&'.') {
            characters.next();
            spec.precision = Some(number(&mut characters, words).unwrap_or(0));
        }
        match characters.next() {
            Some('s') => spec.text(words.next().map_or("", String::as_str), out),
            Some('c') => {
                spec.text(&words.next().and_then(|word| word.chars().next()).map_or(String::new(), String::from), out)
            }
            Some('b') => {
                let (text, ended) = escape::echo(words.next().map_or("", String::as_str));
                spec.text(&text, out);
                if ended {
                    return false;
                }
            }
            Some('q') => spec.text(&quoted(words.next().map_or("", String::as_str)), out),
            Some(kind @ ('d' | 'i' | 'u' | 'x' | 'X' | 'o')) => {
                let word = words.next().map_or("", String::as_str);
                let value = integer(word).unwrap_or_else(|| {
                    call.err(format!("-bash: printf: {word}: invalid number\n"));
                    *status = 1;
                    0
                });
                let digits = match kind {
                    'x' => format!("{value:x}"),
                    'X' => format!("{value:X}"),
                    'o' => format!("{value:o}"),
                    'u' => (value as u64).to_string(),
                    _ if spec.plus && value >= 0 => format!("+{value}"),
                    _ => value.to_string(),
                };
                spec.number(&digits, out);
            }
            other => {
                let letter = other.map_or(String::new(), String::from);
                call.err(format!("-bash: printf: `{letter}': invalid format character\n"));
                *status = 1;
                return false;
            }
        }
    }
    out.push_str(&escape::ansi_c(&literal));
    true
}

#[derive(Default)]
struct Spec {
    left: bool,
    zero: bool,
    plus: bool,
    width: usize,
    precision: Option<usize>,
}

impl Spec {
    fn text(&self, text: &str, out: &mut String) {
        let text: String = text.chars().take(self.precision.unwrap_or(usize::MAX)).collect();
        match self.left {
            true => out.push_str(&format!("{text:<0$}", self.width)),
            false => out.push_str(&format!("{text:>0$}", self.width)),
        }
    }

    fn number(&self, digits: &str, out: &mut String) {
        match (self.left, self.zero) {
            (true, _) => out.push_str(&format!("{digits:<0$}", self.width)),
            (false, true) => {
                let (sign, digits) = digits.split_at(usize::from(digits.starts_with(['-', '+'])));
                out.push_str(&format!("{sign}{digits:0>0$}", self.width.saturating_sub(sign.len())));
            }
            (false, false) => out.push_str(&format!("{digits:>0$}", self.width)),
        }
    }
}

fn number(
    characters: &mut std::iter::Peekable<std::str::Chars<'_>>,
    words: &mut std::slice::Iter<'_, String>,
) -> Option<usize> {
    if characters.peek() == Some(&'*') {
        characters.next();
        return words.next().and_then(|word| word.parse().ok()).filter(|width| *width <= WIDTH_MAX);
    }
    let mut digits = String::new();
    while let Some(digit) = characters.peek().filter(|c| c.is_ascii_digit()) {
        digits.push(*digit);
        characters.next();
    }
    digits.parse().ok().map(|width: usize| width.min(WIDTH_MAX))
}

fn integer(word: &str) -> Option<i64> {
    let word = word.trim_start();
    if let Some(quoted) = word.strip_prefix(['\'', '"']) {
        return quoted.chars().next().map(|c| i64::from(u32::from(c)));
    }
    match word {
        "" => Some(0),
        _ => match word.strip_prefix("0x").or(word.strip_prefix("0X")) {
            Some(hex) => i64::from_str_radix(hex, 16).ok(),
            None => word.parse().ok(),
        },
    }
}

fn quoted(text: &str) -> String {
    let plain = !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "_-./:,+@%=".contains(c));
    if plain { text.to_owned() } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

const WIDTH_MAX: usize = 4096;
const OUT_MAX: usize = 1024 * 1024;
