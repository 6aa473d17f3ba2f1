//! A process that runs a [`Script`]. Its whole state is plain data (the place in the ops, variables, frames, what it
//! waits for), so it can wait anywhere.
//!
//! ```text
//!   wake ─► flush what was written ─► is what it waits for there? ─► step, step, step … ─► wait or exit
//! ```
//! Commands run inside the shell's process; one that has to wait becomes a child. A child machine whose last command
//! becomes a process turns into it, so that `sleep 5 &` is one process.
//!
//! # Not modelled
//! Job control, `trap` for other than EXIT, HUP, INT, QUIT, TERM, USR1 and USR2.

pub(crate) mod arith;
mod builtin;
mod call;
pub(crate) mod escape;
mod expand;
mod fork;
pub(crate) mod pattern;
mod redirect;
mod state;
mod test;
#[cfg(test)]
mod tests;

use super::parse::op::{Op, Pc};
use super::parse::{self, Line, Script};
use crate::base::id::Pid;
use crate::base::time::Instant;
use crate::kernel::process::{Env, Fd, Next, On, Process, Signal, Wait};
use crate::kernel::syscall::{Read, SocketError, Stdio, Sys};
use crate::shell::command::{NOT_MODELLED, Source, Start};
use expand::Trouble;
use state::{State, Variable};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// A shell: a script and how far it is.
#[derive(Debug)]
pub struct Shell {
    state: State,
    code: Arc<[Op]>,
    pc: Pc,
    frames: Vec<Frame>,
    /// Where descriptors 0, 1 and 2 of the next command lead.
    stdio: Stdio,
    doing: Doing,
    queue: VecDeque<Queued>,
    /// Values of a `for`, until its loop begins.
    values: Option<std::vec::IntoIter<String>>,
    /// Exit status of the last `$(…)` of the command in hand.
    substituted: Option<i32>,
    jobs: Vec<Job>,
    traps: BTreeMap<Trap, Arc<str>>,
    pending: Option<Trap>,
    budget: Budget,
    /// A child of another shell, or one command started by a program: it may turn into its last command.
    child: bool,
    /// Typed on a terminal: errors do not end it, and messages name no line.
    typed: bool,
    /// A file to be read before it begins.
    file: Option<String>,
    /// The command in hand, as messages name it.
    command: Arc<str>,
    /// It has the variables and the directory of the line before.
    goes_on: bool,
}

/// What the shell is inside of.
#[derive(Clone, Debug)]
enum Frame {
    Loop { values: Option<std::vec::IntoIter<String>>, status: i32, again: Pc, end: Pc },
    Case { subject: Arc<str> },
    Redirect { before: Stdio, opened: Vec<Fd> },
    Call(Call),
}

/// A function, `source` or `eval` in progress: where to go on after it.
#[derive(Clone, Debug)]
struct Call {
    code: Arc<[Op]>,
    pc: Pc,
    /// The caller's arguments, if they were replaced.
    arguments: Option<Vec<Arc<str>>>,
    /// Variables to put back.
    saved: Saved,
    /// `return` is possible, and `local`.
    kind: CallKind,
    guarded: bool,
    /// Redirections of the call itself.
    before: Stdio,
    opened: Vec<Fd>,
}

/// Variables as they were.
type Saved = Vec<(Arc<str>, Option<Variable>)>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CallKind {
    Function,
    Source,
    Eval,
    /// A trap's command; the status from before is put back.
    Trap(i32),
}

/// What the shell waits for.
#[derive(Debug)]
enum Doing {
    Nothing,
    /// Commands in the foreground; the status is that of the last, or the worst with `pipefail`.
    Children {
        children: Vec<(Pid, Option<i32>)>,
        guarded: bool,
    },
    /// `$(…)`: what it writes, then its end.
    Collect {
        from: Fd,
        child: Pid,
        slot: u16,
        octets: Vec<u8>,
    },
    /// `read`
    Read {
        names: Vec<String>,
        raw: bool,
        octets: Vec<u8>,
        from: Fd,
        opened: Vec<Fd>,
    },
    /// `wait`
    Jobs {
        which: Vec<Pid>,
        all: bool,
    },
    /// Room in a pipe.
    Full,
    /// It turned into its last command.
    Became(Box<dyn Process>),
    /// It ends when all is written.
    Exit(i32),
}

