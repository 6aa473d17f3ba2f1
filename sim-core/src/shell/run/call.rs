//! A simple command: assignments, redirections, and what the name stands for: a function, a builtin, a command of the
//! registry, or a file of the host.

use super::super::command::{Call as Words, Command, FaultKind, Outcome, base_name};
use super::super::parse::op::{Assign, Op, Simple};
use super::super::{files, parse, registry};
use super::builtin::{self, Flow};
use super::expand::Trouble;
use super::{Call, CallKind, Doing, Frame, MARK, Queued, Saved, Shell, Step};
use crate::kernel::process::{Fd, Process};
use crate::kernel::syscall::{Stdio, Sys};
use crate::shell::command::NOT_MODELLED;
use std::sync::Arc;

/// What a name stands for.
enum Meaning {
    Function,
    Builtin(builtin::Run),
    Command(&'static Command),
    /// A file of the host to be run by a shell.
    File(String),
    /// It cannot be run: exit status and message.
    Nothing(i32, String),
}

impl Shell {
    pub(super) fn simple(&mut self, simple: &Simple, sys: &mut Sys) -> Step {
        self.state.line = simple.line;
        let words = match self.words(&simple.words, sys) {
            Ok(words) => words,
            Err(trouble) => return self.failed(&trouble, 1, simple.guarded),
        };
        let (stdio, opened) = match self.open_all(&simple.redirects, sys) {
            Ok(opened) => opened,
            Err(trouble) => return self.failed(&trouble, 1, simple.guarded),
        };
        if self.state.options.trace && !words.is_empty() {
            let text = format!("+ {}\n", words.join(" "));
            self.queue.push_back(Queued::Write(self.stdio.stderr, text.into_bytes()));
        }
        if words.is_empty() {
            return self.assign_only(simple, opened);
        }
        self.substituted = None;
        self.command = words[0].as_str().into();
        let saved = match self.assign(&simple.assigns) {
            Ok(saved) => saved,
            Err(trouble) => return self.failed(&trouble, 1, simple.guarded),
        };
        for (name, _) in &saved {
            self.state.export(name, true);
        }
        let step = match self.meaning(&words[0], sys) {
            Meaning::Function => {
                self.enter_function(&words, saved, stdio, opened, simple.guarded);
                return Step::On;
            }
            Meaning::Builtin(run) => self.builtin(run, &words, simple, stdio, opened, sys),
            Meaning::Command(command) => self.registered(command, &words, simple, stdio, opened, sys),
            Meaning::File(path) => {
                let body = Shell::file(&path, words[1..].to_vec(), &self.state.env());
                self.became(Box::new(body), &words, simple, stdio, opened, sys)
            }
            Meaning::Nothing(status, message) => {
                let text = format!("{}{message}\n", self.prefix());
                self.queue.push_back(Queued::Write(stdio.stderr, text.into_bytes()));
                self.close(opened);
                self.ended(status, simple.guarded);
                Step::On
            }
        };
        for (name, old) in saved.into_iter().rev() {
            self.state.restore(&name, old);
        }
        step
    }

    fn failed(&mut self, trouble: &Trouble, status: i32, guarded: bool) -> Step {
        let step = self.trouble(trouble, status);
        if matches!(self.doing, Doing::Nothing) {
            self.ended(status, guarded);
        }
        step
    }

    // ── assignments ──

    fn assign_only(&mut self, simple: &Simple, opened: Vec<Fd>) -> Step {
        self.close(opened);
        match self.assign(&simple.assigns) {
            Ok(_) => {
                let status = self.substituted.take().unwrap_or(0);
                self.ended(status, simple.guarded);
                Step::On
            }
            Err(trouble) => self.failed(&trouble, 1, simple.guarded),
        }
    }

    /// Does the assignments; what was there before.
    fn assign(&mut self, assigns: &[Assign]) -> Result<Saved, Trouble> {
        let mut saved = Vec::with_capacity(assigns.len());
        for assign in assigns {
            let mut value = self.state.text(&assign.value)?;
            if assign.append {
                let old = self.state.get(&assign.name).unwrap_or_else(|| "".into());
                value.insert_str(0, &old);
            }
            saved.push((assign.name.clone(), self.state.variable(&assign.name).cloned()));
            self.state.set(&assign.name, value).map_err(|message| Trouble { message, fatal: true })?;
        }
        Ok(saved)
    }

