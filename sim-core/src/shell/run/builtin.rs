//! Commands that change the shell itself. Their rows in the registry are in `builtins.rs`.

use super::super::command::Call as Words;
use super::super::{files, registry};
use super::{CallKind, Doing, Frame, Shell, Trap, arith, state};
use crate::base::id::Pid;
use crate::kernel::files::absolute;
use crate::kernel::process::{Fd, Next, On, Signal};
use crate::kernel::syscall::{Read, Stdio, Sys};
use crate::shell::command::NOT_MODELLED;
use std::sync::Arc;

/// A builtin's function.
pub(super) type Run = fn(&mut Shell, &mut Context<'_, '_>, &mut Sys<'_, '_>) -> Flow;

/// How the shell goes on.
pub(super) enum Flow {
    /// With this status.
    Done(i32),
    /// Somewhere else, with the status as it is.
    Jumped,
    /// After something.
    Waits,
}

/// The call of a builtin.
pub(super) struct Context<'c, 'w> {
    pub(super) call: &'c mut Words<'w>,
    /// Where its descriptors lead.
    pub(super) stdio: Stdio,
    /// Whether it has redirections of its own.
    pub(super) redirected: bool,
    /// What is to be closed after it.
    pub(super) opened: Vec<Fd>,
}

pub(super) fn find(name: &str) -> Option<Run> {
    BUILTINS.iter().find(|(known, _)| *known == name).map(|(_, run)| *run)
}

const BUILTINS: &[(&str, Run)] = &[
    (".", source),
    ("break", break_loop),
    ("cd", cd),
    ("command", command),
    ("continue", break_loop),
    ("declare", local),
    ("eval", eval),
    ("exec", exec),
    ("exit", exit),
    ("export", export),
    ("jobs", jobs),
    ("let", let_),
    ("local", local),
    ("logout", exit),
    ("pwd", pwd),
    ("read", read),
    ("readonly", export),
    ("return", return_),
    ("set", set),
    ("shift", shift),
    ("source", source),
    ("trap", trap),
    ("type", type_),
    ("typeset", local),
    ("umask", umask),
    ("unset", unset),
    ("wait", wait),
];

impl Context<'_, '_> {
    fn args(&self) -> &[String] {
        self.call.args()
    }
}

/// Writes `-bash: NAME: message` and ends with this status.
fn fail(shell: &Shell, context: &mut Context<'_, '_>, status: i32, message: &str) -> Flow {
    let text = format!("{}{}: {message}\n", shell.prefix(), context.call.argv[0]);
    context.call.err(text);
    Flow::Done(status)
}

// ── where the shell stands ──

fn cd(shell: &mut Shell, context: &mut Context<'_, '_>, sys: &mut Sys<'_, '_>) -> Flow {
    let home = || shell.state.get("HOME").unwrap_or_else(|| "/root".into()).to_string();
    let to = match context.args() {
        [] => home(),
        [dash] if dash == "-" => match shell.state.get("OLDPWD") {
            Some(old) => {
                let text = format!("{old}\n");
                context.call.out(text);
                old.to_string()
            }
            None => return fail(shell, context, 1, "OLDPWD not set"),
        },
        [path] => path.clone(),
        _ => return fail(shell, context, 1, "too many arguments"),
    };
    let path = absolute(&shell.state.cwd, &to);
    if !files::is_directory(sys, &path) {
        let what = if files::exists(sys, &path) { "Not a directory" } else { "No such file or directory" };
        return fail(shell, context, 1, &format!("{to}: {what}"));
    }
    let old = shell.state.cwd.clone();
    let _ = sys.change_directory(&path);
    let done = shell.state.set("OLDPWD", old).and_then(|()| shell.state.set("PWD", path));
    Flow::Done(i32::from(done.is_err()))
}

fn pwd(shell: &mut Shell, context: &mut Context<'_, '_>, _: &mut Sys<'_, '_>) -> Flow {
    context.call.out(format!("{}\n", shell.state.cwd));
    Flow::Done(0)
}

fn umask(_: &mut Shell, context: &mut Context<'_, '_>, _: &mut Sys<'_, '_>) -> Flow {
    if context.args().is_empty() {
        context.call.out("0022\n");
    }
    Flow::Done(0)
}

// ── ends and jumps ──