/// Effects that keep their order.
#[derive(Debug)]
enum Queued {
    Write(Fd, Vec<u8>),
    Close(Fd),
}

/// A child in the background.
#[derive(Clone, Debug)]
struct Job {
    pid: Pid,
    status: Option<i32>,
}

/// What a `trap` is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Trap {
    Exit,
    On(Signal),
}

/// Steps taken at one instant.
#[derive(Clone, Copy, Debug)]
struct Budget {
    at: Instant,
    steps: u32,
}

/// How a step went.
enum Step {
    /// On to the next op.
    On,
    /// Something to wait for, or the end, stands in `doing`.
    Wait,
}

impl Shell {
    /// A shell that runs a script with these arguments (`$1` …).
    pub fn new(script: Script, args: Vec<String>, env: &Env) -> Shell {
        let arguments = args.into_iter().map(Arc::from).collect();
        let mut shell = Shell::with_state(State::new(script.name.clone(), arguments, env), script.ops);
        shell.typed = script.typed;
        shell
    }

    /// A line typed on a terminal. `before` is the body of the line that ended before on the same terminal: its
    /// variables, functions and working directory live on.
    pub fn typed(line: &Line, before: Option<Box<dyn Process>>) -> Box<dyn Process> {
        let mut shell = Shell::new(line.script.clone(), Vec::new(), &Env::new());
        let before = before.and_then(|body| (body as Box<dyn std::any::Any>).downcast::<Shell>().ok());
        if let Some(before) = before {
            shell.state = before.state;
            shell.state.pid = None;
            shell.goes_on = true;
        }
        Box::new(shell)
    }

    /// A shell that runs one command of expanded words and ends as it ends (`execve`).
    pub fn command(argv: &[String], env: &Env) -> Shell {
        let words: Box<[_]> = argv.iter().map(|word| parse::op::literal_word(word)).collect();
        let mut shell = Shell::with_state(State::new("bash".into(), Vec::new(), env), parse::op::one_command(words));
        shell.child = true;
        shell.typed = true;
        shell
    }

    /// A shell that reads a file of the host when it begins: `bash FILE ARGS`.
    pub fn file(path: &str, args: Vec<String>, env: &Env) -> Shell {
        let arguments = args.into_iter().map(Arc::from).collect();
        let mut shell = Shell::with_state(State::new(path.into(), arguments, env), Arc::new([Op::End]));
        shell.file = Some(path.to_owned());
        shell
    }

    /// The shell that `bash` becomes; if its text cannot be read, the exit status and what is said.
    fn started(start: Start, env: &Env) -> Result<Shell, (i32, String)> {
        let Start { source, args, options } = start;
        let mut shell = match source {
            Source::File(path) => Shell::file(&path, args, env),
            Source::Text(text, name) => match parse::script(&text, &name) {
                Ok(script) => Shell::new(script, args, env),
                Err(problems) => {
                    let missing = problems.iter().any(|problem| problem.message.contains("not modelled"));
                    let text = problems.iter().map(|problem| format!("bash: -c: {}\n", problem.message)).collect();
                    return Err((if missing { NOT_MODELLED } else { 2 }, text));
                }
            },
        };
        shell.state.options.stop_on_error = options.contains('e');
        shell.state.options.stop_on_unset = options.contains('u');
        shell.state.options.trace = options.contains('x');
        Ok(shell)
    }

