//! `bash`, `sh`: run a script file, or a text (`-c`).

use super::command::{Call, Command, Fault, NOT_MODELLED, Opt, Outcome, Source, Start, getopt};
use crate::kernel::syscall::Sys;

/// `bash`, `sh`.
pub(super) const COMMAND: Command = Command {
    names: &["bash", "sh", "dash"],
    summary: "runs a script",
    options: &[
        Opt::value("-c", "the next word is the script"),
        Opt::flag("-x", "shows commands"),
        Opt::flag("-e", "stops at the first failure"),
        Opt::flag("-u", "stops at an unset variable"),
        Opt::accepted("-l", false, "there are no login files"),
        Opt::accepted("-i", false, "lines are typed by the scenario"),
    ],
    check,
    run,
};

/// Only options in front of the script are the shell's.
fn check(command: &Command, words: &[&str]) -> Vec<Fault> {
    let end = words.iter().skip(1).position(|word| !word.starts_with('-')).map_or(words.len(), |at| at + 1);
    let own: Vec<&str> = words[..end].to_vec();
    getopt(command, &own)
}

fn run(call: &mut Call<'_>, _: &mut Sys<'_, '_>) -> Outcome {
    let mut options = String::new();
    let mut words = call.args().iter();
    let mut text = None;
    let mut file = None;
    while let Some(word) = words.next() {
        match word.strip_prefix('-') {
            Some(letters) if !letters.is_empty() && letters != "-" => {
                for letter in letters.chars() {
                    match letter {
                        'c' => text = words.next(),
                        'x' | 'e' | 'u' => options.push(letter),
                        'l' | 'i' => {}
                        other => return call.fail(2, format!("bash: -{other}: invalid option\n")),
                    }
                }
                if text.is_some() {
                    break;
                }
            }
            _ => {
                file = Some(word);
                break;
            }
        }
    }
    let rest: Vec<String> = words.cloned().collect();
    let (source, args) = match (text, file) {
        (Some(text), _) => {
            let name = rest.first().map_or("bash", String::as_str).to_owned();
            (Source::Text(text.clone(), name), rest.get(1..).unwrap_or_default().to_vec())
        }
        (None, Some(file)) => (Source::File(file.clone()), rest),
        (None, None) => return call.fail(NOT_MODELLED, "bash: a shell without a script is not modelled\n"),
    };
    Outcome::Shell(Start { source, args, options })
}