    // ── the name ──

    fn meaning(&mut self, name: &str, sys: &mut Sys) -> Meaning {
        if self.state.functions.contains_key(name) {
            return Meaning::Function;
        }
        if let Some(run) = builtin::find(name) {
            return Meaning::Builtin(run);
        }
        if name.contains('/') {
            return self.path_meaning(name, sys);
        }
        if let Some(command) = registry::find(name) {
            return Meaning::Command(command);
        }
        let path = self.state.get("PATH").unwrap_or_else(|| "".into());
        let found =
            path.split(':').map(|directory| format!("{directory}/{name}")).find(|path| files::is_executable(sys, path));
        match found {
            Some(path) => Meaning::File(path),
            None => Meaning::Nothing(127, format!("{name}: command not found")),
        }
    }

    fn path_meaning(&mut self, name: &str, sys: &mut Sys) -> Meaning {
        let path = crate::kernel::files::absolute(&self.state.cwd, name);
        if files::is_directory(sys, &path) {
            return Meaning::Nothing(126, format!("{name}: Is a directory"));
        }
        if files::is_executable(sys, &path) {
            return Meaning::File(name.to_owned());
        }
        if files::exists(sys, &path) {
            return Meaning::Nothing(126, format!("{name}: Permission denied"));
        }
        if let Some(command) = registry::find(&path) {
            return Meaning::Command(command);
        }
        match base_name(&path) {
            // Functions for start scripts: a file that is read, not run.
            "functions" if registry::is_start_script(&path) => {
                Meaning::Nothing(126, format!("{name}: Permission denied"))
            }
            _ => Meaning::Nothing(127, format!("{name}: No such file or directory")),
        }
    }

    // ── functions and texts ──

    fn enter_function(&mut self, words: &[String], saved: Saved, stdio: Stdio, opened: Vec<Fd>, guarded: bool) {
        if self.depth() >= CALLS_MAX {
            let message = format!("{}: maximum function nesting level exceeded ({CALLS_MAX})", words[0]);
            self.complain(&message);
            self.exit(1);
            return;
        }
        let Some(function) = self.state.functions.get(words[0].as_str()).cloned() else { return };
        let new = words[1..].iter().map(|word| Arc::from(word.as_str())).collect();
        let call = Call {
            code: std::mem::replace(&mut self.code, function.code),
            pc: std::mem::replace(&mut self.pc, function.entry),
            arguments: Some(std::mem::replace(&mut self.state.arguments, new)),
            saved,
            kind: CallKind::Function,
            guarded,
            before: std::mem::replace(&mut self.stdio, stdio),
            opened,
        };
        self.frames.push(Frame::Call(call));
    }

    /// Goes on in a text (`eval`, `source`, a trap); false if it cannot be read.
    pub(super) fn enter_text(&mut self, text: &str, kind: CallKind) -> bool {
        self.state.cost += (text.len() / 8) as u64;
        let script = match parse::script(text, &self.state.name) {
            Ok(script) => script,
            Err(problems) => {
                let first = problems.first().map_or("syntax error", |problem| problem.message.as_str()).to_owned();
                self.complain(&first);
                self.state.status = if first.contains("not modelled") { NOT_MODELLED } else { 2 };
                return false;
            }
        };
        if self.depth() >= CALLS_MAX {
            self.complain("maximum nesting level exceeded");
            self.state.status = 1;
            return false;
        }
        let call = Call {
            code: std::mem::replace(&mut self.code, script.ops),
            pc: std::mem::replace(&mut self.pc, 0),
            arguments: None,
            saved: Vec::new(),
            kind,
            guarded: false,
            before: self.stdio,
            opened: Vec::new(),
        };
        self.frames.push(Frame::Call(call));
        true
    }

    fn depth(&self) -> usize {
        self.frames.iter().filter(|frame| matches!(frame, Frame::Call(_))).count()
    }

    // ── builtins and commands ──