fn exit(shell: &mut Shell, context: &mut Context<'_, '_>, _: &mut Sys<'_, '_>) -> Flow {
    let status = match number(context.args().first(), shell.state.status) {
        Ok(status) => status,
        Err(text) => {
            let _ = fail(shell, context, 2, &format!("{text}: numeric argument required"));
            2
        }
    };
    shell.exit(status);
    if matches!(shell.doing, Doing::Nothing) { Flow::Jumped } else { Flow::Waits }
}

fn return_(shell: &mut Shell, context: &mut Context<'_, '_>, _: &mut Sys<'_, '_>) -> Flow {
    let callable = |kind| matches!(kind, CallKind::Function | CallKind::Source);
    let inside = shell.frames.iter().any(|frame| matches!(frame, Frame::Call(call) if callable(call.kind)));
    if !inside {
        return fail(shell, context, 1, "can only `return' from a function or sourced script");
    }
    let status = match number(context.args().first(), shell.state.status) {
        Ok(status) => status,
        Err(text) => return fail(shell, context, 2, &format!("{text}: numeric argument required")),
    };
    // `eval return` leaves the function, too.
    loop {
        let kind = shell.frames.iter().rev().find_map(|frame| match frame {
            Frame::Call(call) => Some(call.kind),
            Frame::Loop { .. } | Frame::Case { .. } | Frame::Redirect { .. } => None,
        });
        shell.leave_call();
        if kind.is_none_or(callable) {
            break;
        }
    }
    shell.state.status = status & 0xff;
    Flow::Jumped
}

/// `break` and `continue`.
fn break_loop(shell: &mut Shell, context: &mut Context<'_, '_>, _: &mut Sys<'_, '_>) -> Flow {
    let levels = match number(context.args().first(), 1) {
        Ok(levels) if levels > 0 => levels as usize,
        _ => return fail(shell, context, 1, "loop count out of range"),
    };
    let in_this_call = shell
        .frames
        .iter()
        .rev()
        .take_while(|frame| !matches!(frame, Frame::Call(call) if call.kind == CallKind::Function));
    let loops = in_this_call.filter(|frame| matches!(frame, Frame::Loop { .. })).count();
    if loops == 0 {
        return fail(shell, context, 0, "only meaningful in a `for', `while', or `until' loop");
    }
    let mut left = levels.min(loops);
    let goes_on = context.call.argv[0] == "continue";
    shell.state.status = 0;
    while let Some(frame) = shell.frames.last_mut() {
        match frame {
            Frame::Loop { again, end, status, .. } => {
                left -= 1;
                if left == 0 {
                    *status = 0;
                    shell.pc = if goes_on { *again } else { *end };
                    break;
                }
                shell.frames.pop();
            }
            Frame::Call(_) => shell.leave_call(),
            Frame::Redirect { .. } => shell.undo_redirect(),
            Frame::Case { .. } => {
                shell.frames.pop();
            }
        }
    }
    Flow::Jumped
}

impl Shell {
    fn undo_redirect(&mut self) {
        if let Some(Frame::Redirect { before, opened }) = self.frames.pop() {
            self.stdio = before;
            self.close(opened);
        }
    }
}

// ── texts ──

fn eval(shell: &mut Shell, context: &mut Context<'_, '_>, _: &mut Sys<'_, '_>) -> Flow {
    let text = context.args().join(" ");
    shell.state.status = 0;
    if !text.trim().is_empty() {
        shell.enter_text(&text, CallKind::Eval);
    }
    Flow::Jumped
}

fn source(shell: &mut Shell, context: &mut Context<'_, '_>, sys: &mut Sys<'_, '_>) -> Flow {
    let Some(name) = context.args().first().cloned() else {
        return fail(shell, context, 2, "filename argument required");
    };
    let path = absolute(&shell.state.cwd, &name);
    let text = match sys.read_file(&path) {
        Ok(octets) => String::from_utf8_lossy(&octets).into_owned(),
        // Start scripts read these; what they define (`success`, `daemon`) the lab's services do themselves.
        Err(_) if registry::is_start_script(&path) && path.ends_with("/functions") => return Flow::Done(0),
        Err(error) => {
            let text = format!("{}{name}: {error}\n", shell.prefix());
            context.call.err(text);
            return Flow::Done(1);
        }
    };
    let arguments: Vec<Arc<str>> = context.args()[1..].iter().map(|word| Arc::from(word.as_str())).collect();
    shell.state.status = 0;
    if shell.enter_text(&text, CallKind::Source) && !arguments.is_empty() {
        let before = std::mem::replace(&mut shell.state.arguments, arguments);
        if let Some(Frame::Call(call)) = shell.frames.last_mut() {
            call.arguments = Some(before);
        }
    }
    Flow::Jumped
}