    fn with_state(state: State, code: Arc<[Op]>) -> Shell {
        Shell {
            state,
            code,
            pc: 0,
            frames: Vec::new(),
            stdio: Stdio::default(),
            doing: Doing::Nothing,
            queue: VecDeque::new(),
            values: None,
            substituted: None,
            jobs: Vec::new(),
            traps: BTreeMap::new(),
            pending: None,
            budget: Budget { at: Instant::ZERO, steps: 0 },
            child: false,
            typed: false,
            file: None,
            command: "bash".into(),
            goes_on: false,
        }
    }

    // ── waiting ──

    /// Writes and closes what is due. False if a pipe is full.
    fn flush(&mut self, sys: &mut Sys) -> Result<(), Fd> {
        while let Some(first) = self.queue.front_mut() {
            match first {
                Queued::Close(fd) => sys.close_fd(*fd),
                Queued::Write(fd, octets) => match sys.write(*fd, octets) {
                    Ok(taken) if taken < octets.len() => {
                        octets.drain(..taken);
                        return Err(*fd);
                    }
                    Ok(_) => {}
                    // Nobody reads: SIGPIPE ends what writes into a pipe.
                    Err(SocketError::BrokenPipe) if self.child => {
                        self.queue.clear();
                        self.doing = Doing::Exit(141);
                        return Ok(());
                    }
                    Err(error) if *fd != self.stdio.stderr => {
                        let text = format!("{}{}: write error: {error}\n", self.prefix(), self.command);
                        // Where messages go, nobody can be told that they do not arrive.
                        let _ = sys.write(self.stdio.stderr, text.as_bytes());
                        self.state.status = 1;
                    }
                    Err(_) => {}
                },
            }
            self.queue.pop_front();
        }
        Ok(())
    }

    /// Looks whether what the shell waits for has come; if not, what it is.
    fn settle(&mut self, sys: &mut Sys) -> Option<Next> {
        match std::mem::replace(&mut self.doing, Doing::Nothing) {
            Doing::Nothing | Doing::Full => None,
            Doing::Exit(code) => Some(Next::Exit(code & 0xff)),
            Doing::Became(mut process) => {
                let next = process.wake(sys);
                self.doing = Doing::Became(process);
                Some(next)
            }
            Doing::Children { mut children, guarded } => {
                for (pid, status) in &mut children {
                    if status.is_none() {
                        *status = sys.wait(*pid);
                    }
                }
                let missing: Vec<On> =
                    children.iter().filter(|(_, status)| status.is_none()).map(|(pid, _)| On::Child(*pid)).collect();
                if !missing.is_empty() {
                    self.doing = Doing::Children { children, guarded };
                    return Some(Next::Wait(Wait { until: None, any: missing }));
                }
                let last = children.last().and_then(|(_, status)| *status).unwrap_or(0);
                let worst = children.iter().rev().filter_map(|(_, status)| *status).find(|status| *status != 0);
                let status = if self.state.options.pipe_fails { worst.unwrap_or(0) } else { last };
                self.ended(status, guarded);
                None
            }
            Doing::Collect { from, child, slot, mut octets } => self.collect(from, child, slot, &mut octets, sys),
            Doing::Read { names, raw, octets, from, opened } => {
                self.go_on_reading(names, raw, octets, from, opened, sys)
            }
            Doing::Jobs { which, all } => {
                self.reap(sys);
                let missing: Vec<On> = self
                    .jobs
                    .iter()
                    .filter(|job| job.status.is_none() && which.contains(&job.pid))
                    .map(|job| On::Child(job.pid))
                    .collect();
                if !missing.is_empty() && self.pending.is_none() {
                    self.doing = Doing::Jobs { which, all };
                    return Some(Next::Wait(Wait { until: None, any: missing }));
                }
                let last = which.last().and_then(|pid| self.jobs.iter().find(|job| job.pid == *pid));
                // `wait` without names succeeds; one that a signal ends says so.
                let status = match last.and_then(|job| job.status) {
                    _ if self.pending.is_some() => 143,
                    Some(status) if !all => status,
                    Some(_) | None => 0,
                };
                self.jobs.retain(|job| !which.contains(&job.pid));
                self.state.status = status;
                None
            }
        }
    }

