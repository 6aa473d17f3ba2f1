//! `test`, `[`: conditions on files, texts and numbers.

use super::command::{Call, Command, Opt, Outcome, anything};
use super::files;
use crate::kernel::files::absolute;
use crate::kernel::syscall::Sys;

/// `test`, `[`.
pub(super) const COMMAND: Command = Command {
    names: &["test", "["],
    summary: "conditions on files, texts and numbers",
    options: &[
        Opt::value("-e", "the file exists"),
        Opt::value("-f", "it is a regular file"),
        Opt::value("-d", "it is a directory"),
        Opt::value("-s", "it is not empty"),
        Opt::value("-r", "it can be read"),
        Opt::value("-w", "it can be written"),
        Opt::value("-x", "it can be run"),
        Opt::value("-L", "it is a symbolic link"),
        Opt::value("-p", "it is a named pipe"),
        Opt::value("-n", "the text is not empty"),
        Opt::value("-z", "the text is empty"),
    ],
    check: anything,
    run,
};

fn run(call: &mut Call<'_>, sys: &mut Sys<'_, '_>) -> Outcome {
    let name = call.argv[0].clone();
    let mut words: Vec<&str> = call.args().iter().map(String::as_str).collect();
    if name.ends_with('[') && words.pop() != Some("]") {
        return call.fail(2, "-bash: [: missing `]'\n");
    }
    let mut reader = Reader { words: &words, at: 0, cwd: call.cwd, sys };
    let answer = match reader.words.len() {
        0 => Ok(false),
        _ => reader.either(),
    };
    let unread = reader.at < reader.words.len();
    match answer {
        Ok(_) if unread => call.fail(2, format!("-bash: {name}: too many arguments\n")),
        Ok(yes) => Outcome::Done(i32::from(!yes)),
        Err(message) => call.fail(2, format!("-bash: {name}: {message}\n")),
    }
}

/// A test with one operand; none if there is no such test.
pub(super) fn unary(letter: char, operand: &str, cwd: &str, sys: &mut Sys<'_, '_>) -> Option<bool> {
    let path = absolute(cwd, operand);
    Some(match letter {
        'n' => !operand.is_empty(),
        'z' => operand.is_empty(),
        'e' | 'a' => files::exists(sys, &path),
        'f' => files::exists(sys, &path) && !files::is_directory(sys, &path) && !files::is_pipe(sys, &path),
        'p' => files::is_pipe(sys, &path),
        'd' => files::is_directory(sys, &path),
        's' => files::is_directory(sys, &path) || files::length(sys, &path).is_some_and(|length| length > 0),
        // Root may read and write everything that is there.
        'r' | 'w' => files::exists(sys, &path),
        'x' => files::is_directory(sys, &path) || files::is_executable(sys, &path),
        'L' | 'h' => files::is_link(sys, &path),
        't' => false,
        _ => return None,
    })
}

/// A comparison of texts or files; none if there is no such operator.
pub(super) fn binary(operator: &str, left: &str, right: &str, cwd: &str, sys: &mut Sys<'_, '_>) -> Option<bool> {
    Some(match operator {
        "=" | "==" => left == right,
        "!=" => left != right,
        "<" => left < right,
        ">" => left > right,
        "-ef" => absolute(cwd, left) == absolute(cwd, right) && files::exists(sys, &absolute(cwd, left)),
        // Files have no times in the lab: one that exists is newer than one that does not.
        "-nt" => files::exists(sys, &absolute(cwd, left)) && !files::exists(sys, &absolute(cwd, right)),
        "-ot" => !files::exists(sys, &absolute(cwd, left)) && files::exists(sys, &absolute(cwd, right)),
        _ => return None,
    })
}

/// A comparison of numbers.
pub(super) fn compare(operator: &str, left: i64, right: i64) -> bool {
    match operator {
        "-eq" => left == right,
        "-ne" => left != right,
        "-lt" => left < right,
        "-le" => left <= right,
        "-gt" => left > right,
        _ => left >= right,
    }
}

/// `a -o b`, `a -a b`, `! a`, `( a )`, from left to right.
struct Reader<'r, 'a, 'cx> {
    words: &'r [&'r str],
    at: usize,
    cwd: &'r str,
    sys: &'r mut Sys<'a, 'cx>,
}

impl Reader<'_, '_, '_> {
    fn either(&mut self) -> Result<bool, String> {
        let mut yes = self.both()?;
        while self.take("-o") {
            let other = self.both()?;
            yes |= other;
        }
        Ok(yes)
    }

    fn both(&mut self) -> Result<bool, String> {
        let mut yes = self.negated()?;
        while self.take("-a") {
            let other = self.negated()?;
            yes &= other;
        }
        Ok(yes)
    }

    fn negated(&mut self) -> Result<bool, String> {
        let mut not = false;
        while self.words.len() - self.at > 1 && !self.is_operator(1) && self.take("!") {
            not = !not;
        }
        Ok(self.primary()? != not)
    }

    fn primary(&mut self) -> Result<bool, String> {
        let left = self.words.len() - self.at;
        if left == 0 {
            return Err("argument expected".into());
        }
        let first = self.words[self.at];
        if left >= 3 && self.is_operator(1) {
            let (operator, second) = (self.words[self.at + 1], self.words[self.at + 2]);
            self.at += 3;
            if matches!(operator, "-eq" | "-ne" | "-lt" | "-le" | "-gt" | "-ge") {
                return Ok(compare(operator, number(first)?, number(second)?));
            }
            return binary(operator, first, second, self.cwd, self.sys)
                .ok_or_else(|| format!("{operator}: binary operator expected"));
        }
        if first == "(" && left > 1 {
            self.at += 1;
            let yes = self.either()?;
            return if self.take(")") { Ok(yes) } else { Err("`)' expected".into()) };
        }
        let mut letters = first.strip_prefix('-').unwrap_or("").chars();
        if let (Some(letter), None, true) = (letters.next(), letters.next(), left > 1) {
            let answer = unary(letter, self.words[self.at + 1], self.cwd, self.sys);
            self.at += 2;
            return answer.ok_or_else(|| format!("{first}: unary operator expected"));
        }
        // `[ -eq 0 ]`, as `[ $unset -eq 0 ]` becomes it.
        if left == 2 && first.starts_with('-') {
            return Err(format!("{first}: unary operator expected"));
        }
        self.at += 1;
        Ok(!first.is_empty())
    }

    fn is_operator(&self, ahead: usize) -> bool {
        const OPERATORS: &[&str] =
            &["=", "==", "!=", "<", ">", "-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-ef", "-nt", "-ot"];
        self.words.get(self.at + ahead).is_some_and(|word| OPERATORS.contains(word))
    }

    fn take(&mut self, word: &str) -> bool {
        let there = self.words.get(self.at) == Some(&word);
        self.at += usize::from(there);
        there
    }
}

fn number(text: &str) -> Result<i64, String> {
    text.trim().parse().map_err(|_| format!("{text}: integer expression expected"))
}