/// `exec COMMAND` runs it and ends with it; `exec > file` redirects the shell itself.
fn exec(shell: &mut Shell, context: &mut Context<'_, '_>, _: &mut Sys<'_, '_>) -> Flow {
    if context.args().is_empty() {
        if context.redirected {
            shell.stdio = context.stdio;
            context.opened.clear();
        }
        return Flow::Done(0);
    }
    let words: Box<[_]> =
        context.args().iter().map(|word| super::parse::op::literal_word(word)).collect::<Vec<_>>().into();
    shell.frames.clear();
    shell.code = super::parse::op::one_command(words);
    shell.pc = 0;
    shell.stdio = context.stdio;
    context.opened.clear();
    shell.traps.remove(&Trap::Exit);
    Flow::Jumped
}

fn command(shell: &mut Shell, context: &mut Context<'_, '_>, sys: &mut Sys<'_, '_>) -> Flow {
    match context.args() {
        [flag, names @ ..] if flag == "-v" || flag == "-V" => {
            let names = names.to_vec();
            let mut status = 0;
            for name in names {
                match where_is(shell, &name, sys) {
                    Some((_, short)) => context.call.out(format!("{short}\n")),
                    None => status = 1,
                }
            }
            Flow::Done(status)
        }
        _ => fail(shell, context, NOT_MODELLED, "only command -v is modelled"),
    }
}

fn type_(shell: &mut Shell, context: &mut Context<'_, '_>, sys: &mut Sys<'_, '_>) -> Flow {
    let mut status = 0;
    for name in context.args().to_vec() {
        match where_is(shell, &name, sys) {
            Some((long, _)) => context.call.out(format!("{name} is {long}\n")),
            None => {
                let text = format!("{}type: {name}: not found\n", shell.prefix());
                context.call.err(text);
                status = 1;
            }
        }
    }
    Flow::Done(status)
}

/// What a name stands for, as `type` and as `command -v` say it.
fn where_is(shell: &Shell, name: &str, sys: &mut Sys<'_, '_>) -> Option<(String, String)> {
    if shell.state.functions.contains_key(name) {
        return Some(("a function".into(), name.to_owned()));
    }
    if registry::is_in_shell(name) {
        return Some(("a shell builtin".into(), name.to_owned()));
    }
    let path = registry::path_of(name).or_else(|| {
        let path = absolute(&shell.state.cwd, name);
        (name.contains('/') && files::is_executable(sys, &path)).then_some(path)
    })?;
    Some((path.clone(), path))
}

// ── variables ──

/// `export` and `readonly`.
fn export(shell: &mut Shell, context: &mut Context<'_, '_>, _: &mut Sys<'_, '_>) -> Flow {
    let readonly = context.call.argv[0] == "readonly";
    let words: Vec<String> = context.args().to_vec();
    let names: Vec<&String> = words.iter().filter(|word| !word.starts_with('-')).collect();
    if names.is_empty() {
        let word = if readonly { "readonly" } else { "-x" };
        for (name, variable) in shell.state.variables() {
            if if readonly { variable.fixed } else { variable.exported } {
                let text = format!("declare {word} {name}=\"{}\"\n", variable.value);
                context.call.out(text);
            }
        }
        return Flow::Done(0);
    }
    let undo = words.iter().any(|word| word == "-n");
    let mut status = 0;
    for word in names {
        let (name, value) = word.split_once('=').map_or((word.as_str(), None), |(name, value)| (name, Some(value)));
        if !state::is_name(name) {
            let _ = fail(shell, context, 1, &format!("`{word}': not a valid identifier"));
            status = 1;
            continue;
        }
        if let Some(value) = value {
            if let Err(message) = shell.state.set(name, value) {
                let text = format!("{}{message}\n", shell.prefix());
                context.call.err(text);
                status = 1;
                continue;
            }
        } else if shell.state.variable(name).is_none() && shell.state.set(name, "").is_err() {
            continue;
        }
        if readonly {
            shell.state.fix(name);
        } else {
            shell.state.export(name, !undo);
        }
    }
    Flow::Done(status)
}