    fn collect(&mut self, from: Fd, child: Pid, slot: u16, octets: &mut Vec<u8>, sys: &mut Sys) -> Option<Next> {
        loop {
            match sys.read(from, READ_MAX) {
                Read::Data(more) => {
                    octets.extend_from_slice(&more);
                    octets.truncate(SLOT_MAX);
                }
                Read::Wait => {
                    self.doing = Doing::Collect { from, child, slot, octets: std::mem::take(octets) };
                    return Some(Next::on(On::Readable(from)));
                }
                Read::End | Read::Failed(_) => break,
            }
        }
        let Some(status) = sys.wait(child) else {
            self.doing = Doing::Collect { from, child, slot, octets: std::mem::take(octets) };
            return Some(Next::on(On::Child(child)));
        };
        sys.close_fd(from);
        octets.retain(|octet| *octet != 0);
        let text = String::from_utf8_lossy(octets);
        self.state.slots.insert(slot, text.trim_end_matches('\n').into());
        self.substituted = Some(status);
        None
    }

    fn reap(&mut self, sys: &mut Sys) {
        for job in &mut self.jobs {
            if job.status.is_none() {
                job.status = sys.wait(job.pid);
            }
        }
    }

    // ── stepping ──

    fn step(&mut self, sys: &mut Sys) -> Step {
        if let Some(trap) = self.pending.take() {
            return self.run_trap(trap);
        }
        let code = self.code.clone();
        let Some(op) = code.get(self.pc as usize) else { return self.end() };
        self.pc += 1;
        match op {
            Op::Simple(simple) => return self.simple(simple, sys),
            Op::Test(test) => match self.condition(test, sys) {
                Ok(yes) => self.state.status = i32::from(!yes),
                Err(trouble) => return self.trouble(&trouble, 2),
            },
            Op::Arith(word) => match self.state.arithmetic(word) {
                Ok(value) => self.state.status = i32::from(value == 0),
                Err(trouble) => {
                    let message = format!("((: {}", trouble.message);
                    return self.trouble(&Trouble { message, ..trouble }, 1);
                }
            },
            Op::Not => self.state.status = i32::from(self.state.status == 0),
            Op::Status(status) => self.state.status = *status,
            Op::Jump(to) => self.pc = *to,
            Op::JumpIf(success, to) => {
                if (self.state.status == 0) == *success {
                    self.pc = *to;
                }
            }
            Op::Case(word) => match self.state.text(word) {
                Ok(text) => self.frames.push(Frame::Case { subject: text.into() }),
                Err(trouble) => return self.trouble(&trouble, 1),
            },
            Op::CaseItem(patterns, otherwise) => return self.case_item(patterns, *otherwise),
            Op::CaseEnd => {
                self.frames.pop();
            }
            Op::For(words) => return self.for_values(words.as_deref(), sys),
            Op::Loop(again, end) => {
                let values = self.values.take();
                self.frames.push(Frame::Loop { values, status: 0, again: *again, end: *end });
            }
            Op::Next(name, end) => match self.next_value() {
                Some(value) => {
                    if let Err(message) = self.state.set(name, value) {
                        return self.trouble(&Trouble { message, fatal: true }, 1);
                    }
                }
                None => self.pc = *end,
            },
            Op::Keep => {
                let now = self.state.status;
                if let Some(Frame::Loop { status, .. }) = self.frames.last_mut() {
                    *status = now;
                }
            }
            Op::LoopEnd => {
                if let Some(Frame::Loop { status, .. }) = self.frames.pop() {
                    self.state.status = status;
                }
            }
            Op::Redirect(redirects, otherwise) => match self.open_all(redirects, sys) {
                Ok((stdio, opened)) => {
                    self.frames.push(Frame::Redirect { before: self.stdio, opened });
                    self.stdio = stdio;
                }
                Err(trouble) => {
                    self.pc = *otherwise;
                    return self.trouble(&trouble, 1);
                }
            },
            Op::Restore => {
                if let Some(Frame::Redirect { before, opened }) = self.frames.pop() {
                    self.stdio = before;
                    self.queue.extend(opened.into_iter().map(Queued::Close));
                }
            }
            Op::Define(name, entry) => {
                let function = state::Function { code: code.clone(), entry: *entry };
                self.state.functions.insert(name.clone(), function);
                self.state.status = 0;
            }
            Op::Fork(fork) => return self.fork(fork, sys),
            Op::End => return self.end(),
        }
        Step::On
    }

