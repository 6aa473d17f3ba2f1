//! Rows of the registry for what the shell does itself; the functions are in `run/builtin.rs`.

use super::command::{Call, Command, Opt, Outcome, anything};
use crate::kernel::syscall::Sys;

/// Builtins that change the shell.
pub(super) const COMMANDS: &[&Command] = &[
    &row(&["cd"], "changes the working directory", &[]),
    &row(&["pwd"], "prints the working directory", &[]),
    &row(&["exit", "logout"], "ends the shell", &[]),
    &row(&["return"], "leaves a function", &[]),
    &row(&["break", "continue"], "leaves a loop, or begins its next round", &[]),
    &row(&["shift"], "drops the first arguments", &[]),
    &row(&["eval"], "reads its words as a command line", &[]),
    &row(&["source", "."], "runs a file in this shell", &[]),
    &row(&["exec"], "goes on as a command, or redirects the shell", &[]),
    &row(&["export", "readonly"], "hands variables to programs; fixes them", &[Opt::flag("-n", "takes it back")]),
    &row(
        &["local", "declare", "typeset"],
        "variables of a function",
        &[
            Opt::flag("-x", "exported"),
            Opt::flag("-r", "read-only"),
            Opt::flag("-i", "a number"),
            Opt::flag("-g", "not of the function"),
            Opt::refused("-a", false, "arrays are not modelled"),
            Opt::refused("-A", false, "arrays are not modelled"),
        ],
    ),
    &row(&["unset"], "forgets variables or functions", &[Opt::flag("-f", "functions"), Opt::flag("-v", "variables")]),
    &row(
        &["set"],
        "sets options and arguments",
        &[
            Opt::flag("-e", "stops at the first failure"),
            Opt::flag("-u", "stops at an unset variable"),
            Opt::flag("-x", "shows commands"),
            Opt::flag("-f", "no file names"),
            Opt::value("-o", "errexit, nounset, xtrace, noglob, pipefail"),
        ],
    ),
    &row(
        &["read"],
        "reads a line",
        &[Opt::flag("-r", "backslashes stand for themselves"), Opt::accepted("-p", true, "a prompt")],
    ),
    &row(&["trap"], "what to do at the end or at a signal", &[]),
    &row(&["wait"], "waits for children", &[]),
    &row(&["jobs"], "lists children in the background", &[]),
    &row(&["let"], "arithmetic", &[]),
    &row(&["type", "command"], "what a name stands for", &[Opt::flag("-v", "in short")]),
    &row(&["umask"], "permissions of new files", &[]),
];

const fn row(names: &'static [&'static str], summary: &'static str, options: &'static [Opt]) -> Command {
    Command { names, summary, options, check: anything, run: only_in_a_shell }
}

/// A program that calls a builtin without a shell does not find it.
fn only_in_a_shell(call: &mut Call<'_>, _: &mut Sys<'_, '_>) -> Outcome {
    let text = format!("{}: command not found\n", call.argv[0]);
    call.fail(127, text)
}