/// `local`, and `declare`, which is `local` in a function.
fn local(shell: &mut Shell, context: &mut Context<'_, '_>, _: &mut Sys<'_, '_>) -> Flow {
    let innermost =
        shell.frames.iter().rposition(|frame| matches!(frame, Frame::Call(call) if call.kind == CallKind::Function));
    if innermost.is_none() && context.call.argv[0] == "local" {
        return fail(shell, context, 1, "can only be used in a function");
    }
    let (mut exported, mut fixed, mut number, mut global) = (false, false, false, false);
    for word in context.args().to_vec() {
        if let Some(letters) = word.strip_prefix('-') {
            for letter in letters.chars() {
                match letter {
                    'x' => exported = true,
                    'r' => fixed = true,
                    'i' => number = true,
                    'g' => global = true,
                    _ => return fail(shell, context, NOT_MODELLED, &format!("-{letter} is not modelled")),
                }
            }
            continue;
        }
        let (name, value) = word.split_once('=').map_or((word.as_str(), None), |(name, value)| (name, Some(value)));
        if !state::is_name(name) {
            return fail(shell, context, 1, &format!("`{word}': not a valid identifier"));
        }
        let old = shell.state.variable(name).cloned();
        if let (Some(index), false) = (innermost, global)
            && let Frame::Call(call) = &mut shell.frames[index]
            && !call.saved.iter().any(|(saved, _)| &**saved == name)
        {
            call.saved.push((name.into(), old.clone()));
        }
        let value = match value {
            Some(value) if number => match arith::evaluate(value, &mut shell.state) {
                Ok(value) => value.to_string(),
                Err(message) => return fail(shell, context, 1, &message),
            },
            Some(value) => value.to_owned(),
            None if innermost.is_none() || global => old.map_or_else(String::new, |old| old.value.to_string()),
            None => String::new(),
        };
        if let Err(message) = shell.state.set(name, value) {
            return fail(shell, context, 1, &message);
        }
        if exported {
            shell.state.export(name, true);
        }
        if fixed {
            shell.state.fix(name);
        }
    }
    Flow::Done(0)
}

fn unset(shell: &mut Shell, context: &mut Context<'_, '_>, _: &mut Sys<'_, '_>) -> Flow {
    let functions = context.args().iter().any(|word| word == "-f");
    let mut status = 0;
    for name in context.args().to_vec().iter().filter(|word| !word.starts_with('-')) {
        if functions || (shell.state.variable(name).is_none() && shell.state.functions.contains_key(name.as_str())) {
            shell.state.functions.remove(name.as_str());
        } else if !shell.state.unset(name) {
            status = 1;
            let _ = fail(shell, context, 1, &format!("{name}: cannot unset: readonly variable"));
        }
    }
    Flow::Done(status)
}

fn set(shell: &mut Shell, context: &mut Context<'_, '_>, _: &mut Sys<'_, '_>) -> Flow {
    let words: Vec<String> = context.args().to_vec();
    if words.is_empty() {
        for (name, variable) in shell.state.variables() {
            let text = format!("{name}={}\n", shown(&variable.value));
            context.call.out(text);
        }
        return Flow::Done(0);
    }
    let mut at = 0;
    while at < words.len() {
        let word = words[at].as_str();
        let on = word.starts_with('-');
        match word {
            "--" => {
                shell.state.arguments = words[at + 1..].iter().map(|word| Arc::from(word.as_str())).collect();
                return Flow::Done(0);
            }
            "-o" | "+o" => {
                at += 1;
                match words.get(at).map(String::as_str) {
                    Some("pipefail") => shell.state.options.pipe_fails = on,
                    Some("errexit") => shell.state.options.stop_on_error = on,
                    Some("nounset") => shell.state.options.stop_on_unset = on,
                    Some("xtrace") => shell.state.options.trace = on,
                    Some("noglob") => shell.state.options.no_files = on,
                    Some("posix" | "emacs" | "vi" | "history" | "monitor") => {}
                    other => {
                        let name = other.unwrap_or_default().to_owned();
                        return fail(shell, context, NOT_MODELLED, &format!("-o {name} is not modelled"));
                    }
                }
            }
            _ if word.len() > 1 && (on || word.starts_with('+')) => {
                for letter in word[1..].chars() {
                    match letter {
                        'e' => shell.state.options.stop_on_error = on,
                        'u' => shell.state.options.stop_on_unset = on,
                        'x' => shell.state.options.trace = on,
                        'f' => shell.state.options.no_files = on,
                        // History and job control: nobody looks at them in the lab.
                        'h' | 'm' | 'H' | 'B' => {}
                        _ => return fail(shell, context, NOT_MODELLED, &format!("-{letter} is not modelled")),
                    }
                }
            }
            _ => {
                shell.state.arguments = words[at..].iter().map(|word| Arc::from(word.as_str())).collect();
                return Flow::Done(0);
            }
        }
        at += 1;
    }
    Flow::Done(0)
}