    fn case_item(&mut self, patterns: &[parse::op::Word], otherwise: Pc) -> Step {
        let Some(Frame::Case { subject }) = self.frames.last() else { return Step::On };
        let subject = subject.clone();
        for pattern in patterns {
            self.state.cost += (subject.len() / 64) as u64;
            match self.state.pattern(pattern) {
                Ok(pattern) if pattern::matches(&pattern, &subject) => return Step::On,
                Ok(_) => {}
                Err(trouble) => return self.trouble(&trouble, 1),
            }
        }
        self.pc = otherwise;
        Step::On
    }

    fn for_values(&mut self, words: Option<&[parse::op::Word]>, sys: &mut Sys) -> Step {
        let values = match words {
            None => Ok(self.state.arguments.iter().map(ToString::to_string).collect()),
            Some(words) => self.words(words, sys),
        };
        match values {
            Ok(values) => self.values = Some(values.into_iter()),
            Err(trouble) => {
                self.values = Some(Vec::new().into_iter());
                return self.trouble(&trouble, 1);
            }
        }
        Step::On
    }

    fn next_value(&mut self) -> Option<String> {
        match self.frames.last_mut() {
            Some(Frame::Loop { values: Some(values), .. }) => values.next(),
            _ => None,
        }
    }

    /// The words of a command: expanded, and file names put in.
    fn words(&mut self, words: &[parse::op::Word], sys: &mut Sys) -> Result<Vec<String>, Trouble> {
        let fields = self.state.fields(words)?;
        let mut all = Vec::with_capacity(fields.len());
        for field in fields {
            let Some(pattern) = field.pattern.filter(|_| !self.state.options.no_files) else {
                all.push(field.text);
                continue;
            };
            let found = self.file_names(&pattern, sys);
            match found.is_empty() {
                true => all.push(field.text),
                false => all.extend(found),
            }
        }
        Ok(all)
    }

    fn file_names(&mut self, pattern: &str, sys: &mut Sys) -> Vec<String> {
        let absolute = pattern.starts_with('/');
        let base = pattern::quote(&self.state.cwd);
        let whole = if absolute { pattern.to_owned() } else { format!("{base}/{pattern}") };
        let mut looked_at = 0;
        let found = pattern::files(&whole, &mut |directory| {
            let names = super::files::names(sys, directory);
            looked_at += 1 + names.len() as u64 / 16;
            names
        });
        self.state.cost += looked_at;
        let mut found: Vec<String> = found.into_iter().filter(|path| super::files::exists(sys, path)).collect();
        if !absolute {
            let prefix = format!("{}/", self.state.cwd.trim_end_matches('/'));
            for path in &mut found {
                *path = path.strip_prefix(&prefix).unwrap_or(path).to_owned();
            }
        }
        found
    }

    // ── ends ──

    /// A command in the foreground ended.
    fn ended(&mut self, status: i32, guarded: bool) {
        self.state.status = status;
        let looked_at = guarded || self.frames.iter().any(|frame| matches!(frame, Frame::Call(call) if call.guarded));
        if status != 0 && self.state.options.stop_on_error && !looked_at {
            self.exit(status);
        }
    }

