//! `echo`, as bash has it: `-n`, `-e`, `-E`; other words beginning with a dash are text.

use super::command::{Call, Command, Opt, Outcome, anything};
use super::run::escape;
use crate::kernel::syscall::Sys;

/// `echo`.
pub(super) const COMMAND: Command = Command {
    names: &["echo"],
    summary: "writes its words",
    options: &[
        Opt::flag("-n", "no newline at the end"),
        Opt::flag("-e", "backslash sequences are read"),
        Opt::flag("-E", "backslash sequences are not read"),
    ],
    check: anything,
    run,
};

fn run(call: &mut Call<'_>, _: &mut Sys<'_, '_>) -> Outcome {
    let words = call.args();
    let is_option = |word: &&String| {
        word.len() > 1 && word.starts_with('-') && word[1..].chars().all(|letter| "neE".contains(letter))
    };
    let options: String = words.iter().take_while(is_option).flat_map(|word| word[1..].chars()).collect();
    let count = words.iter().take_while(is_option).count();
    let text = words[count..].join(" ");
    let sequences = options.rfind('e').is_some_and(|e| options.rfind('E').is_none_or(|upper| upper < e));
    let (mut text, ended) = if sequences { escape::echo(&text) } else { (text, false) };
    if !options.contains('n') && !ended {
        text.push('\n');
    }
    call.out(text);
    Outcome::Done(0)
}