fn shown(value: &str) -> String {
    let plain = !value.is_empty() && value.chars().all(|c| c.is_ascii_alphanumeric() || "_-./:,+@%".contains(c));
    if plain || value.is_empty() { value.to_owned() } else { format!("'{}'", value.replace('\'', "'\\''")) }
}

fn shift(shell: &mut Shell, context: &mut Context<'_, '_>, _: &mut Sys<'_, '_>) -> Flow {
    let count = match number(context.args().first(), 1) {
        Ok(count) if count >= 0 => count as usize,
        _ => return fail(shell, context, 1, "shift count out of range"),
    };
    if count > shell.state.arguments.len() {
        return Flow::Done(1);
    }
    shell.state.arguments.drain(..count);
    Flow::Done(0)
}

fn let_(shell: &mut Shell, context: &mut Context<'_, '_>, _: &mut Sys<'_, '_>) -> Flow {
    let mut value = 0;
    for word in context.args().to_vec() {
        match arith::evaluate(&word, &mut shell.state) {
            Ok(number) => value = number,
            Err(message) => return fail(shell, context, 1, &message),
        }
    }
    Flow::Done(i32::from(value == 0))
}

// ── waiting ──

fn read(shell: &mut Shell, context: &mut Context<'_, '_>, _: &mut Sys<'_, '_>) -> Flow {
    let mut raw = false;
    let mut names = Vec::new();
    let mut words = context.args().to_vec().into_iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "-r" => raw = true,
            // A prompt is only written to a terminal.
            "-p" => {
                words.next();
            }
            "-s" | "-e" => {}
            _ if word.starts_with('-') => {
                return fail(shell, context, NOT_MODELLED, &format!("{word} is not modelled"));
            }
            _ => names.push(word),
        }
    }
    if names.is_empty() {
        names.push("REPLY".to_owned());
    }
    let opened = std::mem::take(&mut context.opened);
    shell.doing = Doing::Read { names, raw, octets: Vec::new(), from: context.stdio.stdin, opened };
    Flow::Waits
}

impl Shell {
    /// Reads one line, octet by octet: what comes after it is for the next command.
    pub(super) fn go_on_reading(
        &mut self,
        names: Vec<String>,
        raw: bool,
        mut octets: Vec<u8>,
        from: Fd,
        opened: Vec<Fd>,
        sys: &mut Sys,
    ) -> Option<Next> {
        let ended = loop {
            match sys.read(from, 1) {
                Read::Data(more) if more == b"\n" => {
                    if !raw && octets.last() == Some(&b'\\') {
                        octets.pop();
                        continue;
                    }
                    break false;
                }
                Read::Data(more) if octets.len() < LINE_MAX => octets.extend(more),
                Read::Data(_) => break false,
                Read::Wait => {
                    self.doing = Doing::Read { names, raw, octets, from, opened };
                    return Some(Next::on(On::Readable(from)));
                }
                Read::End | Read::Failed(_) => break true,
            }
        };
        self.close(opened);
        let mut text = String::from_utf8_lossy(&octets).into_owned();
        if !raw {
            text = text.replace('\\', "");
        }
        let separators = self.state.get("IFS").unwrap_or_else(|| " \t\n".into());
        self.state.status = i32::from(ended);
        if let Err(message) = self.give_out(&names, &text, &separators) {
            self.complain(&message);
            self.state.status = 1;
        }
        None
    }

    fn give_out(&mut self, names: &[String], text: &str, separators: &str) -> Result<(), String> {
        let blank = |c: char| separators.contains(c) && c.is_whitespace();
        let mut rest = text.trim_matches(blank);
        for (index, name) in names.iter().enumerate() {
            let last = index + 1 == names.len();
            let end = if last { rest.len() } else { rest.find(|c| separators.contains(c)).unwrap_or(rest.len()) };
            self.state.set(name, &rest[..end])?;
            rest = rest[end..].trim_start_matches(blank);
            if let Some(mark) = rest.chars().next().filter(|c| !c.is_whitespace() && separators.contains(*c)) {
                rest = rest[mark.len_utf8()..].trim_start_matches(blank);
            }
        }
        Ok(())
    }
}