    /// The end of the ops in hand: back to the caller, or the end of the shell.
    fn end(&mut self) -> Step {
        if self.frames.iter().any(|frame| matches!(frame, Frame::Call(_))) {
            self.leave_call();
            return Step::On;
        }
        self.exit(self.state.status);
        if matches!(self.doing, Doing::Nothing) { Step::On } else { Step::Wait }
    }

    /// Takes frames off down to the innermost call, and goes on after it.
    fn leave_call(&mut self) {
        while let Some(frame) = self.frames.pop() {
            match frame {
                Frame::Call(call) => {
                    self.code = call.code;
                    self.pc = call.pc;
                    if let Some(arguments) = call.arguments {
                        self.state.arguments = arguments;
                    }
                    for (name, old) in call.saved.into_iter().rev() {
                        self.state.restore(&name, old);
                    }
                    self.stdio = call.before;
                    self.queue.extend(call.opened.into_iter().map(Queued::Close));
                    if let CallKind::Trap(status) = call.kind {
                        self.state.status = status;
                    }
                    return;
                }
                Frame::Redirect { before, opened } => {
                    self.stdio = before;
                    self.queue.extend(opened.into_iter().map(Queued::Close));
                }
                Frame::Loop { .. } | Frame::Case { .. } => {}
            }
        }
    }

    /// Ends the shell; its EXIT trap runs before.
    fn exit(&mut self, status: i32) {
        self.state.status = status;
        let trap = self.traps.remove(&Trap::Exit);
        if trap.is_some_and(|command| self.enter_text(&command, CallKind::Trap(status))) {
            // After the trap, the ops end at once.
            let mut trap = self.frames.pop();
            if let Some(Frame::Call(call)) = &mut trap {
                call.code = Arc::new([Op::End]);
                call.pc = 0;
            }
            self.frames.clear();
            self.frames.extend(trap);
            return;
        }
        self.doing = Doing::Exit(status);
    }

    fn run_trap(&mut self, trap: Trap) -> Step {
        if let Some(command) = self.traps.get(&trap).cloned() {
            let status = self.state.status;
            self.enter_text(&command, CallKind::Trap(status));
        }
        Step::On
    }

    // ── messages ──

    /// What messages begin with: `-bash: ` on a terminal, `FILE: line 3: ` in a script.
    fn prefix(&self) -> String {
        match self.typed {
            true => format!("{}: ", self.state.name),
            false => format!("{}: line {}: ", self.state.name, self.state.line),
        }
    }

    fn complain(&mut self, message: &str) {
        let text = format!("{}{message}\n", self.prefix());
        self.queue.push_back(Queued::Write(self.stdio.stderr, text.into_bytes()));
    }

    /// An expansion failed.
    fn trouble(&mut self, trouble: &Trouble, status: i32) -> Step {
        self.complain(&trouble.message);
        self.state.status = status;
        if trouble.fatal && !self.typed {
            self.exit(status);
            return Step::Wait;
        }
        if trouble.fatal {
            self.doing = Doing::Exit(status);
            return Step::Wait;
        }
        Step::On
    }

    fn spend(&mut self, now: Instant) -> bool {
        if self.budget.at != now {
            self.budget = Budget { at: now, steps: 0 };
        }
        let cost = std::mem::take(&mut self.state.cost);
        self.budget.steps = self.budget.steps.saturating_add(1).saturating_add(u32::try_from(cost).unwrap_or(u32::MAX));
        self.budget.steps <= STEPS_MAX
    }