    fn builtin(
        &mut self,
        run: builtin::Run,
        words: &[String],
        simple: &Simple,
        stdio: Stdio,
        opened: Vec<Fd>,
        sys: &mut Sys,
    ) -> Step {
        let env = self.state.env();
        let cwd = self.state.cwd.clone();
        let mut call = Words::new(words, &env, &cwd, registry::path_of);
        let mut context = builtin::Context { call: &mut call, stdio, redirected: !simple.redirects.is_empty(), opened };
        let flow = run(self, &mut context, sys);
        let opened = std::mem::take(&mut context.opened);
        self.put_out(&mut call, stdio);
        self.close(opened);
        match flow {
            Flow::Done(status) => {
                self.ended(status, simple.guarded);
                Step::On
            }
            Flow::Jumped => Step::On,
            Flow::Waits => Step::Wait,
        }
    }

    fn registered(
        &mut self,
        command: &'static Command,
        words: &[String],
        simple: &Simple,
        stdio: Stdio,
        opened: Vec<Fd>,
        sys: &mut Sys,
    ) -> Step {
        let known: Vec<&str> = words.iter().map(String::as_str).collect();
        let faults = (command.check)(command, &known);
        if let Some(fault) = faults.into_iter().find(|fault| fault.kind == FaultKind::NotModelled) {
            let hint = fault.hint.map_or_else(String::new, |hint| format!(" ({hint})"));
            let text = format!("{}{}{hint}\n", self.prefix(), fault.message);
            sys.log(MARK, text.trim_end());
            self.queue.push_back(Queued::Write(stdio.stderr, text.into_bytes()));
            self.close(opened);
            self.ended(NOT_MODELLED, simple.guarded);
            return Step::On;
        }
        let env = self.state.env();
        let cwd = self.state.cwd.clone();
        let mut call = Words::new(words, &env, &cwd, registry::path_of);
        let outcome = (command.run)(&mut call, sys);
        self.put_out(&mut call, stdio);
        match outcome {
            Outcome::Done(status) => {
                self.close(opened);
                self.ended(status, simple.guarded);
                Step::On
            }
            Outcome::Became(body) => self.became(body, words, simple, stdio, opened, sys),
            Outcome::Shell(start) => match Shell::started(start, &env) {
                Ok(shell) => self.became(Box::new(shell), words, simple, stdio, opened, sys),
                Err((status, text)) => {
                    self.queue.push_back(Queued::Write(stdio.stderr, text.into_bytes()));
                    self.close(opened);
                    self.ended(status, simple.guarded);
                    Step::On
                }
            },
        }
    }

    /// The command goes on as a process: as this one, if nothing comes after it, or as a child.
    fn became(
        &mut self,
        body: Box<dyn Process>,
        words: &[String],
        simple: &Simple,
        stdio: Stdio,
        opened: Vec<Fd>,
        sys: &mut Sys,
    ) -> Step {
        let flushed = self.flush(sys).is_ok();
        let last = matches!(self.code.get(self.pc as usize), Some(Op::End)) && self.frames.is_empty();
        let plain = stdio == Stdio::default() && opened.is_empty() && self.traps.is_empty();
        if self.child && last && plain && flushed && matches!(self.doing, Doing::Nothing) {
            self.doing = Doing::Became(body);
            return Step::Wait;
        }
        let name: String = words.join(" ").chars().take(200).collect();
        let started = sys.fork(&name, body, stdio);
        self.close(opened);
        match started {
            Ok(pid) => {
                self.doing = Doing::Children { children: vec![(pid, None)], guarded: simple.guarded };
                Step::Wait
            }
            Err(_) => {
                self.complain("fork: retry: Resource temporarily unavailable");
                self.ended(254, simple.guarded);
                Step::On
            }
        }
    }

    fn put_out(&mut self, call: &mut Words<'_>, stdio: Stdio) {
        for (fd, octets) in call.take_output() {
            let to = if fd == Fd::STDERR { stdio.stderr } else { stdio.stdout };
            self.queue.push_back(Queued::Write(to, octets));
        }
    }

    pub(super) fn close(&mut self, opened: Vec<Fd>) {
        self.queue.extend(opened.into_iter().map(Queued::Close));
    }
}

const CALLS_MAX: usize = 200;