fn wait(shell: &mut Shell, context: &mut Context<'_, '_>, sys: &mut Sys<'_, '_>) -> Flow {
    let which: Vec<Pid> = match context.args() {
        [] => shell.jobs.iter().map(|job| job.pid).collect(),
        words => words
            .iter()
            .filter_map(|word| match word.strip_prefix('%') {
                Some(number) => shell.jobs.get(number.parse::<usize>().ok()?.checked_sub(1)?).map(|job| job.pid),
                None => word.parse().ok().map(Pid),
            })
            .collect(),
    };
    shell.reap(sys);
    if let Some(foreign) = which.iter().find(|pid| !shell.jobs.iter().any(|job| job.pid == **pid)) {
        let message = format!("pid {} is not a child of this shell", foreign.0);
        return fail(shell, context, 127, &message);
    }
    if context.args().is_empty() && which.is_empty() {
        return Flow::Done(0);
    }
    shell.doing = Doing::Jobs { which, all: context.args().is_empty() };
    Flow::Waits
}

fn jobs(shell: &mut Shell, context: &mut Context<'_, '_>, sys: &mut Sys<'_, '_>) -> Flow {
    shell.reap(sys);
    for (index, job) in shell.jobs.iter().enumerate() {
        let state = match job.status {
            None => "Running".to_owned(),
            Some(0) => "Done".to_owned(),
            Some(status) => format!("Exit {status}"),
        };
        let text = format!("[{}]   {state:<23} {}\n", index + 1, job.pid.0);
        context.call.out(text);
    }
    shell.jobs.retain(|job| job.status.is_none());
    Flow::Done(0)
}

fn trap(shell: &mut Shell, context: &mut Context<'_, '_>, _: &mut Sys<'_, '_>) -> Flow {
    let words: Vec<String> = context.args().to_vec();
    let (command, names) = match words.as_slice() {
        [] => {
            for (trap, command) in &shell.traps {
                let text = format!("trap -- '{command}' {}\n", trap_name(*trap));
                context.call.out(text);
            }
            return Flow::Done(0);
        }
        [dashes, command, names @ ..] if dashes == "--" => (command, names),
        [command, names @ ..] => (command, names),
    };
    let mut status = 0;
    for name in names {
        let Some(trap) = trap_of(name) else {
            let message = format!("{name}: this signal cannot be trapped in the lab");
            status = 1;
            let _ = fail(shell, context, 1, &message);
            continue;
        };
        if command == "-" {
            shell.traps.remove(&trap);
        } else {
            shell.traps.insert(trap, command.as_str().into());
        }
    }
    Flow::Done(status)
}

fn trap_of(name: &str) -> Option<Trap> {
    Some(match name.trim_start_matches("SIG") {
        "EXIT" | "0" => Trap::Exit,
        "HUP" | "1" => Trap::On(Signal::Hup),
        "INT" | "2" => Trap::On(Signal::Int),
        "QUIT" | "3" => Trap::On(Signal::Quit),
        "USR1" | "10" => Trap::On(Signal::Usr1),
        "USR2" | "12" => Trap::On(Signal::Usr2),
        "TERM" | "15" => Trap::On(Signal::Term),
        _ => return None,
    })
}

fn trap_name(trap: Trap) -> &'static str {
    match trap {
        Trap::Exit => "EXIT",
        Trap::On(Signal::Hup) => "SIGHUP",
        Trap::On(Signal::Int) => "SIGINT",
        Trap::On(Signal::Quit) => "SIGQUIT",
        Trap::On(Signal::Usr1) => "SIGUSR1",
        Trap::On(Signal::Usr2) => "SIGUSR2",
        Trap::On(Signal::Term) => "SIGTERM",
        Trap::On(Signal::Kill | Signal::Child | Signal::Cont | Signal::Stop) => "SIG",
    }
}

fn number(word: Option<&String>, otherwise: i32) -> Result<i32, String> {
    match word {
        None => Ok(otherwise),
        Some(word) => word.trim().parse::<i64>().map(|number| number as i32).map_err(|_| word.clone()),
    }
}

const LINE_MAX: usize = 64 * 1024;