    fn load(&mut self, path: &str, sys: &mut Sys) {
        let text = match sys.read_file(path) {
            Ok(octets) => String::from_utf8_lossy(&octets).into_owned(),
            Err(error) => {
                let text = format!("bash: {path}: {error}\n");
                self.queue.push_back(Queued::Write(Fd::STDERR, text.into_bytes()));
                self.doing = Doing::Exit(127);
                return;
            }
        };
        match parse::script(&text, path) {
            Ok(script) => self.code = script.ops,
            Err(problems) => {
                let status = self.refuse_text(path, &problems, sys);
                self.doing = Doing::Exit(status);
            }
        }
    }

    /// Says why a text cannot be run; its exit status: 2 for bad syntax, 125 for what is not modelled.
    fn refuse_text(&mut self, name: &str, problems: &[parse::ScriptProblem], sys: &mut Sys) -> i32 {
        let mut status = 2;
        for problem in problems {
            let text = format!("{name}: line {}: {}\n", problem.line, problem.message);
            if problem.message.contains("not modelled") {
                status = NOT_MODELLED;
                sys.log(MARK, &format!("{name}: line {}: {}", problem.line, problem.message));
            }
            self.queue.push_back(Queued::Write(self.stdio.stderr, text.into_bytes()));
        }
        status
    }
}

impl Process for Shell {
    fn wake(&mut self, sys: &mut Sys) -> Next {
        self.state.now = sys.now();
        if self.state.pid.is_none() {
            self.state.pid = Some(sys.pid);
            let hostname: Arc<str> = (&*sys.kernel.hostname).into();
            let _ = self.state.set("HOSTNAME", hostname);
            // A terminal that goes on stands where it stood; a new one stands where its process does.
            match self.goes_on {
                true => {
                    let _ = sys.change_directory(&self.state.cwd);
                }
                false => {
                    let directory: Arc<str> = sys.directory().into();
                    let _ = self.state.set("PWD", directory);
                }
            }
        }
        if let Some(path) = self.file.take() {
            self.load(&path, sys);
        }
        loop {
            if let Err(full) = self.flush(sys) {
                return Next::on(On::Writable(full));
            }
            if let Some(next) = self.settle(sys) {
                return next;
            }
            // A script that kills itself goes no further.
            if sys.kernel.processes.is_signalled(sys.pid) {
                return Next::until(sys.now());
            }
            // What a command wrote is there before the next one begins.
            while matches!(self.doing, Doing::Nothing)
                && self.queue.is_empty()
                && !sys.kernel.processes.is_signalled(sys.pid)
            {
                if !self.spend(sys.now()) {
                    let text = format!("{}stopped after {STEPS_MAX} steps without waiting\n", self.prefix());
                    sys.log(MARK, text.trim_end());
                    self.queue.push_back(Queued::Write(Fd::STDERR, text.into_bytes()));
                    self.doing = Doing::Exit(NOT_MODELLED);
                    break;
                }
                match self.step(sys) {
                    Step::On => {}
                    Step::Wait => break,
                }
            }
        }
    }

    fn signal(&mut self, signal: Signal, sys: &mut Sys) -> Option<Next> {
        if let Doing::Became(process) = &mut self.doing {
            return process.signal(signal, sys);
        }
        let trap = Trap::On(signal);
        match self.traps.get(&trap) {
            // `trap '' TERM`: ignored.
            Some(command) if command.is_empty() => Some(self.wake(sys)),
            Some(_) => {
                self.pending = Some(trap);
                Some(self.wake(sys))
            }
            None => {
                let ends = matches!(signal, Signal::Term | Signal::Int | Signal::Hup | Signal::Quit);
                if let (true, Doing::Children { children, .. }) = (ends, &self.doing) {
                    for (pid, status) in children {
                        if status.is_none() {
                            sys.kill(*pid, signal);
                        }
                    }
                }
                None
            }
        }
    }
}

/// Who writes the log lines that a report shows as marks.
pub(super) const MARK: &str = "lvslab";
/// Steps at one instant after which a script is stopped.
const STEPS_MAX: u32 = 100_000;
const READ_MAX: usize = 64 * 1024;
const SLOT_MAX: usize = 1024 * 1024;
