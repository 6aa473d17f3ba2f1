//! What a shell knows: variables, functions, arguments. Plain data; a child gets a copy.

use super::super::parse::op::{Op, Pc};
use crate::base::id::Pid;
use crate::base::time::Instant;
use crate::kernel::process::Env;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A shell's own world.
#[derive(Clone, Debug)]
pub(super) struct State {
    variables: BTreeMap<Arc<str>, Variable>,
    octets: usize,
    pub(super) functions: BTreeMap<Arc<str>, Function>,
    pub(super) arguments: Vec<Arc<str>>,
    /// `$0`, and what messages begin with.
    pub(super) name: Arc<str>,
    /// `$?`
    pub(super) status: i32,
    /// `$$`
    pub(super) pid: Option<Pid>,
    /// `$!`
    pub(super) background: Option<Pid>,
    pub(super) cwd: Arc<str>,
    pub(super) slots: BTreeMap<u16, Arc<str>>,
    pub(super) options: Options,
    /// What expansions cost, in steps: long values and patterns count as many.
    pub(super) cost: u64,
    /// The time, for `$SECONDS`.
    pub(super) now: Instant,
    /// The line in hand, for `$LINENO` and messages.
    pub(super) line: u32,
}

/// A variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Variable {
    pub(super) value: Arc<str>,
    pub(super) exported: bool,
    pub(super) fixed: bool,
}

/// A function: where its body is.
#[derive(Clone, Debug)]
pub(super) struct Function {
    pub(super) code: Arc<[Op]>,
    pub(super) entry: Pc,
}

/// `set -e` and the like.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Options {
    /// `-e`
    pub(super) stop_on_error: bool,
    /// `-u`
    pub(super) stop_on_unset: bool,
    /// `-x`
    pub(super) trace: bool,
    /// `-f`
    pub(super) no_files: bool,
    /// `-o pipefail`
    pub(super) pipe_fails: bool,
}

impl State {
    pub(super) fn new(name: Arc<str>, arguments: Vec<Arc<str>>, env: &Env) -> State {
        let mut state = State {
            variables: BTreeMap::new(),
            octets: 0,
            functions: BTreeMap::new(),
            arguments,
            name,
            status: 0,
            pid: None,
            background: None,
            cwd: env.get("PWD").filter(|pwd| pwd.starts_with('/')).map_or("/root", String::as_str).into(),
            slots: BTreeMap::new(),
            options: Options::default(),
            cost: 0,
            now: Instant::ZERO,
            line: 0,
        };
        let defaults = [
            ("HOME", "/root"),
            ("LOGNAME", "root"),
            ("PATH", "/usr/local/sbin:/usr/local/bin:/sbin:/bin:/usr/sbin:/usr/bin"),
            ("SHELL", "/bin/bash"),
            ("USER", "root"),
        ];
        let exported = |value: &str| Variable { value: value.into(), exported: true, fixed: false };
        for (name, value) in defaults {
            state.variables.insert(name.into(), exported(value));
        }
        for (name, value) in env {
            state.variables.insert(name.as_str().into(), exported(value));
        }
        state.variables.insert("PWD".into(), exported(&state.cwd));
        state.variables.insert("IFS".into(), Variable { exported: false, ..exported(" \t\n") });
        state.octets = state.variables.iter().map(|(name, variable)| name.len() + variable.value.len()).sum();
        state
    }

    /// The value of a variable.
    pub(super) fn get(&self, name: &str) -> Option<Arc<str>> {
        match name {
            "SECONDS" => Some(self.now.secs().to_string().into()),
            "EPOCHSECONDS" => Some((crate::base::time::EPOCH_UNIX_SECONDS + self.now.secs()).to_string().into()),
            "LINENO" => Some(self.line.to_string().into()),
            "UID" | "EUID" => Some("0".into()),
            _ => self.variables.get(name).map(|variable| variable.value.clone()),
        }
    }

    pub(super) fn variable(&self, name: &str) -> Option<&Variable> {
        self.variables.get(name)
    }

    pub(super) fn variables(&self) -> impl Iterator<Item = (&Arc<str>, &Variable)> {
        self.variables.iter()
    }

    /// Sets a variable; what it is otherwise stays.
    ///
    /// # Errors
    /// A message as bash words it: it is read-only, or there is no room.
    pub(super) fn set(&mut self, name: &str, value: impl Into<Arc<str>>) -> Result<(), String> {
        let value = value.into();
        let old = self.variables.get(name);
        if old.is_some_and(|old| old.fixed) {
            return Err(format!("{name}: readonly variable"));
        }
        let octets = self.octets + value.len() + name.len() - old.map_or(0, |old| old.value.len() + name.len());
        if octets > VARIABLES_MAX {
            return Err(format!("{name}: the variables of a shell may hold 4 MiB"));
        }
        self.octets = octets;
        let exported = old.is_some_and(|old| old.exported);
        if name == "PWD" && value.starts_with('/') {
            self.cwd = value.clone();
        }
        self.variables.insert(name.into(), Variable { value, exported, fixed: false });
        Ok(())
    }

    /// Puts a variable back as it was (`local`, `x=1 function`).
    pub(super) fn restore(&mut self, name: &Arc<str>, old: Option<Variable>) {
        self.forget(name);
        if let Some(old) = old {
            self.octets += name.len() + old.value.len();
            self.variables.insert(name.clone(), old);
        }
    }

    /// `unset`; false if it is read-only.
    pub(super) fn unset(&mut self, name: &str) -> bool {
        if self.variables.get(name).is_some_and(|variable| variable.fixed) {
            return false;
        }
        self.forget(name);
        true
    }

    pub(super) fn export(&mut self, name: &str, exported: bool) {
        if let Some(variable) = self.variables.get_mut(name) {
            variable.exported = exported;
        }
    }

    pub(super) fn fix(&mut self, name: &str) {
        if let Some(variable) = self.variables.get_mut(name) {
            variable.fixed = true;
        }
    }

    /// What a program is handed.
    pub(super) fn env(&self) -> Env {
        let exported = self.variables.iter().filter(|(_, variable)| variable.exported);
        exported.map(|(name, variable)| (name.to_string(), variable.value.to_string())).collect()
    }

    fn forget(&mut self, name: &str) {
        if let Some(old) = self.variables.remove(name) {
            self.octets -= name.len() + old.value.len();
        }
    }
}

/// Whether a text can name a variable.
pub(super) fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

const VARIABLES_MAX: usize = 4 * 1024 * 1024;
